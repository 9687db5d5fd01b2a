// What makes a recovery short: all that is known of a log at one position, in one file beside its
// segments (docs/formats/snapshot.md). It is written when the log is closed; with it only what came
// after that position is read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/record.h"
#include "store/segment_scan.h"
#include "store/segment_set.h"

namespace spanwire::store {

class Index;

inline constexpr std::string_view snapshot_name = "snapshot";

// A snapshot's file, whose sum was checked. Texts lie in its bytes.
struct Snapshot {
  struct Segment {
    std::uint64_t number = 0;
    std::uint64_t salt = 0;
    std::uint64_t stands_for = 0;
    std::uint64_t end = 0;
    std::uint64_t repeated = 0;
    std::uint64_t erases_bytes = 0;
    Sequence first = 0;
    Sequence last = 0;
    std::vector<std::uint64_t> ends_in;
  };
  Position position;
  std::vector<Segment> segments;
  std::string_view state;  // the owner's
  std::string_view index;  // Index::load()
};

std::string encode_snapshot(const SegmentSet& segments, std::string_view state, const Index& index);
// nullopt: it is damaged, or of another version.
std::optional<Snapshot> decode_snapshot(std::string_view file);

// Whether it tells of these segments: those that it knows are the same, and those behind its
// position are all there as they were written. Else it is stale.
bool fits(const Snapshot& snapshot, const std::vector<FoundSegment>& found);

}  // namespace spanwire::store
