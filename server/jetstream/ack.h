// The body of an acknowledgement.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace spanwire::jetstream {

enum class AckKind : std::uint8_t {
  ack,       // empty, +ACK, +OK
  nak,       // -NAK, with an optional delay
  progress,  // +WPI
  term,      // +TERM, with an optional reason
  next,      // +NXT, an ack with an optional pull request
  unknown,   // anything else: does nothing, but is answered
};

struct Ack {
  AckKind kind = AckKind::unknown;
  // Of a nak: not before that has passed; a delay that can not be read is none.
  std::optional<base::Duration> delay;
  bool bad_delay = false;  // for a line in the log
  // Of term: the reason. Of next: the pull request. A part of the body.
  std::string_view text;
};

Ack parse_ack(std::string_view body);

}  // namespace spanwire::jetstream
