#include "store/snapshot.h"

#include "store/saved_bytes.h"
#include "store/segment_header.h"
#include "store/whole_file.h"

namespace spanwire::store {

namespace {

constexpr std::string_view magic = "SPWSNAP\n";
// The first held the whole index.
constexpr std::uint64_t snapshot_version = 2;
// Before the state, six numbers among it.
constexpr std::size_t head_bytes = sum_bytes + magic.size() + 6 * sizeof(std::uint64_t);

}  // namespace

std::string encode_snapshot(const Snapshot& snapshot) {
  std::string bytes(sum_bytes, '\0');
  bytes.reserve(head_bytes + snapshot.state.size());
  bytes += magic;
  SavedWriter writer(bytes);
  writer.number(snapshot_version);
  writer.number(snapshot.position.segment);
  writer.number(snapshot.position.offset);
  writer.number(snapshot.salt);
  writer.number(snapshot.repeated);
  writer.text(snapshot.state);
  put_sum(bytes);
  return bytes;
}

std::optional<Snapshot> decode_snapshot(std::string_view file) {
  const auto bytes = without_sum(file);
  if (!bytes || !bytes->starts_with(magic)) return std::nullopt;
  SavedReader in(bytes->substr(magic.size()));
  if (in.number() != snapshot_version) return std::nullopt;
  Snapshot snapshot;
  snapshot.position.segment = in.number();
  snapshot.position.offset = in.number();
  snapshot.salt = in.number();
  snapshot.repeated = in.number();
  snapshot.state = in.text();
  if (!in.at_end() || snapshot.position.offset < segment_header_bytes) return std::nullopt;
  return snapshot;
}

bool fits(const Snapshot& snapshot, const std::vector<FoundSegment>& found) {
  std::uint64_t next = snapshot.position.segment;
  for (const FoundSegment& segment : found) {
    const std::uint64_t number = segment.file->number;
    if (number < snapshot.position.segment) continue;
    // A gap, or one that was compacted.
    if (number != next++ || segment.compacted) return false;
    if (number == snapshot.position.segment && segment.file->salt != snapshot.salt) return false;
  }
  return next != snapshot.position.segment;
}

}  // namespace spanwire::store
