// What a script sends and expects, in its notations (README.md, Texts).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace spanwire::script {

// A mistake in a script. Scripts are part of the tree, so it ends the run and names its line.
struct ScriptError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class PartKind : std::uint8_t {
  bytes,
  any,     // {any}: one byte or more, none of them a line's end
  number,  // {number}: one digit or more
  byte,    // ??: any one byte
  json,    // {json ...}: an object with at least the members of `text`
};

struct Part {
  PartKind kind = PartKind::bytes;
  std::string text;  // of bytes and json
};

using Text = std::vector<Part>;

// Escapes and placeholders, without any line end added.
Text parse_plain(std::string_view text);
// A line: with CR LF behind it, or whatever else if it ends in a backslash.
Text parse_line(std::string_view text);
// Hexadecimal, names of packets, "string", 'bytes', [ counted ].
Text parse_packets(std::string_view text);

// Throws where the text has a placeholder.
std::string as_bytes(const Text& text);

}  // namespace spanwire::script
