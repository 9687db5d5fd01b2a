#include "crypto/encoding.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace spanwire::crypto {

namespace {

constexpr std::int8_t not_a_digit = -1;

// A family of digits of `bits` each, filled from the high end of each byte.
struct Base {
  unsigned bits;
  std::string_view digits;
  std::array<std::int8_t, 256> values;
};

constexpr Base make_base(unsigned bits, std::string_view digits) {
  Base base{bits, digits, {}};
  base.values.fill(not_a_digit);
  for (std::size_t value = 0; value < digits.size(); ++value) {
    base.values[static_cast<unsigned char>(digits[value])] = static_cast<std::int8_t>(value);
  }
  return base;
}

constexpr Base make_base16() {
  Base base = make_base(4, "0123456789abcdef");
  for (unsigned i = 0; i < 6; ++i) base.values['A' + i] = static_cast<std::int8_t>(10 + i);
  return base;
}

constexpr Base base16 = make_base16();
constexpr Base base32 = make_base(5, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
constexpr Base base64 =
    make_base(6, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
constexpr Base base64url =
    make_base(6, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

std::string encode(const Base& base, std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 8 + base.bits - 1) / base.bits);
  std::uint32_t held = 0;  // the low `held_bits` wait to be written
  unsigned held_bits = 0;
  for (const char byte : bytes) {
    held = held << 8 | static_cast<unsigned char>(byte);
    held_bits += 8;
    while (held_bits >= base.bits) {
      held_bits -= base.bits;
      text += base.digits[(held >> held_bits) % base.digits.size()];
    }
  }
  if (held_bits > 0) text += base.digits[(held << (base.bits - held_bits)) % base.digits.size()];
  return text;
}

std::optional<std::string> decode(const Base& base, std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() * base.bits / 8);
  std::uint32_t held = 0;
  unsigned held_bits = 0;
  for (const char digit : text) {
    const std::int8_t value = base.values[static_cast<unsigned char>(digit)];
    if (value == not_a_digit) return std::nullopt;
    held = held << base.bits | static_cast<std::uint32_t>(value);
    held_bits += base.bits;
    if (held_bits >= 8) {
      held_bits -= 8;
      bytes += static_cast<char>(held >> held_bits & 0xffU);
    }
  }
  if (held_bits >= base.bits) return std::nullopt;  // a digit that belongs to no byte
  if ((held & ((1U << held_bits) - 1)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace

std::string to_hex(std::string_view bytes) {
  return encode(base16, bytes);
}

std::string to_base32(std::string_view bytes) {
  return encode(base32, bytes);
}

std::string to_base64(std::string_view bytes) {
  std::string text = encode(base64, bytes);
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

std::string to_base64url(std::string_view bytes) {
  return encode(base64url, bytes);
}

std::optional<std::string> from_hex(std::string_view text) {
  return decode(base16, text);
}

std::optional<std::string> from_base32(std::string_view text) {
  return decode(base32, text);
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  // Four digits less two: a third sign of padding could only stand for no byte at all.
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return decode(base64, text);
}

std::optional<std::string> from_base64url(std::string_view text) {
  return decode(base64url, text);
}

}  // namespace spanwire::crypto
