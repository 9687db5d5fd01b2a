#include "http/message.h"

#include <doctest/doctest.h>

#include <string>

#include "http/request_parser.h"

using namespace spanwire;

TEST_CASE("http: names compare without case, ASCII letters only [RFC9110-5.1]") {
  CHECK(http::equal_ignoring_case("Content-Type", "cONTENT-tYPE"));
  CHECK_FALSE(http::equal_ignoring_case("Content-Type", "Content-Typ"));
  CHECK_FALSE(http::equal_ignoring_case("a[", "a{"));
  CHECK_FALSE(http::equal_ignoring_case("a@", "a`"));
  CHECK(http::equal_ignoring_case("", ""));
}

TEST_CASE("http: a token is not empty and has no delimiter [RFC9110-5.6.2]") {
  CHECK(http::is_token("X-Topic"));
  for (const char* text : {"", "a b", "a:", "a\r", "a\n", "a\x7f", "a/b", "\xc3\xa4"}) {
    CAPTURE(text);
    CHECK_FALSE(http::is_token(text));
  }
}

TEST_CASE("http: a list names its members whole, without case [RFC9110-5.6.1]") {
  CHECK(http::list_has("keep-alive, Upgrade", "upgrade"));
  CHECK(http::list_has("upgrade", "upgrade"));
  CHECK(http::list_has(" ,\t, upgrade\t,", "upgrade"));
  CHECK_FALSE(http::list_has("upgraded, up grade", "upgrade"));
  CHECK_FALSE(http::list_has("", "upgrade"));
}

TEST_CASE("http: a header is found by its name, the first of several [RFC9110-5.3]") {
  http::HeaderList headers;
  headers.add({.name = "X-A", .value = "1"});
  headers.add({.name = "x-b", .value = "2"});
  headers.add({.name = "X-B", .value = "3"});
  headers.add({.name = "Empty", .value = ""});
  CHECK(headers.value("x-a") == "1");
  CHECK(headers.value("X-B") == "2");
  CHECK(headers.value("X-C").empty());
  CHECK(headers.find("X-C") == nullptr);
  REQUIRE(headers.find("empty") != nullptr);
  CHECK(headers.find("empty")->value.empty());
  CHECK(headers.size() == 4);
  headers.clear();
  CHECK(headers.find("X-A") == nullptr);
}

TEST_CASE("http: a request that is reused keeps nothing of the one before [RFC9112-2.1]") {
  http::RequestParser parser({.body_bytes = 10});
  http::Request request;
  const std::string first =
      "POST http://other/a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n"
      "Connection: upgrade\r\n\r\n";
  REQUIRE(parser.parse(first, request) == http::Parse::ok);
  CHECK(request.expect_continue);
  CHECK(request.upgrade);
  const std::string second = "GET /c HTTP/1.0\r\n\r\n";
  REQUIRE(parser.parse(second, request) == http::Parse::ok);
  CHECK(request.method == http::Method::get);
  CHECK(request.host.empty());
  CHECK(request.query.empty());
  CHECK(request.headers.size() == 0);
  CHECK(request.framing == http::Framing::none);
  CHECK(request.content_length == 0);
  CHECK_FALSE(request.expect_continue);
  CHECK_FALSE(request.upgrade);
  CHECK_FALSE(request.keep_alive);
  const std::string third = "GET /d HTTP/1.1\r\nHost: h\r\n\r\n";
  REQUIRE(parser.parse(first, request) == http::Parse::ok);
  REQUIRE(parser.parse(third, request) == http::Parse::ok);
  CHECK(request.host == "h");
  CHECK(request.framing == http::Framing::none);
  CHECK_FALSE(request.expect_continue);
  CHECK_FALSE(request.upgrade);
  CHECK(request.keep_alive);
}
