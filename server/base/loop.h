// A loop, as everything above net/ sees it: one thread that runs tasks, timers and connections one
// after the other. Implemented by net (threads and sockets) and by tests (manual stepping).
#pragma once

#include "base/clock.h"
#include "base/done.h"
#include "base/ids.h"

namespace spanwire::base {

// A running timer's name on its loop; 0 is none. Never used again.
enum class TimerId : std::uint64_t { none = 0 };

class Loop {
 public:
  virtual ~Loop() = default;

  virtual LoopId id() const = 0;
  // The time at the last read or wake-up of this loop. Only on the loop.
  virtual Time now() const = 0;
  virtual WallTime wall_now() const = 0;
  // The time at the call, for measuring what something took.
  virtual Time exact_now() const { return now(); }
  // Runs `task` once, not before `after` has passed, at most one tick (10 ms, or 1 ms for
  // intervals below 100 ms) late. Only on the loop.
  virtual TimerId start_timer(Duration after, Task task) = 0;
  // Unknown and expired ids are ignored. Only on the loop.
  virtual void cancel_timer(TimerId id) = 0;
  // Runs `task` in a later turn of this loop. From any thread; order is kept per posting thread.
  virtual void post(Task task) = 0;
};

}  // namespace spanwire::base
