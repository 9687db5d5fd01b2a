// A loop whose owner waits for what other threads post.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "base/loop.h"

namespace spanwire::test {

class WaitingLoop final : public base::Loop {
 public:
  base::LoopId id() const override { return 0; }
  base::Time now() const override { return {}; }
  base::WallTime wall_now() const override { return {}; }
  base::TimerId start_timer(base::Duration, base::Task) override { return base::TimerId::none; }
  void cancel_timer(base::TimerId) override {}
  void post(base::Task task) override {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
  }
  // The next task, as soon as there is one.
  void run_one() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !tasks_.empty(); });
    base::Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<base::Task> tasks_;
};

}  // namespace spanwire::test
