// How the configuration language spells things: its characters, numbers, dates and durations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace spanwire::config {

inline constexpr std::string_view escape_advice =
    "\\ begins an escape: \\xXX, \\t, \\n, \\r, \\\" or \\\\; write \\\\ for a backslash";

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
constexpr bool is_line_end(char c) {
  return c == '\n' || c == '\r';
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_key_separator(char c) {
  return c == '=' || c == ':';
}
constexpr bool is_number_suffix(char c) {
  return std::string_view("kKmMgGtTpPeE").find(c) != std::string_view::npos;
}
int hex_digit(char c);  // -1 if it is none

// The size in bytes of the space that `text` begins with, line ends and the spaces of Unicode
// included; 0 if it begins with none.
std::size_t space_size(std::string_view text);

std::string lower(std::string_view text);  // ASCII letters only

// The first character of `text` as an error shows it: 'x', a line end, byte 0x07.
std::string quote_character(std::string_view text);

// A text from a file as an error shows it: at most 80 bytes, on one line.
std::string shown(std::string_view text);

std::string too_deep(std::size_t max_depth);

// true, yes, on, false, no, off, in any case.
std::optional<bool> read_boolean(std::string_view text);

// Digits with an optional suffix, in any case: k, m, g, t, p, e count in thousands; with b, i or ib
// after it in units of 1024.
base::Result<std::int64_t> read_integer(std::string_view text);

base::Result<double> read_real(std::string_view text);

inline constexpr std::size_t date_size = sizeof("2026-01-31T12:00:00Z") - 1;

// Only the form: digits and punctuation in their places.
bool has_date_form(std::string_view text);

// The seconds since 1970 of a text in that form.
base::Result<std::int64_t> read_date(std::string_view text);

// A size in quotes: digits and K, M, G or T, in units of 1024; empty is 0.
base::Result<std::int64_t> read_quoted_size(std::string_view text);

// As Go reads them: numbers with a unit each, 1h30m, 1.5s, 250ms, -2s; and 0.
base::Result<base::Duration> read_duration(std::string_view text);

// The same back, in the largest units: 1h30m, 250ms.
std::string duration_text(base::Duration duration);

}  // namespace spanwire::config
