// A mutex that clang's thread-safety analysis understands, and the only one the project uses: a
// test counts its acquisitions on the message path.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#if defined(__clang__)
#define SPANWIRE_ATTRIBUTE(x) __attribute__((x))
#else
#define SPANWIRE_ATTRIBUTE(x)
#endif
#define CAPABILITY(x) SPANWIRE_ATTRIBUTE(capability(x))
#define SCOPED_CAPABILITY SPANWIRE_ATTRIBUTE(scoped_lockable)
#define GUARDED_BY(x) SPANWIRE_ATTRIBUTE(guarded_by(x))
#define REQUIRES(...) SPANWIRE_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) SPANWIRE_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASE(...) SPANWIRE_ATTRIBUTE(release_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) SPANWIRE_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define EXCLUDES(...) SPANWIRE_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS SPANWIRE_ATTRIBUTE(no_thread_safety_analysis)

namespace spanwire::base {

class CAPABILITY("mutex") Mutex {
 public:
  void lock() ACQUIRE() { mutex_.lock(); }
  bool try_lock() TRY_ACQUIRE(true) { return mutex_.try_lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace spanwire::base
