#include "tools/loadgen/seat.h"

#include <doctest/doctest.h>

#include <string_view>

using namespace spanwire;

TEST_CASE("seat: what was kept stands before what arrives next") {
  loadgen::Seat seat;
  const std::string_view first = seat.join("one tw");
  CHECK(first == "one tw");
  seat.keep(first.substr(4));
  const std::string_view second = seat.join("o three");
  CHECK(second == "two three");
  seat.keep(second.substr(second.size()));
  CHECK(seat.join("four") == "four");
}

TEST_CASE("seat: what was kept stays when nothing arrives") {
  loadgen::Seat seat;
  seat.keep(seat.join("half"));
  seat.keep(seat.join({}));
  CHECK(seat.join({}) == "half");
}
