// What it costs a server to hold connections and subscriptions that nobody uses.
#pragma once

#include "base/result.h"
#include "tools/loadgen/meter.h"
#include "tools/loadgen/report.h"

namespace spanwire::loadgen {

// Opens shape.count connections with a subscription each. Reports the cost of opening them, the
// memory they hold, and the processor time they cost in a second of silence.
base::Result<Report> run_connections(const Plan& plan);

// Opens shape.count subscriptions to subjects of four tokens on ten connections.
base::Result<Report> run_subscriptions(const Plan& plan);

// Waits until a server has collected what setting up has left behind, and returns its memory.
std::uint64_t settled_bytes(const Meter& meter);
// The processor time that a server uses in a second in which nobody says anything.
std::uint64_t silent_second(const Meter& meter);

}  // namespace spanwire::loadgen
