#include "http/request_parser.h"

#include <algorithm>
#include <cstring>

#include "http/field_line.h"
#include "http/request_line.h"
#include "http/scan.h"
#include "http/uri.h"

namespace spanwire::http {

namespace {

constexpr Problem line_too_long{.status = 414, .reason = "the request line is too long"};
constexpr Problem header_too_large{.status = 431, .reason = "the header fields are too large"};

// Where the request line begins: behind one empty line, if there is one.
std::size_t line_begin(std::string_view in) {
  return in.substr(0, 2) == "\r\n" ? 2 : 0;
}

// A lone CR may be the first half of an empty line.
bool is_too_short(std::string_view in) {
  return in.empty() || in == "\r";
}

template <std::size_t size>
bool is_name(std::string_view name, const char (&lower)[size]) {
  // Setting 0x20 lowers letters. Of what else it changes, nothing may stand in a field name.
  unsigned difference = 0;
  for (std::size_t i = 0; i + 1 < size; ++i) {
    difference |= static_cast<unsigned char>(name[i] | 0x20) ^ static_cast<unsigned char>(lower[i]);
  }
  return difference == 0;
}

// One pass over the head in `in`.
class HeadReader {
 public:
  HeadReader(std::string_view in, const Limits& limits, Request& out)
      : in_(in), limits_(limits), out_(out), at_(in.data()), end_(in.data() + in.size()) {}

  Parse read();
  std::size_t consumed() const { return offset_of(at_); }
  std::size_t fields_begin() const { return fields_begin_; }
  const Problem& problem() const { return problem_; }

 private:
  std::size_t offset_of(const char* at) const { return static_cast<std::size_t>(at - in_.data()); }
  bool at_empty_line() const { return end_ - at_ >= 2 && at_[0] == '\r' && at_[1] == '\n'; }
  bool refuse(int status, std::string_view reason) {
    problem_ = {.status = status, .reason = reason};
    return false;
  }

  Parse read_request_line();
  Parse read_fields();
  Parse settle(std::size_t line, std::size_t limit, const Problem& too_long);
  bool read_field();
  bool note_field(const Header& header);
  bool note_host(std::string_view value);
  bool note_content_length(std::string_view value);
  bool note_transfer_encoding(std::string_view value);
  bool note_expect(std::string_view value);
  bool note_connection(std::string_view value);
  bool conclude();

