// Writes answers (RFC 9112, 4 and 6) into a string that is sent afterwards.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "http/message.h"

namespace spanwire::http {

// What an answer depends on, besides itself. Kept where the request's bytes are gone by then.
struct Exchange {
  Version version = Version::http_1_1;
  bool keep_alive = false;  // whoever closes regardless, as after an error, says so here
  bool head = false;        // the request was HEAD: headers as for GET, no body
  std::string_view date;    // DateField::at(), or empty
};

Exchange exchange_of(const Request& request, std::string_view date);

// The go-ahead for a request that has expect_continue, ahead of its answer.
inline constexpr std::string_view continue_answer = "HTTP/1.1 100 Continue\r\n\r\n";

// How the end of a body of unknown length is marked. HTTP/1.0 knows no chunks.
enum class Stream : std::uint8_t { none, chunked, until_close };

// One answer: construct, add headers, then call one of the finish functions, once.
//   Response(out, 200, exchange).header("Content-Type", type).finish(body);
// Content-Length, Transfer-Encoding, Connection and Date are its own; in a 101 Connection is the
// caller's.
class Response {
 public:
  Response(std::string& out, int status, const Exchange& exchange);

  // BASE_ASSERTs that `name` is a token: peers' names are to be asked for with is_token() first. A
  // control character in `value` becomes a space, for it could end the field.
  Response& header(std::string_view name, std::string_view value);
  Response& header(std::string_view name, std::uint64_t value);

  // With `body`, unless the request was HEAD. BASE_ASSERTs that it is empty where the status
  // allows none.
  void finish(std::string_view body = {});

  // The caller sends the body itself, of just that many bytes. False: it must not send one.
  bool finish_head(std::uint64_t body_bytes);

  // The caller sends the body with append_piece() and append_end(), and closes the connection
  // after an until_close.
  Stream finish_as_stream();

 private:
  void append_connection(bool keep_alive);

  std::string& out_;
  Exchange exchange_;
  int status_;
};

// An empty piece is nothing, not the end.
void append_piece(std::string& out, Stream stream, std::string_view piece);
void append_end(std::string& out, Stream stream);

// A whole answer for people: the status, `reason` (one line, without a full stop), and what to do.
// `headers` are added: Allow to a 405, WWW-Authenticate to a 401.
void append_error(std::string& out, int status, std::string_view reason, const Exchange& exchange,
                  std::span<const Header> headers = {});

// The answer to a request that could not be parsed: it closes, and it knows no request.
void append_problem(std::string& out, const Problem& problem, std::string_view date);

}  // namespace spanwire::http
