// The flags, in one table: what the parser accepts and what the help shows cannot differ.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "app/options.h"

namespace spanwire::app {

// Options, and the flags that only shape them.
struct ParsedFlags : Options {
  std::optional<bool> show_help;
  std::optional<bool> show_version;
  std::optional<bool> check;
  std::optional<std::string> signal_text;
  std::optional<bool> debug_and_trace;          // -DV
  std::optional<bool> debug_and_trace_verbose;  // -DVV
  std::optional<bool> verbose;                  // -VV
  std::string_view not_honoured;                // the first such flag; empty: none
};

// Where a flag's value goes; by that also what kind of value it has.
using ToSwitch = std::optional<bool> ParsedFlags::*;
using ToNumber = std::optional<std::int64_t> ParsedFlags::*;
using ToText = std::optional<std::string> ParsedFlags::*;
// nats-server knows the flag, we do not honour it: to ask for it is an error that says so.
enum class NotYet : std::uint8_t { on_or_off, number, text };

using Destination = std::variant<ToSwitch, ToNumber, ToText, NotYet>;

struct Flag {
  std::string_view names;  // separated by blanks, the short one first
  Destination to;
  std::string_view value;  // how the help names it; empty for a switch
  std::string_view help;   // a line each
};

struct FlagGroup {
  std::string_view title;
  std::span<const Flag> flags;
};

std::span<const FlagGroup> flag_groups();
// Those that are not honoured, without titles and help.
std::span<const Flag> refused_flags();
// Null if there is none of that name.
const Flag* find_flag(std::string_view name);

}  // namespace spanwire::app
