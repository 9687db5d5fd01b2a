// A loop without a thread: time stands still until a test moves it.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "base/loop.h"

namespace spanwire::test {

class ManualLoop final : public base::Loop {
 public:
  explicit ManualLoop(base::LoopId id) : id_(id) {}

  base::LoopId id() const override { return id_; }
  base::Time now() const override { return now_; }
  base::WallTime wall_now() const override {
    return base::WallTime(now_.time_since_epoch()) + std::chrono::hours(24 * 365 * 50);
  }
  base::TimerId start_timer(base::Duration after, base::Task task) override {
    const auto id = static_cast<base::TimerId>(++last_timer_);
    timers_.emplace(std::pair(now_ + after, last_timer_), std::move(task));
    return id;
  }
  void cancel_timer(base::TimerId id) override {
    std::erase_if(timers_, [id](const auto& timer) {
      return timer.first.second == static_cast<std::uint64_t>(id);
    });
  }
  void post(base::Task task) override { posted_.push_back(std::move(task)); }

  // Runs what was posted. False: nothing was.
  bool run_posted() {
    std::vector<base::Task> tasks = std::exchange(posted_, {});
    for (base::Task& task : tasks) task();
    return !tasks.empty();
  }
  // Forgets all that waits, as when its process ends.
  void clear() {
    posted_.clear();
    timers_.clear();
  }
  void set_now(base::Time now) { now_ = now; }
  // Runs what is due, in order.
  bool run_timers() {
    bool any = false;
    while (!timers_.empty() && timers_.begin()->first.first <= now_) {
      base::Task task = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      task();
      any = true;
    }
    return any;
  }
  bool has_timers() const { return !timers_.empty(); }
  base::Time next_timer() const { return timers_.begin()->first.first; }

 private:
  base::LoopId id_;
  base::Time now_{};
  std::uint64_t last_timer_ = 0;
  std::map<std::pair<base::Time, std::uint64_t>, base::Task> timers_;
  std::vector<base::Task> posted_;
};

}  // namespace spanwire::test
