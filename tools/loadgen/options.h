// The command line of the load generator.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "tools/loadgen/report.h"

namespace spanwire::loadgen {

struct Options {
  Plan plan;
  bool list = false;
  bool help = false;
};

base::Result<Options> parse_options(std::span<const char* const> arguments);
std::string_view usage();

}  // namespace spanwire::loadgen
