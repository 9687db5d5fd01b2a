// Durations counted in powers of two (base/histogram.h).
#include "base/histogram.h"

#include <doctest/doctest.h>

using namespace spanwire;
using namespace std::chrono_literals;

TEST_CASE("histogram: a duration stands in the bucket of its power of two") {
  base::Histogram histogram;
  for (const auto taken : {0ns, 1ns, 2ns, 3ns, 4ns, 1023ns, 1024ns}) histogram.add(taken);
  histogram.add(-5ns);
  histogram.add(100h);
  const base::Distribution found = histogram.read();
  CHECK(found.counts[0] == 2);
  CHECK(found.counts[1] == 1);
  CHECK(found.counts[2] == 2);
  CHECK(found.counts[3] == 1);
  CHECK(found.counts[10] == 1);
  CHECK(found.counts[11] == 1);
  CHECK(found.counts[base::Distribution::buckets - 1] == 1);
  CHECK(found.count() == 9);
}

TEST_CASE("histogram: a bound is above as many as it says, over all that were added up") {
  base::Distribution all;
  CHECK(all.below_ns(500) == 0);
  base::Histogram fast;
  base::Histogram slow;
  for (int i = 0; i < 990; ++i) fast.add(100ns);
  for (int i = 0; i < 10; ++i) slow.add(10us);
  all.add(fast.read());
  all.add(slow.read());
  CHECK(all.count() == 1000);
  CHECK(all.total_ns == 990 * 100 + 10 * 10'000);
  CHECK(all.below_ns(500) == 128);
  CHECK(all.below_ns(990) == 128);
  CHECK(all.below_ns(991) == 16'384);
  CHECK(all.below_ns(999) == 16'384);
}
