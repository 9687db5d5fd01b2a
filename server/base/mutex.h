// A mutex that clang's thread-safety analysis understands, and the only one the project uses: a
// test counts its acquisitions on the message path. Annotate with abseil's ABSL_GUARDED_BY and
// its relatives.
#pragma once

#include <absl/base/thread_annotations.h>

#include <cstdint>
#include <mutex>

namespace spanwire::base {

class ABSL_LOCKABLE Mutex {
 public:
  // How often this thread has taken one.
  inline static thread_local std::uint64_t acquisitions = 0;

  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    mutex_.lock();
    ++acquisitions;
  }
  bool try_lock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) { return mutex_.try_lock(); }
  void unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace spanwire::base
