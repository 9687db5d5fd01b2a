// What reading a segment would tell the index, in a file beside it (docs/formats/sidecar.md): where
// its messages lie and of which subjects they are, and what it erases in other segments. Made from
// the segment alone, so it can be made anew at any time; it counts for a segment with its salt that
// ends where it says.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/committer.h"
#include "store/files.h"
#include "store/index_segment.h"

namespace spanwire::store {

// Subjects lie in the bytes that it was read from.
struct Sidecar {
  struct Range {
    Sequence first = 0;
    Sequence last = 0;
  };

  std::uint64_t number = 0;
  std::uint64_t salt = 0;
  std::uint64_t end = 0;          // where the segment's last batch ends
  Sequence last = 0;              // the last that was given by then; 0: it does not say
  base::WallTime last_time{};     // of that message
  std::uint64_t erase_bytes = 0;  // of records that erase messages of other segments
  std::vector<Range> erased;      // what these erase, in their order
  std::vector<std::string_view> subjects;
  // With the places of their subjects in `subjects`; null: it has none.
  std::unique_ptr<IndexSegment> messages;
};

std::string sidecar_name(std::uint64_t segment);
std::string sidecar_path(std::uint64_t stream, std::uint64_t segment);

// The sidecar of what the segment has before `end`, as its file has it. Blocks: it reads all that.
// Fails if any of it is not what was written.
base::Result<std::string> make_sidecar(const SegmentFile& segment, std::uint64_t end);

// Puts it beside the segment, durably. Blocks.
base::Status write_sidecar(Files& files, const SegmentFile& segment, std::uint64_t end);

// nullopt: it is damaged, or of another version.
std::optional<Sidecar> decode_sidecar(std::string_view file);

}  // namespace spanwire::store
