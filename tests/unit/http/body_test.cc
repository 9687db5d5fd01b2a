#include "http/body_reader.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/http/feed.h"

using namespace spanwire;
using http_test::hear_however_cut;
using http_test::refusal;

namespace {

const std::string chunked_head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string next = "GET /next HTTP/1.0\r\n\r\n";

// The body that comes out, with a request behind it, or what is wrong.
std::string body_of(const std::string& chunks) {
  const std::string heard = hear_however_cut(chunked_head + chunks + next);
  const std::size_t begin = heard.find("  body=[");
  if (begin == std::string::npos) return heard;
  if (heard.find("target=[/next]") == std::string::npos) return "the next request is lost";
  return heard.substr(begin + 8, heard.find("]\nGET") - begin - 8);
}

int refusal_of(const std::string& chunks, std::uint64_t limit = 65'536) {
  return refusal(chunked_head + chunks, {.body_bytes = limit});
}

http::Request request_with(http::Framing framing, std::uint64_t length = 0) {
  http::Request request;
  request.framing = framing;
  request.content_length = length;
  return request;
}

}  // namespace

TEST_CASE("http: a body by length ends where it says [RFC9112-6.2]") {
  const std::string heard = hear_however_cut(
      "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n"
      "abcGET /next HTTP/1.0\r\n\r\n");
  CHECK(heard.find("body=[abc]\nGET target=[/next]") != std::string::npos);
}

TEST_CASE("http: a body may hold any byte [RFC9110-6.4]") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  CHECK(body_of("100\r\n" + all + "\r\n0\r\n\r\n") == all);
  CHECK(hear_however_cut("PUT / HTTP/1.0\r\nContent-Length: 256\r\n\r\n" + all).find(all) !=
        std::string::npos);
}

TEST_CASE("http: chunks are put together [RFC9112-7.1]") {
  CHECK(body_of("0\r\n\r\n").empty());
  CHECK(body_of("3\r\nabc\r\n0\r\n\r\n") == "abc");
  CHECK(body_of("3\r\nabc\r\n00a\r\n0123456789\r\n000\r\n\r\n") == "abc0123456789");
  CHECK(body_of("A\r\n0123456789\r\n0\r\n\r\n") == "0123456789");
  CHECK(body_of("2\r\n\r\n\r\n0\r\n\r\n") == "\r\n");
}

TEST_CASE("http: chunk extensions are read over [RFC9112-7.1.1]") {
  CHECK(body_of("3;a\r\nabc\r\n0;b=c;d=\"e f\"\r\n\r\n") == "abc");
  CHECK(body_of("3 ;a\r\nabc\r\n0\t ; b = c\r\n\r\n") == "abc");
}

TEST_CASE("http: a malformed chunk size is 400 [RFC9112-7.1]") {
  for (const char* size : {"",
                           "g",
                           "x3",
                           "0x3",
                           "-3",
                           "+3",
                           " 3",
                           "3 ",
                           "3\t",
                           "3 a",
                           "3,",
                           "3\rx",
                           "3\n",
                           "3;a\n",
                           "3;a\rb",
                           "3;a\x01",
                           "3;a\x7f",
                           "3.0",
                           "3\r",
                           "0000000000000003",
                           "ffffffffffffffff"}) {
    CAPTURE(size);
    CHECK(refusal_of(std::string(size) + "\r\nabc\r\n0\r\n\r\n") == 400);
  }
  CHECK(refusal_of("000000000000003\r\nabc\r\n0\r\n\r\n") == 0);
}

TEST_CASE("http: a chunk ends where it says, in CRLF [RFC9112-7.1]") {
  for (const char* end : {"d\r\n", "\n", "\r\r\n", "\rx", "0\r\n\r\n"}) {
    CAPTURE(end);
    CHECK(refusal_of(std::string("3\r\nabc") + end + "0\r\n\r\n") == 400);
  }
  CHECK(refusal_of("3\r\nabc") == 0);
}

TEST_CASE("http: a chunk line is bounded, and so are all extensions together [RFC9112-7.1.1]") {
  const auto line = [](std::size_t size) { return "1;" + std::string(size - 4, 'a') + "\r\n"; };
  CHECK(refusal_of(line(256) + "x\r\n0\r\n\r\n") == 0);
  CHECK(refusal_of(line(257) + "x\r\n0\r\n\r\n") == 400);
  CHECK(refusal_of(line(300).substr(0, 255)) == 0);
  CHECK(refusal_of(line(300).substr(0, 256)) == 400);
  std::string chunks;  // of 253 bytes of extensions each
  for (int i = 0; i < 16; ++i) chunks += line(256) + "x\r\n";
  CHECK(refusal_of(chunks) == 0);
  CHECK(refusal_of(chunks + line(256)) == 400);
}

TEST_CASE("http: trailers are read over, by the rules of fields [RFC9112-7.1.2]") {
  CHECK(body_of("1\r\nx\r\n0\r\nA: b\r\nContent-Length: 7\r\n\r\n") == "x");
  for (const char* trailer :
       {"A : b\r\n", " A: b\r\n", "A\r\n", "A: b\n", "A: b\rc\r\n", "\n", "\rx\n"}) {
    CAPTURE(trailer);
    CHECK(refusal_of(std::string("0\r\n") + trailer + "\r\n") == 400);
  }
}

