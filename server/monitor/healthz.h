// /healthz: whether the server can do its work.
#pragma once

#include "monitor/bridge.h"

namespace spanwire::monitor {

// Whoever gets an answer has a server; with JetStream it says also whether each stream of the
// parameters was recovered and can be written. Parameters, states and texts are nats-server's; a
// probe's mistake does not pass for health.
void healthz(Bridge& bridge, const web::Request& request, Page page);

}  // namespace spanwire::monitor
