// What this process takes of the machine, as Linux counts it.
#pragma once

#include <optional>

#include "base/clock.h"
#include "base/mutex.h"
#include "monitor/source.h"

namespace spanwire::app {

// Any thread may ask.
class ProcessUsage {
 public:
  ProcessUsage();
  // The share of the processor is that of the time since the last answer, if that was a second ago
  // or more; else the last one again. A file that cannot be read counts as nothing.
  monitor::Usage read();

 private:
  base::Mutex mutex_;
  base::Time last_time_ ABSL_GUARDED_BY(mutex_);
  base::Duration last_cpu_ ABSL_GUARDED_BY(mutex_){};
  double percent_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace spanwire::app
