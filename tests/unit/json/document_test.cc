#include "json/document.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace spanwire;
using json::Kind;

namespace {

json::Document parse(std::string_view text) {
  auto document = json::Document::parse(text);
  REQUIRE_MESSAGE(document.has_value(), text);
  return std::move(*document);
}

bool refused(std::string_view text) {
  return !json::Document::parse(text).has_value();
}

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + "1" + std::string(depth, ']');
}

}  // namespace

TEST_CASE("document: every kind is read by its getter and refused by the others") {
  const auto document = parse(R"({"n":null,"b":true,"i":-7,"s":"x","a":[1,2],"o":{"k":0}})");
  const auto root = document.root();
  CHECK(root.kind() == Kind::object);
  CHECK(root.find("n")->kind() == Kind::null);
  CHECK(root.find("b")->boolean() == true);
  CHECK(root.find("i")->int64() == -7);
  CHECK(root.find("s")->string() == "x");
  CHECK_FALSE(root.find("b")->string());
  CHECK_FALSE(root.find("s")->boolean());
  CHECK_FALSE(root.find("s")->int64());
  CHECK_FALSE(root.find("s")->uint64());
  CHECK_FALSE(root.find("s")->real());
  CHECK_FALSE(root.find("s")->find("x"));
  CHECK_FALSE(root.find("missing"));
  CHECK(root.find("o")->find("k")->uint64() == 0);
}

TEST_CASE("document: elements and members come in the order of the text") {
  const auto document = parse(R"([[1,[2]],{"x":{"y":3},"z":4},[],5])");
  std::vector<Kind> kinds;
  for (const auto element : document.root()) kinds.push_back(element.kind());
  CHECK(kinds == std::vector{Kind::array, Kind::object, Kind::array, Kind::number});
  std::vector<std::string> names;
  for (const auto member : *++document.root().begin()) names.emplace_back(member.name());
  CHECK(names == std::vector<std::string>{"x", "z"});
  for (const auto element : *document.root().begin()) CHECK(element.name().empty());
  const auto scalar = parse("5");
  CHECK(scalar.root().begin() == scalar.root().end());
}

TEST_CASE("document: of members with one name the last wins") {
  CHECK(parse(R"({"a":1,"b":2,"a":3})").root().find("a")->int64() == 3);
}

TEST_CASE("document: integers are exact to the limits of 64 bits and refused beyond") {
  CHECK(parse("9223372036854775807").root().int64() == INT64_MAX);
  CHECK(parse("-9223372036854775808").root().int64() == INT64_MIN);
  CHECK_FALSE(parse("9223372036854775808").root().int64());
  CHECK_FALSE(parse("-9223372036854775809").root().int64());
  CHECK(parse("18446744073709551615").root().uint64() == UINT64_MAX);
  CHECK_FALSE(parse("18446744073709551616").root().uint64());
  CHECK_FALSE(parse("-1").root().uint64());
  CHECK(parse("-0").root().int64() == 0);
}

TEST_CASE("document: what is written as a fraction or with an exponent is no integer") {
  for (const char* text : {"1.0", "1e2", "1E+2", "0.5"}) {
    CAPTURE(text);
    CHECK_FALSE(parse(text).root().int64());
    CHECK_FALSE(parse(text).root().uint64());
    CHECK(parse(text).root().real());
  }
  CHECK(parse("1e2").root().real() == 100.0);
  CHECK(parse("[2.5,-3]").root().begin().operator*().real() == 2.5);
}

