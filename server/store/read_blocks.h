// Parts of segments that were read, so that who reads a stream in its order asks the file once a
// block, not once a message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ref.h"
#include "store/committer.h"

namespace spanwire::store {

// Belongs to one log. A first read somewhere is small; one that goes on where a block ended takes
// twice as much as that block, up to most_block_bytes.
class ReadBlocks {
 public:
  static constexpr std::size_t first_block_bytes = 4U << 10;
  static constexpr std::size_t most_block_bytes = 128U << 10;
  // Readers at so many places do not push one another out.
  static constexpr std::size_t most_blocks = 4;
  // A read so close behind a block goes on from it.
  static constexpr std::size_t near_bytes = 512;

  // What is there of the segment from this offset on; empty: nothing.
  std::string_view find(const SegmentFile& segment, std::uint64_t offset);
  // How much to read at an offset that find() did not know, or knew too little of.
  std::size_t bytes_to_read(const SegmentFile& segment, std::uint64_t offset) const;
  // In place of the one that has not been used for longest.
  std::string_view put(base::Ref<const SegmentFile> segment, std::uint64_t offset,
                       std::string bytes);
  void forget(const SegmentFile& segment);
  std::size_t bytes() const;

 private:
  struct Block {
    base::Ref<const SegmentFile> segment;
    std::uint64_t offset = 0;
    std::string bytes;
    std::uint64_t used = 0;
    bool covers(const SegmentFile& file, std::uint64_t at) const {
      return segment.get() == &file && at >= offset && at - offset < bytes.size();
    }
    // Whoever read this block wants that place next: what lies between are no messages.
    bool leads_to(const SegmentFile& file, std::uint64_t at) const {
      return segment.get() == &file && at >= offset && at - offset < bytes.size() + near_bytes;
    }
  };

  std::vector<Block> blocks_;
  std::uint64_t uses_ = 0;
};

}  // namespace spanwire::store
