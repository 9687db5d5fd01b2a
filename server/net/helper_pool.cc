#include "net/helper_pool.h"

#include <pthread.h>

#include <utility>

#include "base/assert.h"

namespace spanwire::net {

using base::MutexLock;

HelperPool::HelperPool(std::size_t threads, std::size_t max_waiting) : max_waiting_(max_waiting) {
  BASE_ASSERT(threads > 0);
  BASE_ASSERT(max_waiting > 0);
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
}

HelperPool::~HelperPool() {
  stop();
}

bool HelperPool::run(base::Task work, base::Loop& loop, base::Task done) {
  BASE_ASSERT(work);
  BASE_ASSERT(done);
  {
    const MutexLock lock(mutex_);
    if (stopping_ || waiting_.size() >= max_waiting_) {
      ++refused_;
      return false;
    }
    waiting_.push_back({std::move(work), &loop, std::move(done)});
  }
  changed_.notify_one();
  return true;
}

void HelperPool::stop() {
  std::deque<Item> left;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    left = std::exchange(waiting_, {});
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    BASE_ASSERT(thread.get_id() != std::this_thread::get_id());
    thread.join();
  }
  threads_.clear();
  for (Item& item : left) {
    base::Loop& loop = *item.loop;
    loop.post([dropped = std::move(item)] {});
  }
}

std::size_t HelperPool::waiting() const {
  const MutexLock lock(mutex_);
  return waiting_.size();
}

std::uint64_t HelperPool::refused() const {
  const MutexLock lock(mutex_);
  return refused_;
}

void HelperPool::serve() {
  ::pthread_setname_np(::pthread_self(), "helper");
  while (std::optional<Item> item = take()) {
    item->work();
    // Before the answer: what both refer to must not end on this thread after it.
    item->work = nullptr;
    item->loop->post(std::move(item->done));
  }
}

// The next piece of work, once there is one; nothing when the pool stops.
std::optional<HelperPool::Item> HelperPool::take() {
  const MutexLock lock(mutex_);
  while (!stopping_ && waiting_.empty()) changed_.wait(mutex_);
  if (stopping_) return std::nullopt;
  Item item = std::move(waiting_.front());
  waiting_.pop_front();
  return item;
}

}  // namespace spanwire::net
