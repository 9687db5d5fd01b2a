// /connz: the connections, open and lately closed.
#pragma once

#include "monitor/bridge.h"

namespace spanwire::monitor {

void connz(Bridge& bridge, const web::Request& request, Page page);

}  // namespace spanwire::monitor
