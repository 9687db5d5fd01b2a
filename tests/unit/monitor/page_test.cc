#include "monitor/page.h"

#include <doctest/doctest.h>

using namespace spanwire;
using namespace std::chrono_literals;

TEST_CASE("uptime: whole seconds, from the largest unit that is not 0") {
  CHECK(monitor::uptime_text(0s) == "0s");
  CHECK(monitor::uptime_text(1999ms) == "1s");
  CHECK(monitor::uptime_text(3min + 30s) == "3m30s");
  CHECK(monitor::uptime_text(1h) == "1h0m0s");
  CHECK(monitor::uptime_text(49h + 1s) == "2d1h0m1s");
  CHECK(monitor::uptime_text(24h * 366) == "1y1d0h0m0s");
}

TEST_CASE("duration: as Go prints it, without trailing zeros") {
  CHECK(monitor::duration_text(0s) == "0s");
  CHECK(monitor::duration_text(-1ns) == "0s");
  CHECK(monitor::duration_text(5ns) == "5ns");
  CHECK(monitor::duration_text(375us) == "375µs");
  CHECK(monitor::duration_text(1500ns) == "1.5µs");
  CHECK(monitor::duration_text(302451481ns) == "302.451481ms");
  CHECK(monitor::duration_text(1s) == "1s");
  CHECK(monitor::duration_text(1s + 50ms) == "1.05s");
  CHECK(monitor::duration_text(60s + 500ms) == "1m0.5s");
  CHECK(monitor::duration_text(2h) == "2h0m0s");
}

TEST_CASE("parameters: true and false in Go's spellings, whole numbers, or an error") {
  http::Query query;
  REQUIRE(query.parse("a=1&b=FALSE&c=yes&d=&n=-12&m=12x&big=99999999999999999999"));
  CHECK(monitor::flag_parameter(query, "a").value());
  CHECK_FALSE(monitor::flag_parameter(query, "b").value());
  CHECK_FALSE(monitor::flag_parameter(query, "d").value());
  CHECK_FALSE(monitor::flag_parameter(query, "none").value());
  CHECK_FALSE(monitor::flag_parameter(query, "c").has_value());
  CHECK(monitor::number_parameter(query, "n").value() == -12);
  CHECK(monitor::number_parameter(query, "none").value() == 0);
  CHECK_FALSE(monitor::number_parameter(query, "m").has_value());
  CHECK_FALSE(monitor::number_parameter(query, "big").has_value());
}
