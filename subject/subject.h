// Subjects: the addresses of messages. Bytes in tokens that dots separate: `orders.eu.new`.
// Literal text only; what subscribes is a Filter (filter.h).
#pragma once

#include <cstddef>
#include <string_view>

namespace spanwire::subject {

inline constexpr char separator = '.';

// No byte at or below 0x20 and none equal to 0x7f: such a byte would end or split a control line
// on another wire. Every published subject and reply must be safe.
bool is_safe(std::string_view text);

// At least one token, and no empty one (`a..b`, `.a`, `a.` are not well formed). Says nothing about
// wildcards: to NATS a published `a.*` is a literal whose last token is an asterisk.
bool is_well_formed(std::string_view text);

// Well formed, and no token is exactly `*` or `>` (the NATS meaning of a literal subject).
bool is_literal(std::string_view text);

std::size_t token_count(std::string_view text);

// The bytes before the first dot, or all of them.
std::string_view first_token(std::string_view text);

// The bytes before the second dot; without a dot nothing.
std::string_view first_two_tokens(std::string_view text);

// Takes tokens off the front, one at a time; empty tokens are returned as they stand.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : rest_(text) {}
  // False when no token is left; `token` is then untouched.
  bool next(std::string_view& token) {
    if (done_) return false;
    const std::size_t dot = rest_.find(separator);
    if (dot == std::string_view::npos) {
      token = rest_;
      done_ = true;
    } else {
      token = rest_.substr(0, dot);
      rest_.remove_prefix(dot + 1);
    }
    return true;
  }

 private:
  std::string_view rest_;
  bool done_ = false;
};

}  // namespace spanwire::subject
