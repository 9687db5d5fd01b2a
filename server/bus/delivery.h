// One message on its way through one loop (router.h); the work is in delivery.cc.
#pragma once

#include "bus/router.h"

namespace spanwire::bus {

// A publisher is stalled so long for each so many bytes (one read) at most: nats-server's figures.
inline constexpr base::Duration stall_allowance = std::chrono::milliseconds(10);
inline constexpr std::size_t refill_bytes = 256 * 1024;

struct Router::Delivery {
  Match& match;
  const MessageView* message;  // a counted one in place of the publisher's, if it is shared
  Interest& interest;
  Port* source = nullptr;   // null: it came from another loop
  std::uint32_t taken = 0;  // what Routed::targets reports
};

}  // namespace spanwire::bus
