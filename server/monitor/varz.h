// /varz: the server's settings and what it has counted.
#pragma once

#include "monitor/bridge.h"

namespace spanwire::monitor {

void varz(Bridge& bridge, const web::Request& request, Page page);

}  // namespace spanwire::monitor
