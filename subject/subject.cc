#include "subject/subject.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace spanwire::subject {

namespace {

using Word = std::uint64_t;
constexpr std::size_t word_bytes = sizeof(Word);
constexpr Word ones = 0x0101010101010101U;
constexpr Word tops = ones * 0x80;

Word load(const char* at) {
  Word word;
  std::memcpy(&word, at, word_bytes);
  return word;
}

// The top bit of each byte that is zero, and no other.
constexpr Word zero_bytes(Word word) {
  return ~(((word & ~tops) + ~tops) | word | ~tops);
}

bool is_unsafe(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 0x20 || byte == 0x7f;
}

// Not zero if some byte is unsafe.
constexpr Word unsafe_bytes(Word word) {
  return ((word - ones * 0x21) & ~word & tops) | zero_bytes(word ^ ones * 0x7f);
}

// Whether a dot stands beside another one in these bytes.
constexpr bool has_two_dots(Word word) {
  const Word dots = zero_bytes(word ^ ones * static_cast<unsigned char>(separator));
  return (dots & (dots >> 8)) != 0;
}

}  // namespace

bool is_safe(std::string_view text) {
  if (text.size() < word_bytes) return std::none_of(text.begin(), text.end(), is_unsafe);
  const char* const last = text.data() + text.size() - word_bytes;
  Word found = unsafe_bytes(load(last));
  for (const char* at = text.data(); at < last; at += word_bytes) found |= unsafe_bytes(load(at));
  return found == 0;
}

bool is_well_formed(std::string_view text) {
  if (text.empty() || text.front() == separator || text.back() == separator) return false;
  if (text.size() < word_bytes) return text.find("..") == std::string_view::npos;
  const char* const last = text.data() + text.size() - word_bytes;
  bool empty_token = has_two_dots(load(last));
  // Each word begins with the last byte of the one before.
  for (const char* at = text.data(); at < last; at += word_bytes - 1) {
    empty_token = empty_token || has_two_dots(load(at));
  }
  return !empty_token;
}

bool is_literal(std::string_view text) {
  if (!is_well_formed(text)) return false;
  Tokens tokens(text);
  for (std::string_view token; tokens.next(token);) {
    if (token == "*" || token == ">") return false;
  }
  return true;
}

std::size_t token_count(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), separator)) + 1;
}

std::string_view first_token(std::string_view text) {
  return text.substr(0, text.find(separator));
}

std::string_view first_two_tokens(std::string_view text) {
  const std::size_t dot = text.find(separator);
  if (dot == std::string_view::npos) return {};
  return text.substr(0, text.find(separator, dot + 1));
}

}  // namespace spanwire::subject
