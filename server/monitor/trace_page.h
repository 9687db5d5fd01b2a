// /spanwire/trace: turns the trace of a connection or a subject on and off while the server runs.
#pragma once

#include "monitor/bridge.h"

namespace spanwire::monitor {

// The one page that changes something, so it is for those who log in; where nobody has to, for
// programs on this machine, and for no page of another site that a browser here shows.
void trace_page(Bridge& bridge, const web::Request& request, Page page);

}  // namespace spanwire::monitor
