// The slash family: names whose levels `/` separates (MQTT topics, HTTP paths), and the subjects
// they stand for. One to one: every topic without control bytes comes back unchanged.
//
//   level separator  /      <->  .
//   empty level             <->  token `/`     a//b  <->  a./.b
//   dot                     <->  `//`          a.b   <->  a//b
//   space, tab              <->  `/_`, `/t`    a b   <->  a/_b
//   a whole level `*`, `>`  <->  `/*`, `/>`    a/*   <->  a./*
//
// The first four are nats-server's rule for MQTT; it refuses spaces and tabs, and takes a level `*`
// or `>` for a wildcard. Here the text is bytes: well-formed UTF-8 is each wire's own check.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "subject/filter.h"

namespace spanwire::subject {

inline constexpr std::size_t max_topic_size_bytes = 65'535;  // MQTT writes it in two bytes

enum class Slash : std::uint8_t {
  ok,
  empty,     // a topic has at least one byte [MQTT-4.7.3-1]
  too_long,  // and at most 65,535 [MQTT-4.7.3-3]
  wildcard,  // `+` or `#` in a name
  control,   // a control byte other than tab, or DEL: it would break a line on another wire
};

struct SlashResult {
  Slash status = Slash::ok;
  std::size_t offset = 0;  // of the refused byte
};

// Appends the subject of `topic`, at most twice its size and one byte more. Unless it returns ok,
// `subject` is untouched.
SlashResult topic_to_subject(std::string_view topic, std::string& subject);

enum class Spelling : std::uint8_t { ok, not_spellable };

// The inverse. Not spellable is what no topic maps to: `foo/bar` (no such pair), `foo.*` (the level
// `*` is the token `/*`), `a+b` (no topic name), an empty token, a blank or control byte, more than
// a topic can hold. Unless it returns ok, `topic` is untouched.
Spelling subject_to_topic(std::string_view subject, std::string& topic);

// Not empty, not too long, and without `+` and `#` [MQTT-3.3.2-2, MQTT-4.7.3-1, MQTT-4.7.3-3].
bool is_valid_topic_name(std::string_view topic);

// Not empty, not too long; `#` only as the whole last level, `+` only as a whole level
// [MQTT-4.7.1-2, MQTT-4.7.1-3, MQTT-4.7.3-1, MQTT-4.7.3-3].
bool is_valid_topic_filter(std::string_view filter);

// `+` is any one level, `#` any levels or none; neither matches a `$` at the front of a name
// [MQTT-4.7.2-1]. `*` and `>` are literals. Refused, with the reason: what is no valid filter, a
// control byte, too many levels.
tl::expected<Filter, std::string_view> parse_topic_filter(std::string_view text);

}  // namespace spanwire::subject
