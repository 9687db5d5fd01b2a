// Comparing and copying short texts in line: a call of memcmp or memcpy costs more than the work
// for the few bytes that subjects and small payloads have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace spanwire::base {

namespace detail {

template <class Word>
bool same_at(const char* a, const char* b, std::size_t offset) {
  Word left;
  Word right;
  std::memcpy(&left, a + offset, sizeof left);
  std::memcpy(&right, b + offset, sizeof right);
  return left == right;
}

// Of at least one word and at most two.
template <class Word>
bool same_ends(const char* a, const char* b, std::size_t size) {
  return same_at<Word>(a, b, 0) && same_at<Word>(a, b, size - sizeof(Word));
}

template <std::size_t piece>
void copy_ends(char* out, const char* in, std::size_t size) {
  char front[piece];
  char back[piece];
  std::memcpy(front, in, piece);
  std::memcpy(back, in + size - piece, piece);
  std::memcpy(out, front, piece);
  std::memcpy(out + size - piece, back, piece);
}

// memcpy by plain moves. From 8 KiB on glibc copies with `rep movsb`, which some processors do four
// times slower when the addresses are not aligned alike.
inline void copy_large(char* out, const char* in, std::size_t size) {
#if defined(__SSE2__)
  const auto copy_line = [](char* to, const char* from) {
    const auto* source = reinterpret_cast<const __m128i*>(from);
    auto* target = reinterpret_cast<__m128i*>(to);
    const __m128i a = _mm_loadu_si128(source);
    const __m128i b = _mm_loadu_si128(source + 1);
    const __m128i c = _mm_loadu_si128(source + 2);
    const __m128i d = _mm_loadu_si128(source + 3);
    _mm_storeu_si128(target, a);
    _mm_storeu_si128(target + 1, b);
    _mm_storeu_si128(target + 2, c);
    _mm_storeu_si128(target + 3, d);
  };
  for (std::size_t at = 0; at + 64 <= size; at += 64) copy_line(out + at, in + at);
  copy_line(out + size - 64, in + size - 64);
#else
  std::memcpy(out, in, size);
#endif
}

}  // namespace detail

// Texts of this size and more are copied without glibc.
inline constexpr std::size_t large_text = 4096;

inline bool same_text(std::string_view a, std::string_view b) {
  const std::size_t size = a.size();
  if (size != b.size()) return false;
  const char* left = a.data();
  const char* right = b.data();
  if (size > 32) return std::memcmp(left, right, size) == 0;
  if (size > 16) {
    return detail::same_ends<std::uint64_t>(left, right, 16) &&
           detail::same_ends<std::uint64_t>(left + size - 16, right + size - 16, 16);
  }
  if (size >= 8) return detail::same_ends<std::uint64_t>(left, right, size);
  if (size >= 4) return detail::same_ends<std::uint32_t>(left, right, size);
  if (size >= 2) return detail::same_ends<std::uint16_t>(left, right, size);
  return size == 0 || *left == *right;
}

// Returns the end of what it wrote. `in` may have no address if it is empty.
inline char* put_text(char* out, std::string_view in) {
  const std::size_t size = in.size();
  if (size >= 16) {
    if (size <= 32) {
      detail::copy_ends<16>(out, in.data(), size);
    } else if (size < large_text) {
      std::memcpy(out, in.data(), size);
    } else {
      detail::copy_large(out, in.data(), size);
    }
  } else if (size >= 8) {
    detail::copy_ends<8>(out, in.data(), size);
  } else if (size >= 4) {
    detail::copy_ends<4>(out, in.data(), size);
  } else if (size >= 2) {
    detail::copy_ends<2>(out, in.data(), size);
  } else if (size == 1) {
    *out = in.front();
  }
  return out + size;
}

}  // namespace spanwire::base
