#include "store/recovery.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "store/segment_header.h"
#include "store/store_folder.h"
#include "store/whole_file.h"

namespace spanwire::store {

namespace {

// Messages taken and erased in one slice: about a millisecond, the owner's part included.
constexpr std::size_t slice = 3'000;
// When the workers have too much to do.
constexpr base::Duration again_after = std::chrono::milliseconds(5);
// Of the index, which needs a name for what is committed while the log has none yet.
constexpr Ticket recovered = 0;

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
  if (!snapshot_) return {};
  if (!fits(*snapshot_, scan_.segments()) || !read_sidecars()) {
    snapshot_.reset();
    known_.clear();
    log.clear_index();
    return {};
  }
  std::vector<std::uint64_t> ends;
  for (const Known& known : known_) ends.push_back(known.end);
  if (known_.back().number == snapshot_->position.segment) ends.pop_back();
  scan_.begin_at(snapshot_->position, ends);
  return {};
}

// Of all segments before the snapshot's position, and of its own up to there.
bool Recovery::read_sidecars() {
  const std::vector<FoundSegment>& found = scan_.segments();
  const Position position = snapshot_->position;
  std::size_t i = 0;
  for (; found[i].file->number < position.segment; ++i) {
    if (!read_sidecar(i, scan_.known_end(i))) return false;
  }
  return read_sidecar(i, position.offset);
}

bool Recovery::read_sidecar(std::size_t index, std::uint64_t end) {
  const SegmentFile& file = *scan_.segments()[index].file;
  Files& files = log_->services_.files;
  if (end > scan_.segments()[index].end) return false;
  Known& known = known_.emplace_back(Known{.number = file.number, .end = end});
  if (scan_.segments()[index].has_sidecar) {
    const auto bytes = read_file(files, sidecar_path(file.stream, file.number), most_sidecar_bytes);
    std::optional<Sidecar> sidecar = bytes ? decode_sidecar(*bytes) : std::nullopt;
    const bool is_its_own = sidecar && sidecar->number == file.number &&
                            sidecar->salt == file.salt && sidecar->end == end;
    known.has_sidecar = is_its_own;
    if (is_its_own) return take_sidecar(std::move(*sidecar), known);
  }
  const auto made = make_sidecar(file, end);
  std::optional<Sidecar> sidecar = made ? decode_sidecar(*made) : std::nullopt;
  return sidecar && take_sidecar(std::move(*sidecar), known);
}

bool Recovery::take_sidecar(Sidecar sidecar, Known& known) {
  Index& index = log_->index_;
  known.erase_bytes = sidecar.erase_bytes;
  if (sidecar.messages != nullptr) {
    known.first = sidecar.messages->first();
    known.last = sidecar.messages->last();
    if (!index.adopt(std::move(sidecar.messages), sidecar.subjects)) return false;
  }
  for (const Sidecar::Range& range : sidecar.erased) {
    Sequence sequence = index.ahead_from(range.first);
    for (; sequence != 0 && sequence <= range.last; sequence = index.ahead_from(sequence + 1)) {
      const auto place = index.find_ahead(sequence);
      if (place->segment != known.number) known.ends_in.insert(place->segment);
      index.erase(sequence);
    }
  }
  if (sidecar.last > index.ahead_last()) index.skip_to(sidecar.last, sidecar.last_time);
  index.end_part(recovered);
  index.commit(recovered);
  return true;
}

// What a worker has read of it, on the loop.
void Recovery::take_snapshot() {
  FileLog& log = *log_;
  for (Known& known : known_) {
    LogSegment& segment = *log.segments_.find(known.number);
    segment.first = known.first;
    segment.last = known.last;
    segment.ends_in = std::move(known.ends_in);
    segment.has_sidecar = known.has_sidecar;
    // Of another nobody has found out which of these are needed.
    if (segment.compacted) segment.erases_bytes = known.erase_bytes;
  }
  snapshot_taken_ = true;
  reading_ = snapshot_->position.segment;
  log.segments_.find(reading_)->repeated = snapshot_->repeated;
  const Index::Segments& known = log.index_.segments();
  if (known.empty() || known.back()->number() != reading_) log.index_.open_segment(reading_);
  log.last_ = log.index_.ahead_last();
  log.last_time_ = log.index_.ahead_last_time();
  log.state_bytes_ = snapshot_->state.size();
  log.owner_.restore(snapshot_->state);
  snapshot_.reset();
  snapshot_bytes_ = std::string();
  known_.clear();
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
                         .reserved = segment.end,
                         .compacted = segment.compacted});
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
  log.snapshot_due_ = !snapshot_taken_;
  log.tidy();
  log.save_next();
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
