#include "config/spelling.h"

#include <doctest/doctest.h>

#include <chrono>
#include <limits>

using namespace spanwire;
using namespace std::chrono_literals;

TEST_CASE("duration: numbers with units are added up") {
  CHECK(config::read_duration("2s").value() == 2s);
  CHECK(config::read_duration("1h30m").value() == 90min);
  CHECK(config::read_duration("1m1h").value() == 61min);
  CHECK(config::read_duration("1.5s").value() == 1500ms);
  CHECK(config::read_duration(".5s").value() == 500ms);
  CHECK(config::read_duration("5.s").value() == 5s);
  CHECK(config::read_duration("-1.5h").value() == -90min);
  CHECK(config::read_duration("+3ns").value() == 3ns);
  CHECK(config::read_duration("7us").value() == 7us);
  CHECK(config::read_duration("7\xC2\xB5s").value() == 7us);
  CHECK(config::read_duration("7\xCE\xBCs").value() == 7us);
  CHECK(config::read_duration("0").value() == 0s);
  CHECK(config::read_duration("-0").value() == 0s);
  CHECK(config::read_duration("0.000000001s").value() == 1ns);
  CHECK(config::read_duration("0.1234567891234567891s").value() == 123'456'789ns);
  CHECK(config::read_duration("2562047h47m16.854775807s").value() ==
        base::Duration(std::numeric_limits<std::int64_t>::max()));
}

TEST_CASE("duration: what Go refuses is refused") {
  for (const char* text : {"",
                           "-",
                           "+",
                           "3",
                           "s",
                           ".s",
                           "1",
                           "00",
                           "1h0",
                           "1x",
                           "1 s",
                           "1S",
                           "1d",
                           "--1s",
                           "1s-",
                           "1..5s",
                           "9223372036854775808ns",
                           "2562047h47m17s",
                           "3000000h",
                           "99999999999999999999s"}) {
    CAPTURE(text);
    CHECK_FALSE(config::read_duration(text));
  }
}

TEST_CASE("duration: its text gives the same again") {
  for (const std::int64_t count : {0LL, 1LL, -1LL, 999LL, 1'000'001LL, 90'000'000'000LL,
                                   std::numeric_limits<long long>::max(), -3'600'000'000'001LL}) {
    const base::Duration duration(count);
    CAPTURE(count);
    CHECK(config::read_duration(config::duration_text(duration)).value() == duration);
  }
  CHECK(config::duration_text(2min + 500ms) == "2m500ms");
  CHECK(config::duration_text(base::Duration(std::numeric_limits<std::int64_t>::min())) ==
        "-9223372036854775808ns");
}

TEST_CASE("error: a text from a file is shown on one line, and not without end") {
  CHECK(config::shown("a b\n\x7f\xC3\xA9") == "a b??\xC3\xA9");
  CHECK(config::shown(std::string(80, 'x')) == std::string(80, 'x'));
  CHECK(config::shown(std::string(81, 'x')) == std::string(80, 'x') + "...");
  const std::string wide = std::string(79, 'x') + "\xC3\xA9";
  CHECK(config::shown(wide + "y") == std::string(79, 'x') + "...");
  CHECK(config::shown(std::string(100, '\x80')).size() < 90);
}
