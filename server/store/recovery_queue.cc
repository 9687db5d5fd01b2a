#include "store/recovery_queue.h"

#include <utility>

#include "base/assert.h"

namespace spanwire::store {

void RecoveryQueue::add(base::Loop& loop, base::Task start) {
  {
    const base::MutexLock lock(mutex_);
    if (running_ == at_once) {
      waiting_.push_back({&loop, std::move(start)});
      return;
    }
    ++running_;
  }
  start();
}

// Its place goes to the next one.
void RecoveryQueue::ended() {
  Waiting next;
  {
    const base::MutexLock lock(mutex_);
    BASE_ASSERT(running_ > 0);
    if (waiting_.empty()) {
      --running_;
      return;
    }
    next = std::move(waiting_.front());
    waiting_.pop_front();
  }
  next.loop->post(std::move(next.start));
}

}  // namespace spanwire::store
