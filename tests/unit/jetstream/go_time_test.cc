#include "jetstream/go_time.h"

#include <doctest/doctest.h>

#include <limits>
#include <utility>

#include "json/writer.h"

using namespace spanwire;
using namespace spanwire::jetstream;

namespace {

std::string utc(std::string_view text) {
  const auto time = parse_rfc3339(text);
  REQUIRE(time);
  std::string out;
  json::append_time(out, *time);
  return out;
}

}  // namespace

TEST_CASE("go duration: numbers with units add up") {
  const std::pair<std::string_view, std::int64_t> cases[] = {
      {"0", 0},
      {"-0", 0},
      {"5s", 5'000'000'000},
      {"+5s", 5'000'000'000},
      {"-1.5ms", -1'500'000},
      {"1h30m", 5'400'000'000'000},
      {"1h0.5s", 3'600'500'000'000},
      {".5s", 500'000'000},
      {"1.s", 1'000'000'000},
      {"10us", 10'000},
      {"10\xc2\xb5s", 10'000},
      {"10\xce\xbcs", 10'000},
      {"0.3333333333333333333h", 1'200'000'000'000},
      {"9223372036854775807ns", 9'223'372'036'854'775'807},
      {"-9223372036854775808ns", std::numeric_limits<std::int64_t>::min()}};
  for (const auto& [text, nanoseconds] : cases) {
    const std::string_view shown = text;  // clang 14 captures no binding
    CAPTURE(shown);
    CHECK(parse_go_duration(text) == base::Duration(nanoseconds));
  }
}

TEST_CASE("go duration: what is none") {
  for (const std::string_view text :
       {"", "-", "+", ".", "1", "s", ".s", "1x", "1 s", " 1s", "1s ", "--1s", "never", "1d",
        "1.1.1s", "9223372036854775808ns", "3000000h", "99999999999999999999s"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_go_duration(text));
  }
}

TEST_CASE("go duration: it is printed as Go prints it, and read back") {
  const std::pair<std::int64_t, std::string_view> cases[] = {
      {0, "0s"},
      {1, "1ns"},
      {1'100, "1.1\xc2\xb5s"},
      {2'200'000, "2.2ms"},
      {3'300'000'000, "3.3s"},
      {120'000'000'000, "2m0s"},
      {245'000'000'000, "4m5s"},
      {18'367'001'000'000, "5h6m7.001s"},
      {-1'500'000'000, "-1.5s"},
      {std::numeric_limits<std::int64_t>::max(), "2562047h47m16.854775807s"},
      {std::numeric_limits<std::int64_t>::min(), "-2562047h47m16.854775808s"}};
  for (const auto& [nanoseconds, text] : cases) {
    CHECK(go_duration_text(base::Duration(nanoseconds)) == text);
    CHECK(parse_go_duration(text) == base::Duration(nanoseconds));
  }
}

TEST_CASE("rfc 3339: the zone is taken off") {
  CHECK(utc("2020-01-01T02:00:00.50+02:00") == "2020-01-01T00:00:00.5Z");
  CHECK(utc("2019-12-31T23:30:00-00:30") == "2020-01-01T00:00:00Z");
  CHECK(utc("2024-02-29T12:34:56.123456789999Z") == "2024-02-29T12:34:56.123456789Z");
}

TEST_CASE("rfc 3339: what lies outside the clock's years is its first or last") {
  CHECK(parse_rfc3339("0001-01-01T00:00:00Z") == base::WallTime::min());
  CHECK(parse_rfc3339("9999-12-31T23:59:59Z") == base::WallTime::max());
}

TEST_CASE("rfc 3339: what is no such time") {
  for (const std::string_view text :
       {"2020-13-01T00:00:00Z", "2021-02-29T00:00:00Z", "2020-01-32T00:00:00Z",
        "2020-01-01T24:00:00Z", "2020-01-01T00:60:00Z", "2020-01-01T00:00:60Z",
        "2020-01-01 00:00:00Z", "2020-01-01T00:00:00.Z", "2020-01-01T00:00:00+24:00",
        "2020-01-01T00:00:00Zx", "20-01-01T00:00:00Z", "2020-1-01T00:00:00Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
  constexpr std::string_view good = "2020-01-01T02:00:00.50+02:00";
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK_FALSE(parse_rfc3339(good.substr(0, size)));
  }
}

TEST_CASE("message ttl: seconds, a duration or never") {
  using Kind = MessageTtl::Kind;
  CHECK(parse_message_ttl("").kind == Kind::not_set);
  CHECK(parse_message_ttl("never").kind == Kind::never);
  CHECK(parse_message_ttl("NEVER").kind == Kind::never);
  const std::pair<std::string_view, std::int64_t> lives[] = {
      {"1", 1}, {"5s", 5}, {"1m", 60}, {"1999ms", 1}, {"00", 0}, {"9223372036", 9'223'372'036}};
  for (const auto& [text, seconds] : lives) {
    const std::string_view shown = text;  // clang 14 captures no binding
    CAPTURE(shown);
    const MessageTtl ttl = parse_message_ttl(text);
    CHECK(ttl.kind == Kind::seconds);
    CHECK(ttl.seconds == seconds);
  }
  for (const std::string_view text : {"0", "-1", "999ms", "-5s", "x", "1 ", "1x", "nevers",
                                      "9223372037", "99999999999999999999"}) {
    CAPTURE(text);
    CHECK(parse_message_ttl(text).kind == Kind::invalid);
  }
}
