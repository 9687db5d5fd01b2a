#include <doctest/doctest.h>

#include <cctype>
#include <string>

#include "tests/unit/http/feed.h"

using namespace spanwire;
using http_test::hear_however_cut;
using http_test::refusal;

namespace {

const std::string line = "POST /a HTTP/1.1\r\nHost: h\r\n";

// `field` among others, in a request with a body.
int refusal_of_field(const std::string& field) {
  return refusal(line + field + "\r\nAccept: */*\r\n\r\n");
}

std::string first_line(const std::string& request) {
  const std::string heard = hear_however_cut(request);
  return heard.substr(0, heard.find('\n'));
}

bool keeps_alive(const std::string& version, const std::string& fields) {
  const std::string heard =
      first_line("GET /a HTTP/" + version + "\r\nHost: h\r\n" + fields + "\r\n");
  CHECK_FALSE(heard.starts_with("error"));
  return heard.find(" keep-alive") != std::string::npos;
}

bool expects_continue(const std::string& version, const std::string& fields) {
  const std::string heard =
      first_line("POST /a HTTP/" + version + "\r\nHost: h\r\n" + fields + "\r\nx");
  return heard.find(" expects-continue") != std::string::npos;
}

}  // namespace

TEST_CASE("http: white space around a value is not part of it, inside it is [RFC9112-5.1]") {
  CHECK(hear_however_cut("GET / HTTP/1.0\r\nA:b\r\nC: \t d \t e\t \r\nF:\r\nG: \t\r\n\r\n") ==
        "GET target=[/] path=[/] query=[] host=[] 1.0\n"
        "  [A]=[b]\n  [C]=[d \t e]\n  [F]=[]\n  [G]=[]\n  body=[]\n");
}

TEST_CASE("http: a field's name is a token, directly before its colon [RFC9112-5.1]") {
  const std::string allowed = "!#$%&'*+-.^_`|~";
  for (int byte = 0; byte < 256; ++byte) {
    CAPTURE(byte);
    const char c = static_cast<char>(byte);
    const bool valid = (byte < 128 && std::isalnum(byte) != 0) ||
                       (byte != 0 && allowed.find(c) != std::string::npos);
    const bool colon = c == ':';  // ends the name early
    CHECK(refusal_of_field(std::string("X") + c + "Y: z") == (valid || colon ? 0 : 400));
  }
  CHECK(refusal_of_field("X : y") == 400);
  CHECK(refusal_of_field("X\t: y") == 400);
  CHECK(refusal_of_field(": y") == 400);
  CHECK(refusal_of_field("X") == 400);
  CHECK(refusal_of_field("X y") == 400);
}

TEST_CASE("http: a value holds no control character but the tab [RFC9110-5.5]") {
  for (int byte = 0; byte < 256; ++byte) {
    CAPTURE(byte);
    const bool valid = (byte >= 0x20 && byte != 0x7f) || byte == '\t';
    const std::string field = std::string("X: a") + static_cast<char>(byte) + "b";
    CHECK(refusal_of_field(field) == (valid ? 0 : 400));
    // The same in a block of 16.
    CHECK(refusal_of_field(field + "0123456789abcdef0123456789abcdef") == (valid ? 0 : 400));
  }
}

