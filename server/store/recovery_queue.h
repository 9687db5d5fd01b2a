// How many logs are recovered at once. Each holds chunks that were read ahead and the subjects that
// it has met (store/recovery.h), 15 MiB at most; a store with thousands of logs would hold all that
// at its start.
#pragma once

#include <cstddef>
#include <deque>

#include "base/done.h"
#include "base/loop.h"
#include "base/mutex.h"

namespace spanwire::store {

class RecoveryQueue {
 public:
  static constexpr std::size_t at_once = 8;

  // From any loop. `start` runs on `loop`, now or when one of those before it has ended.
  void add(base::Loop& loop, base::Task start);
  // One that was started has ended. From any loop.
  void ended();

 private:
  struct Waiting {
    base::Loop* loop = nullptr;
    base::Task start;
  };

  base::Mutex mutex_;
  std::size_t running_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace spanwire::store