  std::string_view in_;
  const Limits& limits_;
  Request& out_;
  const char* at_;
  const char* end_;
  std::size_t fields_begin_ = 0;
  bool has_host_ = false;
  bool has_content_length_ = false;
  bool has_transfer_encoding_ = false;
  bool says_close_ = false;
  bool says_keep_alive_ = false;
  Problem problem_;
};

Parse HeadReader::read() {
  if (is_too_short(in_)) return Parse::need_more;
  out_.headers.clear();
  out_.framing = Framing::none;
  out_.content_length = 0;
  out_.expect_continue = false;
  out_.upgrade = false;
  const Parse line = read_request_line();
  if (line != Parse::ok) return line;
  const Parse fields = read_fields();
  if (fields != Parse::ok) return fields;
  return conclude() ? Parse::ok : Parse::error;
}

Parse HeadReader::read_request_line() {
  const std::size_t begin = line_begin(in_);
  std::string_view method;
  const Parse found = find_method(in_.substr(begin), method, problem_);
  if (found != Parse::ok) return found;
  at_ = method.data() + method.size() + 1;
  const std::size_t limit = begin + limits_.request_line_bytes;
  if (!read_target_and_version(at_, end_, out_, problem_)) {
    return settle(begin, limit, line_too_long);
  }
  fields_begin_ = offset_of(at_);
  if (fields_begin_ > limit) {
    problem_ = line_too_long;
    return Parse::error;
  }
  return interpret_request_line(method, out_, problem_) ? Parse::ok : Parse::error;
}

Parse HeadReader::read_fields() {
  const std::size_t limit = fields_begin_ + limits_.header_bytes;
  while (!at_empty_line()) {
    const std::size_t line = offset_of(at_);
    if (!read_field()) return settle(line, limit, header_too_large);
  }
  at_ += 2;
  if (consumed() <= limit) return Parse::ok;
  problem_ = header_too_large;
  return Parse::error;
}

// The line at `line` was refused for problem_. That holds if the line is complete within the limit.
Parse HeadReader::settle(std::size_t line, std::size_t limit, const Problem& too_long) {
  if (line < limit && in_.substr(line, limit - line).find('\n') != std::string_view::npos) {
    return Parse::error;
  }
  if (in_.size() < limit) return Parse::need_more;
  problem_ = too_long;
  return Parse::error;
}

bool HeadReader::read_field() {
  Header& header = out_.headers.spare();
  std::string_view reason;
  if (!read_field_line(at_, end_, header, reason)) return refuse(400, reason);
  if (out_.headers.full()) return refuse(431, "there are more than 100 header fields");
  out_.headers.add_spare();
  return note_field(header);
}

bool HeadReader::note_field(const Header& header) {
  const std::string_view name = header.name;
  switch (name.size()) {
    case 4:
      return !is_name(name, "host") || note_host(header.value);
    case 6:
      return !is_name(name, "expect") || note_expect(header.value);
    case 10:
      return !is_name(name, "connection") || note_connection(header.value);
    case 14:
      return !is_name(name, "content-length") || note_content_length(header.value);
    case 17:
      return !is_name(name, "transfer-encoding") || note_transfer_encoding(header.value);
    default:
      return true;
  }
}

bool HeadReader::note_host(std::string_view value) {
  if (has_host_) return refuse(400, "there is more than one Host");
  has_host_ = true;
  // Empty where the target's scheme has no host (RFC 9110, 7.2).
  if (!value.empty() && !is_authority(value)) return refuse(400, "Host is not valid");
  if (out_.host.empty()) out_.host = value;  // a target in absolute form wins (RFC 9112, 3.2.2)
  return true;
}

bool HeadReader::note_content_length(std::string_view value) {
  if (has_content_length_) return refuse(400, "there is more than one Content-Length");
  has_content_length_ = true;
  if (value.empty() || !std::all_of(value.begin(), value.end(), scan::is_digit)) {
    return refuse(400, "Content-Length is not a number");
  }
  constexpr std::size_t safe_digits = 18;  // 10^18 - 1 < 2^63
  value.remove_prefix(std::min(value.find_first_not_of('0'), value.size()));
  if (value.size() > safe_digits) return refuse(413, "the body is larger than what is taken here");
  std::uint64_t length = 0;
  for (const char c : value) length = length * 10 + static_cast<std::uint64_t>(c - '0');
  if (length > limits_.body_bytes) return refuse(413, "the body is larger than what is taken here");
  out_.content_length = length;
  out_.framing = Framing::length;
  return true;
}

bool HeadReader::note_transfer_encoding(std::string_view value) {
  if (has_transfer_encoding_) return refuse(400, "there is more than one Transfer-Encoding");
  has_transfer_encoding_ = true;
  if (!equal_ignoring_case(value, "chunked")) {
    return refuse(501, "the only Transfer-Encoding known here is chunked");
  }
  return true;
}

bool HeadReader::note_expect(std::string_view value) {
  if (!equal_ignoring_case(value, "100-continue")) {
    return refuse(417, "the only expectation known here is 100-continue");
  }
  out_.expect_continue = true;
  return true;
}

bool HeadReader::note_connection(std::string_view value) {
  says_close_ = says_close_ || list_has(value, "close");
  says_keep_alive_ = says_keep_alive_ || list_has(value, "keep-alive");
  out_.upgrade = out_.upgrade || list_has(value, "upgrade");
  return true;
}

// What the fields mean together.
bool HeadReader::conclude() {
  const bool modern = out_.version == Version::http_1_1;
  if (modern && !has_host_) return refuse(400, "there is no Host");
  if (has_transfer_encoding_) {
    if (has_content_length_) return refuse(400, "both Content-Length and Transfer-Encoding");
    if (!modern) return refuse(400, "HTTP/1.0 has no Transfer-Encoding");
    out_.framing = Framing::chunked;
  }
  const bool has_body = out_.framing == Framing::chunked || out_.content_length > 0;
  // From 1.0 the expectation is to be ignored, without a body there is nothing to wait for
  // (RFC 9110, 10.1.1).
  out_.expect_continue = out_.expect_continue && modern && has_body;
  out_.upgrade = out_.upgrade && modern;  // RFC 9110, 7.8
  out_.keep_alive = !says_close_ && (modern || says_keep_alive_);
  return true;
}

}  // namespace

RequestParser::RequestParser(const Limits& limits) : limits_(limits) {
  BASE_ASSERT(limits.request_line_bytes >= 2 * max_method_bytes);
  BASE_ASSERT(limits.header_bytes >= 2);
}

Parse RequestParser::parse(std::string_view in, Request& out) {
  BASE_ASSERT(in.size() >= seen_);
  if (seen_ > 0 && in.find('\n', seen_) == std::string_view::npos) return parse_open_line(in);
  HeadReader head(in, limits_, out);
  const Parse result = head.read();
  if (result == Parse::need_more) {
    seen_ = in.size();
    fields_begin_ = head.fields_begin();
    return result;
  }
  seen_ = 0;
  fields_begin_ = 0;
  consumed_ = result == Parse::ok ? head.consumed() : 0;
  problem_ = head.problem();
  return result;
}

// No line was completed since the last call, so only what is judged in an open line can be new.
Parse RequestParser::parse_open_line(std::string_view in) {
  seen_ = in.size();
  if (is_too_short(in)) return Parse::need_more;
  if (fields_begin_ > 0) {
    if (in.size() < fields_begin_ + limits_.header_bytes) return Parse::need_more;
    problem_ = header_too_large;
    return Parse::error;
  }
  const std::size_t begin = line_begin(in);
  std::string_view method;
  const Parse found = find_method(in.substr(begin), method, problem_);
  if (found != Parse::ok) return found;
  if (in.size() < begin + limits_.request_line_bytes) return Parse::need_more;
  problem_ = line_too_long;
  return Parse::error;
}

}  // namespace spanwire::http
