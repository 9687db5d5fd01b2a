// Helpers without threads: what was started runs when a test says so, or when someone waits for it.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/random.h"
#include "store/helpers.h"

namespace spanwire::test {

class DeferredHelpers final : public store::Helpers {
 public:
  std::unique_ptr<Batch> start(std::vector<base::Task> tasks) override {
    auto started = std::make_shared<Tasks>(std::move(tasks));
    waiting_.push_back(started);
    return std::make_unique<Started>(std::move(started));
  }

  // Whichever runs is chosen by chance.
  std::unique_ptr<Batch> start_first(std::vector<base::Task> tasks) override {
    return start(std::move(tasks));
  }

  // Any one task. False: none waits.
  bool run_one(base::Random& random) {
    std::erase_if(waiting_, [](const auto& batch) { return batch->empty(); });
    if (waiting_.empty()) return false;
    Tasks& batch = *waiting_[random.below(static_cast<std::uint32_t>(waiting_.size()))];
    std::swap(batch.back(), batch[random.below(static_cast<std::uint32_t>(batch.size()))]);
    run_last(batch);
    return true;
  }

 private:
  using Tasks = std::vector<base::Task>;

  static void run_last(Tasks& tasks) {
    base::Task task = std::move(tasks.back());
    tasks.pop_back();
    task();
  }

  class Started final : public Batch {
   public:
    explicit Started(std::shared_ptr<Tasks> tasks) : tasks_(std::move(tasks)) {}
    ~Started() override { wait(); }
    bool done() const override { return tasks_->empty(); }
    void wait() override {
      while (!tasks_->empty()) run_last(*tasks_);
    }

   private:
    std::shared_ptr<Tasks> tasks_;
  };

  std::vector<std::shared_ptr<Tasks>> waiting_;
};

}  // namespace spanwire::test
