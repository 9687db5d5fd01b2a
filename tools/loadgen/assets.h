// What it costs a server to hold streams and consumers that nobody uses.
#pragma once

#include "base/result.h"
#include "tools/loadgen/report.h"

namespace spanwire::loadgen {

// Creates shape.count streams with shape.consumers consumers each. Reports the cost
// of creating them, the memory they hold, and the processor time they cost in a second of silence.
base::Result<Report> run_assets(const Plan& plan);

}  // namespace spanwire::loadgen
