#include "store/recovery.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "store/segment_header.h"
#include "store/store_folder.h"
#include "store/whole_file.h"

namespace spanwire::store {

namespace {

// When the workers have too much to do.
constexpr base::Duration again_after = std::chrono::milliseconds(5);
// Then a worker lets others have their turn: some ten milliseconds.
constexpr std::size_t chunks_at_once = 32;
// Few messages are smaller, and not each has a subject of its own.
constexpr std::uint64_t bytes_a_subject = 128;

}  // namespace

Recovery::Recovery(std::unique_ptr<FileLog> log, const SegmentScan::Start& start, Recovered done)
    : log_(std::move(log)),
      start_(start),
      done_(std::move(done)),
      fresh_salt_(log_->segments_.draw_salt()),
      scan_(log_->services_.files, log_->stream_) {}

void Recovery::start(std::unique_ptr<FileLog> log, const SegmentScan::Start& start,
                     Recovered done) {
  const std::shared_ptr<Recovery> recovery(new Recovery(std::move(log), start, std::move(done)));
  recovery->run(&Recovery::open, &Recovery::on_opened);
}

void Recovery::run(Work work, Then then) {
  auto outcome = std::make_shared<Outcome>();
  const bool runs = log_->services_.workers.run(
      [self = shared_from_this(), work, outcome] { (*self.*work)(*outcome); }, log_->loop_,
      [self = shared_from_this(), then, outcome] { (*self.*then)(std::move(*outcome)); });
  if (runs) return;
  log_->loop_.start_timer(again_after,
                          [self = shared_from_this(), work, then] { self->run(work, then); });
}

void Recovery::open(Outcome& outcome) {
  outcome.status = scan_.open(start_);
  if (!outcome.status) return;
  replay_.emplace(*log_, most_subjects());
  outcome.status = read_snapshot();
}

std::size_t Recovery::most_subjects() const {
  std::uint64_t bytes = 0;
  for (const FoundSegment& segment : scan_.segments()) bytes += segment.end;
  return static_cast<std::size_t>(bytes / bytes_a_subject);
}

void Recovery::read(Outcome& outcome) {
  for (std::size_t left = chunks_at_once; left != 0; --left) {
    std::optional<Chunk> chunk = chunks_.begin();
    if (!chunk) return;
    const auto more = scan_.next(*chunk);
    if (!more || !*more) {
      outcome.ended = true;
      outcome.status = more ? make_fresh(outcome) : tl::unexpected(more.error());
      return;
    }
    if (!chunks_.push(*std::move(chunk))) continue;
    log_->loop_.post([self = shared_from_this()] { self->take_next(); });
  }
}

base::Status Recovery::make_fresh(Outcome& outcome) {
  const bool goes_on = start_.limit.segment == UINT64_MAX && !scan_.segments().empty();
  if (goes_on) return {};
  auto fresh = make_segment(log_->services_.files, log_->stream_, scan_.last_number() + 1,
                            fresh_salt_, log_->services_.settings.segment_first_bytes);
  if (!fresh) return tl::unexpected(std::move(fresh.error()));
  outcome.fresh = std::move(*fresh);
  return {};
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
    replay_->known().forget_all();
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
  ReadBuffer buffer;
  std::size_t i = 0;
  for (; found[i].file->number < position.segment; ++i) {
    if (!read_sidecar(i, scan_.known_end(i), buffer)) return false;
  }
  return read_sidecar(i, position.offset, buffer);
}

bool Recovery::read_sidecar(std::size_t index, std::uint64_t end, ReadBuffer& buffer) {
  const SegmentFile& file = *scan_.segments()[index].file;
  Files& files = log_->services_.files;
  if (end > scan_.segments()[index].end) return false;
  Known& known = known_.emplace_back(Known{.number = file.number, .end = end});
  if (scan_.segments()[index].has_sidecar) {
    const auto read =
        read_file(files, sidecar_path(file.stream, file.number), most_sidecar_bytes, buffer);
    std::optional<Sidecar> sidecar = read ? decode_sidecar(buffer) : std::nullopt;
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
    if (!index.adopt(std::move(sidecar.messages), sidecar.subjects, replay_->known())) return false;
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
  replay_->commit();
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
  const std::uint64_t segment = snapshot_->position.segment;
  replay_->go_on_in(segment);
  log.segments_.find(segment)->repeated = snapshot_->repeated;
  const Index::Segments& known = log.index_.segments();
  if (known.empty() || known.back()->number() != segment) log.index_.open_segment(segment);
  log.last_ = log.index_.ahead_last();
  log.last_time_ = log.index_.ahead_last_time();
  log.state_bytes_ = snapshot_->state.size();
  log.owner_.restore(snapshot_->state);
  snapshot_.reset();
  snapshot_bytes_ = std::string();
  known_.clear();
}

void Recovery::on_opened(Outcome outcome) {
  last_ = std::move(outcome);
  if (!last_.status) return end();
  add_segments();
  if (snapshot_) take_snapshot();
  read_on();
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

void Recovery::read_on() {
  if (reading_ || last_.ended || !chunks_.is_worth_filling()) return;
  reading_ = true;
  run(&Recovery::read, &Recovery::on_read);
}

void Recovery::on_read(Outcome outcome) {
  reading_ = false;
  last_ = std::move(outcome);
  if (last_.ended && !current_ && chunks_.is_waited_for()) return end();
  read_on();
}

// A slice, and then the next: the loop's other work comes between them.
void Recovery::take_next() {
  if (!current_) current_ = chunks_.pop();
  if (!current_) {
    if (last_.ended) end();
    return;
  }
  if (replay_->take(*current_)) {
    chunks_.give_back(*std::exchange(current_, std::nullopt));
    read_on();
  }
  log_->loop_.post([self = shared_from_this()] { self->take_next(); });
}

void Recovery::end() {
  if (last_.status) return finish();
  std::exchange(done_, nullptr)(tl::unexpected(last_.status.error()));
}

void Recovery::finish() {
  FileLog& log = *log_;
  settle_segments();
  if (last_.fresh) log.segments_.set_next(std::move(last_.fresh));
  const bool goes_on = !log.segments_.next_is_ready();
  if (goes_on && log.segments_.open().number() != replay_->segment()) {
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
