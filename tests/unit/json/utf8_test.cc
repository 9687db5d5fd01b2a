#include "json/utf8.h"

#include <doctest/doctest.h>

using namespace spanwire;

TEST_CASE("utf8: sequences of each length are well formed up to their limits") {
  for (const std::string_view good :
       {"a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CAPTURE(good);
    CHECK(json::sequence_size(good) == good.size());
    CHECK(json::is_utf8(good));
    for (std::size_t cut = 0; cut < good.size(); ++cut) {
      CHECK(json::sequence_size(good.substr(0, cut)) == 0);
    }
  }
}

TEST_CASE("utf8: overlong forms, surrogates, lone and out-of-range bytes are not well formed") {
  for (const std::string_view bad :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc2\x41",
        "\xe1\x80\x41", "\xf1\x80\x80\xc0"}) {
    CAPTURE(bad);
    CHECK(json::sequence_size(bad) == 0);
    CHECK_FALSE(json::is_utf8(bad));
  }
}

TEST_CASE("utf8: each wrong byte is replaced by itself, the rest stays") {
  CHECK(json::replace_invalid_utf8("a\xff\xfe\xc3\xa9z\xe2\x82") ==
        "a\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9z\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(json::replace_invalid_utf8("").empty());
}
