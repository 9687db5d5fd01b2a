#include "tools/loadgen/hold.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tools/loadgen/wire.h"

namespace spanwire::loadgen {
namespace {

// A server may still be collecting what opening has left behind.
constexpr auto settle_time = std::chrono::milliseconds(500);
// The reference asks each new connection for its round-trip time after 2.0 to 2.4 seconds.
constexpr auto silence_after = std::chrono::milliseconds(2600);

base::Result<Fd> connect(const Plan& plan, const Wire& wire, const Interest& interest) {
  auto fd = dial(plan.server);
  if (!fd) return fd;
  if (base::Status joined = wire.join(fd->get(), interest); !joined) {
    return tl::unexpected(joined.error());
  }
  return fd;
}

}  // namespace

std::uint64_t settled_bytes(const Meter& meter) {
  std::this_thread::sleep_for(settle_time);
  return meter.resident_bytes();
}

std::uint64_t silent_second(const Meter& meter) {
  std::this_thread::sleep_for(silence_after);
  const Reading begin = meter.read();
  std::this_thread::sleep_for(std::chrono::seconds(1));
  return between(begin, meter.read()).cpu_ns;
}

base::Result<Report> run_connections(const Plan& plan) {
  const std::uint64_t count = plan.shape.count;
  const Meter meter(plan.pids);
  const std::unique_ptr<Wire> wire = make_wire(plan.shape);
  Report report;
  report.resident_before_bytes = meter.resident_bytes();
  const Reading begin = meter.read();
  std::vector<Fd> held;
  held.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    auto fd = connect(plan, *wire, {wire->subject(0, static_cast<std::uint32_t>(i)), ""});
    if (!fd) return tl::unexpected(fd.error());
    held.push_back(std::move(*fd));
  }
  report.span = between(begin, meter.read());
  report.resident_bytes = settled_bytes(meter);
  report.units = count;
  report.idle_cpu_ns = silent_second(meter);
  return report;
}

base::Result<Report> run_subscriptions(const Plan& plan) {
  const std::uint64_t count = plan.shape.count;
  const Meter meter(plan.pids);
  const std::unique_ptr<Wire> wire = make_wire(plan.shape);
  std::vector<Fd> held;
  for (std::size_t i = 0; i < holders; ++i) {
    auto fd = connect(plan, *wire, {});
    if (!fd) return tl::unexpected(fd.error());
    held.push_back(std::move(*fd));
  }
  Report report;
  report.resident_before_bytes = meter.resident_bytes();
  const Reading begin = meter.read();
  for (std::size_t i = 0; i < held.size(); ++i) {
    const std::uint64_t first = count * i / held.size();
    const std::uint64_t last = count * (i + 1) / held.size();
    const auto append = [first](std::string& out, std::uint64_t number) {
      const std::uint64_t device = first + number;
      fmt::format_to(std::back_inserter(out), "SUB fleet.{:02}.d{:07}.state {}\r\n", device % 100,
                     device, number + 2);
    };
    if (base::Status done = subscribe_many(held[i].get(), *wire, last - first, append); !done) {
      return tl::unexpected(done.error());
    }
  }
  report.span = between(begin, meter.read());
  report.resident_bytes = settled_bytes(meter);
  report.units = count;
  return report;
}

}  // namespace spanwire::loadgen