TEST_CASE("http: a field continued on the next line is 400 [RFC9112-5.2]") {
  CHECK(refusal_of_field("X: a\r\n b") == 400);
  CHECK(refusal_of_field("X: a\r\n\tb") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\n Host: h\r\n\r\n") == 400);  // RFC 9112, 2.2
  CHECK(refusal("GET / HTTP/1.1\r\nHost: h\r\n \r\n\r\n") == 400);
}

TEST_CASE("http: exactly one Host in 1.1, at most one in 1.0 [RFC9112-3.2]") {
  CHECK(refusal("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(refusal("GET http://h/ HTTP/1.1\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.0\r\n\r\n") == 0);
  CHECK(refusal("GET / HTTP/1.0\r\nHost: a\r\nHOST: b\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nhOST: a\r\n\r\n") == 0);
}

TEST_CASE("http: Host is a host with or without a port, or empty [RFC9110-7.2]") {
  for (const char* value :
       {"", "a", "a.b:1884", "[::1]", "[::1]:80", "a:", "10.0.0.1", "a_b", "a%41"}) {
    CAPTURE(value);
    CHECK(refusal(std::string("GET / HTTP/1.1\r\nHost: ") + value + "\r\n\r\n") == 0);
  }
  for (const char* value : {"a b", "a/b", "u@a", "a:x", ":80", "[::1", "[]", "a, b", "a?b", "a#b",
                            "a\x80", "a%4", "[::1]x", "a:1:2", "http://a"}) {
    CAPTURE(value);
    CHECK(refusal(std::string("GET / HTTP/1.1\r\nHost: ") + value + "\r\n\r\n") == 400);
  }
}

TEST_CASE("http: 1.1 keeps the connection unless told, 1.0 only if told [RFC9112-9.3]") {
  CHECK(keeps_alive("1.1", ""));
  CHECK(keeps_alive("1.1", "Connection: keep-alive\r\n"));
  CHECK_FALSE(keeps_alive("1.1", "Connection: close\r\n"));
  CHECK_FALSE(keeps_alive("1.1", "Connection: Upgrade , CLOSE\r\n"));
  CHECK_FALSE(keeps_alive("1.1", "Connection: close\r\nConnection: keep-alive\r\n"));
  CHECK(keeps_alive("1.1", "Connection: closed\r\n"));
  CHECK(keeps_alive("1.1", "Connect-ion: close\r\nConnectiom: close\r\n"));
  CHECK_FALSE(keeps_alive("1.0", ""));
  CHECK(keeps_alive("1.0", "Connection: Keep-Alive\r\n"));
  CHECK_FALSE(keeps_alive("1.0", "Connection: keep-alive, close\r\n"));
}

TEST_CASE("http: an upgrade is asked for in Connection, by 1.1 alone [RFC9110-7.8]") {
  const std::string fields =
      "Host: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n";
  CHECK(first_line("GET /a HTTP/1.1\r\n" + fields).ends_with(" upgrade"));
  CHECK_FALSE(first_line("GET /a HTTP/1.0\r\n" + fields).ends_with(" upgrade"));
  CHECK_FALSE(first_line("GET /a HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\n\r\n").ends_with(" upgrade"));
}

TEST_CASE("http: 100-continue counts where 1.1 sends a body [RFC9110-10.1.1]") {
  const std::string expect = "Expect: 100-Continue\r\n";
  CHECK(expects_continue("1.1", expect + "Content-Length: 1\r\n"));
  CHECK(expects_continue("1.1", expect + "Transfer-Encoding: chunked\r\n"));
  CHECK_FALSE(expects_continue("1.1", expect));
  CHECK_FALSE(expects_continue("1.1", expect + "Content-Length: 0\r\n"));
  CHECK_FALSE(expects_continue("1.0", expect + "Content-Length: 1\r\n"));
}

TEST_CASE("http: any other expectation is 417 [RFC9110-10.1.1]") {
  CHECK(refusal_of_field("Expect: 100-continue") == 0);
  CHECK(refusal_of_field("Expect: coffee") == 417);
  CHECK(refusal_of_field("Expect: 100-continue, coffee") == 417);
  CHECK(refusal_of_field("Expect:") == 417);
}

TEST_CASE("http: a hundred fields are taken, one more is 431 [RFC6585-5]") {
  std::string head = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (std::size_t i = 1; i < http::max_headers; ++i) head += "A: b\r\n";
  CHECK(refusal(head + "\r\n") == 0);
  CHECK(refusal(head + "A: b\r\n") == 431);
  CHECK(refusal(head + "A: b") == 0);  // not complete yet
}

TEST_CASE("http: fields may be as large as the limit, and not one byte larger [RFC6585-5]") {
  const http::Limits limits{.header_bytes = 100};
  const std::string begin = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
  const std::string largest = begin + std::string(100 - 9 - 3 - 4, 'a') + "\r\n\r\n";
  CHECK(refusal(largest, limits) == 0);
  CHECK(refusal(largest.substr(0, largest.size() - 1), limits) == 0);
  const std::string larger = begin + "a" + largest.substr(begin.size());
  CHECK(refusal(larger, limits) == 431);
  CHECK(refusal(larger.substr(0, larger.size() - 1), limits) == 431);
  CHECK(refusal(larger.substr(0, larger.size() - 2), limits) == 0);
  // A bad line is 400 if it ends within the limit, else 431.
  CHECK(refusal(begin + std::string(20, 'a') + "\x01\r\n" + larger, limits) == 400);
  CHECK(refusal(begin + "\x01" + std::string(200, 'a') + "\r\n\r\n", limits) == 431);
  // The bad line begins just before the limit, and behind it.
  CHECK(refusal(larger.substr(0, larger.size() - 2) + "Y : z\r\n\r\n", limits) == 431);
  CHECK(refusal(begin + std::string(100, 'a') + "\r\nY : z\r\n\r\n", limits) == 431);
}

TEST_CASE("http: the usual limit of all fields is 32 KiB [RFC6585-5]") {
  const std::string begin = "GET / HTTP/1.0\r\nX: ";
  http::RequestParser parser(http_test::usual_limits);
  http::Request request;
  CHECK(parser.parse(begin + std::string(32'768 - 7, 'a') + "\r\n\r\n", request) ==
        http::Parse::ok);
  CHECK(parser.parse(begin + std::string(32'768 - 6, 'a') + "\r\n\r\n", request) ==
        http::Parse::error);
  CHECK(parser.problem().status == 431);
}
