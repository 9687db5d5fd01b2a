// How often something took how long, in powers of two of nanoseconds: adding costs a count, so it
// can stay on.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "base/clock.h"
#include "base/counter.h"

namespace spanwire::base {

// What was counted, for reading and adding up.
struct Distribution {
  static constexpr std::size_t buckets = 40;  // bucket i: less than 2^i ns; the last: anything more

  std::array<std::uint64_t, buckets> counts{};
  std::uint64_t total_ns = 0;

  std::uint64_t count() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t bucket : counts) sum += bucket;
    return sum;
  }
  void add(const Distribution& other) {
    for (std::size_t i = 0; i < buckets; ++i) counts[i] += other.counts[i];
    total_ns += other.total_ns;
  }
  // A bound that `per_mille` of them stayed below, in ns; 0 if there are none.
  std::uint64_t below_ns(std::uint64_t per_mille) const {
    const std::uint64_t all = count();
    const std::uint64_t wanted = (all * per_mille + 999) / 1000;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets && all != 0; ++i) {
      seen += counts[i];
      if (seen >= wanted) return std::uint64_t{1} << i;
    }
    return 0;
  }
};

// Written by its loop, read by any thread.
class Histogram {
 public:
  void add(Duration taken) {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(taken).count(), 0));
    const auto bucket = static_cast<std::size_t>(std::bit_width(ns));
    counts_[std::min(bucket, Distribution::buckets - 1)].add();
    total_ns_.add(ns);
  }
  Distribution read() const {
    Distribution found;
    for (std::size_t i = 0; i < Distribution::buckets; ++i) found.counts[i] = counts_[i].get();
    found.total_ns = total_ns_.get();
    return found;
  }

 private:
  std::array<Counter, Distribution::buckets> counts_;
  Counter total_ns_;
};

}  // namespace spanwire::base
