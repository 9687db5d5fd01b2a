#include "tools/loadgen/blocks.h"

#include <numeric>
#include <utility>

#include "base/random.h"
#include "tools/loadgen/fleet.h"

namespace spanwire::loadgen {

std::vector<std::uint32_t> shuffled(std::uint32_t count) {
  std::vector<std::uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0U);
  base::Random random(count);
  for (std::uint32_t left = count; left > 1; --left) {
    std::swap(numbers[left - 1], numbers[random.below(left)]);
  }
  return numbers;
}

std::vector<Block> build_blocks(const Shape& shape, const Wire& wire, std::uint32_t group) {
  if (shape.wildcards > 0) return build_fleet_blocks(shape, wire);
  const std::string payload(shape.size, 'x');
  const std::size_t full = shape.single ? 1 : block_bytes;
  std::vector<Block> blocks(1);
  const auto append = [&](const std::string& subject) {
    if (blocks.back().bytes.size() >= full) blocks.emplace_back();
    wire.append_publish(blocks.back().bytes, subject, payload);
    ++blocks.back().messages;
  };
  if (shape.subjects > 1) {
    for (const std::uint32_t number : shuffled(shape.subjects)) append(wire.subject(group, number));
    return blocks;
  }
  const std::string subject = wire.subject(group);
  do {
    append(subject);
  } while (blocks.back().bytes.size() < full);
  return blocks;
}

}  // namespace spanwire::loadgen
