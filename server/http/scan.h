// Byte classes of RFC 9110 and RFC 3986, and the scans that run over every byte of a head.
// Internal to http/.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>

#include <bit>
#endif

namespace spanwire::http::scan {

using ByteSet = std::array<bool, 256>;

constexpr ByteSet alphanumeric_and(std::string_view others) {
  ByteSet set{};
  for (int c = '0'; c <= '9'; ++c) set[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) set[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) set[static_cast<std::size_t>(c)] = true;
  for (const char c : others) set[static_cast<unsigned char>(c)] = true;
  return set;
}

inline constexpr ByteSet token_bytes = alphanumeric_and("!#$%&'*+-.^_`|~");
// unreserved and sub-delims of RFC 3986: a registered name, but for its escapes.
inline constexpr ByteSet host_bytes = alphanumeric_and("-._~!$&'()*+,;=");

constexpr bool in(const ByteSet& set, char c) {
  return set[static_cast<unsigned char>(c)];
}

constexpr bool is_space(char c) {
  return c == ' ' || c == '\t';
}

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// 0 to 15, or -1.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 9110, 5.5: HTAB, SP, VCHAR and obs-text.
constexpr bool is_field_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

// Visible ASCII but `#`: wider than RFC 3986 by `"<>[\]^`{|}`, which clients send as they are
// typed.
constexpr bool is_target_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte < 0x7f && c != '#';
}

#if defined(__SSE2__)
// Takes blocks of 16 while none of their bytes stops; `stops` marks those that do.
template <class Stops>
const char* skip_blocks(const char* at, const char* end, Stops stops) {
  while (end - at >= 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(stops(block)));
    if (mask != 0) return at + std::countr_zero(mask);
    at += 16;
  }
  return at;
}
#endif

// The first byte that no field value may hold (its CR, if all is well), or `end`.
inline const char* skip_field_bytes(const char* at, const char* end) {
#if defined(__SSE2__)
  at = skip_blocks(at, end, [](__m128i block) {
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
    const __m128i tab = _mm_cmpeq_epi8(block, _mm_set1_epi8('\t'));
    const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
    return _mm_or_si128(_mm_andnot_si128(tab, control), del);
  });
#endif
  while (at != end && is_field_byte(*at)) ++at;
  return at;
}

// The first byte that no target may hold (the space behind it, if all is well), or `end`.
inline const char* skip_target_bytes(const char* at, const char* end) {
#if defined(__SSE2__)
  at = skip_blocks(at, end, [](__m128i block) {
    const __m128i low = _mm_cmplt_epi8(block, _mm_set1_epi8(0x21));  // signed: 0x80 and up as well
    const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
    const __m128i hash = _mm_cmpeq_epi8(block, _mm_set1_epi8('#'));
    return _mm_or_si128(low, _mm_or_si128(del, hash));
  });
#endif
  while (at != end && is_target_byte(*at)) ++at;
  return at;
}

inline const char* skip_token_bytes(const char* at, const char* end) {
  while (at != end && in(token_bytes, *at)) ++at;
  return at;
}

}  // namespace spanwire::http::scan
