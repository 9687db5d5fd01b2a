// Latencies in logarithmic steps: 128 buckets for each doubling, so a value is known within 0.8 %.
// Recording is an increment; the size never changes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace spanwire::loadgen {

class Histogram {
 public:
  // Values above this, 18 minutes in nanoseconds, are recorded as this.
  static constexpr std::uint64_t max_value = (std::uint64_t{1} << 40) - 1;

  void record(std::uint64_t value, std::uint64_t times = 1);
  std::uint64_t count() const { return count_; }
  // The highest value that a share of all values (0 to 1) does not exceed; 0 if nothing was
  // recorded.
  std::uint64_t quantile(double share) const;

 private:
  static constexpr std::size_t step_bits = 7;
  static constexpr std::size_t step = std::size_t{1} << step_bits;
  static constexpr std::size_t buckets = (40 - step_bits + 1) * step;

  static std::size_t bucket_of(std::uint64_t value);
  static std::uint64_t highest_in(std::size_t bucket);

  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t count_ = 0;
};

}  // namespace spanwire::loadgen
