#include "json/fields.h"

#include <doctest/doctest.h>

using namespace spanwire;

namespace {

json::Document parse(std::string_view text) {
  auto document = json::Document::parse(text);
  REQUIRE_MESSAGE(document.has_value(), text);
  return std::move(*document);
}

template <class T>
base::Status read(std::string_view text, T& out) {
  const auto document = parse(text);
  json::Fields fields(document.root());
  fields.read("f", out);
  return fields.status();
}

}  // namespace

TEST_CASE("fields: each type is read") {
  bool boolean = false;
  CHECK(read(R"({"f":true})", boolean));
  CHECK(boolean);
  std::int32_t small = 0;
  CHECK(read(R"({"f":-2147483648})", small));
  CHECK(small == INT32_MIN);
  std::int64_t large = 0;
  CHECK(read(R"({"f":-5000000000})", large));
  CHECK(large == -5'000'000'000);
  std::uint64_t whole = 0;
  CHECK(read(R"({"f":18446744073709551615})", whole));
  CHECK(whole == UINT64_MAX);
  double real = 0;
  CHECK(read(R"({"f":2.5})", real));
  CHECK(real == 2.5);
  std::string text;
  CHECK(read(R"({"f":"x"})", text));
  CHECK(text == "x");
  std::vector<std::string> texts{"old"};
  CHECK(read(R"({"f":["a",null,"b"]})", texts));
  CHECK(texts == std::vector<std::string>{"a", "", "b"});
}

TEST_CASE("fields: a wrong type is an error and leaves the variable") {
  std::string text = "kept";
  const auto status = read(R"({"f":1})", text);
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().text == R"("f": expected a string, found a number)");
  CHECK(text == "kept");
  bool boolean = true;
  CHECK_FALSE(read(R"({"f":"true"})", boolean));
  CHECK_FALSE(read(R"({"f":1})", boolean));
  CHECK(boolean);
  std::int32_t small = 7;
  CHECK_FALSE(read(R"({"f":2147483648})", small));
  CHECK_FALSE(read(R"({"f":1.0})", small));
  CHECK_FALSE(read(R"({"f":"1"})", small));
  CHECK(small == 7);
  std::uint64_t whole = 7;
  CHECK_FALSE(read(R"({"f":-1})", whole));
  double real = 7;
  CHECK_FALSE(read(R"({"f":"1"})", real));
  std::vector<std::string> texts;
  CHECK_FALSE(read(R"({"f":["a",1]})", texts));
  CHECK_FALSE(read(R"({"f":"a"})", texts));
}

TEST_CASE("fields: a number of the wrong value is called another number") {
  std::int64_t number = 0;
  const auto status = read(R"({"f":1.5})", number);
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().text == R"("f": expected a whole number, found another)");
}

TEST_CASE("fields: absent, null and unknown members change nothing") {
  bool boolean = true;
  CHECK(read(R"({})", boolean));
  CHECK(read(R"({"f":null,"other":[1,{"f":false}]})", boolean));
  CHECK(read("null", boolean));
  CHECK(boolean);
}

TEST_CASE("fields: the last of several wins, but a null does not, and each is checked") {
  std::string text;
  CHECK(read(R"({"f":"a","F":"b","f":null})", text));
  CHECK(text == "b");
  CHECK_FALSE(read(R"({"f":1,"f":"c"})", text));
}

TEST_CASE("fields: names match without regard to case") {
  std::int64_t number = 0;
  const auto document = parse(R"({"Auth_TOKEN":3})");
  json::Fields fields(document.root());
  fields.read("auth_token", number);
  CHECK(number == 3);
  CHECK(fields.status());
}

TEST_CASE("fields: what is no object is an error") {
  for (const char* text : {"[]", "1", "\"x\"", "true"}) {
    CAPTURE(text);
    bool boolean = false;
    CHECK_FALSE(read(text, boolean));
  }
}

TEST_CASE("fields: nested values are handed out by kind") {
  const auto document = parse(R"({"o":{"x":1},"a":[1]})");
  std::optional<json::Value> object;
  std::optional<json::Value> array;
  json::Fields fields(document.root());
  fields.read_object("o", object);
  fields.read_array("a", array);
  CHECK(fields.status());
  REQUIRE(object);
  CHECK(object->find("x")->int64() == 1);
  REQUIRE(array);
  fields.read_object("a", object);
  CHECK_FALSE(fields.status().has_value());
  json::Fields others(document.root());
  others.read_array("o", array);
  CHECK_FALSE(others.status().has_value());
}

TEST_CASE("fields: the first mismatch is the one that is told") {
  const auto document = parse(R"({"a":1,"b":2})");
  std::string text;
  json::Fields fields(document.root());
  fields.read("b", text);
  fields.read("a", text);
  CHECK(fields.status().error().text == R"("b": expected a string, found a number)");
}
