#include "tools/loadgen/histogram.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>

using namespace spanwire;

TEST_CASE("histogram: without values every quantile is 0") {
  const loadgen::Histogram nothing;
  CHECK(nothing.quantile(0.5) == 0);
  CHECK(nothing.quantile(1) == 0);
}

TEST_CASE("histogram: values below 256 are kept exactly") {
  loadgen::Histogram histogram;
  for (std::uint64_t value = 0; value < 256; ++value) histogram.record(value);
  CHECK(histogram.count() == 256);
  CHECK(histogram.quantile(0) == 0);
  CHECK(histogram.quantile(0.5) == 127);
  CHECK(histogram.quantile(1) == 255);
}

TEST_CASE("histogram: any value is known from above within 1 in 128") {
  std::uint64_t value = 1;
  while (value < loadgen::Histogram::max_value / 3) {
    for (const std::uint64_t near : {value - 1, value, value + 1}) {
      const auto histogram = std::make_unique<loadgen::Histogram>();
      histogram->record(near);
      CHECK(histogram->quantile(1) >= near);
      CHECK(histogram->quantile(1) - near <= near / 128);
    }
    value = value * 3 / 2 + 1;
  }
}

TEST_CASE("histogram: what is too large counts as the largest") {
  loadgen::Histogram histogram;
  histogram.record(UINT64_MAX);
  CHECK(histogram.quantile(1) == loadgen::Histogram::max_value);
}

TEST_CASE("histogram: one slow value in a hundred shows above the 99th percentile, not at it") {
  loadgen::Histogram histogram;
  histogram.record(100, 99);
  histogram.record(200);
  CHECK(histogram.quantile(0.99) == 100);
  CHECK(histogram.quantile(0.999) == 200);
}
