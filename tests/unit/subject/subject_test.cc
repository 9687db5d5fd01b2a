#include "subject/subject.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace spanwire;

TEST_CASE("subject: an empty token is not well formed") {
  for (const char* text : {"", ".", "a.", ".a", "a..b"}) {
    CAPTURE(text);
    CHECK_FALSE(subject::is_well_formed(text));
  }
  CHECK(subject::is_well_formed("a"));
  CHECK(subject::is_well_formed("a.b.*"));
}

TEST_CASE("subject: blank, control and DEL bytes are unsafe, every other byte is safe") {
  for (int byte = 0; byte < 256; ++byte) {
    const char text[] = {'a', static_cast<char>(byte), 'b'};
    CAPTURE(byte);
    CHECK(subject::is_safe({text, 3}) == (byte > 0x20 && byte != 0x7f));
  }
}

TEST_CASE("subject: an unsafe byte is found wherever it stands, among bytes of any kind") {
  for (std::size_t size = 1; size <= 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, '\x21');
        for (std::size_t i = 0; i < size; i += 3) text[i] = '\xff';
        for (std::size_t i = 1; i < size; i += 3) text[i] = '\x80';
        text[at] = static_cast<char>(byte);
        const bool safe = byte > 0x20 && byte != 0x7f;
        if (subject::is_safe(text) != safe) FAIL(size, " bytes, ", byte, " at ", at);
      }
    }
  }
}

TEST_CASE("subject: an empty token is found wherever it stands") {
  for (std::size_t size = 3; size <= 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (std::size_t other = 0; other < size; ++other) {
        std::string text(size, '/');  // the byte beside a dot
        text[at] = text[other] = '.';
        const std::size_t apart = at > other ? at - other : other - at;
        const bool empty =
            apart == 1 || std::min(at, other) == 0 || std::max(at, other) == size - 1;
        if (subject::is_well_formed(text) == empty) FAIL(size, " bytes, dots at ", at, ", ", other);
      }
    }
  }
}

TEST_CASE("subject: only a whole token of * or > is a wildcard") {
  CHECK_FALSE(subject::is_literal("a.*"));
  CHECK_FALSE(subject::is_literal(">"));
  CHECK(subject::is_literal("a*b.foo>"));
}

TEST_CASE("subject: its first two tokens, if it has as many") {
  CHECK(subject::first_two_tokens("a.b.c.d") == "a.b");
  CHECK(subject::first_two_tokens("a.b") == "a.b");
  CHECK(subject::first_two_tokens("a").empty());
  CHECK(subject::first_two_tokens("").empty());
}
