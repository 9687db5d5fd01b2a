#include "store/recovery.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "store/saved_bytes.h"
#include "store/segment_header.h"
#include "store/whole_file.h"

namespace spanwire::store {

namespace {

// Messages taken and erased in one slice: about a millisecond, the owner's part included.
constexpr std::size_t slice = 3'000;
// When the workers have too much to do.
constexpr base::Duration again_after = std::chrono::milliseconds(5);
// Of the index, which needs a name for what is committed while the log has none yet.
constexpr Ticket recovered = 0;
// No log's index is as large.
constexpr std::uint64_t most_snapshot_bytes = std::uint64_t{64} << 30;

}  // namespace

Recovery::Recovery(std::unique_ptr<FileLog> log, const SegmentScan::Start& start, Recovered done)
    : log_(std::move(log)),
      start_(start),
      done_(std::move(done)),
      scan_(log_->services_.files, log_->stream_) {}

void Recovery::start(std::unique_ptr<FileLog> log, const SegmentScan::Start& start,
                     Recovered done) {
  const std::shared_ptr<Recovery> recovery(new Recovery(std::move(log), start, std::move(done)));
  recovery->read_next();
}

void Recovery::read_next() {
  auto found = std::make_shared<Found>();
  found->salt = log_->segments_.draw_salt();
  const bool runs = log_->services_.workers.run(
      [self = shared_from_this(), found] { self->work(*found); }, log_->loop_,
      [self = shared_from_this(), found] { self->on_read(found); });
  if (runs) return;
  log_->loop_.start_timer(again_after, [self = shared_from_this()] { self->read_next(); });
}

void Recovery::work(Found& found) {
  if (!std::exchange(opened_, true)) {
    found.status = scan_.open(start_);
    if (found.status) found.status = read_snapshot();
  }
  if (!found.status) return;
  auto more = scan_.next(found.chunk);
  if (!more) {
    found.status = tl::unexpected(std::move(more.error()));
    return;
  }
  found.more = *more;
  const bool goes_on = start_.limit.segment == UINT64_MAX && !scan_.segments().empty();
  if (found.more || goes_on) return;
  auto fresh = make_segment(log_->services_.files, log_->stream_, scan_.last_number() + 1,
                            found.salt, log_->services_.settings.segment_first_bytes);
  if (fresh) {
    found.fresh = std::move(*fresh);
  } else {
    found.status = tl::unexpected(std::move(fresh.error()));
  }
}

base::Status Recovery::read_snapshot() {
  FileLog& log = *log_;
  // One that could not write is cut where its memory says.
  if (start_.limit.segment != UINT64_MAX) return {};
  auto file = read_file(log.services_.files, stream_folder(log.stream_), snapshot_name,
                        most_snapshot_bytes);
  if (!file) return tl::unexpected(file.error());
  if (!*file) return {};
  snapshot_bytes_ = std::move(**file);
  snapshot_ = decode_snapshot(snapshot_bytes_);
  if (snapshot_ && !fits(*snapshot_, scan_.segments())) snapshot_.reset();
  if (snapshot_) {
    SavedReader in(snapshot_->index);
    if (!log.index_.load(in)) {
      snapshot_.reset();
      log.clear_index();
    }
  }
  if (!snapshot_) return {};
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ends;
  for (const Snapshot::Segment& segment : snapshot_->segments) {
    ends.emplace_back(segment.number, segment.end);
  }
  return scan_.begin_at(snapshot_->position, ends);
}

// What a worker has read of it, on the loop.
void Recovery::take_snapshot() {
  FileLog& log = *log_;
  for (const Snapshot::Segment& known : snapshot_->segments) {
    LogSegment& segment = *log.segments_.find(known.number);
    segment.repeated = known.repeated;
    segment.erases_bytes = known.erases_bytes;
    segment.first = known.first;
    segment.last = known.last;
    segment.ends_in.insert(known.ends_in.begin(), known.ends_in.end());
  }
  reading_ = snapshot_->position.segment;
  const Index::Segments& known = log.index_.segments();
  if (known.empty() || known.back()->number() != reading_) log.index_.open_segment(reading_);
  log.last_ = log.index_.ahead_last();
  log.last_time_ = log.index_.ahead_last_time();
  log.owner_.restore(snapshot_->state);
  snapshot_.reset();
  snapshot_bytes_ = std::string();
}

void Recovery::on_read(std::shared_ptr<Found> found) {
  if (current_) {
    next_ = std::move(found);
  } else {
    take(std::move(found));
  }
}

void Recovery::take(std::shared_ptr<Found> found) {
  if (!found->status) {
    std::exchange(done_, nullptr)(tl::unexpected(found->status.error()));
    return;
  }
  if (log_->segments_.empty()) add_segments();
  if (snapshot_) take_snapshot();
  if (!found->more) return finish(*found);
  current_ = std::move(found);
  begin_segment(current_->chunk);
  run_ = 0;
  at_ = 0;
  read_next();
  apply_slice();
}

// The scan's list, before a worker goes on with it.
void Recovery::add_segments() {
  for (const FoundSegment& segment : scan_.segments()) {
    log_->segments_.add({.file = segment.file,
                         .stands_for = segment.stands_for,
                         .end = segment.end,
                         .readable = segment.end,
                         .reserved = segment.end});
  }
}

void Recovery::begin_segment(const Chunk& chunk) {
  if (reading_ == chunk.segment->number) return;
  reading_ = chunk.segment->number;
  log_->index_.open_segment(reading_);
}

void Recovery::apply_slice() {
  const Chunk& chunk = current_->chunk;
  std::size_t budget = slice;
  while (budget != 0 && run_ < chunk.runs.size()) {
    const Run& run = chunk.runs[run_];
    at_ = std::max(at_, run.begin);
    while (budget != 0 && at_ < run.end) {
      Record record;
      decode_good_record(std::string_view(chunk.bytes).substr(at_, run.end - at_), record);
      if (!apply(record, chunk.offset + at_, budget)) break;
      at_ += record.size_bytes;
      budget -= std::min<std::size_t>(budget, 1);
    }
    if (at_ >= run.end) ++run_;
  }
  log_->index_.end_part(recovered);
  log_->index_.commit(recovered);
  if (run_ < chunk.runs.size()) {
    log_->loop_.post([self = shared_from_this()] { self->apply_slice(); });
    return;
  }
  current_ = nullptr;
  if (next_) take(std::exchange(next_, nullptr));
}

bool Recovery::apply(const Record& record, std::uint64_t offset, std::size_t& budget) {
  FileLog& log = *log_;
  switch (record.kind) {
    case RecordKind::message:
      apply_message(record, offset, budget);
      return true;
    case RecordKind::erase:
      return apply_erase(record, budget);
    case RecordKind::through:
      return apply_through(record.last, budget);
    case RecordKind::note:
      if (current_->chunk.notes) log.owner_.replay_note(record.owner_kind, record.note);
      return true;
    case RecordKind::mark:
      if (record.mark.last > log.last_) {
        log.index_.skip_to(record.mark.last, record.mark.time);
        log.last_ = record.mark.last;
        log.last_time_ = record.mark.time;
      }
      return true;
    case RecordKind::batch:
      return true;
  }
  return true;
}

void Recovery::apply_message(const Record& record, std::uint64_t offset, std::size_t& budget) {
  FileLog& log = *log_;
  const Message& message = record.message;
  if (message.sequence <= log.last_) return;  // the same as before, or what nobody wrote
  log.last_ = message.sequence;
  log.last_time_ = std::max(log.last_time_, message.time);
  log.segments_.find(reading_)->saw(message.sequence);
  log.index_.append({.sequence = message.sequence,
                     .offset = static_cast<std::uint32_t>(offset),
                     .counted = static_cast<std::uint32_t>(counted_bytes(Storage::file, message)),
                     .time = log.last_time_,
                     .subject = message.subject});
  log.owner_.replay_message(message);
  if (record.evicted != 0) erase(record.evicted, budget);
}

bool Recovery::apply_erase(const Record& record, std::size_t& budget) {
  const Sequence last = std::min(record.last, log_->last_);
  Sequence sequence = std::max({record.first, log_->index_.ahead_first(), resume_});
  for (; sequence <= last; ++sequence) {
    if (budget == 0) {
      resume_ = sequence;
      return false;
    }
    erase(sequence, budget);
  }
  resume_ = 0;
  return true;
}

bool Recovery::apply_through(Sequence last, std::size_t& budget) {
  FileLog& log = *log_;
  for (Sequence first = log.index_.ahead_first(); first != 0 && first <= last;
       first = log.index_.ahead_first()) {
    if (budget == 0) return false;
    erase(first, budget);
  }
  if (last > log.last_) {
    static_cast<void>(log.index_.erase_through(last, slice));
    log.last_ = last;
  }
  return true;
}

void Recovery::erase(Sequence sequence, std::size_t& budget) {
  const auto place = log_->index_.find_ahead(sequence);
  if (!log_->index_.erase(sequence)) return;
  if (place->segment != reading_) log_->segments_.find(reading_)->ends_in.insert(place->segment);
  log_->owner_.replay_erased(sequence);
  budget -= std::min<std::size_t>(budget, 1);
}

void Recovery::finish(Found& last) {
  FileLog& log = *log_;
  settle_segments();
  if (last.fresh) log.segments_.set_next(std::move(last.fresh));
  const bool goes_on = !log.segments_.next_is_ready();
  if (goes_on && log.segments_.open().number() != reading_) {
    log.index_.open_segment(log.segments_.open().number());
  }
  log.damaged_count_ = scan_.damaged();
  if (!log.segments_.empty()) {
    const LogSegment& open = log.segments_.open();
    log.committed_end_ = {open.number(), open.end};
    log.durable_ = log.committed_end_;
  }
  if (!goes_on) log.begin_segment();
  log.tidy();
  log.services_.failed.forget(log.stream_);
  std::exchange(done_, nullptr)(std::unique_ptr<Log>(std::move(log_)));
}

// By now it is known which segments there are and where they end.
void Recovery::settle_segments() {
  SegmentSet& segments = log_->segments_;
  const std::vector<FoundSegment>& found = scan_.segments();
  while (segments.all().size() > found.size()) segments.forget_last();
  segments.set_last_number(scan_.last_number());
  absl::flat_hash_set<std::uint64_t> alive;
  for (const auto& segment : log_->index_.segments()) alive.insert(segment->number());
  for (const FoundSegment& was : found) {
    LogSegment& segment = *segments.find(was.file->number);
    segment.end = was.end;
    segment.readable = was.end;
    segment.dead = !alive.contains(was.file->number) && &was != &found.back();
  }
}

}  // namespace spanwire::store
