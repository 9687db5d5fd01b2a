#include "tools/loadgen/assets.h"

#include "tools/loadgen/api.h"
#include "tools/loadgen/hold.h"
#include "tools/loadgen/setting.h"

namespace spanwire::loadgen {

base::Result<Report> run_assets(const Plan& plan) {
  const Shape& shape = plan.shape;
  auto api = Api::open(plan.server);
  if (!api) return tl::unexpected(api.error());
  const Meter meter(plan.pids);
  Report report;
  report.resident_before_bytes = meter.resident_bytes();
  const Reading begin = meter.read();
  const auto stream = [&](std::uint64_t number) { return create_stream(shape, number); };
  if (base::Status done = api->ask_all(shape.count, stream); !done) {
    return tl::unexpected(done.error());
  }
  const auto consumer = [&](std::uint64_t number) {
    return create_consumer(shape, number / shape.consumers, number % shape.consumers);
  };
  if (base::Status done = api->ask_all(shape.count * shape.consumers, consumer); !done) {
    return tl::unexpected(done.error());
  }
  report.span = between(begin, meter.read());
  report.resident_bytes = settled_bytes(meter);
  report.units = shape.count;
  report.idle_cpu_ns = silent_second(meter);
  return report;
}

}  // namespace spanwire::loadgen
