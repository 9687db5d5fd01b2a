// The pull requests that wait at a consumer (`$JS.API.CONSUMER.MSG.NEXT`).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/clock.h"

namespace spanwire::jetstream {

class Taker;

// One request: where to deliver, how much, until when.
struct PullWaiting {
  std::string reply;
  Taker* taker = nullptr;        // who gets the messages in place of a reply subject
  std::uint64_t left = 1;        // messages; it has one more where that is 0 from the start
  std::uint64_t bytes_left = 0;  // 0: no limit in bytes, or used up
  bool limits_bytes = false;
  bool no_wait = false;
  std::uint64_t delivered = 0;
  std::optional<base::WallTime> expires;
  base::Duration heartbeat{};  // zero: none
  base::WallTime next_heartbeat{};
};

// Served in turns: a request that is not done goes to the end.
class PullQueue {
 public:
  void set_limit(std::size_t limit) { limit_ = limit; }
  bool full() const { return waiting_.size() >= limit_; }
  bool empty() const { return waiting_.empty(); }
  std::size_t size() const { return waiting_.size(); }

  void add(PullWaiting request) { waiting_.push_back(std::move(request)); }
  PullWaiting& front() { return waiting_.front(); }
  void drop_front() { waiting_.pop_front(); }
  // The first one goes to the end.
  void rotate() {
    waiting_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  // Messages that all requests together still want.
  std::uint64_t wanted() const {
    std::uint64_t sum = 0;
    for (const PullWaiting& request : waiting_) sum += request.left;
    return sum;
  }
  // Calls keep(request) for each, and drops those for which it returns false.
  template <class Keep>
  void filter(const Keep& keep) {
    std::erase_if(waiting_, [&keep](PullWaiting& request) { return !keep(request); });
  }
  // When the next one expires or wants a heartbeat; none: none does.
  std::optional<base::WallTime> next_event() const;
  void clear() { waiting_.clear(); }

 private:
  std::deque<PullWaiting> waiting_;
  std::size_t limit_ = 512;
};

}  // namespace spanwire::jetstream
