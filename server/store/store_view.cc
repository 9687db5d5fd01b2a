#include "store/store_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "store/journal.h"
#include "store/journal_blocks.h"
#include "store/segment_header.h"
#include "store/segment_set.h"
#include "store/store_folder.h"
#include "store/whole_file.h"

namespace spanwire::store {

namespace {

// Passes on what a scan finds, and what it has skipped: the places between its runs.
class Telling {
 public:
  Telling(const SegmentScan& scan, LogVisitor& visitor) : scan_(scan), visitor_(visitor) {}

  void take(const Chunk& chunk) {
    go_to(chunk.segment->number);
    for (const Run& run : chunk.runs) {
      skip_to(chunk, chunk.offset + run.begin);
      while (at_ < chunk.offset + run.end) take_record(chunk);
    }
  }

  void finish() { go_to(UINT64_MAX); }

 private:
  // Ends all segments before this one.
  void go_to(std::uint64_t number) {
    const std::vector<FoundSegment>& segments = scan_.segments();
    while (begun_ == 0 || segments[begun_ - 1].file->number < number) {
      if (begun_ != 0 && segments[begun_ - 1].end > at_) {
        visitor_.on_damage(at_, segments[begun_ - 1].end - at_);
      }
      if (begun_ == segments.size()) return;
      visitor_.on_segment(segments[begun_++]);
      at_ = segment_header_bytes;
    }
  }

  void take_record(const Chunk& chunk) {
    Record record;
    decode_good_record(std::string_view(chunk.bytes).substr(at_ - chunk.offset), record);
    visitor_.on_record(record, at_);
    at_ += record.size_bytes;
  }

  void skip_to(const Chunk& chunk, std::uint64_t offset) {
    if (offset <= at_) return;
    // The header of a batch of which not all is good.
    Record record;
    const bool is_here = at_ >= chunk.offset;
    if (is_here && decode_record(std::string_view(chunk.bytes).substr(at_ - chunk.offset),
                                 chunk.segment->salt, at_, record) == Decode::ok) {
      visitor_.on_record(record, at_);
      at_ += record.size_bytes;
    }
    if (offset > at_) visitor_.on_damage(at_, offset - at_);
    at_ = offset;
  }

  const SegmentScan& scan_;
  LogVisitor& visitor_;
  std::size_t begun_ = 0;  // so many segments
  std::uint64_t at_ = 0;   // in the last of these
};

}  // namespace

base::Result<std::unique_ptr<StoreView>> StoreView::open(Files& files) {
  std::unique_ptr<StoreView> view(new StoreView(files));
  const auto version = read_store_version(view->files_);
  if (!version) return tl::unexpected(version.error());
  if (*version == 0) return base::fail("there is no store: its file 'version' is missing");
  base::Status status = view->read_journal();
  if (status) status = view->find_streams();
  if (!status) return tl::unexpected(status.error());
  return view;
}

base::Status StoreView::read_journal() {
  const auto names = files_.list(".");
  if (!names) return tl::unexpected(names.error());
  if (!std::binary_search(names->begin(), names->end(), store::Journal::path)) return {};
  auto file = files_.open(store::Journal::path);
  if (!file) return tl::unexpected(file.error());
  journal_.file = std::move(*file);
  const auto current = read_journal_header(*journal_.file);
  if (!current) return tl::unexpected(current.error());
  if (!*current) return {};
  journal_.header = (*current)->header;
  const auto replayed = replay_journal(files_, *journal_.file, *journal_.header);
  if (!replayed) return tl::unexpected(replayed.error());
  journal_.replayed = *replayed;
  JournalBlocks blocks(*journal_.file, *journal_.header);
  std::vector<Redo> records;
  base::Result<bool> more = true;
  while (more && *more) more = blocks.next(records);
  if (more) more = blocks.goes_on_behind_damage();
  if (!more) return tl::unexpected(more.error());
  journal_.damaged_block = *more;
  return {};
}

base::Status StoreView::find_streams() {
  const auto names = files_.list(streams_folder);
  if (!names) return tl::unexpected(names.error());
  for (const std::string& name : *names) {
    if (const auto number = file_number(name)) {
      const auto inside = files_.list(stream_folder(*number));
      if (!inside) return tl::unexpected(inside.error());
      if (std::binary_search(inside->begin(), inside->end(), settings_name)) {
        streams_.push_back(*number);
        continue;
      }
    }
    if (file_number(name) || file_number(name, removed_suffix)) {
      leftovers_.push_back(fmt::format("{}/{}", streams_folder, name));
    }
  }
  std::sort(streams_.begin(), streams_.end());
  return {};
}

base::Result<std::optional<std::string>> StoreView::settings(std::uint64_t stream) {
  const auto file = read_file(files_, fmt::format("{}/{}", stream_folder(stream), settings_name),
                              most_settings_bytes);
  if (!file) return tl::unexpected(file.error());
  const auto words = without_sum(*file);
  return words ? std::optional(std::string(*words)) : std::nullopt;
}

base::Result<std::optional<Snapshot>> StoreView::fitting_snapshot(std::uint64_t stream) {
  const auto file = read_file(files_, stream_folder(stream), snapshot_name, most_snapshot_bytes);
  if (!file) return tl::unexpected(file.error());
  std::optional<Snapshot> snapshot = *file ? decode_snapshot(**file) : std::nullopt;
  if (!snapshot) return snapshot;
  SegmentScan scan(files_, stream);
  if (const base::Status opened = scan.open({}); !opened) return tl::unexpected(opened.error());
  if (!fits(*snapshot, scan.segments())) return std::nullopt;
  snapshot->state = {};
  return snapshot;
}

base::Result<StoreView::Read> StoreView::read(std::uint64_t stream, LogVisitor& visitor) {
  Read read;
  auto snapshot = fitting_snapshot(stream);
  if (!snapshot) return tl::unexpected(snapshot.error());
  read.snapshot = *snapshot;
  SegmentScan scan(files_, stream);
  SegmentScan::Start start;
  // It was written when that was durable.
  if (read.snapshot) start.durable = read.snapshot->position;
  if (const base::Status opened = scan.open(start); !opened) return tl::unexpected(opened.error());
  Telling telling(scan, visitor);
  bool more = true;
  while (more && visitor.wants_more()) {
    Chunk chunk;
    const auto found = scan.next(chunk);
    if (!found) return tl::unexpected(found.error());
    more = *found;
    if (more) telling.take(chunk);
  }
  if (!more) telling.finish();
  read.segments = scan.segments();
  return read;
}

}  // namespace spanwire::store
