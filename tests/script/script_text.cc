#include "tests/script/script_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

namespace spanwire::script {
namespace {

constexpr std::array<std::pair<std::string_view, std::uint8_t>, 14> packet_types = {{
    {"CONNECT", 0x10},
    {"CONNACK", 0x20},
    {"PUBLISH", 0x30},
    {"PUBACK", 0x40},
    {"PUBREC", 0x50},
    {"PUBREL", 0x62},
    {"PUBCOMP", 0x70},
    {"SUBSCRIBE", 0x82},
    {"SUBACK", 0x90},
    {"UNSUBSCRIBE", 0xa2},
    {"UNSUBACK", 0xb0},
    {"PINGREQ", 0xc0},
    {"PINGRESP", 0xd0},
    {"DISCONNECT", 0xe0},
}};
constexpr std::array<std::pair<std::string_view, std::uint8_t>, 4> packet_flags = {
    {{"retain", 1}, {"qos1", 2}, {"qos2", 4}, {"dup", 8}}};
constexpr std::array<std::pair<char, char>, 7> escapes = {
    {{'r', '\r'}, {'n', '\n'}, {'t', '\t'}, {'\\', '\\'}, {'{', '{'}, {'}', '}'}, {'0', '\0'}}};

template <class Table>
auto look_up(const Table& table, decltype(table[0].first) key)
    -> std::optional<decltype(table[0].second)> {
  for (const auto& [name, value] : table) {
    if (name == key) return value;
  }
  return std::nullopt;
}

void add_bytes(Text& parts, std::string_view bytes) {
  if (bytes.empty()) return;
  if (parts.empty() || parts.back().kind != PartKind::bytes) parts.push_back({});
  parts.back().text += bytes;
}

unsigned number(std::string_view digits, int base) {
  unsigned value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    throw ScriptError("no number: " + std::string(digits));
  }
  return value;
}

// The index behind the brace that closes the one at `start`. Strings are skipped.
std::size_t balanced(std::string_view text, std::size_t start) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = start; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == '{') {
      ++depth;
    } else if (!quoted && c == '}' && --depth == 0) {
      return i + 1;
    }
  }
  throw ScriptError("an open brace in: " + std::string(text));
}

// A placeholder or a repetition at `index`, whose end is returned; 0 for a brace that is only one.
std::size_t parse_brace(std::string_view text, std::size_t index, Text& parts,
                        Text (*inner)(std::string_view)) {
  const std::string_view rest = text.substr(index);
  if (rest.starts_with("{any}")) {
    parts.push_back({PartKind::any, {}});
    return index + 5;
  }
  if (rest.starts_with("{number}")) {
    parts.push_back({PartKind::number, {}});
    return index + 8;
  }
  if (rest.starts_with("{json ")) {
    const std::size_t end = balanced(text, index);
    parts.push_back({PartKind::json, std::string(text.substr(index + 6, end - index - 7))});
    return end;
  }
  const std::size_t star = rest.find_first_not_of("0123456789", 1);
  if (star == 1 || star == std::string_view::npos || rest[star] != '*') return 0;
  const std::size_t end = balanced(text, index);
  const std::string once = as_bytes(inner(text.substr(index + star + 1, end - index - star - 2)));
  std::string all;
  for (unsigned i = number(rest.substr(1, star - 1), 10); i > 0; --i) all += once;
  add_bytes(parts, all);
  return end;
}

// The byte of an escape at `index`, whose end is returned.
std::size_t parse_escape(std::string_view text, std::size_t index, Text& parts) {
  const char kind = index + 1 < text.size() ? text[index + 1] : ' ';
  if (kind == 'x') {
    const char byte = static_cast<char>(number(text.substr(index + 2, 2), 16));
    add_bytes(parts, {&byte, 1});
    return index + 4;
  }
  const std::optional<char> byte = look_up(escapes, kind);
  if (!byte) throw ScriptError("no such escape in: " + std::string(text));
  add_bytes(parts, {&*byte, 1});
  return index + 2;
}

