// Which seeds a random walk tries.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace spanwire::test {

// The usual number, which takes about a second, or fifty times as many with SPANWIRE_LONG=1.
inline std::uint64_t seeds(std::uint64_t usual) {
  static const bool is_long = std::getenv("SPANWIRE_LONG") != nullptr;
  return is_long ? usual * 50 : usual;
}

// Of a walk that tries them one by one: from 1 to `usual`, or as above; SPANWIRE_SEEDS=FIRST-LAST
// names others, to find one again or to share many between processes.
struct SeedRange {
  std::uint64_t first = 1;
  std::uint64_t last = 0;
};

inline SeedRange seed_range(std::uint64_t usual) {
  const char* wanted = std::getenv("SPANWIRE_SEEDS");
  if (wanted == nullptr) return {.first = 1, .last = seeds(usual)};
  char* rest = nullptr;
  const std::uint64_t first = std::strtoull(wanted, &rest, 10);
  return {.first = first, .last = *rest == '-' ? std::strtoull(rest + 1, nullptr, 10) : first};
}

}  // namespace spanwire::test
