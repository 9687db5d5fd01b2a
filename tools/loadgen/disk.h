// The disk without a server: what a write and an fdatasync take that hold one message.
#pragma once

#include "base/result.h"
#include "tools/loadgen/report.h"

namespace spanwire::loadgen {

// Writes into a file below plan.path, which is removed again.
base::Result<Report> run_disk(const Plan& plan);

}  // namespace spanwire::loadgen
