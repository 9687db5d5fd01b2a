// What two readers of one stream could understand differently (RFC 9112, 11.2).
#include <doctest/doctest.h>

#include <string>

#include "tests/unit/http/feed.h"

using namespace spanwire;
using http_test::hear_however_cut;
using http_test::refusal;

namespace {

// A request with these fields, and bytes behind it that are a body or a second request. Nothing
// but the fields is wrong with them.
int refusal_with(const std::string& fields) {
  return refusal("POST / HTTP/1.1\r\nHost: h\r\n" + fields +
                 "\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: h\r\n\r\n");
}

}  // namespace

TEST_CASE("smuggling: Content-Length beside Transfer-Encoding is 400 [RFC9112-6.1]") {
  CHECK(refusal_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") == 400);
  CHECK(refusal_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") == 400);
  CHECK(refusal_with("Content-Length: 5\r\n") == 0);
  CHECK(refusal_with("Transfer-Encoding: chunked\r\n") == 0);
  CHECK(refusal_with("transfer-encoding:chunked\r\nCONTENT-LENGTH:0\r\n") == 400);
}

TEST_CASE("smuggling: a second Content-Length is 400, equal or not [RFC9110-8.6]") {
  CHECK(refusal_with("Content-Length: 5\r\nContent-Length: 6\r\n") == 400);
  CHECK(refusal_with("Content-Length: 5\r\ncontent-length: 5\r\n") == 400);
  CHECK(refusal_with("Content-Length: 5, 5\r\n") == 400);
  CHECK(refusal_with("Content-Length: 5, 6\r\n") == 400);
}

TEST_CASE("smuggling: Content-Length is decimal digits and nothing else [RFC9110-8.6]") {
  for (const char* value :
       {"", "+5", "-5", "0x5", "5;", "5 6", "5.0", "five", "5\xa0", "1e1", "5\t6", "'5'", "٥"}) {
    CAPTURE(value);
    CHECK(refusal_with(std::string("Content-Length: ") + value + "\r\n") == 400);
  }
}

TEST_CASE("smuggling: a Content-Length too large for any counter is 413 [RFC9110-8.6]") {
  for (const char* value :
       {"65537", "4294967301", "18446744073709551621", "999999999999999999999999999"}) {
    CAPTURE(value);
    CHECK(refusal_with(std::string("Content-Length: ") + value + "\r\n") == 413);
  }
  CHECK(hear_however_cut("POST / HTTP/1.0\r\nContent-Length: 00000000000000000000000002\r\n\r\nab")
            .ends_with("body=[ab]\n"));
}

TEST_CASE("smuggling: the only transfer coding is chunked, by itself [RFC9112-6.1]") {
  CHECK(refusal_with("Transfer-Encoding: Chunked\r\n") == 0);
  for (const char* value :
       {"gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "identity", "xchunked",
        "chunked;a=b", "\"chunked\"", "", ",chunked", "chunked,", "chunk", "x\tchunked"}) {
    CAPTURE(value);
    CHECK(refusal_with(std::string("Transfer-Encoding: ") + value + "\r\n") == 501);
  }
  CHECK(refusal_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") == 400);
  CHECK(refusal_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n") == 400);
}

TEST_CASE("smuggling: disguises of a framing field are refused, not overlooked [RFC9112-11.2]") {
  for (const char* field :
       {"Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked",
        " Transfer-Encoding: chunked",
        "Transfer-Encoding:\x0b"
        "chunked",
        "Transfer-Encoding: chunked\x0c", "X: y\rTransfer-Encoding: chunked",
        "X: y\nTransfer-Encoding: chunked", "X: y\n\nGET /evil HTTP/1.1", "Content-Length\x01: 5",
        "Content-Length : 5", "Content Length: 5", "X:\r\n\r Content-Length: 5"}) {
    CAPTURE(field);
    CHECK(refusal_with(std::string(field) + "\r\n") == 400);
  }
}

TEST_CASE("smuggling: a framing field without a value is refused before its fold [RFC9112-5.2]") {
  CHECK(refusal_with("Transfer-Encoding:\r\n chunked\r\n") == 501);
  CHECK(refusal_with("Transfer-Encoding: \r\n\tchunked\r\n") == 501);
  CHECK(refusal_with("Content-Length:\r\n 5\r\n") == 400);
}

TEST_CASE("smuggling: Transfer-Encoding from 1.0 is 400 [RFC9112-6.1]") {
  CHECK(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400);
}

TEST_CASE("smuggling: a request without framing has no body, whatever its method [RFC9112-6.3]") {
  const std::string get = "GET /b HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string heard = hear_however_cut("POST /a HTTP/1.1\r\nHost: h\r\n\r\n" + get);
  CHECK(heard.find("GET target=[/b]") != std::string::npos);
  // And a GET with framing has one, so that its bytes are not taken for a request.
  const std::string with_body = hear_however_cut("GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: " +
                                                 std::to_string(get.size()) + "\r\n\r\n" + get);
  CHECK(with_body.find("GET target=[/b]") == std::string::npos);
  CHECK(with_body.find("body=[" + get + "]") != std::string::npos);
}

TEST_CASE("smuggling: a NUL in a head is refused [RFC9110-5.5]") {
  using namespace std::string_literals;
  CHECK(refusal("GET /\0a HTTP/1.1\r\nHost: h\r\n\r\n"s) == 400);
  CHECK(refusal("GET /a HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n"s) == 400);
  CHECK(refusal("GET /a HTTP/1.1\r\nHost: h\r\nX\0: a\r\n\r\n"s) == 400);
}
