// Time, as the loops tell it. Nothing below app/ and net/ asks the machine: simulations inject it.
#pragma once

#include <chrono>

namespace spanwire::base {

using Duration = std::chrono::nanoseconds;
using Time = std::chrono::time_point<std::chrono::steady_clock, Duration>;      // intervals
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;  // for people

}  // namespace spanwire::base
