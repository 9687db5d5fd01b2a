#include "http/response.h"

#include <array>
#include <charconv>

#include "base/assert.h"
#include "http/scan.h"
#include "http/status.h"

namespace spanwire::http {

namespace {

void append_number(std::string& out, std::uint64_t number, int base = 10) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  out.append(digits.data(), end);
}

void append_field_value(std::string& out, std::string_view value) {
  const char* at = value.data();
  const char* const end = at + value.size();
  while (at != end) {
    const char* const stop = scan::skip_field_bytes(at, end);
    out.append(at, stop);
    if (stop == end) return;
    out.push_back(' ');
    at = stop + 1;
  }
}

void append_content_length(std::string& out, std::uint64_t bytes) {
  out.append("Content-Length: ");
  append_number(out, bytes);
  out.append("\r\n");
}

}  // namespace

Exchange exchange_of(const Request& request, std::string_view date) {
  return {.version = request.version,
          .keep_alive = request.keep_alive,
          .head = request.method == Method::head,
          .date = date};
}

Response::Response(std::string& out, int status, const Exchange& exchange)
    : out_(out), exchange_(exchange), status_(status) {
  BASE_ASSERT(status >= 100 && status <= 599);
  if (status == 200) {
    out_.append("HTTP/1.1 200 OK\r\n");
  } else {
    out_.append("HTTP/1.1 ");
    append_number(out_, static_cast<std::uint64_t>(status));
    out_.push_back(' ');
    out_.append(status_phrase(status));
    out_.append("\r\n");
  }
  out_.append(exchange.date);
}

Response& Response::header(std::string_view name, std::string_view value) {
  BASE_ASSERT(is_token(name));
  out_.append(name);
  out_.append(": ");
  append_field_value(out_, value);
  out_.append("\r\n");
  return *this;
}

Response& Response::header(std::string_view name, std::uint64_t value) {
  BASE_ASSERT(is_token(name));
  out_.append(name);
  out_.append(": ");
  append_number(out_, value);
  out_.append("\r\n");
  return *this;
}

void Response::finish(std::string_view body) {
  if (finish_head(body.size())) out_.append(body);
}

bool Response::finish_head(std::uint64_t body_bytes) {
  const bool has_body = status_has_body(status_);
  BASE_ASSERT(has_body || body_bytes == 0);
  if (status_ >= 200) append_connection(exchange_.keep_alive);
  if (has_body) append_content_length(out_, body_bytes);
  out_.append("\r\n");
  return has_body && !exchange_.head;
}

Stream Response::finish_as_stream() {
  BASE_ASSERT(status_has_body(status_));
  const bool chunked = exchange_.version == Version::http_1_1;
  append_connection(exchange_.keep_alive && (chunked || exchange_.head));
  if (chunked) out_.append("Transfer-Encoding: chunked\r\n");
  out_.append("\r\n");
  if (exchange_.head) return Stream::none;
  return chunked ? Stream::chunked : Stream::until_close;
}

// Said where it differs from what the client's version takes for granted (RFC 9112, 9.3).
void Response::append_connection(bool keep_alive) {
  if (!keep_alive)
    out_.append("Connection: close\r\n");
  else if (exchange_.version == Version::http_1_0)
    out_.append("Connection: keep-alive\r\n");
}

void append_piece(std::string& out, Stream stream, std::string_view piece) {
  if (piece.empty() || stream == Stream::none) return;
  if (stream == Stream::until_close) {
    out.append(piece);
    return;
  }
  append_number(out, piece.size(), 16);
  out.append("\r\n");
  out.append(piece);
  out.append("\r\n");
}

void append_end(std::string& out, Stream stream) {
  if (stream == Stream::chunked) out.append("0\r\n\r\n");
}

void append_error(std::string& out, int status, std::string_view reason, const Exchange& exchange,
                  std::span<const Header> headers) {
  BASE_ASSERT(status >= 400);
  std::string text = std::to_string(status);
  text.append(" ").append(status_phrase(status)).append(": ").append(reason);
  text.append("\n").append(status_advice(status)).append("\n");
  Response response(out, status, exchange);
  response.header("Content-Type", "text/plain; charset=utf-8");
  for (const Header& header : headers) response.header(header.name, header.value);
  response.finish(text);
}

void append_problem(std::string& out, const Problem& problem, std::string_view date) {
  append_error(out, problem.status, problem.reason, {.keep_alive = false, .date = date});
}

}  // namespace spanwire::http
