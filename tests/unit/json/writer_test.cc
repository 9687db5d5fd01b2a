#include "json/writer.h"

#include <doctest/doctest.h>

#include <chrono>
#include <limits>

#include "json/document.h"

using namespace spanwire;

namespace {

std::string quoted(std::string_view text, json::Escape escape = json::Escape::html) {
  std::string out;
  json::append_string(out, text, escape);
  return out;
}

template <class T>
std::string written(const T& value) {
  std::string out;
  json::Writer(out).value(value);
  return out;
}

std::string time_text(std::int64_t seconds, std::int64_t nanoseconds) {
  std::string out;
  json::append_time(
      out, base::WallTime(std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanoseconds)));
  return out;
}

}  // namespace

TEST_CASE("writer: objects and arrays are separated and closed") {
  std::string out = "INFO ";
  json::Writer writer(out);
  writer.begin_object()
      .member("a", 1)
      .key("b")
      .begin_array()
      .value("x")
      .value(true)
      .null()
      .end_array();
  writer.key("c")
      .begin_object()
      .end_object()
      .key("d")
      .begin_array()
      .end_array()
      .member("e", 2U)
      .end_object();
  CHECK(out == R"(INFO {"a":1,"b":["x",true,null],"c":{},"d":[],"e":2})");
}

TEST_CASE("writer: indented output is laid out as Go's MarshalIndent") {
  std::string out;
  json::Writer writer(out, {.indent = 2});
  writer.begin_object().member("a", 1).key("b").begin_array().value(1).value(2).end_array();
  writer.key("c").begin_object().end_object().end_object();
  CHECK(out == "{\n  \"a\": 1,\n  \"b\": [\n    1,\n    2\n  ],\n  \"c\": {}\n}");
}

TEST_CASE("writer: a value for another writer is laid out for its level") {
  std::string inner;
  json::Writer(inner, {.indent = 2, .level = 1}).begin_array().value(1).end_array();
  std::string out;
  json::Writer(out, {.indent = 2}).begin_object().key("a").raw(inner).end_object();
  CHECK(out == "{\n  \"a\": [\n    1\n  ]\n}");
}

TEST_CASE("writer: < > & are escaped where Go does it, and only there") {
  CHECK(quoted("s.>&<") == R"("s.\u003e\u0026\u003c")");
  CHECK(quoted("s.>&<", json::Escape::plain) == R"("s.>&<")");
  std::string out;
  json::Writer(out, {.escape = json::Escape::plain}).begin_object().member("<", ">").end_object();
  CHECK(out == R"({"<":">"})");
}

TEST_CASE("writer: control characters, quotes and line separators are escaped") {
  using namespace std::string_view_literals;
  CHECK(quoted("\"\\\b\f\n\r\t\x01\x1f\x7f/"sv) ==
        "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f/\"");
  CHECK(quoted("a\0b"sv) == R"("a\u0000b")");
  CHECK(quoted("\xe2\x80\xa8\xe2\x80\xa9") == R"("\u2028\u2029")");
  CHECK(quoted("\xe2\x80\xa8", json::Escape::plain) == R"("\u2028")");
}

TEST_CASE("writer: valid UTF-8 passes, each invalid byte is replaced") {
  CHECK(quoted("\xc3\xa9\xf0\x9f\x98\x80") == "\"\xc3\xa9\xf0\x9f\x98\x80\"");
  CHECK(quoted("a\xff\xe2\x82z") == R"("a\ufffd\ufffd\ufffdz")");
}

TEST_CASE("writer: every byte alone and beside others reads back") {
  for (int byte = 0; byte < 0x80; ++byte) {
    const std::string text = std::string("x") + static_cast<char>(byte) + "y";
    const auto document = json::Document::parse(quoted(text));
    REQUIRE(document.has_value());
    CHECK(document->root().string() == text);
  }
}

TEST_CASE("writer: integers of every width are exact") {
  CHECK(written(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(written(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  CHECK(written(std::uint16_t{65535}) == "65535");
  CHECK(written(-1) == "-1");
  CHECK(written(true) == "true");
  CHECK(written("text") == "\"text\"");
}

TEST_CASE("writer: reals are spelled as Go spells them") {
  CHECK(written(0.0) == "0");
  CHECK(written(1.0) == "1");
  CHECK(written(0.1) == "0.1");
  CHECK(written(-2.5) == "-2.5");
  CHECK(written(1e20) == "100000000000000000000");
  CHECK(written(1e21) == "1e+21");
  CHECK(written(1e-6) == "0.000001");
  CHECK(written(1e-7) == "1e-7");
  CHECK(written(1.5e-10) == "1.5e-10");
  CHECK(written(1.7976931348623157e308) == "1.7976931348623157e+308");
  CHECK(written(5e-324) == "5e-324");
  CHECK(written(std::numeric_limits<double>::infinity()) == "null");
  CHECK(written(std::numeric_limits<double>::quiet_NaN()) == "null");
}

TEST_CASE("writer: times are RFC3339Nano without trailing zeros") {
  CHECK(time_text(0, 0) == "1970-01-01T00:00:00Z");
  CHECK(time_text(1785585600, 500'000'000) == "2026-08-01T12:00:00.5Z");
  CHECK(time_text(1785585600, 123'456'789) == "2026-08-01T12:00:00.123456789Z");
  CHECK(time_text(1785585600, 1) == "2026-08-01T12:00:00.000000001Z");
  CHECK(time_text(951782399, 0) == "2000-02-28T23:59:59Z");
  CHECK(time_text(951782400, 0) == "2000-02-29T00:00:00Z");
  CHECK(time_text(-1, 250'000'000) == "1969-12-31T23:59:59.25Z");
  CHECK(written(base::WallTime()) == "\"1970-01-01T00:00:00Z\"");
}
