// What the owner of a log knew at one position, in one file beside the segments
// (docs/formats/snapshot.md). With it and the sidecars a recovery reads only what stands behind
// that position.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/record.h"
#include "store/segment_scan.h"

namespace spanwire::store {

inline constexpr std::string_view snapshot_name = "snapshot";

// The state lies in the bytes that it was read from.
struct Snapshot {
  Position position;           // the end of a batch
  std::uint64_t salt = 0;      // of that segment
  std::uint64_t repeated = 0;  // bytes of notes that its preamble has
  std::string_view state;      // the owner's
};

std::string encode_snapshot(const Snapshot& snapshot);
// nullopt: it is damaged, or of another version.
std::optional<Snapshot> decode_snapshot(std::string_view file);

// Whether it tells of these segments: from its own on all are there, as they were written. Else it
// is stale: words of the owner that it does not know may be gone.
bool fits(const Snapshot& snapshot, const std::vector<FoundSegment>& found);

}  // namespace spanwire::store
