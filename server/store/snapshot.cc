#include "store/snapshot.h"

#include <algorithm>

#include "store/index.h"
#include "store/saved_bytes.h"
#include "store/whole_file.h"

namespace spanwire::store {

namespace {

constexpr std::string_view magic = "SPWSNAP\n";
constexpr std::uint64_t snapshot_version = 1;

Snapshot::Segment read_segment(SavedReader& in) {
  Snapshot::Segment segment;
  segment.number = in.number();
  segment.salt = in.number();
  segment.stands_for = in.number();
  segment.end = in.number();
  segment.repeated = in.number();
  segment.erases_bytes = in.number();
  segment.first = in.number();
  segment.last = in.number();
  in.list(segment.ends_in, 8, [&] { return in.number(); });
  return segment;
}

}  // namespace

std::string encode_snapshot(const SegmentSet& segments, std::string_view state,
                            const Index& index) {
  std::string bytes(magic);
  SavedWriter writer(bytes);
  writer.number(snapshot_version);
  writer.number(segments.open().number());
  writer.number(segments.open().end);
  writer.list(segments.all(), [&](const LogSegment& segment) {
    writer.number(segment.number());
    writer.number(segment.file->salt);
    writer.number(segment.stands_for);
    writer.number(segment.end);
    writer.number(segment.repeated);
    writer.number(segment.erases_bytes);
    writer.number(segment.first);
    writer.number(segment.last);
    writer.list(segment.ends_in, [&](std::uint64_t number) { writer.number(number); });
  });
  writer.text(state);
  std::string saved;
  index.save(saved);
  writer.text(saved);
  return with_sum(bytes);
}

std::optional<Snapshot> decode_snapshot(std::string_view file) {
  const auto bytes = without_sum(file);
  if (!bytes || !bytes->starts_with(magic)) return std::nullopt;
  SavedReader in(bytes->substr(magic.size()));
  if (in.number() != snapshot_version) return std::nullopt;
  Snapshot snapshot;
  snapshot.position.segment = in.number();
  snapshot.position.offset = in.number();
  in.list(snapshot.segments, 72, [&] { return read_segment(in); });
  snapshot.state = in.text();
  snapshot.index = in.text();
  if (!in.at_end() || snapshot.segments.empty()) return std::nullopt;
  return snapshot;
}

bool fits(const Snapshot& snapshot, const std::vector<FoundSegment>& found) {
  std::uint64_t next = snapshot.position.segment;
  for (const FoundSegment& segment : found) {
    if (segment.file->number < next) continue;
    // A gap, or one that was compacted: there may have been words of the owner that are gone.
    if (segment.file->number != next || segment.compacted) return false;
    ++next;
  }
  return next != snapshot.position.segment &&
         std::all_of(snapshot.segments.begin(), snapshot.segments.end(), [&](const auto& known) {
           return std::any_of(found.begin(), found.end(), [&](const FoundSegment& segment) {
             return segment.file->number == known.number && segment.file->salt == known.salt;
           });
         });
}

}  // namespace spanwire::store
