#include "config/spelling.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <limits>

namespace spanwire::config {
namespace {

// What Unicode counts as a space beyond ASCII, as UTF-8; all of U+2000 to U+200A is handled apart.
constexpr std::array<std::string_view, 8> wide_spaces = {
    "\xC2\x85",      // next line
    "\xC2\xA0",      // no-break space
    "\xE1\x9A\x80",  // ogham space mark
    "\xE2\x80\xA8",  // line separator
    "\xE2\x80\xA9",  // paragraph separator
    "\xE2\x80\xAF",  // narrow no-break space
    "\xE2\x81\x9F",  // medium mathematical space
    "\xE3\x80\x80",  // ideographic space
};

// False on overflow.
bool multiply(std::int64_t& value, std::int64_t by) {
  return !__builtin_mul_overflow(value, by, &value);
}

// The factor that a suffix of this language stands for, or 0.
std::int64_t suffix_factor(std::string_view suffix) {
  if (suffix.empty()) return 1;
  const std::size_t power = std::string_view("kmgtpe").find(suffix.front());
  if (power == std::string_view::npos) return 0;
  const std::string_view unit = suffix.substr(1);
  const bool binary = unit == "b" || unit == "i" || unit == "ib";
  if (!unit.empty() && !binary) return 0;
  std::int64_t factor = 1;
  for (std::size_t i = 0; i <= power; ++i) factor *= binary ? 1024 : 1000;
  return factor;
}

struct DurationUnit {
  std::string_view name;
  std::int64_t nanoseconds;
};
constexpr std::array<DurationUnit, 8> duration_units = {{
    {"ns", 1},
    {"us", 1'000},
    {"\xC2\xB5s", 1'000},  // the micro sign
    {"\xCE\xBCs", 1'000},  // the Greek letter
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
}};

const DurationUnit* find_unit(std::string_view name) {
  const auto* found = std::find_if(duration_units.begin(), duration_units.end(),
                                   [&](const DurationUnit& unit) { return unit.name == name; });
  return found == duration_units.end() ? nullptr : found;
}

std::string_view take_digits(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && is_digit(text[size])) ++size;
  const std::string_view digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

bool whole_number(std::string_view digits, std::int64_t& out) {
  out = 0;
  if (digits.empty()) return true;
  return std::from_chars(digits.data(), digits.data() + digits.size(), out).ec == std::errc();
}

// One number with its unit from the front of `text`, added to `sum`. False if there is none or the
// sum does not fit.
bool add_part(std::string_view& text, std::int64_t& sum) {
  const std::string_view whole = take_digits(text);
  std::string_view decimals;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    decimals = take_digits(text);
  }
  if (whole.empty() && decimals.empty()) return false;
  const std::size_t unit_size = std::min(text.find_first_of(".0123456789"), text.size());
  const DurationUnit* unit = find_unit(text.substr(0, unit_size));
  std::int64_t value = 0;
  if (unit == nullptr || !whole_number(whole, value) || !multiply(value, unit->nanoseconds)) {
    return false;
  }
  text.remove_prefix(unit_size);
  // Decimals that no longer fit are far below a nanosecond.
  std::int64_t fraction = 0;
  double scale = 1;
  for (const char digit : decimals.substr(0, 18)) {
    fraction = fraction * 10 + (digit - '0');
    scale *= 10;
  }
  const double part =
      static_cast<double>(fraction) * (static_cast<double>(unit->nanoseconds) / scale);
  if (__builtin_add_overflow(value, static_cast<std::int64_t>(part), &value)) return false;
  return !__builtin_add_overflow(sum, value, &sum);
}

}  // namespace

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::size_t space_size(std::string_view text) {
  if (text.empty()) return 0;
  const char first = text.front();
  if (first == ' ' || (first >= '\t' && first <= '\r')) return 1;
  if (static_cast<unsigned char>(first) < 0x80) return 0;
  if (text.starts_with("\xE2\x80") && text.size() >= 3) {
    const auto last = static_cast<unsigned char>(text[2]);
    if (last >= 0x80 && last <= 0x8A) return 3;
  }
  for (const std::string_view space : wide_spaces) {
    if (text.starts_with(space)) return space.size();
  }
  return 0;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string quote_character(std::string_view text) {
  if (text.empty()) return "the end of the text";
  const auto byte = static_cast<unsigned char>(text.front());
  if (is_line_end(text.front())) return "a line end";
  if (byte > 0x20 && byte < 0x7f) return fmt::format("'{}'", text.front());
  return fmt::format("byte 0x{:02x}", byte);
}

std::string shown(std::string_view text) {
  constexpr std::size_t longest = 80;
  std::string out(text.substr(0, longest));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  if (text.size() <= longest) return out;
  // Not in the middle of a character of several bytes.
  std::size_t end = longest;
  while (end > longest - 4 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
  return out.substr(0, end) + "...";
}

std::string too_deep(std::size_t max_depth) {
  return fmt::format("more than {} brackets in each other; make it flatter", max_depth);
}

std::optional<bool> read_boolean(std::string_view text) {
  if (text.size() > 5) return std::nullopt;
  const std::string spelled = lower(text);
  if (spelled == "true" || spelled == "yes" || spelled == "on") return true;
  if (spelled == "false" || spelled == "no" || spelled == "off") return false;
  return std::nullopt;
}

base::Result<std::int64_t> read_integer(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::invalid_argument) {
    return base::fail(fmt::format("'{}' is no integer", shown(text)));
  }
  const std::string suffix = lower({rest, static_cast<std::size_t>(end - rest)});
  const std::int64_t factor = suffix_factor(suffix);
  if (factor == 0) {
    return base::fail(
        fmt::format("'{}' has an unknown suffix; write k, kb, m, mb, g, gb, t or tb", shown(text)));
  }
  if (error != std::errc() || !multiply(value, factor)) {
    return base::fail(
        fmt::format("'{}' does not fit 64 bits; write a smaller number", shown(text)));
  }
  return value;
}

base::Result<double> read_real(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end) {
    return base::fail(fmt::format("'{}' is out of range for a number", shown(text)));
  }
  return value;
}

bool has_date_form(std::string_view text) {
  constexpr std::string_view form = "0000-00-00T00:00:00Z";
  static_assert(form.size() == date_size);
  if (text.size() < form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] == '0' ? !is_digit(text[i]) : text[i] != form[i]) return false;
  }
  return true;
}

base::Result<std::int64_t> read_date(std::string_view text) {
  const auto number = [&](std::size_t at, std::size_t size) {
    int value = 0;
    for (const char digit : text.substr(at, size)) value = value * 10 + (digit - '0');
    return value;
  };
  const std::chrono::year_month_day day{std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  const int hours = number(11, 2);
  const int minutes = number(14, 2);
  const int seconds = number(17, 2);
  if (!day.ok() || hours > 23 || minutes > 59 || seconds > 59) {
    return base::fail(fmt::format("'{}' is no date of the calendar", text));
  }
  const std::int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}

base::Result<std::int64_t> read_quoted_size(std::string_view text) {
  if (text.empty()) return 0;
  const std::size_t power = std::string_view("KMGT").find(text.back());
  std::int64_t value = 0;
  const char* const end = text.data() + text.size() - 1;
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (power == std::string_view::npos || error == std::errc::invalid_argument || rest != end) {
    return base::fail(fmt::format("\"{}\" is no size; write digits and K, M, G or T", shown(text)));
  }
  if (error != std::errc() || !multiply(value, std::int64_t{1} << (10 * (power + 1)))) {
    return base::fail(
        fmt::format("\"{}\" does not fit 64 bits; write a smaller size", shown(text)));
  }
  return value;
}

base::Result<base::Duration> read_duration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return base::Duration(0);
  std::int64_t sum = 0;
  bool good = !rest.empty();
  while (good && !rest.empty()) good = add_part(rest, sum);
  if (!good) {
    return base::fail(
        fmt::format("\"{}\" is no duration; write 2s, 1m30s, 250ms or 24h", shown(text)));
  }
  return base::Duration(negative ? -sum : sum);
}

std::string duration_text(base::Duration duration) {
  std::int64_t left = duration.count();
  if (left == 0) return "0s";
  if (left == std::numeric_limits<std::int64_t>::min()) return fmt::format("{}ns", left);
  std::string out = left < 0 ? "-" : "";
  left = left < 0 ? -left : left;
  for (const std::string_view name : {"h", "m", "s", "ms", "us", "ns"}) {
    const std::int64_t unit = find_unit(name)->nanoseconds;
    if (left >= unit) out += fmt::format("{}{}", left / unit, name);
    left %= unit;
  }
  return out;
}

}  // namespace spanwire::config
