#include "jetstream/go_time.h"

#include <fmt/format.h>

#include <array>
#include <limits>

namespace spanwire::jetstream {
namespace {

using std::chrono::days;
using std::chrono::seconds;

constexpr std::uint64_t most = std::uint64_t{1} << 63U;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

struct Unit {
  std::string_view name;
  std::uint64_t nanoseconds;
};

constexpr std::array<Unit, 8> units{{
    {"ns", 1},
    {"us", 1'000},
    {"\xc2\xb5s", 1'000},  // µ, the micro sign
    {"\xce\xbcs", 1'000},  // μ, the Greek letter
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
}};

// The whole digits at the front; nothing where they do not fit.
std::optional<std::uint64_t> take_whole(std::string_view& text) {
  std::uint64_t number = 0;
  while (!text.empty() && is_digit(text.front())) {
    if (number > most / 10) return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(text.front() - '0');
    if (number > most) return std::nullopt;
    text.remove_prefix(1);
  }
  return number;
}

struct Fraction {
  std::uint64_t digits = 0;
  double scale = 1;
};

// The digits behind the point; those that no longer fit count for nothing.
Fraction take_fraction(std::string_view& text) {
  Fraction fraction;
  bool full = false;
  for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1)) {
    if (full || fraction.digits > (most - 1) / 10) {
      full = true;
      continue;
    }
    const std::uint64_t next =
        fraction.digits * 10 + static_cast<std::uint64_t>(text.front() - '0');
    if (next > most) {
      full = true;
      continue;
    }
    fraction.digits = next;
    fraction.scale *= 10;
  }
  return fraction;
}

const Unit* take_unit(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && text[end] != '.' && !is_digit(text[end])) ++end;
  const std::string_view name = text.substr(0, end);
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    text.remove_prefix(end);
    return &unit;
  }
  return nullptr;
}

// One number with its unit, in nanoseconds.
std::optional<std::uint64_t> take_part(std::string_view& text) {
  const std::size_t before = text.size();
  const auto whole = take_whole(text);
  if (!whole) return std::nullopt;
  bool some = text.size() != before;
  Fraction fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const std::size_t behind_point = text.size();
    fraction = take_fraction(text);
    some = some || text.size() != behind_point;
  }
  if (!some) return std::nullopt;
  const Unit* unit = take_unit(text);
  if (unit == nullptr || *whole > most / unit->nanoseconds) return std::nullopt;
  std::uint64_t part = *whole * unit->nanoseconds;
  if (fraction.digits > 0) {
    part += static_cast<std::uint64_t>(static_cast<double>(fraction.digits) *
                                       (static_cast<double>(unit->nanoseconds) / fraction.scale));
    if (part > most) return std::nullopt;
  }
  return part;
}

// A number of `size` digits at the front, from `low` to `high`.
std::optional<int> take_number(std::string_view& text, std::size_t size, int low, int high) {
  if (text.size() < size) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(0, size)) {
    if (!is_digit(c)) return std::nullopt;
    number = number * 10 + (c - '0');
  }
  if (number < low || number > high) return std::nullopt;
  text.remove_prefix(size);
  return number;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// The date, in days since 1970.
std::optional<std::int64_t> take_date(std::string_view& text) {
  const auto year = take_number(text, 4, 0, 9999);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2, 1, 12);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_number(text, 2, 1, 31);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

// The time of the day without its fraction, in seconds.
std::optional<std::int64_t> take_clock(std::string_view& text) {
  const auto hour = take_number(text, 2, 0, 23);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2, 0, 59);
  if (!minute || !take(text, ':')) return std::nullopt;
  const auto second = take_number(text, 2, 0, 59);
  if (!second) return std::nullopt;
  return (*hour * 60 + *minute) * 60 + *second;
}

// The fraction of a second in nanoseconds; digits behind the ninth count for nothing.
std::optional<std::int64_t> take_nanoseconds(std::string_view& text) {
  if (!take(text, '.')) return 0;
  std::int64_t nanoseconds = 0;
  std::int64_t digit = 100'000'000;
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1)) {
    nanoseconds += digit * (text.front() - '0');
    digit /= 10;
  }
  return nanoseconds;
}

