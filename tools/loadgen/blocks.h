// The bytes that publishers send, built before the clock starts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/loadgen/shapes.h"
#include "tools/loadgen/wire.h"

namespace spanwire::loadgen {

// Blocks are of whole messages, so many bytes or the next more.
inline constexpr std::size_t block_bytes = std::size_t{64} * 1024;

// What one write carries.
struct Block {
  std::string bytes;
  std::uint32_t messages = 0;
};

// The blocks that a group's publishers send again and again, or of one message each. With several
// subjects each comes once, in an order of chance.
std::vector<Block> build_blocks(const Shape& shape, const Wire& wire, std::uint32_t group);

// The numbers below `count` in an order of chance, the same in every run.
std::vector<std::uint32_t> shuffled(std::uint32_t count);

}  // namespace spanwire::loadgen
