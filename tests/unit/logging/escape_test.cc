#include "logging/escape.h"

#include <doctest/doctest.h>

using namespace spanwire;

namespace {

std::string escaped(std::string_view text, std::size_t max_bytes = 1000) {
  std::string out;
  logging::append_escaped(out, text, max_bytes);
  return out;
}

}  // namespace

TEST_CASE("escape: plain text and characters of other scripts stay as they are") {
  CHECK(escaped("") == "");
  CHECK(escaped("Client \"a\\b\" connected ~") == "Client \"a\\b\" connected ~");
  CHECK(escaped("gr\u00fc\u00df \u65e5\u672c \U0001F600 \u00a0") ==
        "gr\u00fc\u00df \u65e5\u672c \U0001F600 \u00a0");
}

TEST_CASE("escape: no control character passes, whatever it is") {
  for (int byte = 0; byte < 0x20; ++byte) {
    const std::string text = escaped(std::string("a") + static_cast<char>(byte) + "b");
    CAPTURE(byte);
    CHECK(text.size() >= 4);
    for (const char c : text) CHECK(static_cast<unsigned char>(c) >= 0x20);
  }
  CHECK(escaped("x\r\n[1] [INF] forged\t!") == "x\\r\\n[1] [INF] forged\\t!");
  CHECK(escaped(std::string_view("\x1b[31m\0\x7f", 7)) == "\\x1b[31m\\x00\\x7f");
  CHECK(escaped("\u009b31m") == "\\xc2\\x9b31m");  // a terminal may take U+009B for ESC [
}

TEST_CASE("escape: bytes that are not UTF-8 are shown as numbers [RFC 3629, 4]") {
  CHECK(escaped("\x80z") == "\\x80z");
  CHECK(escaped("\xc0\xaf") == "\\xc0\\xaf");                    // overlong
  CHECK(escaped("\xe0\x80\xaf") == "\\xe0\\x80\\xaf");           // overlong
  CHECK(escaped("\xf0\x80\x80\x80") == "\\xf0\\x80\\x80\\x80");  // overlong
  CHECK(escaped("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // a surrogate
  CHECK(escaped("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  CHECK(escaped("\xf8\x88\x80\x80\x80") == "\\xf8\\x88\\x80\\x80\\x80");
  CHECK(escaped("\xf4\x8f\xbf\xbf") == "\xf4\x8f\xbf\xbf");  // the last character
}

TEST_CASE("escape: a character cut at any byte is shown as numbers") {
  const std::string_view whole = "\U0001F600";
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    CAPTURE(cut);
    const std::string text = escaped(whole.substr(0, cut));
    CHECK(text.size() == 4 * cut);
    CHECK(text.substr(0, 4) == "\\xf0");
  }
}

TEST_CASE("escape: a text that just fits is whole, one byte more cuts it and says how much") {
  CHECK(escaped("12345", 5) == "12345");
  CHECK(escaped("123456", 5) == "12345... (1 bytes cut)");
  CHECK(escaped("12345", 0) == "... (5 bytes cut)");
  CHECK(escaped("\n\n", 4) == "\\n\\n");
  CHECK(escaped("\n\n", 3) == "\\n... (1 bytes cut)");   // an escape is never cut in two
  CHECK(escaped("a\u00fc", 2) == "a... (2 bytes cut)");  // nor is a character
  std::string out = "before";
  logging::append_escaped(out, "abc", 3);
  CHECK(out == "beforeabc");
}