TEST_CASE("document: escapes are decoded") {
  CHECK(parse(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00")").root().string() ==
        "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(parse(R"({"\u0061b":1})").root().find("ab")->int64() == 1);
}

TEST_CASE("document: a NUL inside a string is kept when it is escaped") {
  using namespace std::string_view_literals;
  CHECK(parse(R"("a\u0000b")").root().string() == "a\0b"sv);
}

TEST_CASE("document: bytes that are no UTF-8 are replaced in strings and refused outside") {
  CHECK(parse("\"a\xff\"").root().string() == "a\xef\xbf\xbd");
  CHECK(refused("\xff"));
  CHECK(refused("{}\xff"));
}

TEST_CASE("document: an escaped surrogate without its other half is replaced") {
  const std::string replaced = "\xef\xbf\xbd";
  CHECK(parse(R"("\ud800")").root().string() == replaced);
  CHECK(parse(R"("\udc00x")").root().string() == replaced + "x");
  CHECK(parse(R"("\ud800\ud83d\ude00")").root().string() == replaced + "\xf0\x9f\x98\x80");
  CHECK(parse(R"("\uD83D\u0041\\\ud800\udfff")").root().string() ==
        replaced + "A\\\xf0\x90\x8f\xbf");
  CHECK(parse(R"("\\ud800")").root().string() == "\\ud800");
}

TEST_CASE("document: what is not one JSON value is refused") {
  for (const std::string_view text : {"",           " ",       "{",         "}",
                                      "[1",         "[1,]",    "{\"a\"}",   "{\"a\":}",
                                      "{\"a\":1,}", "{a:1}",   "{'a':1}",   "1 2",
                                      "{}x",        "nul",     "tru",       "True",
                                      "01",         "1.",      ".5",        "-",
                                      "+1",         "1e",      "NaN",       "Infinity",
                                      "\"",         "\"\\x\"", "\"\\u12\"", "\"a\nb\"",
                                      "\"a\tb\"",   "// c\n1", "/*c*/1",    "\xef\xbb\xbf{}"}) {
    CAPTURE(text);
    CHECK(refused(text));
  }
  CHECK_FALSE(refused(" \t\r\n{} \t\r\n"));
}

TEST_CASE("document: a NUL ends nothing") {
  using namespace std::string_view_literals;
  CHECK(refused("{}\0"sv));
  CHECK(refused("{}\0garbage"sv));
  CHECK(refused("\0"sv));
  CHECK(refused("[1,\0 2]"sv));
  CHECK(refused("\"a\0b\""sv));
}

TEST_CASE("document: a text cut at any byte is refused") {
  const std::string text = R"({"a":[1,{"b":"c\u00e9"},null,true,false,-1.5e3],"d":{}})";
  REQUIRE_FALSE(refused(text));
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    CAPTURE(cut);
    CHECK(refused(std::string_view(text).substr(0, cut)));
  }
}

TEST_CASE("document: depth is limited, and the limit itself is allowed") {
  CHECK_FALSE(refused(nested(64)));
  CHECK(refused(nested(65)));
  CHECK(json::Document::parse(nested(3), {.depth = 3}).has_value());
  CHECK_FALSE(json::Document::parse(nested(4), {.depth = 3}).has_value());
}

TEST_CASE("document: a megabyte of open brackets is refused without a deep stack") {
  CHECK(refused(std::string(1U << 20U, '[')));
  const json::Limits deepest{.depth = json::Limits::max_depth};
  CHECK(json::Document::parse(nested(deepest.depth), deepest).has_value());
  CHECK_FALSE(json::Document::parse(nested(deepest.depth + 1), deepest).has_value());
}

TEST_CASE("document: size and number of values are limited") {
  CHECK(json::Document::parse("[1,2]", {.size_bytes = 5}).has_value());
  CHECK_FALSE(json::Document::parse("[1,2]", {.size_bytes = 4}).has_value());
  CHECK(json::Document::parse("[1,2]", {.values = 3}).has_value());
  const auto refusal = json::Document::parse("[1,2]", {.values = 2});
  REQUIRE_FALSE(refusal.has_value());
  CHECK(refusal.error().text == "invalid JSON: too many values");
}

TEST_CASE("document: values stay valid when the document moves") {
  auto document = parse(R"(["a"])");
  const auto root = document.root();
  const json::Document moved = std::move(document);
  CHECK((*root.begin()).string() == "a");
  CHECK((*moved.root().begin()).string() == "a");
}

TEST_CASE("document: an error says where") {
  const auto refusal = json::Document::parse(R"({"a":x})");
  REQUIRE_FALSE(refusal.has_value());
  CHECK(refusal.error().text == "invalid JSON at byte 5: Invalid value.");
}
