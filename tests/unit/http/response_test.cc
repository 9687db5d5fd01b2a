#include "http/response.h"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <string>

#include "http/date.h"
#include "http/status.h"

using namespace spanwire;
using http::Response;

namespace {

constexpr http::Exchange modern{.keep_alive = true};
constexpr http::Exchange old{.version = http::Version::http_1_0, .keep_alive = true};
constexpr http::Exchange head{.keep_alive = true, .head = true};
constexpr http::Exchange closing{};

std::string answer(int status, const http::Exchange& exchange, std::string_view body = {}) {
  std::string out;
  Response(out, status, exchange).finish(body);
  return out;
}

std::string streamed(const http::Exchange& exchange, http::Stream& stream) {
  std::string out;
  stream = Response(out, 200, exchange).finish_as_stream();
  http::append_piece(out, stream, "hello world, again");
  http::append_piece(out, stream, "");
  http::append_piece(out, stream, "x");
  http::append_end(out, stream);
  return out;
}

base::WallTime wall(std::chrono::sys_seconds second, int milliseconds = 0) {
  return second + std::chrono::milliseconds(milliseconds);
}

}  // namespace

TEST_CASE("response: status line, headers, length and body [RFC9112-4]") {
  std::string out = "before";
  http::Exchange exchange = modern;
  exchange.date = "Date: now\r\n";
  Response(out, 200, exchange)
      .header("Content-Type", "application/octet-stream")
      .header("X-QoS", std::uint64_t{2})
      .finish("hello");
  CHECK(out ==
        "beforeHTTP/1.1 200 OK\r\nDate: now\r\nContent-Type: application/octet-stream\r\n"
        "X-QoS: 2\r\nContent-Length: 5\r\n\r\nhello");
}

