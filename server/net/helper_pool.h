// Threads for work that blocks: password hashes, files, fetches. A loop asks and goes on; the
// answer comes back to it as a task.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <thread>
#include <vector>

#include "base/done.h"
#include "base/loop.h"
#include "base/mutex.h"

namespace spanwire::net {

// Starts its threads at once and ends them in stop(). The loops that ask it outlive that.
class HelperPool {
 public:
  // At most `max_waiting` pieces of work wait for a thread.
  HelperPool(std::size_t threads, std::size_t max_waiting);
  ~HelperPool();
  HelperPool(const HelperPool&) = delete;
  HelperPool& operator=(const HelperPool&) = delete;

  // Runs `work` on a helper thread, destroys it there, and then has `loop` run `done`. What waits
  // is begun in the order of the calls. False when too much waits or the pool has stopped: then
  // neither is called, and both are destroyed here. From any thread.
  bool run(base::Task work, base::Loop& loop, base::Task done);

  // Waits for the work that has begun; its `done`s are posted. What still waits is handed to its
  // loop to be destroyed there, and not called. By the owner alone, not by a helper thread; a
  // second call does nothing.
  void stop();

  std::size_t waiting() const;
  // How often run() returned false, since the beginning.
  std::uint64_t refused() const;

 private:
  struct Item {
    base::Task work;
    base::Loop* loop;
    base::Task done;
  };

  void serve();
  std::optional<Item> take();

  const std::size_t max_waiting_;
  mutable base::Mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Item> waiting_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace spanwire::net
