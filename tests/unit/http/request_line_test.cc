#include <doctest/doctest.h>

#include <string>

#include "tests/unit/http/feed.h"

using namespace spanwire;
using http_test::hear_however_cut;
using http_test::hear_whole;
using http_test::refusal;

namespace {

const std::string host = "Host: h\r\n\r\n";

int refusal_of_line(const std::string& line) {
  return refusal(line + "\r\n" + host);
}

http::Request parse(const std::string& bytes) {
  http::RequestParser parser(http_test::usual_limits);
  http::Request request;
  REQUIRE(parser.parse(bytes, request) == http::Parse::ok);
  CHECK(parser.consumed() == bytes.size());
  return request;
}

}  // namespace

TEST_CASE("http: a request of curl is read into all its parts [RFC9112-3]") {
  CHECK(hear_however_cut("POST /broker/foo/bar?retained=true HTTP/1.1\r\n"
                         "Host: localhost:1884\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n"
                         "Content-Length: 5\r\n"
                         "Content-Type: application/x-www-form-urlencoded\r\n\r\nhello") ==
        "POST target=[/broker/foo/bar?retained=true] path=[/broker/foo/bar] query=[retained=true]"
        " host=[localhost:1884] 1.1 keep-alive length=5\n"
        "  [Host]=[localhost:1884]\n  [User-Agent]=[curl/7.88.1]\n  [Accept]=[*/*]\n"
        "  [Content-Length]=[5]\n  [Content-Type]=[application/x-www-form-urlencoded]\n"
        "  body=[hello]\n");
}

TEST_CASE("http: pipelined requests are read one after the other [RFC9112-9.3.2]") {
  const std::string one = "GET /a HTTP/1.1\r\n" + host;
  std::string stream;
  std::string expected;
  for (int i = 0; i < 16; ++i) {
    stream += one;
    expected += hear_whole(one);
  }
  CHECK(hear_however_cut(stream) == expected);
}

TEST_CASE("http: every method of RFC 9110 but CONNECT is known, and so is PATCH [RFC9110-9.1]") {
  const std::string rest = " /a HTTP/1.1\r\n" + host;
  for (const char* name : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"}) {
    CAPTURE(name);
    CHECK(hear_however_cut(name + rest).starts_with(std::string(name) + " target=[/a]"));
  }
}

TEST_CASE("http: an unknown method is 501, and methods compare with case [RFC9110-9.1]") {
  for (const char* name : {"BREW", "get", "GETT", "GE", "PRI", "PROPFIND"}) {
    CAPTURE(name);
    CHECK(refusal_of_line(std::string(name) + " /a HTTP/1.1") == 501);
  }
  CHECK(refusal_of_line("CONNECT h:80 HTTP/1.1") == 501);  // this server is no proxy
}

TEST_CASE("http: a method longer than any known is 501 before its line ends [RFC9112-3]") {
  CHECK(refusal(std::string(33, 'A')) == 501);
  CHECK(refusal(std::string(32, 'A')) == 0);
  CHECK(refusal(std::string(32, 'A') + " /a HTTP/1.1\r\n" + host) == 501);
}

TEST_CASE("http: a method that is no token is 400 before its line ends [RFC9110-5.6.2]") {
  for (const char* line : {" /a", "G@T /a", "G\x01T /a", "GET\t/a", "(GET) /a", "\n", "\rG", "\xff",
                           "\x16\x03\x01\x02", "GET\r\n"}) {
    CAPTURE(line);
    CHECK(refusal(line) == 400);
  }
}

TEST_CASE("http: one empty line before a request is skipped, a second is not [RFC9112-2.2]") {
  const std::string one = "GET /a HTTP/1.1\r\n" + host;
  CHECK(hear_however_cut("\r\n" + one + "\r\n" + one) == hear_whole(one) + hear_whole(one));
  CHECK(refusal("\r\n\r\n" + one) == 400);
  CHECK(refusal("\n" + one) == 400);
  CHECK(refusal("\r") == 0);
}

TEST_CASE("http: parts of a request line are separated by one space each [RFC9112-3]") {
  for (const char* line :
       {"GET  /a HTTP/1.1", "GET /a  HTTP/1.1", "GET\t/a HTTP/1.1", " GET /a HTTP/1.1",
        "GET /a\tHTTP/1.1", "GET /a HTTP/1.1 ", "GET /a b HTTP/1.1", "GET /a", "GET /a ",
        "GET  HTTP/1.1", "GET HTTP/1.1"}) {
    CAPTURE(line);
    CHECK(refusal_of_line(line) == 400);
  }
}

TEST_CASE("http: lines end in CRLF; CR alone and LF alone are 400 [RFC9112-2.2]") {
  for (const char* bytes :
       {"GET /a HTTP/1.1\nHost: h\r\n\r\n", "GET /a HTTP/1.1\rHost: h\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: h\n\r\n", "GET /a HTTP/1.1\r\nHost: h\r\n\n",
        "GET /a HTTP/1.1\r\nHost: h\r\n\rX\r\n", "GET /a HTTP/1.1\r\r\nHost: h\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: h\r\r\n\r\n", "GET /a\r HTTP/1.1\r\nHost: h\r\n\r\n"}) {
    CAPTURE(bytes);
    CHECK(refusal(bytes) == 400);
  }
}

