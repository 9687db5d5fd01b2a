#include "store/read_blocks.h"

#include <algorithm>

namespace spanwire::store {

std::string_view ReadBlocks::find(const SegmentFile& segment, std::uint64_t offset) {
  for (Block& block : blocks_) {
    if (!block.covers(segment, offset)) continue;
    block.used = ++uses_;
    return std::string_view(block.bytes).substr(offset - block.offset);
  }
  return {};
}

std::size_t ReadBlocks::bytes_to_read(const SegmentFile& segment, std::uint64_t offset) const {
  for (const Block& block : blocks_) {
    if (block.leads_to(segment, offset)) {
      return std::clamp(2 * block.bytes.size(), first_block_bytes, most_block_bytes);
    }
  }
  return first_block_bytes;
}

std::string_view ReadBlocks::put(base::Ref<const SegmentFile> segment, std::uint64_t offset,
                                 std::string bytes) {
  Block* into = nullptr;
  // What leads here has been read to its end.
  for (Block& block : blocks_) {
    if (block.leads_to(*segment, offset)) into = &block;
  }
  if (into == nullptr && blocks_.size() < most_blocks) into = &blocks_.emplace_back();
  if (into == nullptr) {
    into = &*std::min_element(blocks_.begin(), blocks_.end(),
                              [](const Block& a, const Block& b) { return a.used < b.used; });
  }
  *into = {
      .segment = std::move(segment), .offset = offset, .bytes = std::move(bytes), .used = ++uses_};
  return into->bytes;
}

void ReadBlocks::forget(const SegmentFile& segment) {
  std::erase_if(blocks_, [&](const Block& block) { return block.segment.get() == &segment; });
}

std::size_t ReadBlocks::bytes() const {
  std::size_t bytes = 0;
  for (const Block& block : blocks_) bytes += block.bytes.capacity();
  return bytes;
}

}  // namespace spanwire::store
