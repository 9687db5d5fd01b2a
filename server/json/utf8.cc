#include "json/utf8.h"

#include <cstdint>

namespace spanwire::json {
namespace {

// The Unicode standard's table 3-7: what may follow a lead byte. Later bytes are always 80..BF.
struct Lead {
  std::size_t size = 0;
  std::uint8_t second_low = 0x80;
  std::uint8_t second_high = 0xbf;
};

Lead lead_of(std::uint8_t byte) {
  if (byte < 0xc2) return {};
  if (byte < 0xe0) return {.size = 2};
  if (byte == 0xe0) return {.size = 3, .second_low = 0xa0};
  if (byte == 0xed) return {.size = 3, .second_high = 0x9f};
  if (byte < 0xf0) return {.size = 3};
  if (byte == 0xf0) return {.size = 4, .second_low = 0x90};
  if (byte < 0xf4) return {.size = 4};
  if (byte == 0xf4) return {.size = 4, .second_high = 0x8f};
  return {};
}

}  // namespace

std::size_t sequence_size(std::string_view text) {
  const auto at = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (text.empty()) return 0;
  if (at(0) < 0x80) return 1;
  const Lead lead = lead_of(at(0));
  if (lead.size == 0 || text.size() < lead.size) return 0;
  if (at(1) < lead.second_low || at(1) > lead.second_high) return 0;
  for (std::size_t i = 2; i < lead.size; ++i) {
    if ((at(i) & 0xc0U) != 0x80U) return 0;
  }
  return lead.size;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = sequence_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 8);
  while (!text.empty()) {
    const std::size_t size = sequence_size(text);
    if (size == 0) {
      out += "\xef\xbf\xbd";  // U+FFFD
      text.remove_prefix(1);
    } else {
      out += text.substr(0, size);
      text.remove_prefix(size);
    }
  }
  return out;
}

}  // namespace spanwire::json
