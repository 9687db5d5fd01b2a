// Counts what the process allocates. A test executable takes part by allocations_dep in its
// dependencies.
#pragma once

#include <cstddef>

namespace spanwire::test {

// By all threads, since the start.
std::size_t allocations();

}  // namespace spanwire::test
