#include "http/body_reader.h"

#include <algorithm>

#include "http/field_line.h"
#include "http/scan.h"

namespace spanwire::http {

namespace {

constexpr std::string_view too_large = "the body is larger than what is taken here";

}  // namespace

void BodyReader::start(const Request& request, std::uint64_t limit_bytes) {
  *this = BodyReader();
  allowance_ = limit_bytes;
  if (request.framing == Framing::chunked) {
    state_ = State::chunk_size;
  } else if (request.framing == Framing::length) {
    state_ = State::identity;
    remaining_ = request.content_length;
  }
}

BodyStep BodyReader::next(std::string_view in) {
  consumed_ = 0;
  for (;;) {
    const std::string_view rest = in.substr(consumed_);
    if (remaining_ > 0 && remaining_ <= allowance_) {
      if (rest.empty()) return BodyStep::need_more;
      take_piece(rest);
      return BodyStep::piece;
    }
    if (state_ == State::done) return BodyStep::done;
    const Parse framing = read_framing(rest);
    if (framing == Parse::need_more) return BodyStep::need_more;
    if (framing == Parse::error) return BodyStep::error;
  }
}

void BodyReader::take_piece(std::string_view rest) {
  piece_ = rest.substr(0, std::min<std::uint64_t>(remaining_, rest.size()));
  consumed_ += piece_.size();
  remaining_ -= piece_.size();
  allowance_ -= piece_.size();
}

// Reads what stands between pieces; no byte of the body is due.
Parse BodyReader::read_framing(std::string_view rest) {
  switch (state_) {
    case State::identity:
      return remaining_ > 0 ? refuse(413, too_large) : enter(State::done);
    case State::chunk_size:
      return read_chunk_size(rest);
    case State::chunk_data:
      return read_chunk_end(rest);
    case State::trailer:
      return read_trailer_line(rest);
    case State::done:
      break;
  }
  return Parse::ok;
}

Parse BodyReader::read_chunk_size(std::string_view rest) {
  const std::size_t lf = rest.substr(0, max_chunk_line_bytes).find('\n');
  if (lf != std::string_view::npos) return apply_chunk_line(rest.substr(0, lf + 1));
  if (rest.size() < max_chunk_line_bytes) return Parse::need_more;
  return refuse(400, "the line with a chunk's size is too long");
}

// `line` ends in its first LF. Only that it ends in CRLF keeps another reader, one that takes CR or
// LF alone for the end of an extension, from finding a chunk where we find none.
Parse BodyReader::apply_chunk_line(std::string_view line) {
  constexpr std::size_t max_digits = 15;  // 16^15 - 1 fits, and leading zeros are not unbounded
  std::uint64_t size = 0;
  std::size_t digits = 0;
  while (scan::hex_value(line[digits]) >= 0) {
    size = size * 16 + static_cast<std::uint64_t>(scan::hex_value(line[digits]));
    if (++digits > max_digits) return refuse(400, "a chunk's size has too many digits");
  }
  if (digits == 0) return refuse(400, "a chunk's size is not a hexadecimal number");
  const char* const begin = line.data() + digits;
  const char* const end = line.data() + line.size();
  const char* at = begin;
  while (scan::is_space(*at)) ++at;
  if (*at == ';')
    at = scan::skip_field_bytes(at, end);
  else if (at != begin)
    return refuse(400, "a chunk's size is followed by white space");
  if (end - at != 2 || *at != '\r') return refuse(400, "the line with a chunk's size is malformed");
  extension_bytes_ += static_cast<std::size_t>(at - begin);
  if (extension_bytes_ > max_extension_bytes) {
    return refuse(400, "the chunk extensions are too large");
  }
  if (size > allowance_) return refuse(413, too_large);
  remaining_ = size;
  consumed_ += line.size();
  return enter(size == 0 ? State::trailer : State::chunk_data);
}

Parse BodyReader::read_chunk_end(std::string_view rest) {
  constexpr std::string_view crlf = "\r\n";
  if (rest.substr(0, 2) != crlf.substr(0, rest.size())) {
    return refuse(400, "a chunk is longer than its size says");
  }
  if (rest.size() < crlf.size()) return Parse::need_more;
  consumed_ += crlf.size();
  return enter(State::chunk_size);
}

Parse BodyReader::read_trailer_line(std::string_view rest) {
  const std::size_t room = max_trailer_bytes - trailer_bytes_;
  const std::size_t lf = rest.substr(0, room).find('\n');
  if (lf == std::string_view::npos) {
    return rest.size() < room ? Parse::need_more : refuse(431, "the trailer section is too large");
  }
  const std::string_view line = rest.substr(0, lf + 1);
  consumed_ += line.size();
  trailer_bytes_ += line.size();
  if (line == "\r\n") return enter(State::done);
  const char* at = line.data();
  Header dropped;
  std::string_view reason;
  if (!read_field_line(at, at + line.size(), dropped, reason)) return refuse(400, reason);
  return Parse::ok;
}

Parse BodyReader::enter(State state) {
  state_ = state;
  return Parse::ok;
}

Parse BodyReader::refuse(int status, std::string_view reason) {
  problem_ = {.status = status, .reason = reason};
  return Parse::error;
}

void BodyCollector::start(const Request& request, std::uint64_t limit_bytes) {
  release();
  reader_.start(request, limit_bytes);
}

Parse BodyCollector::feed(std::string_view in) {
  consumed_ = 0;
  std::string_view held;  // a piece that may yet turn out to be the whole body
  for (;;) {
    const BodyStep step = reader_.next(in.substr(consumed_));
    consumed_ += reader_.consumed();
    if (step == BodyStep::error) return Parse::error;
    if (step == BodyStep::done && copied_.empty()) {
      body_ = held;
      return Parse::ok;
    }
    copied_.append(held);
    held = step == BodyStep::piece ? reader_.piece() : std::string_view();
    if (step == BodyStep::need_more) return Parse::need_more;
    if (step == BodyStep::done) break;
  }
  body_ = copied_;
  return Parse::ok;
}

void BodyCollector::release() {
  body_ = {};
  copied_ = std::string();
}

}  // namespace spanwire::http
