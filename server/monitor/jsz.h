// /jsz: JetStream, its accounts, streams and consumers.
#pragma once

#include "monitor/bridge.h"

namespace spanwire::monitor {

// The page and the parameters of nats-server, as one server has them. Without JetStream it says
// `disabled`. The object `spanwire` has what nats-server does not: what the store holds and does.
void jsz(Bridge& bridge, const web::Request& request, Page page);

}  // namespace spanwire::monitor
