// What the measured processes and the generator itself have used so far.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace spanwire::loadgen {

// Processor time: the total is exact, user and system are counted by the kernel in ticks.
struct Usage {
  std::uint64_t total_ns = 0;
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
};

struct Reading {
  base::Time at;
  Usage server;
  std::uint64_t own_ns = 0;
};

// What happened between two readings; user and system share the exact total as the ticks do.
struct Span {
  std::uint64_t wall_ns = 0;
  std::uint64_t cpu_ns = 0;
  std::uint64_t user_ns = 0;
  std::uint64_t system_ns = 0;
  std::uint64_t own_cpu_ns = 0;
};

Span between(const Reading& begin, const Reading& end);

class Meter {
 public:
  // The processes that together are the server; none if its cost is not asked for.
  explicit Meter(std::vector<pid_t> servers) : servers_(std::move(servers)) {}

  Reading read() const;
  // Resident memory of the servers now.
  std::uint64_t resident_bytes() const;

 private:
  std::vector<pid_t> servers_;
};

}  // namespace spanwire::loadgen
