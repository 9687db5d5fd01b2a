#include "subject/filter.h"

#include <doctest/doctest.h>

#include <string>

#include "subject/subject.h"

using namespace spanwire;
using subject::Filter;
using subject::TokenKind;

namespace {

Filter nats(std::string_view text) {
  auto parsed = subject::parse_nats_filter(text);
  REQUIRE(parsed);
  return *parsed;
}

// `#` at the end and `+`, as MQTT writes them, over dots.
Filter slash(std::string_view text) {
  Filter filter;
  subject::Tokens tokens(text);
  for (std::string_view token; tokens.next(token);) {
    if (token == "+") {
      filter.add(TokenKind::one);
    } else if (token == "#") {
      filter.add(TokenKind::tail_or_here);
    } else {
      filter.add(TokenKind::literal, token);
    }
  }
  filter.hide_dollar();
  return filter;
}

}  // namespace

TEST_CASE("filter: the NATS spelling refuses empty tokens and a tail before the end") {
  for (const char* text : {"", ".", "a.", ".a", "a..b", ">.a", "a.>.b"}) {
    CAPTURE(text);
    CHECK_FALSE(subject::parse_nats_filter(text));
  }
}

TEST_CASE("filter: a filter of more than max_filter_tokens is refused, one of as many is not") {
  std::string text = "a";
  for (std::size_t i = 1; i < subject::max_filter_tokens; ++i) text += ".a";
  CHECK(subject::parse_nats_filter(text));
  CHECK_FALSE(subject::parse_nats_filter(text + ".a"));
}

TEST_CASE("filter: wildcard bytes inside a token are literal") {
  CHECK(nats("a*.b>").is_literal());
  CHECK(subject::matches(nats("a*.b>"), "a*.b>"));
  CHECK_FALSE(subject::matches(nats("a*.b>"), "ax.by"));
}

TEST_CASE("filter: + is a wildcard only where it is switched on") {
  const auto on = subject::parse_nats_filter("s.+.t", {.plus_is_one = true});
  REQUIRE(on);
  CHECK(subject::matches(*on, "s.room.t"));
  CHECK_FALSE(subject::matches(nats("s.+.t"), "s.room.t"));
  CHECK(subject::matches(nats("s.+.t"), "s.+.t"));
}

TEST_CASE("filter: * is one token, > is one or more at the end") {
  CHECK(subject::matches(nats("a.*"), "a.b"));
  CHECK_FALSE(subject::matches(nats("a.*"), "a"));
  CHECK_FALSE(subject::matches(nats("a.*"), "a.b.c"));
  CHECK(subject::matches(nats("a.>"), "a.b.c"));
  CHECK_FALSE(subject::matches(nats("a.>"), "a"));
  CHECK(subject::matches(nats(">"), "a"));
}

TEST_CASE("filter: # takes none or more levels, and no leading wildcard sees $ [MQTT-4.7.2-1]") {
  CHECK(subject::matches(slash("a.#"), "a"));
  CHECK(subject::matches(slash("a.#"), "a.b.c"));
  CHECK_FALSE(subject::matches(slash("a.#"), "b"));
  CHECK_FALSE(subject::matches(slash("#"), "$SYS.x"));
  CHECK_FALSE(subject::matches(slash("+.x"), "$SYS.x"));
  CHECK(subject::matches(slash("$SYS.#"), "$SYS.x"));
  CHECK(subject::matches(nats(">"), "$SYS.x"));
}

TEST_CASE("filter: an any stands anywhere and takes none or more tokens") {
  Filter filter;
  filter.add(TokenKind::literal, "a");
  filter.add(TokenKind::any);
  filter.add(TokenKind::literal, "z");
  CHECK(subject::matches(filter, "a.z"));
  CHECK(subject::matches(filter, "a.b.c.z"));
  CHECK(subject::matches(filter, "a.z.z"));
  CHECK_FALSE(subject::matches(filter, "a.z.b"));
}

TEST_CASE("filter: covers is true only when every subject of the narrow one is matched") {
  CHECK(subject::covers(nats("a.>"), nats("a.*")));
  CHECK(subject::covers(nats("a.>"), nats("a.b.>")));
  CHECK(subject::covers(nats("a.*"), nats("a.b")));
  CHECK_FALSE(subject::covers(nats("a.*"), nats("a.>")));
  CHECK_FALSE(subject::covers(nats("a.b"), nats("a.*")));
  CHECK_FALSE(subject::covers(nats("a.>"), nats("a")));
  CHECK_FALSE(subject::covers(nats("a.>"), slash("a.#")));
  CHECK(subject::covers(slash("a.#"), nats("a.>")));
  CHECK_FALSE(subject::covers(slash("#"), nats(">")));
  CHECK(subject::covers(slash("#"), nats("a.>")));
  CHECK_FALSE(subject::covers(slash("#"), nats("$SYS.a")));
}

TEST_CASE("filter: an overlap is the filter of what both match, or nothing") {
  const auto overlap = [](std::string_view plain, std::string_view wanted) {
    const auto both =
        subject::overlap(*subject::parse_nats_filter(plain), *subject::parse_nats_filter(wanted));
    return both ? both->to_string() : "none";
  };
  CHECK(overlap("a.b", "a.b") == "a.b");
  CHECK(overlap("a.*", "*.b") == "a.b");
  CHECK(overlap("a.*.c", "*.b.*") == "a.b.c");
  CHECK(overlap("a.>", "*.b") == "a.b");
  CHECK(overlap("a.>", "a.*.>") == "a.*.>");
  CHECK(overlap("a.*.c", ">") == "a.*.c");
  CHECK(overlap(">", "a.*.c") == "a.*.c");
  CHECK(overlap("a.b", "a.c") == "none");
  CHECK(overlap("a.b", "a") == "none");
  CHECK(overlap("a", "a.>") == "none");
  CHECK(overlap("a.>", "a") == "none");
  CHECK(overlap("a.>", "a.*") == "a.*");
}

TEST_CASE("filter: an overlap with a tail that may be empty, and with what stands anywhere") {
  using subject::TokenKind;
  subject::Filter here;  // a.#
  here.add(TokenKind::literal, "a");
  here.add(TokenKind::tail_or_here);
  CHECK(subject::overlap(*subject::parse_nats_filter("a"), here)->to_string() == "a");
  CHECK(subject::overlap(*subject::parse_nats_filter("a.>"), here)->to_string() == "a.>");
  CHECK(subject::overlap(*subject::parse_nats_filter(">"), here)->to_string() == "a.#");
  CHECK(subject::overlap(*subject::parse_nats_filter("*.b"), here)->to_string() == "a.b");
  CHECK_FALSE(subject::overlap(*subject::parse_nats_filter("b"), here));
  subject::Filter anywhere;
  anywhere.add(TokenKind::any);
  anywhere.add(TokenKind::literal, "b");
  CHECK(subject::overlap(*subject::parse_nats_filter("a.*"), anywhere)->to_string() == "a.*");
}
