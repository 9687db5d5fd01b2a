// What a run was asked for, and what it found.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "tools/loadgen/histogram.h"
#include "tools/loadgen/meter.h"
#include "tools/loadgen/shapes.h"
#include "tools/loadgen/socket.h"

namespace spanwire::loadgen {

struct Plan {
  Shape shape;
  Endpoint server;
  std::vector<pid_t> pids;  // the server's processes, to read their cost
  base::Duration warm_up = std::chrono::milliseconds(300);
  base::Duration length = std::chrono::seconds(1);    // of the measured part
  std::uint64_t messages = UINT64_MAX;                // or fewer seconds, if so many were sent
  std::size_t window = std::size_t{4} * 1024 * 1024;  // bytes of deliveries under way at most
  std::string path = "/broker/load";  // of HTTP requests; a folder where there is no server
  std::string begun;  // a file that is created when the load begins, behind the set-up; or none
};

struct Report {
  Span span;
  std::uint64_t units = 0;      // what the server's cost is divided by
  std::uint64_t published = 0;  // messages or requests, both directions of a request-reply
  std::uint64_t delivered = 0;  // all of them were expected, and no other came
  std::uint64_t resident_bytes = 0;
  std::uint64_t resident_before_bytes = 0;   // before connections or subscriptions were opened
  std::optional<std::uint64_t> idle_cpu_ns;  // used in a second by connections that do nothing
  std::uint32_t sleepers_closed = 0;         // by the server, as too slow
  Histogram latency;
  Histogram lag;  // how late a paced load itself was
};

// One line of JSON. A run that failed is void: it has no figures, only the reason.
std::string to_json(const Plan& plan, const base::Result<Report>& outcome);
// The table of shapes, a line each.
std::string list_json();

}  // namespace spanwire::loadgen