TEST_CASE("http: the trailer section is bounded [RFC9112-7.1.2]") {
  using Reader = http::BodyReader;
  const auto end = [](std::size_t trailer_bytes) {
    Reader reader;
    reader.start(request_with(http::Framing::chunked), 10);
    return reader.next("0\r\nA: " + std::string(trailer_bytes - 7, 'a') + "\r\n\r\n");
  };
  CHECK(end(Reader::max_trailer_bytes) == http::BodyStep::done);
  CHECK(end(Reader::max_trailer_bytes + 1) == http::BodyStep::error);
  std::string many = "0\r\n";
  while (many.size() < Reader::max_trailer_bytes + 3) many += "A: b\r\n";
  Reader reader;
  reader.start(request_with(http::Framing::chunked), 10);
  CHECK(reader.next(many) == http::BodyStep::error);
  CHECK(reader.problem().status == 431);
}

TEST_CASE("http: a body over the limit is 413, one of the limit is taken [RFC9110-15.5.14]") {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ";
  CHECK(refusal(head + "4\r\n\r\nabcd", {.body_bytes = 4}) == 0);
  CHECK(refusal(head + "5\r\n\r\n", {.body_bytes = 4}) == 413);
  CHECK(refusal_of("3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", 4) == 0);
  CHECK(refusal_of("3\r\nabc\r\n2\r\n", 4) == 413);
  CHECK(refusal_of("fffffffffffffff\r\n", 4) == 413);
}

TEST_CASE("http: a route may take less than its listener [RFC9110-15.5.14]") {
  http::BodyReader reader;
  reader.start(request_with(http::Framing::length, 5), 4);
  CHECK(reader.next("abcde") == http::BodyStep::error);
  CHECK(reader.problem().status == 413);
  reader.start(request_with(http::Framing::length, 5), 5);
  CHECK(reader.next("abcde") == http::BodyStep::piece);
}

TEST_CASE("http: pieces are views of the input, handed out as they come [RFC9112-7.1]") {
  const std::string in = "5\r\nabcde\r\n0\r\n\r\nrest";
  const std::string_view view = in;
  http::BodyReader reader;
  reader.start(request_with(http::Framing::chunked), 10);
  REQUIRE(reader.next(view.substr(0, 5)) == http::BodyStep::piece);
  CHECK(reader.piece() == "ab");
  CHECK(reader.piece().data() == in.data() + 3);
  CHECK(reader.consumed() == 5);
  CHECK(reader.next(view.substr(5, 0)) == http::BodyStep::need_more);
  CHECK(reader.consumed() == 0);
  REQUIRE(reader.next(view.substr(5)) == http::BodyStep::piece);
  CHECK(reader.piece() == "cde");
  REQUIRE(reader.next(view.substr(8)) == http::BodyStep::done);
  CHECK(view.substr(8 + reader.consumed()) == "rest");
}

TEST_CASE("http: a collected body that came in one piece is a view of the input [RFC9112-6.2]") {
  const std::string in = "abcde";
  http::BodyCollector collector;
  collector.start(request_with(http::Framing::length, 5), 10);
  REQUIRE(collector.feed(in) == http::Parse::ok);
  CHECK(collector.body().data() == in.data());
  CHECK(collector.consumed() == 5);

  const std::string chunked = "5\r\nabcde\r\n0\r\n\r\n";
  collector.start(request_with(http::Framing::chunked), 10);
  REQUIRE(collector.feed(chunked) == http::Parse::ok);
  CHECK(collector.body().data() == chunked.data() + 3);
  CHECK(collector.body() == "abcde");
  CHECK(collector.consumed() == chunked.size());
}

TEST_CASE("http: a collected body that came in parts is a copy [RFC9112-6.2]") {
  http::BodyCollector collector;
  collector.start(request_with(http::Framing::length, 5), 10);
  {
    const std::string first = "abc";
    REQUIRE(collector.feed(first) == http::Parse::need_more);
    CHECK(collector.consumed() == 3);
  }
  REQUIRE(collector.feed("de and more") == http::Parse::ok);
  CHECK(collector.body() == "abcde");
  CHECK(collector.consumed() == 2);

  collector.start(request_with(http::Framing::chunked), 10);
  REQUIRE(collector.feed("1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n") == http::Parse::ok);
  CHECK(collector.body() == "abc");
  collector.start(request_with(http::Framing::none), 10);
  REQUIRE(collector.feed("GET") == http::Parse::ok);
  CHECK(collector.body().empty());
  CHECK(collector.consumed() == 0);
}

TEST_CASE("http: a connection keeps little of what is not consumed [RFC9112-7.1]") {
  http_test::Connection connection({.body_bytes = 1 << 20});
  connection.receive(chunked_head);
  for (int i = 0; i < 100; ++i) {
    connection.receive("400\r\n" + std::string(1024, 'x') + "\r\n4");
    CHECK(connection.kept_bytes() == 1);
    connection.receive("00\r\n" + std::string(1024, 'y') + "\r\n");
    CHECK(connection.kept_bytes() == 0);
  }
  CHECK(connection.status() == 0);
}
