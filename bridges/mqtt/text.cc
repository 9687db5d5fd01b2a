#include "bridges/mqtt/text.h"

#include <cstring>

#include "json/utf8.h"

namespace spanwire::mqtt {
namespace {

constexpr std::uint64_t each_byte(std::uint64_t byte) {
  return byte * 0x0101'0101'0101'0101;
}

// The size of the longest prefix of bytes 0x20 to 0x7e: most texts are nothing else.
std::size_t printable_prefix(std::string_view text) {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    // Bit 7 of a byte: set in the first for 0x7f and above, clear in the second for less than 0x20.
    const std::uint64_t high = word | (word + each_byte(0x01));
    const std::uint64_t printable = word + each_byte(0x60);
    if ((high & each_byte(0x80)) != 0 || (~printable & each_byte(0x80)) != 0) break;
  }
  while (at < text.size() && text[at] >= 0x20 && text[at] < 0x7f) ++at;
  return at;
}

// Of a well-formed sequence.
std::uint32_t code_point(std::string_view sequence) {
  const auto byte = [sequence](std::size_t i) { return static_cast<std::uint8_t>(sequence[i]); };
  if (sequence.size() == 1) return byte(0);
  std::uint32_t point = byte(0) & (0x7fU >> sequence.size());
  for (std::size_t i = 1; i < sequence.size(); ++i) point = point << 6 | (byte(i) & 0x3fU);
  return point;
}

Text check_point(std::uint32_t point) {
  if (point == 0) return Text::nul;
  if (point < 0x20 || (point >= 0x7f && point <= 0x9f)) return Text::control;
  const bool ends_plane = (point & 0xfffe) == 0xfffe;
  if (ends_plane || (point >= 0xfdd0 && point <= 0xfdef)) return Text::noncharacter;
  return Text::ok;
}

}  // namespace

Text check_text(std::string_view text) {
  for (;;) {
    text.remove_prefix(printable_prefix(text));
    if (text.empty()) return Text::ok;
    const std::size_t size = json::sequence_size(text);
    if (size == 0) return Text::ill_formed;
    if (const Text found = check_point(code_point(text.substr(0, size))); found != Text::ok) {
      return found;
    }
    text.remove_prefix(size);
  }
}

}  // namespace spanwire::mqtt
