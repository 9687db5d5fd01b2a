// Subjects that are the server's own.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "subject/subject.h"

namespace spanwire::kit {

// The first token is $SYS, $JS, $MQTT, $KV, $O or $SPW: users of other wires than NATS have no
// business there unless they are let in by the wire's settings. Other `$` subjects are anybody's.
inline bool is_system_subject(std::string_view subject) {
  constexpr std::array<std::string_view, 6> tokens = {"$SYS", "$JS", "$MQTT", "$KV", "$O", "$SPW"};
  if (!subject.starts_with('$')) return false;
  return std::find(tokens.begin(), tokens.end(), subject::first_token(subject)) != tokens.end();
}

}  // namespace spanwire::kit
