#include "nats/quote.h"

#include <doctest/doctest.h>

using namespace spanwire;

TEST_CASE("nats quote: printable text stands between quotes as it is") {
  CHECK(nats::quote("") == "\"\"");
  CHECK(nats::quote("a.*.>'") == "\"a.*.>'\"");
  CHECK(nats::quote("gr\xc3\xbc\xc3\x9f"
                    "e.\xf0\x9f\x98\x80") ==
        "\"gr\xc3\xbc\xc3\x9f"
        "e.\xf0\x9f\x98\x80\"");
}

TEST_CASE("nats quote: quotes and backslashes are escaped") {
  CHECK(nats::quote("\"\\") == "\"\\\"\\\\\"");
}

TEST_CASE("nats quote: control characters by their letter or their number") {
  CHECK(nats::quote("\a\b\f\n\r\t\v") == "\"\\a\\b\\f\\n\\r\\t\\v\"");
  CHECK(nats::quote({"\0\x1b\x7f", 3}) == "\"\\x00\\x1b\\x7f\"");
}

TEST_CASE("nats quote: what is no UTF-8 byte by byte") {
  CHECK(nats::quote("\xff\x80") == "\"\\xff\\x80\"");
  CHECK(nats::quote("\xe2\x80") == "\"\\xe2\\x80\"");
  CHECK(nats::quote("\xed\xa0\x80") == "\"\\xed\\xa0\\x80\"");
}

TEST_CASE("nats quote: characters that cannot be printed by their code point") {
  CHECK(nats::quote("\xc2\xa0") == "\"\\u00a0\"");
  CHECK(nats::quote("\xe2\x80\xa8") == "\"\\u2028\"");
  CHECK(nats::quote("\xf3\xa0\x80\x81") == "\"\\U000e0001\"");
}
