#include "nats/quote.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <utility>

#include "json/utf8.h"

namespace spanwire::nats {
namespace {

constexpr std::array<std::pair<char, char>, 9> short_escapes = {{{'"', '"'},
                                                                 {'\\', '\\'},
                                                                 {'\a', 'a'},
                                                                 {'\b', 'b'},
                                                                 {'\f', 'f'},
                                                                 {'\n', 'n'},
                                                                 {'\r', 'r'},
                                                                 {'\t', 't'},
                                                                 {'\v', 'v'}}};

void append_ascii(std::string& out, char c) {
  for (const auto& [byte, letter] : short_escapes) {
    if (c != byte) continue;
    out += '\\';
    out += letter;
    return;
  }
  if (c >= ' ' && c < '\x7f') {
    out += c;
  } else {
    out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
}

std::uint32_t code_point(std::string_view sequence) {
  std::uint32_t value = static_cast<unsigned char>(sequence[0]) & (0xffU >> (sequence.size() + 1));
  for (const char c : sequence.substr(1)) value = value << 6 | (static_cast<unsigned>(c) & 0x3f);
  return value;
}

// fmt knows which characters can be printed; it spells the others in a way of its own.
void append_sequence(std::string& out, std::string_view sequence) {
  if (fmt::format("{:?}", sequence).substr(1, sequence.size()) == sequence) {
    out += sequence;
    return;
  }
  const std::uint32_t value = code_point(sequence);
  out += value > 0xffff ? fmt::format("\\U{:08x}", value) : fmt::format("\\u{:04x}", value);
}

}  // namespace

std::string quote(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t size = json::sequence_size(text);
    if (size <= 1) {
      append_ascii(out, text[0]);  // or a byte that is no UTF-8
    } else {
      append_sequence(out, text.substr(0, size));
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out + '"';
}

}  // namespace spanwire::nats
