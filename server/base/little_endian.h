// Whole numbers as formats on disk have them: the low byte first, on every machine.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/assert.h"

namespace spanwire::base {

template <std::unsigned_integral Number>
Number to_little_endian(Number value) {
  if constexpr (std::endian::native == std::endian::little || sizeof(Number) == 1) return value;
  Number turned = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    turned = static_cast<Number>((turned << 8) | ((value >> (8 * i)) & 0xff));
  }
  return turned;
}

// Writes the number's bytes at `out`; returns the end of what it wrote.
template <std::unsigned_integral Number>
char* put_little_endian(char* out, Number value) {
  const Number bytes = to_little_endian(value);
  std::memcpy(out, &bytes, sizeof bytes);
  return out + sizeof bytes;
}

template <std::unsigned_integral Number>
void append_little_endian(std::string& out, Number value) {
  char bytes[sizeof(Number)];
  put_little_endian(bytes, value);
  out.append(bytes, sizeof bytes);
}

// The number at `offset`, which lies with all its bytes in `in`.
template <std::unsigned_integral Number>
Number read_little_endian(std::string_view in, std::size_t offset) {
  BASE_ASSERT(offset <= in.size() && in.size() - offset >= sizeof(Number));
  Number bytes = 0;
  std::memcpy(&bytes, in.data() + offset, sizeof bytes);
  return to_little_endian(bytes);
}

}  // namespace spanwire::base
