#include <fmt/core.h>

#include <cstdio>
#include <span>

#include "tools/loadgen/assets.h"
#include "tools/loadgen/consumers.h"
#include "tools/loadgen/disk.h"
#include "tools/loadgen/hold.h"
#include "tools/loadgen/http.h"
#include "tools/loadgen/lookups.h"
#include "tools/loadgen/options.h"
#include "tools/loadgen/paced.h"
#include "tools/loadgen/report.h"
#include "tools/loadgen/requests.h"
#include "tools/loadgen/stream.h"
#include "tools/loadgen/streams.h"

namespace {

using namespace spanwire;
using namespace spanwire::loadgen;

base::Result<Report> run(const Plan& plan) {
  switch (plan.shape.kind) {
    case Kind::stream:
      return StreamRun(plan).run();
    case Kind::request:
      return RequestRun(plan).run();
    case Kind::paced:
      return PacedRun(plan).run();
    case Kind::connections:
      return run_connections(plan);
    case Kind::subscriptions:
      return run_subscriptions(plan);
    case Kind::http:
      return HttpRun(plan).run();
    case Kind::append:
      return AppendRun(plan).run();
    case Kind::consume:
      return ConsumeRun(plan).run();
    case Kind::lookup:
      return LookupRun(plan).run();
    case Kind::assets:
      return run_assets(plan);
    case Kind::disk:
      return run_disk(plan);
  }
  return base::fail("a shape of no kind");
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<const char* const> arguments(argv + 1, static_cast<std::size_t>(argc - 1));
  const auto options = parse_options(arguments);
  if (!options) {
    fmt::print(stderr, "loadgen: {}\n{}", options.error().text, usage());
    return 2;
  }
  if (options->help || options->list) {
    fmt::print("{}", options->help ? std::string(usage()) : list_json());
    return 0;
  }
  const base::Status allowed = allow_connections(connections_of(options->plan.shape));
  const auto outcome = allowed ? run(options->plan) : tl::unexpected(allowed.error());
  fmt::print("{}", to_json(options->plan, outcome));
  return outcome ? 0 : 3;
}
