#include "app/flag_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>

namespace spanwire::app {

namespace {

// What a number says before its first digit; `rest` are the digits.
struct Prefix {
  bool negative = false;
  unsigned base = 10;
  bool may_start_with_underscore = false;
  std::string_view rest;
};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

Prefix read_prefix(std::string_view text) {
  Prefix prefix;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    prefix.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text.size() >= 2 && text.front() == '0') {
    const char letter = lower(text[1]);
    prefix.base = letter == 'x' ? 16 : letter == 'b' ? 2 : 8;
    prefix.may_start_with_underscore = true;
    const bool has_letter = letter == 'x' || letter == 'b' || letter == 'o';
    text.remove_prefix(has_letter ? 2 : 1);
  }
  prefix.rest = text;
  return prefix;
}

// The value of a digit; 99, which no base has, if it is none.
unsigned digit_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  const char letter = lower(c);
  return letter >= 'a' && letter <= 'f' ? static_cast<unsigned>(letter - 'a') + 10 : 99;
}

}  // namespace

std::optional<bool> parse_switch(std::string_view text) {
  constexpr std::array<std::string_view, 6> on{"1", "t", "T", "true", "TRUE", "True"};
  constexpr std::array<std::string_view, 6> off{"0", "f", "F", "false", "FALSE", "False"};
  if (std::find(on.begin(), on.end(), text) != on.end()) return true;
  if (std::find(off.begin(), off.end(), text) != off.end()) return false;
  return std::nullopt;
}

Number parse_number(std::string_view text) {
  constexpr Number malformed{0, NumberError::malformed};
  const Prefix prefix = read_prefix(text);
  // The largest size that still fits; a negative number may be one larger.
  const std::uint64_t limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) +
                              (prefix.negative ? 1U : 0U);
  std::uint64_t size = 0;
  bool after_digit = prefix.may_start_with_underscore;
  for (const char c : prefix.rest) {
    if (c == '_') {
      if (!after_digit) return malformed;
      after_digit = false;
      continue;
    }
    const unsigned digit = digit_value(c);
    if (digit >= prefix.base) return malformed;
    if (size > (limit - digit) / prefix.base) return {0, NumberError::out_of_range};
    size = size * prefix.base + digit;
    after_digit = true;
  }
  if (prefix.rest.empty() || !after_digit) return malformed;
  return {static_cast<std::int64_t>(prefix.negative ? 0 - size : size), NumberError::none};
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte > 0x7e) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out += '"';
}

}  // namespace spanwire::app
