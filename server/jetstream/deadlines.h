// When the messages with a time to live of their own expire (`Nats-TTL`).
#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "base/clock.h"
#include "store/log.h"

namespace spanwire::jetstream {

// 16 bytes a message. Entries of messages that are gone since are dropped when they are due.
class Deadlines {
 public:
  struct Entry {
    base::WallTime at;
    store::Sequence sequence;
    bool operator>(const Entry& other) const {
      return at != other.at ? at > other.at : sequence > other.sequence;
    }
  };

  void add(store::Sequence sequence, base::WallTime at) {
    heap_.push_back({at, sequence});
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  }
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  const Entry& next() const { return heap_.front(); }
  void drop_next() {
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    heap_.pop_back();
  }
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const Entry& entry : heap_) visit(entry);
  }

 private:
  std::vector<Entry> heap_;
};

}  // namespace spanwire::jetstream
