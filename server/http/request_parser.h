// Reads the head of an HTTP/1.1 request (RFC 9112, 2 to 7), strictly: what two readers could
// understand differently is refused, since a proxy in front of us may be the other reader. In
// particular:
//  - Lines end in CRLF. RFC 9112, 2.2 lets a recipient take LF alone for a line's end; we do not,
//    because a proxy that lets such an LF pass inside a value would see other fields than we do.
//    One empty line (CRLF) before a request is skipped, as the same section asks.
//  - A field continued on the next line, white space before a colon, a second Content-Length or
//    Host (even an equal one), Content-Length beside Transfer-Encoding: 400.
//  - The only transfer coding is `chunked`, alone. Any other list is 501.
// An unknown method is 501. CONNECT is one: this server is no proxy.
#pragma once

#include <string_view>

#include "http/message.h"

namespace spanwire::http {

// One a connection. Holds no bytes and no views: until a head is complete the caller keeps them.
class RequestParser {
 public:
  // BASE_ASSERTs that each limit has room for a minimal request.
  explicit RequestParser(const Limits& limits);

  // `in` is all that the connection has received and nobody has consumed: it begins where the
  // last request ended, and with the same bytes as in the call before if that said need_more.
  //   ok         `out` is filled, consumed() bytes are the head; the body follows (BodyReader).
  //   need_more  call again when `in` has grown. `out` is unspecified.
  //   error      problem() says what to answer before closing. `out` is unspecified.
  // A line is judged when it is complete, a limit when it is passed, so that the answer does not
  // depend on how the bytes were cut. However small the pieces, a head costs at most one pass for
  // each of its lines.
  Parse parse(std::string_view in, Request& out);

  std::size_t consumed() const { return consumed_; }
  const Problem& problem() const { return problem_; }

 private:
  Parse parse_open_line(std::string_view in);

  Limits limits_;
  std::size_t seen_ = 0;          // bytes of an incomplete head that were looked at
  std::size_t fields_begin_ = 0;  // behind the request line, once that is complete
  std::size_t consumed_ = 0;
  Problem problem_;
};

}  // namespace spanwire::http
