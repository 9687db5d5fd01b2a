// How many seeds a random walk tries.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace spanwire::test {

// The usual number, which takes about a second, or fifty times as many with SPANWIRE_LONG=1.
inline std::uint64_t seeds(std::uint64_t usual) {
  static const bool is_long = std::getenv("SPANWIRE_LONG") != nullptr;
  return is_long ? usual * 50 : usual;
}

}  // namespace spanwire::test
