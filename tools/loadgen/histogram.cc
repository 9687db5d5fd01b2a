#include "tools/loadgen/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace spanwire::loadgen {

// Below 256 a value is its own bucket. Above, its highest eight bits choose one of 128 buckets of
// its doubling.
std::size_t Histogram::bucket_of(std::uint64_t value) {
  const auto width = static_cast<std::size_t>(std::bit_width(value));
  const std::size_t shift = width > step_bits ? width - step_bits - 1 : 0;
  return (shift * step) + static_cast<std::size_t>(value >> shift);
}

std::uint64_t Histogram::highest_in(std::size_t bucket) {
  if (bucket < 2 * step) return bucket;
  const std::size_t shift = (bucket / step) - 1;
  const std::uint64_t top = bucket - (shift * step);
  return ((top + 1) << shift) - 1;
}

void Histogram::record(std::uint64_t value, std::uint64_t times) {
  counts_[bucket_of(std::min(value, max_value))] += times;
  count_ += times;
}

std::uint64_t Histogram::quantile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  const std::uint64_t rank =
      std::clamp<std::uint64_t>(wanted, 1, std::max<std::uint64_t>(count_, 1));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    seen += counts_[bucket];
    if (seen >= rank) return highest_in(bucket);
  }
  return 0;
}

}  // namespace spanwire::loadgen
