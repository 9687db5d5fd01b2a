// The settings that nats-server 2.14.5 knows, by block. Where a schema does not declare one of
// them, a file that sets it is refused with the reason that it is not supported yet, so that no
// wish of an operator is dropped silently.
#pragma once

#include <span>
#include <string_view>

namespace spanwire::config {

struct ReferenceBlock;

struct ReferenceKey {
  std::string_view names;                 // its spellings, parted by blanks
  const ReferenceBlock* block = nullptr;  // what a block, or each block of a list, knows inside
};

struct ReferenceBlock {
  std::span<const ReferenceKey> keys;
  const ReferenceBlock* each =
      nullptr;  // inside of each member, where members have names of choice
};

// The top level.
const ReferenceBlock& reference_keys();

// By a lower-case spelling; null if that server does not know it there either.
const ReferenceKey* find(const ReferenceBlock& block, std::string_view name);

}  // namespace spanwire::config
