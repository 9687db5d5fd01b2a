#include "store/file_log.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "logging/logging.h"
#include "store/segment_header.h"

namespace spanwire::store {

namespace {

// What a log keeps of its tail, while the process is within its own budget.
constexpr std::size_t tail_bytes = 1U << 20;
// An open segment below this is not sealed because much of it is dead: a stream of a few messages
// does not make files all the time.
constexpr std::uint64_t least_sealed_bytes = 1U << 20;

const logging::Logger& log() {
  static const logging::Logger logger = logging::get("store");
  return logger;
}

}  // namespace

FileLog::FileLog(const LogServices& services, base::Loop& loop, Owner& owner, std::uint64_t stream,
                 std::uint64_t seed)
    : IndexedLog([this](Sequence sequence) { return time_of(sequence); }),
      services_(services),
      loop_(loop),
      owner_(owner),
      stream_(stream),
      segments_(services_, loop, stream, seed),
      tail_(services.tails, tail_bytes) {}

FileLog::~FileLog() = default;

base::Done<base::Status> FileLog::begin(base::Ref<SegmentFile> segment) {
  segments_.set_next(std::move(segment));
  begin_segment();
  held_.emplace();
  return lifeline_.bind([this](const base::Status& status) { header_synced(status); });
}

void FileLog::header_synced(const base::Status& status) {
  std::vector<Write> held = std::move(*held_);
  held_.reset();
  const std::weak_ptr<char> alive = lifeline_.watch();
  for (Write& write : held) {
    if (status) {
      services_.committer.submit(std::move(write));
    } else {
      write.done(status);
    }
  }
  if (!status && !alive.expired() && !failed_) fail(status.error());
}

void FileLog::submit(Write write) {
  if (held_) {
    held_->push_back(std::move(write));
  } else {
    services_.committer.submit(std::move(write));
  }
}

void FileLog::begin_batch() {
  if (batch_.begun()) return;
  const LogSegment& segment = segments_.open();
  batch_.begin(segment.file->salt, segment.end);
}

Sequence FileLog::append(const Appending& appending) {
  if (failed_) return 0;
  begin_batch();
  const Message message{.sequence = std::max(appending.sequence, last_ + 1),
                        .time = std::max(appending.time, last_time_),
                        .subject = appending.subject,
                        .headers = appending.headers,
                        .payload = appending.payload};
  const std::uint64_t offset = batch_.message(message);
  index_.append({.sequence = message.sequence,
                 .offset = static_cast<std::uint32_t>(offset),
                 .counted = static_cast<std::uint32_t>(counted_bytes(Storage::file, message)),
                 .time = message.time,
                 .subject = message.subject});
  last_ = message.sequence;
  last_time_ = message.time;
  segments_.open().saw(last_);
  return message.sequence;
}

// The record that ends this message must outlive the message's own.
void FileLog::end_in(Sequence sequence) {
  const auto place = index_.find_ahead(sequence);
  if (place && place->segment != segments_.open().number()) {
    segments_.open().ends_in.insert(place->segment);
  }
}

bool FileLog::erase(Sequence sequence) {
  if (failed_) return false;
  end_in(sequence);
  if (!index_.erase(sequence)) return false;
  begin_batch();
  batch_.erase(sequence);
  return true;
}

bool FileLog::erase_through(Sequence sequence, std::size_t budget) {
  if (failed_) return true;
  for (const LogSegment& segment : segments_.all()) {
    if (segment.number() != segments_.open().number()) {
      segments_.open().ends_in.insert(segment.number());
    }
  }
  const bool all = index_.erase_through(sequence, budget);
  begin_batch();
  batch_.through(all ? sequence : index_.ahead_first() - 1);
  last_ = std::max(last_, all ? sequence : 0);
  return all;
}

void FileLog::note(std::uint32_t kind, std::string_view note) {
  if (failed_) return;
  begin_batch();
  batch_.note(kind, note);
}

Ticket FileLog::commit() {
  const Ticket ticket = ++ticket_;
  const bool is_empty = said_bytes() == 0;
  if (failed_ || (is_empty && rounds_.empty())) {
    tell_later(ticket);
  } else if (is_empty) {
    rounds_.back().ticket = ticket;
  } else {
    if (repeat_due_) repeat_notes();
    index_.end_part(ticket);
    Round& round = rounds_.emplace_back(Round{.ticket = ticket});
    write_batch(round);
    if (should_roll()) roll(round);
    if (snapshot_is_due()) round.snapshot = take_snapshot();
  }
  return ticket;
}

// Nothing was written for it: it is told in another turn, as all others are.
void FileLog::tell_later(Ticket ticket) {
  loop_.post(lifeline_.bind([this, ticket] {
    owner_.on_committed(ticket, failed_ ? base::fail(failed_->text) : base::Status());
  }));
}

void FileLog::write_batch(Round& round) {
  LogSegment& segment = segments_.open();
  const std::uint64_t offset = segment.end;
  auto bytes = base::make_ref<const Bytes>(batch_.finish(durable_));
  unsaid_bytes_ = batch_record_bytes;
  segment.end += bytes->text.size();
  round.bytes += bytes->text.size();
  unsnapped_bytes_ += bytes->text.size();
  round.end = {segment.number(), segment.end};
  ++round.writes;
  in_flight_bytes_ += bytes->text.size();
  tail_.add({segment.number(), offset}, bytes);
  const std::uint64_t number = first_round_ + rounds_.size() - 1;
  submit({.segment = segment.file,
          .offset = offset,
          .bytes = std::move(bytes),
          .sync = services_.settings.sync_interval == base::Duration{},
          .loop = &loop_,
          .done = lifeline_.bind(
              [this, number](const base::Status& status) { on_written(number, status); })});
}

bool FileLog::should_roll() {
  const LogSegment& segment = segments_.open();
  const std::uint64_t live = open_live_bytes() + segment.repeated;
  const bool is_full = segment.end >= services_.settings.segment_bytes || index_.segment_full();
  const bool half_dead =
      segment.end >= std::min(least_sealed_bytes, services_.settings.segment_bytes) &&
      live < segment.end / 2;
  const bool is_near = is_full || half_dead || segment.end >= segment.reserved / 2;
  segments_.look_ahead(is_near);
  return (is_full || half_dead) && segments_.next_is_ready();
}

std::uint64_t FileLog::open_live_bytes() const {
  const Index::Segments& known = index_.segments();
  const bool has_any = !known.empty() && known.back()->number() == segments_.open().number();
  return has_any ? known.back()->live_bytes() : 0;
}

// The open segment is full.
void FileLog::roll(Round& round) {
  round.sealed = {segments_.open().number(), segments_.open().end};
  begin_segment();
  repeat_notes();
  write_batch(round);
  snapshot_due_ = true;
}

// The batch that is being written is the first of the next segment.
void FileLog::begin_segment() {
  Mark mark{.last = last_, .time = last_time_};
  if (!segments_.empty()) {
    mark.previous_salt = segments_.open().file->salt;
    mark.previous_end = segments_.open().end;
  }
  LogSegment& segment = segments_.advance();
  index_.open_segment(segment.number());
  batch_.begin(segment.file->salt, segment.end);
  batch_.mark(mark);
  repeat_due_ = true;
  unsaid_bytes_ = batch_.size();
}

// With this all that notes have said before is forgotten.
void FileLog::repeat_notes() {
  repeat_due_ = false;
  const std::size_t before = batch_.size();
  owner_.repeat_notes();
  segments_.open().repeated = batch_.size() - before;
}

void FileLog::on_written(std::uint64_t number, const base::Status& status) {
  if (failed_ || number < first_round_) return;
  Round& round = rounds_[number - first_round_];
  BASE_ASSERT(round.writes != 0);
  --round.writes;
  if (!status) round.status = status;
  apply_rounds();
}

void FileLog::apply_rounds() {
  // The owner may destroy the log when it hears of a round.
  const std::weak_ptr<char> alive = lifeline_.watch();
  while (!failed_ && !rounds_.empty() && rounds_.front().writes == 0) {
    const Round round = std::move(rounds_.front());
    if (!round.status) return fail(round.status.error());
    rounds_.pop_front();
    ++first_round_;
    apply(round);
    owner_.on_committed(round.ticket, {});
    if (alive.expired()) return;
  }
  if (!failed_ && rounds_.empty() && said_bytes() == 0 && closed_) finish_close();
}

// Commits were told when they were written: what is written by then becomes durable together.
void FileLog::sync_later() {
  if (std::exchange(sync_due_, true)) return;
  loop_.start_timer(services_.settings.sync_interval, lifeline_.bind([this] {
    sync_due_ = false;
    if (failed_) return;
    const LogSegment& segment = segments_.open();
    const Position end{segment.number(), segment.readable};
    services_.committer.submit({.segment = segment.file,
                                .offset = segment.end,
                                .bytes = {},
                                .sync = true,
                                .loop = &loop_,
                                .done = lifeline_.bind([this, end](const base::Status& status) {
                                  if (failed_) return;
                                  if (!status) return fail(status.error());
                                  durable_ = std::max(durable_, end);
                                })});
  }));
}

void FileLog::apply(const Round& round) {
  in_flight_bytes_ -= round.bytes;
  committed_end_ = round.end;
  if (services_.settings.sync_interval == base::Duration{}) {
    durable_ = round.end;
  } else {
    sync_later();
  }
  index_.commit(round.ticket);
  segments_.find(round.end.segment)->readable = round.end.offset;
  if (LogSegment* sealed = segments_.find(round.sealed.segment)) {
    sealed->readable = round.sealed.offset;
    segments_.seal(*sealed);
    if (services_.settings.sync_interval != base::Duration{}) unsynced_.push_back(sealed->file);
  }
  if (round.snapshot.bytes) snapshot_ = round.snapshot;
  if (round.snapshot.bytes || round.sealed.segment != 0) save_next();
  tidy();
  look_for_dead_soon();
}

// What only erased messages needed.
void FileLog::tidy() {
  const auto first = index_.find_ahead(index_.ahead_first());
  const LogSegment& open = segments_.open();
  tail_.forget_before(first ? Position{first->segment, first->offset}
                            : Position{open.number(), open.end});
  mark_dead();
  for (const auto& file : segments_.drop_dead()) blocks_.forget(*file);
}

void FileLog::mark_dead() {
  for (const std::uint64_t number : index_.take_dead()) {
    if (LogSegment* segment = segments_.find(number)) segment->dead = true;
  }
}

void FileLog::fail(const base::Error& error) {
  log().error("{}: nothing can be stored any more until it is opened again: {}",
              stream_folder(stream_), error.text);
  failed_ = error;
  services_.failed.add(stream_, {committed_end_, segments_.jobs()});
  index_.drop_uncommitted();
  batch_.clear();
  rounds_.clear();
  in_flight_bytes_ = 0;
  last_ = index_.totals().last;
  last_time_ = index_.totals().last_time;
  const std::weak_ptr<char> alive = lifeline_.watch();
  owner_.on_committed(ticket_, base::fail(error.text));
  if (!alive.expired() && closed_) finish_close();
}

void FileLog::close(base::Done<> done) {
  closed_ = std::move(done);
  commit();
  if (failed_ || rounds_.empty()) loop_.post(lifeline_.bind([this] { finish_close(); }));
}

void FileLog::clear_index() {
  index_ = Index([this](Sequence sequence) { return time_of(sequence); });
}

Log::Footprint FileLog::footprint() const {
  return {.memory_bytes = index_.memory_bytes() + tail_.bytes() + blocks_.bytes() + batch_.size(),
          .disk_bytes = segments_.disk_bytes(),
          .segments = segments_.all().size(),
          .damaged = damaged_count_};
}

}  // namespace spanwire::store
