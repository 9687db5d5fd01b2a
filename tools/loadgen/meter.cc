#include "tools/loadgen/meter.h"

#include <fmt/core.h>
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace spanwire::loadgen {
namespace {

std::uint64_t clock_ns(clockid_t clock) {
  timespec value{};
  if (clock_gettime(clock, &value) != 0) return 0;
  return (static_cast<std::uint64_t>(value.tv_sec) * 1'000'000'000U) +
         static_cast<std::uint64_t>(value.tv_nsec);
}

// Adds a process's own clock (all its threads, also those that ended) and its ticks.
void add_usage(pid_t pid, Usage& usage) {
  clockid_t clock = 0;
  if (clock_getcpuclockid(pid, &clock) == 0) usage.total_ns += clock_ns(clock);
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto name_end = text.rfind(')');  // the name may hold blanks
  if (name_end == std::string::npos) return;
  std::istringstream fields(text.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;  // proc(5): utime is the 14th
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  fields >> user >> system;
  usage.user_ticks += user;
  usage.system_ticks += system;
}

}  // namespace

Span between(const Reading& begin, const Reading& end) {
  Span span;
  span.wall_ns = static_cast<std::uint64_t>((end.at - begin.at).count());
  span.cpu_ns = end.server.total_ns - begin.server.total_ns;
  span.own_cpu_ns = end.own_ns - begin.own_ns;
  const std::uint64_t user = end.server.user_ticks - begin.server.user_ticks;
  const std::uint64_t system = end.server.system_ticks - begin.server.system_ticks;
  if (user + system == 0) return span;
  const double share = static_cast<double>(user) / static_cast<double>(user + system);
  span.user_ns = static_cast<std::uint64_t>(share * static_cast<double>(span.cpu_ns));
  span.system_ns = span.cpu_ns - span.user_ns;
  return span;
}

Reading Meter::read() const {
  Reading reading;
  for (const pid_t pid : servers_) add_usage(pid, reading.server);
  reading.own_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  reading.at = std::chrono::steady_clock::now();
  return reading;
}

std::uint64_t Meter::resident_bytes() const {
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  std::uint64_t pages = 0;
  for (const pid_t pid : servers_) {
    std::ifstream file(fmt::format("/proc/{}/statm", pid));  // proc(5): size, then resident
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    if (file >> size >> resident) pages += resident;
  }
  return pages * page;
}

}  // namespace spanwire::loadgen
