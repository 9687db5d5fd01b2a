#include "bridges/mqtt/text.h"

#include <doctest/doctest.h>

#include <string>

using namespace spanwire;
using mqtt::check_text;
using mqtt::Text;

namespace {

// The generalised form, which spells surrogates too.
std::string utf8(std::uint32_t point) {
  const auto tail = [point](unsigned shift) {
    return static_cast<char>(0x80U | (point >> shift & 0x3fU));
  };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xc0U | point >> 6), tail(0)};
  if (point < 0x10000) return {static_cast<char>(0xe0U | point >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xf0U | point >> 18), tail(12), tail(6), tail(0)};
}

Text expected(std::uint32_t point) {
  if (point == 0) return Text::nul;
  if (point <= 0x1f || (point >= 0x7f && point <= 0x9f)) return Text::control;
  if (point >= 0xd800 && point <= 0xdfff) return Text::ill_formed;
  if (point >= 0xfdd0 && point <= 0xfdef) return Text::noncharacter;
  return (point & 0xffff) >= 0xfffe ? Text::noncharacter : Text::ok;
}

}  // namespace

TEST_CASE("text: every code point is allowed or refused by its class [MQTT-1.5.3-1, 1.5.3-2]") {
  std::size_t failures = 0;
  for (std::uint32_t point = 0; point <= 0x10ffff; ++point) {
    if (check_text(utf8(point)) != expected(point)) ++failures;
  }
  CHECK(failures == 0);
  CHECK(check_text("\xf4\x90\x80\x80") == Text::ill_formed);  // U+110000
}

TEST_CASE("text: what is refused is found wherever it stands") {
  for (const std::uint32_t point : {0U, 1U, 0x1fU, 0x7fU, 0x85U, 0xd800U, 0xfffeU, 0x1ffffU}) {
    for (std::size_t before = 0; before < 20; ++before) {
      for (std::size_t after = 0; after < 20; ++after) {
        const std::string text = std::string(before, 'a') + utf8(point) + std::string(after, 'b');
        CAPTURE(point);
        CAPTURE(before);
        CAPTURE(after);
        REQUIRE(check_text(text) == expected(point));
      }
    }
  }
}

TEST_CASE("text: a sequence cut anywhere, overlong or without its lead is ill-formed") {
  for (const std::uint32_t point : {0xe9U, 0x20acU, 0x1f600U}) {
    const std::string whole = utf8(point);
    CHECK(check_text(whole) == Text::ok);
    for (std::size_t cut = 1; cut < whole.size(); ++cut) {
      CHECK(check_text(whole.substr(0, cut)) == Text::ill_formed);
      CHECK(check_text(whole.substr(0, cut) + "abcdefgh") == Text::ill_formed);
      CHECK(check_text(whole.substr(cut)) == Text::ill_formed);
    }
  }
  for (const char* overlong : {"\xc0\x80", "\xc1\xbf", "\xe0\x80\xaf", "\xf0\x8f\xbf\xbf"}) {
    CHECK(check_text(overlong) == Text::ill_formed);
  }
  CHECK(check_text("\xff") == Text::ill_formed);
}

TEST_CASE(
    "text: empty text, text of all scripts and the byte order mark are allowed [MQTT-1.5.3-3]") {
  CHECK(check_text("") == Text::ok);
  CHECK(check_text("caf\xc3\xa9 \xe2\x82\xac \xf0\xaa\x9b\x94 plain text behind it") == Text::ok);
  CHECK(check_text("\xef\xbb\xbf mark") == Text::ok);
  CHECK(check_text(" !\"#$%&'()*+,-./0123456789:;<=>?@[\\]^_`{|}~") == Text::ok);
}
