// What it costs a server to hold connections and subscriptions that nobody uses.
#pragma once

#include "base/result.h"
#include "tools/loadgen/report.h"

namespace spanwire::loadgen {

// Opens shape.count connections with a subscription each. Reports the cost of opening them, the
// memory they hold, and the processor time they cost in a second of silence.
base::Result<Report> run_connections(const Plan& plan);

// Opens shape.count subscriptions to subjects of four tokens on ten connections.
base::Result<Report> run_subscriptions(const Plan& plan);

}  // namespace spanwire::loadgen
