#include "jetstream/go_json.h"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

using namespace spanwire;
using namespace spanwire::jetstream;

namespace {

using Next = GoJsonValues::Next;

// What the stream decoder says of the first value.
std::string error_of(std::string_view text) {
  GoJsonValues values(text);
  std::string_view value;
  std::string error;
  values.next(value, error);
  return error;
}

}  // namespace

TEST_CASE("go json: values follow one another") {
  GoJsonValues values(R"( {"a":[1,{}]} 1"x"null )");
  std::string_view value;
  std::string error;
  for (const std::string_view wanted : {R"({"a":[1,{}]})", "1", R"("x")", "null"}) {
    REQUIRE(values.next(value, error) == Next::value);
    CHECK(value == wanted);
  }
  CHECK(values.next(value, error) == Next::end);
  CHECK(values.next(value, error) == Next::end);
}

TEST_CASE("go json: an error has Go's words, and its place counted from one") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"{", "unexpected EOF"},
      {R"({"a")", "unexpected EOF"},
      {"-", "unexpected EOF"},
      {"1.", "unexpected EOF"},
      {"1e", "unexpected EOF"},
      {"tru", "unexpected EOF"},
      {R"("abc)", "unexpected EOF"},
      {R"({"a":1,})",
       "invalid character '}' looking for beginning of object key string at offset 8"},
      {R"({"a" "b"})", "invalid character '\"' after object key at offset 6"},
      {R"({"a":1 "b"})", "invalid character '\"' after object key:value pair at offset 8"},
      {"[1,]", "invalid character ']' looking for beginning of value at offset 4"},
      {"[1 2]", "invalid character '2' after array element at offset 4"},
      {"nulx", "invalid character 'x' in literal null (expecting 'l') at offset 4"},
      {R"({"a":tru})", "invalid character '}' in literal true (expecting 'e') at offset 9"},
      {R"("\u12g4")", "invalid character 'g' in \\u hexadecimal character escape at offset 6"},
      {R"("\x")", "invalid character 'x' in string escape code at offset 3"},
      {"\"\t\"", "invalid character '\\t' in string literal at offset 2"},
      {"\"\x01\"", "invalid character '\\x01' in string literal at offset 2"},
      {"'x'", "invalid character '\\'' looking for beginning of value at offset 1"},
      {"\x7f", "invalid character '\\x7f' looking for beginning of value at offset 1"},
      {"\xff", "invalid character '\xc3\xbf' looking for beginning of value at offset 1"}};
  for (const auto& [text, wanted] : cases) {
    const std::string_view shown = text;  // clang 14 captures no binding
    CAPTURE(shown);
    CHECK(error_of(text) == wanted);
  }
  CHECK(error_of(std::string(10'001, '[')) == "exceeded max depth at offset 10001");
  CHECK(error_of(std::string(10'000, '[')) == "unexpected EOF");
}

TEST_CASE("go json: nothing follows an error") {
  GoJsonValues values("x 1");
  std::string_view value;
  std::string error;
  CHECK(values.next(value, error) == Next::error);
  CHECK(values.next(value, error) == Next::end);
}

TEST_CASE("go json: a text that is to be one value has other words") {
  CHECK_FALSE(check_json(R"( {"a":1} )"));
  CHECK(check_json("") == "unexpected end of JSON input");
  CHECK(check_json("{") == "unexpected end of JSON input");
  CHECK(check_json("{} x") == "invalid character 'x' after top-level value");
  CHECK(check_json("[1,]") == "invalid character ']' looking for beginning of value");
}

TEST_CASE("go json: a value cut anywhere is not one") {
  constexpr std::string_view text =
      R"({"a":[1,-2.5e+3,true,false,null,"x\u00e9\n"],"b":{"c":{}},"d":""})";
  REQUIRE_FALSE(check_json(text));
  for (std::size_t size = 0; size < text.size(); ++size) CHECK(check_json(text.substr(0, size)));
}