// A run of hexadecimal digits, or the name of a packet with its flags.
std::string parse_word(std::string_view word) {
  const std::string_view name = word.substr(0, word.find('+'));
  if (const auto type = look_up(packet_types, name)) {
    unsigned first = *type;
    for (std::string_view rest = word.substr(name.size()); !rest.empty();) {
      const std::string_view flag = rest.substr(1, rest.find('+', 1) - 1);
      const auto bits = look_up(packet_flags, flag);
      if (!bits) throw ScriptError("no such flag: " + std::string(word));
      first |= *bits;
      rest.remove_prefix(flag.size() + 1);
    }
    return {static_cast<char>(first)};
  }
  if (word.size() % 2 != 0) throw ScriptError("half a byte: " + std::string(word));
  std::string bytes;
  for (std::size_t i = 0; i < word.size(); i += 2) {
    bytes += static_cast<char>(number(word.substr(i, 2), 16));
  }
  return bytes;
}

std::string parse_quoted(std::string_view inner, bool with_size) {
  const std::string bytes = as_bytes(parse_plain(inner));
  if (!with_size) return bytes;
  const std::string size = {static_cast<char>(bytes.size() >> 8), static_cast<char>(bytes.size())};
  return size + bytes;
}

// What stood between two brackets, with its length before it, goes to the outer level.
void close_bracket(std::vector<Text>& stack) {
  if (stack.size() < 2) throw ScriptError("a closing bracket too many");
  const Text body = std::move(stack.back());
  stack.pop_back();
  std::size_t size = 0;
  for (const Part& part : body) size += part.kind == PartKind::bytes ? part.text.size() : 1;
  std::string length;
  do {
    length += static_cast<char>((size & 0x7f) | (size > 0x7f ? 0x80 : 0));
    size >>= 7;
  } while (size > 0);
  add_bytes(stack.back(), length);
  for (const Part& part : body) {
    if (part.kind == PartKind::bytes) {
      add_bytes(stack.back(), part.text);
    } else {
      stack.back().push_back(part);
    }
  }
}

// One element of the packet notation at `index`, whose end is returned.
std::size_t parse_element(std::string_view text, std::size_t index, std::vector<Text>& stack) {
  const char c = text[index];
  if (c == ' ') return index + 1;
  if (c == '[') {
    stack.emplace_back();
    return index + 1;
  }
  if (c == ']') {
    close_bracket(stack);
    return index + 1;
  }
  if (c == '"' || c == '\'') {
    const std::size_t end = text.find(c, index + 1);
    if (end == std::string_view::npos) throw ScriptError("an open quote in: " + std::string(text));
    add_bytes(stack.back(), parse_quoted(text.substr(index + 1, end - index - 1), c == '"'));
    return end + 1;
  }
  if (text.substr(index).starts_with("??")) {
    stack.back().push_back({PartKind::byte, {}});
    return index + 2;
  }
  if (c == '{') {
    const std::size_t end = parse_brace(text, index, stack.back(), parse_packets);
    if (end != 0) return end;
  }
  std::size_t end = index;
  while (end < text.size() &&
         (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '+')) {
    ++end;
  }
  if (end == index) throw ScriptError("no packet notation: " + std::string(text.substr(index)));
  add_bytes(stack.back(), parse_word(text.substr(index, end - index)));
  return end;
}

}  // namespace

Text parse_plain(std::string_view text) {
  Text parts;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '\\') {
      i = parse_escape(text, i, parts);
      continue;
    }
    const std::size_t end = text[i] == '{' ? parse_brace(text, i, parts, parse_plain) : 0;
    if (end == 0) add_bytes(parts, text.substr(i, 1));
    i = end == 0 ? i + 1 : end;
  }
  return parts;
}

Text parse_line(std::string_view text) {
  const std::size_t last = text.find_last_not_of('\\');
  const std::size_t tail = last == std::string_view::npos ? text.size() : text.size() - last - 1;
  if (tail % 2 == 1) return parse_plain(text.substr(0, text.size() - 1));
  Text parts = parse_plain(text);
  add_bytes(parts, "\r\n");
  return parts;
}

Text parse_packets(std::string_view text) {
  std::vector<Text> stack(1);
  for (std::size_t i = 0; i < text.size();) i = parse_element(text, i, stack);
  if (stack.size() != 1) throw ScriptError("an open bracket in: " + std::string(text));
  return std::move(stack.front());
}

std::string as_bytes(const Text& text) {
  std::string bytes;
  for (const Part& part : text) {
    if (part.kind != PartKind::bytes) throw ScriptError("a placeholder in what is sent");
    bytes += part.text;
  }
  return bytes;
}

}  // namespace spanwire::script
