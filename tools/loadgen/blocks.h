// The bytes that publishers send, built before the clock starts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/loadgen/shapes.h"
#include "tools/loadgen/wire.h"

namespace spanwire::loadgen {

// What one write carries.
struct Block {
  std::string bytes;
  std::uint32_t messages = 0;
};

// The blocks that a group's publishers send again and again: of whole messages, 64 KiB or the next
// more, or one message each. With several subjects each comes once, in an order of chance.
std::vector<Block> build_blocks(const Shape& shape, const Wire& wire, std::uint32_t group);

}  // namespace spanwire::loadgen
