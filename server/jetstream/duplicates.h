// The duplicate window of a stream: which message ids it has stored lately, and as what.
#pragma once

#include <absl/container/node_hash_map.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/text_hash.h"
#include "store/log.h"

namespace spanwire::jetstream {

// Belongs to a stream. Ids that are not committed yet count: two publishers of one id never both
// store it.
class Duplicates {
 public:
  // So many ids at most; a publisher of another one is told to wait (429).
  static constexpr std::size_t max_ids = 4'000'000;

  // Zero: ids are not looked at.
  void set_window(base::Duration window) { window_ = window; }
  base::Duration window() const { return window_; }

  // The sequence that this id was stored as within the window; 0: it is new.
  store::Sequence find(std::string_view id) const;
  // `now` never goes back. False: the window is full.
  bool add(std::string_view id, store::Sequence sequence, base::WallTime now);
  // What is above was never committed.
  void forget_above(store::Sequence last);
  // Forgets what is older than the window.
  void forget_before(base::WallTime now);

  std::size_t size() const { return ids_.size(); }
  bool full() const { return ids_.size() >= max_ids; }
  // When the oldest leaves the window; none: there is none.
  bool empty() const { return order_.empty(); }
  base::WallTime next_expiry() const { return order_.front().time + window_; }
  // The first that was stored as this sequence or a later one.
  struct Found {
    std::string_view id;
    store::Sequence sequence = 0;
    base::WallTime time{};
  };
  std::optional<Found> next(store::Sequence from) const;
  // Calls visit(id, sequence, time), the oldest first.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const Entry& entry : order_) visit(*entry.id, entry.sequence, entry.time);
  }

 private:
  struct Entry {
    const std::string* id;  // a key of ids_, whose nodes stay where they are
    store::Sequence sequence;
    base::WallTime time;
  };
  base::Duration window_{};
  absl::node_hash_map<std::string, store::Sequence, base::TextHash, base::TextEqual> ids_;
  std::deque<Entry> order_;
};

}  // namespace spanwire::jetstream
