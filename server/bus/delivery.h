// One message on its way through one loop (router.h); the work is in delivery.cc.
#pragma once

#include "bus/router.h"

namespace spanwire::bus {

struct Router::Delivery {
  Match& match;
  const MessageView& message;
  Interest& interest;
  Port* source = nullptr;   // null: it came from another loop
  std::uint32_t taken = 0;  // what Routed::targets reports
};

}  // namespace spanwire::bus