// What the zone is ahead of UTC, in seconds.
std::optional<std::int64_t> take_zone(std::string_view& text) {
  if (take(text, 'Z')) return 0;
  const bool west = text.starts_with('-');
  if (!west && !text.starts_with('+')) return std::nullopt;
  text.remove_prefix(1);
  const auto hour = take_number(text, 2, 0, 23);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2, 0, 59);
  if (!minute) return std::nullopt;
  const std::int64_t offset = (*hour * 60 + *minute) * 60;
  return west ? -offset : offset;
}

}  // namespace

std::optional<base::Duration> parse_go_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return base::Duration(0);
  if (text.empty()) return std::nullopt;
  std::uint64_t sum = 0;
  while (!text.empty()) {
    const auto part = take_part(text);
    if (!part || *part > most - sum) return std::nullopt;
    sum += *part;
  }
  if (negative) return base::Duration(static_cast<std::int64_t>(0 - sum));
  if (sum == most) return std::nullopt;
  return base::Duration(static_cast<std::int64_t>(sum));
}

std::string go_duration_text(base::Duration duration) {
  const std::int64_t count = duration.count();
  const auto size =
      count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  const std::string_view sign = count < 0 ? "-" : "";
  // A number with up to `places` digits behind its point, none of them a last zero.
  const auto decimal = [](std::uint64_t number, std::uint64_t unit, int places) {
    std::string text = fmt::format("{}", number / unit);
    if (number % unit == 0) return text;
    text += fmt::format(".{:0{}}", number % unit, places);
    text.erase(text.find_last_not_of('0') + 1);
    return text;
  };
  if (size == 0) return "0s";
  if (size < 1'000) return fmt::format("{}{}ns", sign, size);
  if (size < 1'000'000) return fmt::format("{}{}\xc2\xb5s", sign, decimal(size, 1'000, 3));
  if (size < 1'000'000'000) return fmt::format("{}{}ms", sign, decimal(size, 1'000'000, 6));
  const std::uint64_t minute = 60'000'000'000;
  std::string text(sign);
  if (size >= 60 * minute) text += fmt::format("{}h", size / (60 * minute));
  if (size >= minute) text += fmt::format("{}m", size / minute % 60);
  return text + decimal(size % minute, 1'000'000'000, 9) + "s";
}

std::optional<base::WallTime> parse_rfc3339(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !take(text, 'T')) return std::nullopt;
  const auto clock = take_clock(text);
  if (!clock) return std::nullopt;
  const auto nanoseconds = take_nanoseconds(text);
  if (!nanoseconds) return std::nullopt;
  const auto zone = take_zone(text);
  if (!zone || !text.empty()) return std::nullopt;
  const std::int64_t since_epoch = *date * 86'400 + *clock - *zone;
  constexpr std::int64_t bound = std::numeric_limits<std::int64_t>::max() / 1'000'000'000;
  if (since_epoch >= bound) return base::WallTime::max();
  if (since_epoch <= -bound) return base::WallTime::min();
  return base::WallTime(seconds(since_epoch) + base::Duration(*nanoseconds));
}

MessageTtl parse_message_ttl(std::string_view text) {
  using Kind = MessageTtl::Kind;
  if (text.empty()) return {};
  constexpr std::string_view never = "never";
  const bool is_never =
      text.size() == never.size() && std::equal(text.begin(), text.end(), never.begin(),
                                                [](char a, char b) { return (a | 0x20) == b; });
  if (is_never) return {.kind = Kind::never, .seconds = 0};
  if (const auto duration = parse_go_duration(text)) {
    const auto whole = std::chrono::duration_cast<seconds>(*duration).count();
    if (whole < 1) return {.kind = Kind::invalid, .seconds = 0};
    return {.kind = Kind::seconds, .seconds = whole};
  }
  const auto number = take_whole(text);
  if (!number || !text.empty() || *number > static_cast<std::uint64_t>(max_ttl_seconds)) {
    return {.kind = Kind::invalid, .seconds = 0};
  }
  return {.kind = Kind::seconds, .seconds = static_cast<std::int64_t>(*number)};
}

}  // namespace spanwire::jetstream
