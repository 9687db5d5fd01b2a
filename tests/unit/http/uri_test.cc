#include "http/uri.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace spanwire;

namespace {

std::string decoded(std::string_view raw) {
  std::string storage;
  const auto text = http::percent_decode(raw, storage);
  return text ? std::string(*text) : "refused";
}

std::string pairs_of(std::string_view raw) {
  http::Query query;
  if (!query.parse(raw)) return "refused";
  std::string text;
  for (const auto& [key, value] : query) {
    text.append("[").append(key).append("=").append(value).append("]");
  }
  return text;
}

}  // namespace

TEST_CASE("uri: escapes are undone in a path, a plus is a plus [RFC3986-2.1]") {
  CHECK(decoded("/foo/bar") == "/foo/bar");
  CHECK(decoded("/foo/%23") == "/foo/#");
  CHECK(decoded("/foo/+/%2B") == "/foo/+/+");
  CHECK(decoded("%2f%2F%41%7e") == "//A~");
  CHECK(decoded("%2523") == "%23");
  CHECK(decoded("a%20b%00c") == std::string("a b\0c", 5));
  CHECK(decoded("").empty());
}

TEST_CASE("uri: every byte can be escaped [RFC3986-2.1]") {
  const std::string digits = "0123456789aBcDeF";
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const std::string raw = std::string("x%") + digits[byte / 16] + digits[byte % 16] + "y";
    CHECK(decoded(raw) == std::string("x") + static_cast<char>(byte) + "y");
  }
}

TEST_CASE("uri: a percent sign without two hexadecimal digits is refused [RFC3986-2.1]") {
  for (const char* raw : {"%", "a%", "%4", "%4g", "%g4", "%%41", "% 41", "%-1", "%41%", "%0x41"}) {
    CAPTURE(raw);
    CHECK(decoded(raw) == "refused");
    CHECK(pairs_of(raw) == "refused");
    CHECK(pairs_of(std::string("a=") + raw) == "refused");
  }
}

TEST_CASE("uri: what needs no decoding is returned without a copy [RFC3986-2.4]") {
  const std::string raw = "/foo/bar";
  std::string storage;
  CHECK(http::percent_decode(raw, storage)->data() == raw.data());
  CHECK(storage.empty());
}

TEST_CASE("uri: a query is split into decoded pairs [RFC3986-3.4]") {
  CHECK(pairs_of("").empty());
  CHECK(pairs_of("retained=true&qos=1") == "[retained=true][qos=1]");
  CHECK(pairs_of("a=b=c&d&=e&f=") == "[a=b=c][d=][=e][f=]");
  CHECK(pairs_of("&&a=1&") == "[a=1]");
  CHECK(pairs_of("a+b=c+d&e%2Bf=%26%3D%25") == "[a b=c d][e+f=&=%]");
  CHECK(pairs_of("=") == "[=]");
}

TEST_CASE("uri: the first value of a key is found, with case [RFC3986-3.4]") {
  http::Query query;
  REQUIRE(query.parse("a=1&a=2&b"));
  CHECK(query.find("a") == "1");
  CHECK(query.find("b") == "");
  CHECK_FALSE(query.find("A"));
  CHECK(query.size() == 3);
}

TEST_CASE("uri: a query has at most 32 pairs [RFC3986-3.4]") {
  std::string raw = "k";
  for (std::size_t i = 1; i < http::Query::max_pairs; ++i) raw += "&k";
  http::Query query;
  CHECK(query.parse(raw));
  CHECK(query.size() == 32);
  CHECK_FALSE(query.parse(raw + "&k"));
  CHECK(query.size() == 0);
  CHECK_FALSE(query.find("k"));
}

TEST_CASE("uri: a query that is parsed into again forgets the one before [RFC3986-3.4]") {
  http::Query query;
  REQUIRE(query.parse("a=1"));
  REQUIRE(query.parse("b=" + std::string(5000, 'x') + "&c=%41"));
  CHECK_FALSE(query.find("a"));
  CHECK(query.find("b") == std::string(5000, 'x'));
  CHECK(query.find("c") == "A");
  CHECK_FALSE(query.parse("a=1&b=%"));
  CHECK_FALSE(query.find("a"));
}

TEST_CASE("uri: an authority is a host with or without a port [RFC3986-3.2]") {
  for (const char* text : {"a", "a.b-c_d~e", "localhost:1884", "127.0.0.1:80", "[::1]",
                           "[::ffff:1.2.3.4]:1", "a:", "x%C3%A4", "a!$&'()*+,;=b"}) {
    CAPTURE(text);
    CHECK(http::is_authority(text));
  }
  for (const char* text : {"", ":", ":80", "a:b", "a:80:80", "u@a", "a/b", "a b", "[", "[]", "[::1",
                           "::1", "[::1]a", "[::1]:a", "a]", "a%", "a%zz", "\xc3\xa4", "[a/b]"}) {
    CAPTURE(text);
    CHECK_FALSE(http::is_authority(text));
  }
}
