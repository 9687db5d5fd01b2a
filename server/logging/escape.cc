#include "logging/escape.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

namespace spanwire::logging {

namespace {

bool is_continuation(unsigned char byte) {
  return (byte & 0xc0U) == 0x80;
}

// How many bytes at the front of `text`, which starts with one of 0x80 or above, are one printable
// character in UTF-8 (RFC 3629, section 4); 0 if they are none.
std::size_t printable_bytes(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  const std::size_t size = lead < 0xc2   ? 0
                           : lead < 0xe0 ? 2
                           : lead < 0xf0 ? 3
                           : lead < 0xf5 ? 4
                                         : 0;
  if (size == 0 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if (!is_continuation(at(i))) return 0;
  }
  const unsigned char second = at(1);
  const bool is_control = lead == 0xc2 && second < 0xa0;  // U+0080 to U+009F
  const bool is_overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool is_surrogate = lead == 0xed && second >= 0xa0;
  const bool is_beyond = lead == 0xf4 && second >= 0x90;  // above U+10FFFF
  return is_control || is_overlong || is_surrogate || is_beyond ? 0 : size;
}

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f;
}

// The escape of one byte, in `space`.
std::string_view escape_of(char c, std::array<char, 4>& space) {
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  fmt::format_to(space.data(), "\\x{:02x}", static_cast<unsigned char>(c));
  return {space.data(), space.size()};
}

}  // namespace

void append_escaped(std::string& out, std::string_view text, std::size_t max_bytes) {
  const std::size_t end = out.size() + max_bytes;
  std::array<char, 4> space{};
  while (!text.empty()) {
    const auto run = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_plain) -
                                              text.begin());
    std::size_t taken = std::min(run, end - out.size());
    std::string_view piece = text.substr(0, taken);
    if (run == 0) {
      const bool is_ascii = static_cast<unsigned char>(text.front()) < 0x80;
      const std::size_t character_bytes = is_ascii ? 0 : printable_bytes(text);
      taken = std::max<std::size_t>(character_bytes, 1);
      piece = character_bytes > 0 ? text.substr(0, taken) : escape_of(text.front(), space);
    }
    if (piece.empty() || piece.size() > end - out.size()) {
      fmt::format_to(std::back_inserter(out), "... ({} bytes cut)", text.size());
      return;
    }
    out += piece;
    text.remove_prefix(taken);
  }
}

}  // namespace spanwire::logging
