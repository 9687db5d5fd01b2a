#include "subject/subject.h"

#include <doctest/doctest.h>

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
