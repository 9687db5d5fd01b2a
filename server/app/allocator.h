// How the process gets its memory from the system, and gives it back.
#pragma once

#include <cstddef>

namespace spanwire::app {

// Freed memory of so many bytes stays with the process, at the end of each thread's area; larger
// blocks go back at once. Messages of a megabyte, the largest by default, find the pages of those
// before them; with half of it each would cost 256 page faults.
inline constexpr std::size_t kept_free_bytes = std::size_t{4} << 20;

// To be called before there are threads.
void set_up_allocator();

}  // namespace spanwire::app