TEST_CASE("http: HTTP/1.0 is read, a higher minor version counts as 1.1 [RFC9110-2.5]") {
  CHECK(hear_however_cut("GET /a HTTP/1.0\r\n\r\n") ==
        "GET target=[/a] path=[/a] query=[] host=[] 1.0\n  body=[]\n");
  CHECK(parse("GET /a HTTP/1.1\r\n" + host).version == http::Version::http_1_1);
  CHECK(parse("GET /a HTTP/1.2\r\n" + host).version == http::Version::http_1_1);
  CHECK(parse("GET /a HTTP/1.9\r\n" + host).version == http::Version::http_1_1);
}

TEST_CASE("http: another major version is 505, another spelling 400 [RFC9110-15.6.6]") {
  for (const char* version : {"HTTP/2.0", "HTTP/0.9", "HTTP/3.1"}) {
    CAPTURE(version);
    CHECK(refusal_of_line(std::string("GET /a ") + version) == 505);
  }
  CHECK(refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == 505);  // a client of HTTP/2 (RFC 9113, 3.4)
  for (const char* version :
       {"http/1.1", "HTTP/1", "HTTP/1.", "HTTP/11", "HTTP/1.10", "HTTP/a.1", "HTTP/1.x", "HTTP 1.1",
        "HTTPS/1.1", "HTTP/1.1x", "HTTP/-1.1", "HTTP/1,1"}) {
    CAPTURE(version);
    CHECK(refusal_of_line(std::string("GET /a ") + version) == 400);
  }
}

TEST_CASE("http: a target holds visible ASCII without a fragment [RFC9112-3.2]") {
  for (int byte = 0; byte < 256; ++byte) {
    CAPTURE(byte);
    const std::string line = std::string("GET /a") + static_cast<char>(byte) + "b HTTP/1.1";
    const bool valid = byte > 0x20 && byte < 0x7f && byte != '#';
    CHECK(refusal_of_line(line) == (valid ? 0 : 400));
    // The same far from the end of the input, where blocks of 16 are scanned.
    CHECK(refusal_of_line("GET /0123456789abcdef0123456789abcdef" + line.substr(6)) ==
          (valid ? 0 : 400));
  }
}

TEST_CASE("http: path and query part at the first question mark [RFC9112-3.2.1]") {
  const std::string bytes = "GET /a%23/+?b=c?d&e HTTP/1.1\r\n" + host;
  const http::Request request = parse(bytes);
  CHECK(request.target == "/a%23/+?b=c?d&e");
  CHECK(request.path == "/a%23/+");
  CHECK(request.query == "b=c?d&e");
  CHECK(request.host == "h");
}

TEST_CASE("http: a target in absolute form brings its own host [RFC9112-3.2.2]") {
  const std::string bytes = "GET HTTP://[::1]:80/a/b?c HTTP/1.1\r\nHost: other\r\n\r\n";
  const http::Request request = parse(bytes);
  CHECK(request.host == "[::1]:80");
  CHECK(request.path == "/a/b");
  CHECK(request.query == "c");
  CHECK(hear_however_cut(bytes).find("host=[[::1]:80]") != std::string::npos);

  const std::string without_path = "GET https://h?c HTTP/1.1\r\nHost: h\r\n\r\n";
  CHECK(parse(without_path).path == "/");
  CHECK(parse(without_path).query == "c");
}

TEST_CASE("http: a target in another form is 400 [RFC9112-3.2]") {
  for (const char* target :
       {"a", "h:80", "ftp://h/", "http:/h/", "http:///a", "http://", "http://:80/a", "http://u@h/",
        "http://h:x/", "://h/", "?a", "http://[::1/"}) {
    CAPTURE(target);
    CHECK(refusal_of_line(std::string("GET ") + target + " HTTP/1.1") == 400);
  }
}

TEST_CASE("http: the target * belongs to OPTIONS alone [RFC9112-3.2.4]") {
  const std::string bytes = "OPTIONS * HTTP/1.1\r\n" + host;
  CHECK(parse(bytes).path == "*");
  CHECK(parse("OPTIONS /a HTTP/1.1\r\n" + host).path == "/a");
  CHECK(refusal_of_line("GET * HTTP/1.1") == 400);
  CHECK(refusal_of_line("OPTIONS *a HTTP/1.1") == 400);
}

TEST_CASE("http: a request line may be as long as the limit, and not one byte longer [RFC9112-3]") {
  const http::Limits limits{.request_line_bytes = 100};
  const std::string longest = "GET /" + std::string(100 - 16, 'a') + " HTTP/1.1\r\n";
  REQUIRE(longest.size() == 100);
  CHECK(refusal(longest + host, limits) == 0);
  CHECK(refusal("\r\n" + longest + host, limits) == 0);
  const std::string longer = "GET /a" + longest.substr(5);
  CHECK(refusal(longer + host, limits) == 414);
  CHECK(refusal(longer.substr(0, 99), limits) == 0);
  CHECK(refusal(longer.substr(0, 100), limits) == 414);
  // What comes first, counts: the limit is passed before the bad byte could be judged.
  CHECK(refusal("GET /\x01" + longer.substr(5) + host, limits) == 414);
  CHECK(refusal("GET /\x01 HTTP/1.1\r\n" + host, limits) == 400);
}

TEST_CASE("http: the usual limit of a request line is 8 KiB [RFC9112-3]") {
  const std::string longest = "GET /" + std::string(8192 - 16, 'a') + " HTTP/1.1\r\n";
  http::RequestParser parser(http_test::usual_limits);
  http::Request request;
  CHECK(parser.parse(longest + host, request) == http::Parse::ok);
  CHECK(parser.parse("GET /a" + longest.substr(5) + host, request) == http::Parse::error);
  CHECK(parser.problem().status == 414);
}
