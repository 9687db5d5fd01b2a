// How the values of command line flags are read and shown: as programs written in Go do it, since
// scripts that start nats-server rely on that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spanwire::app {

// 1, t, T, true, True, TRUE and their opposites; nothing else.
std::optional<bool> parse_switch(std::string_view text);

enum class NumberError : std::uint8_t { none, malformed, out_of_range };

struct Number {
  std::int64_t value = 0;
  NumberError error = NumberError::none;
};

// A sign or none; decimal, 0x hexadecimal, 0b binary, 0o or 0 octal; underscores between digits.
Number parse_number(std::string_view text);

// In double quotes; quotes, backslashes, control characters and bytes above 0x7e escaped.
std::string quoted(std::string_view text);

}  // namespace spanwire::app
