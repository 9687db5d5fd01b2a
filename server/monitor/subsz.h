// /subsz and /subscriptionsz: the subject index, and if asked the subscriptions in it.
#pragma once

#include "monitor/bridge.h"

namespace spanwire::monitor {

// The list goes by loop, connection and subscription, the latest of a connection first: the same
// order in every page of it, as long as no connection comes or goes.
void subsz(Bridge& bridge, const web::Request& request, Page page);

}  // namespace spanwire::monitor
