// Names for things that live on loops. Distinct types, so that none passes for another.
#pragma once

#include <cstdint>
#include <functional>

namespace spanwire::base {

// The number of a loop, from 0. A loop is one thread.
using LoopId = std::uint8_t;
inline constexpr std::size_t max_loops = 64;

// An account of this process, from 0 ($G).
using AccountId = std::uint32_t;

// A seat on the bus: loop in the top 8 bits, then a counter. Never used again in this process.
enum class PortId : std::uint64_t { none = 0 };
// A subscription: loop in the top 8 bits, then a counter. Never used again in this process.
enum class SubId : std::uint64_t { none = 0 };

inline LoopId loop_of(PortId id) {
  return static_cast<LoopId>(static_cast<std::uint64_t>(id) >> 56);
}
inline LoopId loop_of(SubId id) {
  return static_cast<LoopId>(static_cast<std::uint64_t>(id) >> 56);
}

}  // namespace spanwire::base
