// A request as it arrived (RFC 9110, RFC 9112): values and views into the bytes that were parsed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"

namespace spanwire::http {

// The methods that a resource here can have an opinion on. The parser refuses every other one.
enum class Method : std::uint8_t { get, head, post, put, del, options, patch, trace };
std::string_view method_name(Method method);

enum class Version : std::uint8_t { http_1_0, http_1_1 };

// How the body's end is found (RFC 9112, 6.3). A request without either field has no body.
enum class Framing : std::uint8_t { none, length, chunked };

enum class Parse : std::uint8_t { need_more, ok, error };

// Why a request was refused: the status to answer with, and one line of our own text.
struct Problem {
  int status = 0;
  std::string_view reason;
};

inline constexpr std::size_t max_headers = 100;

struct Limits {
  std::size_t request_line_bytes = 8 * 1024;  // with its CRLF; more is 414
  std::size_t header_bytes = 32 * 1024;       // all fields and the empty line; more is 431
  std::uint64_t body_bytes = 0;               // more is 413; nobody gets a body by default
};

struct Header {
  std::string_view name;
  std::string_view value;  // without the white space around it
};

// ASCII letters compare without case, every other byte as it is.
bool equal_ignoring_case(std::string_view a, std::string_view b);

// RFC 9110, 5.6.2: what a method or a field name may be.
bool is_token(std::string_view text);

// Whether the comma-separated `list` names `token`, without case: `Connection: keep-alive,
// Upgrade`.
bool list_has(std::string_view list, std::string_view token);

// The fields of one head, in the order they came. Large, so a loop keeps one Request and reuses it.
class HeaderList {
 public:
  void clear() { size_ = 0; }
  bool full() const { return size_ == max_headers; }
  void add(const Header& header) {
    spare() = header;
    add_spare();
  }
  // The place behind the last field, to be written to and then added: a copy of what has just been
  // written would wait for it, half as long again as all the rest of reading a head.
  Header& spare() { return headers_[size_]; }
  void add_spare() {
    BASE_ASSERT(!full());
    ++size_;
  }

  std::size_t size() const { return size_; }
  const Header* begin() const { return headers_.data(); }
  const Header* end() const { return headers_.data() + size_; }

  // The first field of that name, or null.
  const Header* find(std::string_view name) const;
  // The first value of that name, or nothing.
  std::string_view value(std::string_view name) const;

 private:
  std::array<Header, max_headers + 1> headers_;
  std::size_t size_ = 0;
};

// All views point into the bytes given to the parser, and live as long as those.
struct Request {
  Method method = Method::get;
  Version version = Version::http_1_1;
  Framing framing = Framing::none;
  bool keep_alive = false;
  bool expect_continue = false;  // the client waits for a 100 before it sends the body
  bool upgrade = false;          // `Connection` lists upgrade: see the Upgrade field
  std::uint64_t content_length = 0;
  std::string_view target;  // as it was sent
  std::string_view path;    // still percent-encoded; `*` for the server as a whole
  std::string_view query;   // behind the `?`, still percent-encoded; may be empty
  std::string_view host;    // with its port: from the target if that has one, else from Host
  HeaderList headers;
};

}  // namespace spanwire::http
