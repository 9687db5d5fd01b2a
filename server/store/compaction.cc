#include "store/compaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/little_endian.h"
#include "store/each_record.h"
#include "store/segment_header.h"

namespace spanwire::store {

namespace {

// As much is written at once: it costs a call for each, and is held twice while a batch grows.
constexpr std::size_t chunk_bytes = std::size_t{256} << 10;

class Compaction {
 public:
  Compaction(Files& files, const CompactionJob& job) : files_(files), job_(job) {}

  base::Result<Compacted> run();

 private:
  base::Status create();
  base::Status take(const Record& record);
  void take_message(const Record& record);
  void take_erase(Sequence first, Sequence last);
  void take_through(Sequence last);
  bool is_needed(Sequence first, Sequence last) const;
  base::Status flush();
  base::Status install();
  std::string path() const { return segment_path(stream(), number()); }
  std::uint64_t stream() const { return job_.sources.back().file->stream; }
  std::uint64_t number() const { return job_.sources.back().file->number; }

  Files& files_;
  const CompactionJob& job_;
  std::unique_ptr<File> file_;
  std::unique_ptr<IndexSegment> index_;
  BatchWriter batch_;
  std::uint64_t end_ = segment_header_bytes;
  std::uint64_t erases_bytes_ = 0;
  std::size_t next_live_ = 0;
  bool marked_ = false;
};

base::Result<Compacted> Compaction::run() {
  base::Status status = create();
  for (const CompactionJob::Source& source : job_.sources) {
    if (!status) break;
    // What is not good is of no message that stays, or one is found missing.
    status = each_record(*source.file, source.end,
                         [this](const Record& record, std::uint64_t) { return take(record); });
  }
  if (status && next_live_ != job_.live.size()) {
    status = base::fail(
        fmt::format("{}: message {} cannot be read", path(), job_.live[next_live_].sequence));
  }
  if (status) status = flush();
  if (status) status = install();
  if (!status) {
    // If this fails too, the next start removes it.
    static_cast<void>(files_.remove(path() + ".new"));
    return tl::unexpected(status.error());
  }
  auto segment = base::make_ref<SegmentFile>();
  segment->stream = stream();
  segment->number = number();
  segment->salt = job_.salt;
  segment->file = std::move(file_);
  return Compacted{.file = std::move(segment),
                   .end = end_,
                   .erases_bytes = erases_bytes_,
                   .index = std::move(index_)};
}

base::Status Compaction::create() {
  const std::string fresh = path() + ".new";
  if (const base::Status removed = files_.remove(fresh); !removed) return removed;
  auto file = files_.create(fresh);
  if (!file) return tl::unexpected(file.error());
  file_ = std::move(*file);
  SegmentHeader header{.stream = stream(), .number = number(), .salt = job_.salt};
  base::put_little_endian(header.reserved.data(), job_.stands_for);
  const std::string bytes = encode_segment_header(header);
  const std::string_view parts[] = {bytes};
  index_ = std::make_unique<IndexSegment>(number());
  index_->reserve(job_.live.size());
  return file_->write_at(0, parts);
}

base::Status Compaction::take(const Record& record) {
  if (!batch_.begun()) batch_.begin(job_.salt, end_);
  switch (record.kind) {
    case RecordKind::message:
      take_message(record);
      break;
    case RecordKind::erase:
      take_erase(record.first, record.last);
      break;
    case RecordKind::through:
      take_through(record.last);
      break;
    case RecordKind::mark:
      // The first says what came before; the segment behind has one with all the rest.
      if (!std::exchange(marked_, true)) batch_.mark(record.mark);
      break;
    case RecordKind::note:  // a later segment repeats what holds
    case RecordKind::batch:
      break;
  }
  return batch_.size() < chunk_bytes ? base::Status() : flush();
}

void Compaction::take_message(const Record& record) {
  const Message& message = record.message;
  const bool stays =
      next_live_ < job_.live.size() && job_.live[next_live_].sequence == message.sequence;
  if (stays) {
    const CompactionJob::Live& live = job_.live[next_live_++];
    const std::uint64_t offset = batch_.message(message);
    index_->append(message.sequence, static_cast<std::uint32_t>(offset), live.counted, live.subject,
                   message.time);
  }
  if (record.evicted != 0) take_erase(record.evicted, record.evicted);
}

void Compaction::take_erase(Sequence first, Sequence last) {
  if (!is_needed(first, last)) return;
  const std::size_t before = batch_.size();
  batch_.erase(first, last);
  erases_bytes_ += batch_.size() - before;
}

void Compaction::take_through(Sequence last) {
  if (!is_needed(1, last)) return;
  const std::size_t before = batch_.size();
  batch_.through(last);
  erases_bytes_ += batch_.size() - before;
}

bool Compaction::is_needed(Sequence first, Sequence last) const {
  return std::any_of(job_.needed.begin(), job_.needed.end(),
                     [&](const auto& range) { return range.first <= last && first <= range.last; });
}

base::Status Compaction::flush() {
  if (!batch_.begun()) return {};
  const std::string bytes = batch_.finish({});
  const std::string_view parts[] = {bytes};
  const base::Status written = file_->write_at(end_, parts);
  end_ += bytes.size();
  return written;
}

base::Status Compaction::install() {
  if (const base::Status synced = file_->sync(); !synced) return synced;
  if (job_.jobs->cancelled) return base::fail("the log was closed");
  if (const base::Status renamed = files_.rename(path() + ".new", path()); !renamed) {
    return renamed;
  }
  return files_.sync_folder(stream_folder(stream()));
}

}  // namespace

base::Result<Compacted> compact(Files& files, const CompactionJob& job) {
  return Compaction(files, job).run();
}

}  // namespace spanwire::store
