#include "app/flag_values.h"

#include <doctest/doctest.h>

#include <cstdint>

using namespace spanwire;
using app::NumberError;

TEST_CASE("flag values: a switch has six words for on and six for off") {
  for (const char* on : {"1", "t", "T", "true", "TRUE", "True"}) {
    CHECK(app::parse_switch(on) == true);
  }
  for (const char* off : {"0", "f", "F", "false", "FALSE", "False"}) {
    CHECK(app::parse_switch(off) == false);
  }
  for (const char* neither : {"", "yes", "on", "tRUE", "2", " 1", "true "}) {
    CAPTURE(neither);
    CHECK_FALSE(app::parse_switch(neither).has_value());
  }
}

TEST_CASE("flag values: numbers are read as Go reads its literals") {
  struct Example {
    const char* text;
    std::int64_t value;
  };
  for (const Example& e : {Example{"0", 0},
                           {"-0", 0},
                           {"+5", 5},
                           {"-1", -1},
                           {"4222", 4222},
                           {"1_000", 1000},
                           {"0x10", 16},
                           {"-0XfF", -255},
                           {"0b101", 5},
                           {"0o17", 15},
                           {"017", 15},
                           {"0_7", 7},
                           {"0x_1", 1},
                           {"00", 0},
                           {"9223372036854775807", INT64_MAX},
                           {"-9223372036854775808", INT64_MIN}}) {
    CAPTURE(e.text);
    const app::Number number = app::parse_number(e.text);
    CHECK(number.error == NumberError::none);
    CHECK(number.value == e.value);
  }
}

TEST_CASE("flag values: what is no number is malformed, what is too large is out of range") {
  for (const char* text : {"", "+", "-", "x", " 5", "5 ", "1.5", "1e3", "08", "0x", "0b", "0b2",
                           "0xg", "_1", "1_", "1__0", "0x1_", "--1", "12a"}) {
    CAPTURE(text);
    CHECK(app::parse_number(text).error == NumberError::malformed);
  }
  for (const char* text : {"9223372036854775808", "-9223372036854775809", "0x8000000000000000",
                           "99999999999999999999999999"}) {
    CAPTURE(text);
    CHECK(app::parse_number(text).error == NumberError::out_of_range);
  }
}

TEST_CASE("flag values: quoting leaves nothing that a terminal would act on") {
  CHECK(app::quoted("") == "\"\"");
  CHECK(app::quoted("abc") == "\"abc\"");
  CHECK(app::quoted("a\"b\\c") == R"("a\"b\\c")");
  CHECK(app::quoted("\n\t\x1b\x7f\xff") == R"("\n\t\x1b\x7f\xff")");
}
