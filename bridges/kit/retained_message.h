// A message that is kept for those who subscribe later.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ref.h"
#include "bus/message.h"

namespace spanwire::kit {

// What became of a message that was given to keep.
enum class Retention : std::uint8_t {
  kept,     // where streams are on: on the disk
  deleted,  // its payload is empty: the subject has none now
  refused,  // a limit; the subject has none now, for the one before is outdated
  unknown,  // the disk or the store has failed: it may be kept or not
};

// A message with the origin that routing gave it.
struct RetainedMessage {
  base::Ref<const bus::Message> message;
  bus::Origin origin;
  std::uint64_t arrival = 0;  // counts what its account's store was given to keep

  bus::MessageView view() const { return message->view(origin); }
};

using RetainedAnswer = std::vector<RetainedMessage>;

}  // namespace spanwire::kit
