// Times and durations as Go reads and writes them: in requests, headers and error texts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace spanwire::jetstream {

// "5s", "1h30m", "-1.5ms", "0": numbers with units from ns to h. Nothing where Go gives an error,
// also for what does not fit.
std::optional<base::Duration> parse_go_duration(std::string_view text);
// As Go prints one: 2m0s, 1.5ms, 0s.
std::string go_duration_text(base::Duration duration);

// RFC 3339 with a zone: 2026-08-01T12:00:00.5+02:00. What lies outside the years that WallTime has
// (1678 to 2261) is its first or last: Go's zero time, year 1, is WallTime::min().
std::optional<base::WallTime> parse_rfc3339(std::string_view text);

// A message's own time to live, header Nats-TTL: whole seconds, a Go duration of at least one, or
// `never`. More seconds than max_ttl_seconds are invalid. An absent header's text is empty.
inline constexpr std::int64_t max_ttl_seconds = 9'223'372'036;  // what a Duration holds
struct MessageTtl {
  enum class Kind : std::uint8_t { not_set, seconds, never, invalid };
  Kind kind = Kind::not_set;
  std::int64_t seconds = 0;  // rounded down; zero only from "00": as good as not set
};
MessageTtl parse_message_ttl(std::string_view text);

}  // namespace spanwire::jetstream
