// /healthz: whether the server can do its work.
#pragma once

#include "monitor/bridge.h"

namespace spanwire::monitor {

// Whoever gets an answer has an answer: there is nothing yet that could fail on its own. The
// parameters of nats-server are checked, so that a probe's mistake does not pass for health.
void healthz(Bridge& bridge, const web::Request& request, Page page);

}  // namespace spanwire::monitor
