#include "jetstream/pull_queue.h"

#include <algorithm>

namespace spanwire::jetstream {

std::optional<base::WallTime> PullQueue::next_event() const {
  std::optional<base::WallTime> next;
  const auto consider = [&next](base::WallTime time) {
    next = next ? std::min(*next, time) : time;
  };
  for (const PullWaiting& request : waiting_) {
    if (request.expires) consider(*request.expires);
    if (request.heartbeat > base::Duration::zero()) consider(request.next_heartbeat);
  }
  return next;
}

}  // namespace spanwire::jetstream
