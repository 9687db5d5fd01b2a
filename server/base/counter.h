// A count that one loop writes and any thread may read: no locked instruction on the hot path.
#pragma once

#include <atomic>
#include <cstdint>

namespace spanwire::base {

class Counter {
 public:
  // Only on the owning loop.
  void add(std::uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t amount) { add(~amount + 1); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace spanwire::base
