// How many files, and so connections, the operating system lets the process have open.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace spanwire::app {

// What the server needs besides its connections: listeners, loops, log, store.
inline constexpr std::uint64_t own_files = 128;

// Raises the limit as far as the process may, and says how far that is.
std::uint64_t raise_file_limit();

// Whether `max_connections` fit in the limit; if not, the error says what can be done about it.
base::Status check_file_limit(std::uint64_t max_connections, std::uint64_t limit);

}  // namespace spanwire::app