TEST_CASE("response: Connection is said where it is not a matter of course [RFC9112-9.3]") {
  CHECK(answer(200, modern) == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  CHECK(answer(200, closing) ==
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  CHECK(answer(200, old) ==
        "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("response: HEAD gets the headers of GET and no body [RFC9110-9.3.2]") {
  CHECK(answer(200, head, "hello") == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
}

TEST_CASE("response: 1xx, 204 and 304 have neither length nor body [RFC9110-8.6]") {
  CHECK(answer(204, modern) == "HTTP/1.1 204 No Content\r\n\r\n");
  CHECK(answer(304, modern) == "HTTP/1.1 304 Not Modified\r\n\r\n");
  std::string out;
  Response(out, 101, closing)
      .header("Connection", "Upgrade")
      .header("Upgrade", "websocket")
      .finish();
  CHECK(out ==
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  CHECK(http::continue_answer == "HTTP/1.1 100 Continue\r\n\r\n");
}

TEST_CASE("response: a body that the caller sends is announced [RFC9112-6.2]") {
  std::string out;
  CHECK(Response(out, 200, modern).finish_head(123'456));
  CHECK(out == "HTTP/1.1 200 OK\r\nContent-Length: 123456\r\n\r\n");
  CHECK_FALSE(Response(out, 200, head).finish_head(1));
  CHECK_FALSE(Response(out, 204, modern).finish_head(0));
}

TEST_CASE("response: a value cannot end its field [RFC9110-5.5]") {
  std::string out;
  Response(out, 200, modern)
      .header("X-Topic", std::string_view("a\r\nX-Evil: 1\0\x7f\tb", 16))
      .finish();
  CHECK(out == "HTTP/1.1 200 OK\r\nX-Topic: a  X-Evil: 1  \tb\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("response: a stream is chunked in 1.1 [RFC9112-7.1]") {
  http::Stream stream{};
  CHECK(streamed(modern, stream) ==
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "12\r\nhello world, again\r\n1\r\nx\r\n0\r\n\r\n");
  CHECK(stream == http::Stream::chunked);
}

TEST_CASE("response: a stream to 1.0 ends with the connection [RFC9112-6.3]") {
  http::Stream stream{};
  CHECK(streamed(old, stream) == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello world, againx");
  CHECK(stream == http::Stream::until_close);
}

TEST_CASE("response: a stream to HEAD is its headers, and the connection stays [RFC9110-9.3.2]") {
  http::Stream stream{};
  CHECK(streamed(head, stream) == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  CHECK(stream == http::Stream::none);
  http::Exchange old_head = old;
  old_head.head = true;
  CHECK(streamed(old_head, stream) == "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n");
}

TEST_CASE("response: an exchange follows from its request [RFC9112-9.3]") {
  http::Request request;
  request.method = http::Method::head;
  request.version = http::Version::http_1_0;
  request.keep_alive = true;
  const http::Exchange exchange = http::exchange_of(request, "Date: x\r\n");
  CHECK(exchange.head);
  CHECK(exchange.keep_alive);
  CHECK(exchange.version == http::Version::http_1_0);
  CHECK(exchange.date == "Date: x\r\n");
  request.method = http::Method::get;
  CHECK_FALSE(http::exchange_of(request, {}).head);
}

TEST_CASE("response: an error says what is wrong and what to do [RFC9110-15.5]") {
  const std::array allow{http::Header{.name = "Allow", .value = "GET, HEAD"}};
  std::string out;
  http::append_error(out, 405, "/varz is read only", modern, allow);
  CHECK(out ==
        "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Allow: GET, HEAD\r\nContent-Length: 95\r\n\r\n"
        "405 Method Not Allowed: /varz is read only\n"
        "Use one of the methods that the Allow header lists.\n");
}

TEST_CASE("response: a request that cannot be parsed is answered, then closed [RFC9112-9.6]") {
  std::string out;
  http::append_problem(out, {.status = 400, .reason = "there is no Host"}, "Date: x\r\n");
  CHECK(out.starts_with("HTTP/1.1 400 Bad Request\r\nDate: x\r\n"));
  CHECK(out.find("\r\nConnection: close\r\n") != std::string::npos);
  CHECK(out.find("\r\n\r\n400 Bad Request: there is no Host\n") != std::string::npos);
}

TEST_CASE("status: every error has a phrase and advice, no success has advice [RFC9110-15]") {
  for (int status = 100; status < 600; ++status) {
    CAPTURE(status);
    const bool known = !http::status_phrase(status).empty();
    CHECK(http::status_advice(status).empty() == !(known && status >= 400));
  }
  CHECK(http::status_phrase(200) == "OK");
  CHECK(http::status_phrase(299).empty());
  for (const int status : {400, 405, 408, 413, 414, 417, 431, 501, 505}) {
    CAPTURE(status);
    CHECK_FALSE(http::status_phrase(status).empty());
  }
}

TEST_CASE("date: is written in the one form that is sent [RFC9110-5.6.7]") {
  using namespace std::chrono;
  http::DateField date;
  CHECK(date.at(wall(sys_seconds(784'111'777s))) == "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  CHECK(date.at(wall(sys_days(2024y / 2 / 29))) == "Date: Thu, 29 Feb 2024 00:00:00 GMT\r\n");
  CHECK(date.at(wall(sys_days(1999y / 12 / 31) + 86'399s, 999)) ==
        "Date: Fri, 31 Dec 1999 23:59:59 GMT\r\n");
  CHECK(date.at(wall(sys_days(2000y / 1 / 1))) == "Date: Sat, 01 Jan 2000 00:00:00 GMT\r\n");
}

TEST_CASE("date: changes with the second, forwards and backwards [RFC9110-6.6.1]") {
  using namespace std::chrono;
  const sys_seconds second(784'111'777s);
  http::DateField date;
  const std::string first(date.at(wall(second)));
  CHECK(date.at(wall(second, 999)) == first);
  CHECK(date.at(wall(second, 1000)) == "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
  CHECK(date.at(wall(second)) == first);
}
