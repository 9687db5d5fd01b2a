#include "store/helpers.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "base/mutex.h"

namespace spanwire::store {

namespace {

// What is left of a batch. The last task counts it down to none.
class Countdown {
 public:
  explicit Countdown(std::uint32_t count) : left_(count) {}
  void count_down() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) left_.notify_all();
  }
  bool is_over() const { return left_.load(std::memory_order_acquire) == 0; }
  void wait() const {
    for (std::uint32_t left = left_.load(std::memory_order_acquire); left != 0;
         left = left_.load(std::memory_order_acquire)) {
      left_.wait(left, std::memory_order_acquire);
    }
  }

 private:
  std::atomic<std::uint32_t> left_;
};

// The countdown outlives the batch: its last task may still be in count_down().
class ThreadBatch final : public Helpers::Batch {
 public:
  explicit ThreadBatch(std::shared_ptr<Countdown> left) : left_(std::move(left)) {}
  ~ThreadBatch() override { left_->wait(); }
  bool done() const override { return left_->is_over(); }
  void wait() override { left_->wait(); }

 private:
  const std::shared_ptr<Countdown> left_;
};

class ThreadHelpers final : public Helpers {
 public:
  explicit ThreadHelpers(std::size_t threads) : count_(threads) { BASE_ASSERT(threads > 0); }
  ~ThreadHelpers() override {
    {
      base::MutexLock lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  std::unique_ptr<Batch> start(std::vector<base::Task> tasks) override {
    return enqueue(std::move(tasks), false);
  }
  std::unique_ptr<Batch> start_first(std::vector<base::Task> tasks) override {
    return enqueue(std::move(tasks), true);
  }

 private:
  std::unique_ptr<Batch> enqueue(std::vector<base::Task> tasks, bool first) {
    while (threads_.size() < count_) threads_.emplace_back([this] { work(); });
    auto left = std::make_shared<Countdown>(static_cast<std::uint32_t>(tasks.size()));
    {
      base::MutexLock lock(mutex_);
      for (base::Task& task : tasks) {
        queue_.emplace(first ? queue_.begin() : queue_.end(), std::move(task), left);
      }
    }
    if (tasks.size() == 1) {
      changed_.notify_one();
    } else {
      changed_.notify_all();
    }
    return std::make_unique<ThreadBatch>(std::move(left));
  }

  // The analysis does not see that waiting takes the lock again.
  void work() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (;;) {
      mutex_.lock();
      while (queue_.empty() && !stopping_) changed_.wait(mutex_);
      if (queue_.empty()) {
        mutex_.unlock();
        return;
      }
      auto [task, left] = std::move(queue_.front());
      queue_.pop_front();
      mutex_.unlock();
      task();
      task = nullptr;
      left->count_down();
    }
  }

  const std::size_t count_;
  std::vector<std::thread> threads_;  // of the one thread that starts batches
  base::Mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::pair<base::Task, std::shared_ptr<Countdown>>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

std::unique_ptr<Helpers> make_helpers(std::size_t threads) {
  return std::make_unique<ThreadHelpers>(threads);
}

}  // namespace spanwire::store
