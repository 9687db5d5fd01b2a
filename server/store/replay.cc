#include "store/replay.h"

#include <algorithm>
#include <span>

namespace spanwire::store {

namespace {

// A slice is so many messages of which only the index learns much.
constexpr std::size_t slice = 12'000;
// The owner reads headers; an erasure goes to where its message lies. Each takes as long as so many
// plain messages.
constexpr std::size_t headers_cost = 3;
constexpr std::size_t erase_cost = 4;
// Of the index, which needs a name for what is committed while the log has none yet.
constexpr Ticket recovered = 0;

// Brings the head of a record of the next group, if records there are as large as this one: these
// bytes were last in the hands of another processor.
void prefetch_record(std::string_view bytes) {
  constexpr std::size_t line = 64;
  const std::size_t distance = KnownSubjects::most_together * record_size(bytes);
  if (distance + line >= bytes.size()) return;
  __builtin_prefetch(bytes.data() + distance);
  __builtin_prefetch(bytes.data() + distance + line);
}

}  // namespace

void Replay::commit() {
  log_.index_.end_part(recovered);
  log_.index_.commit(recovered);
  if (epoch_ == log_.index_.epoch()) return;
  epoch_ = log_.index_.epoch();
  known_.forget_all();
}

bool Replay::take(const Chunk& chunk) {
  begin_segment(chunk);
  open_ = log_.segments_.find(segment_);
  budget_ = slice;
  while (budget_ != 0 && run_ < chunk.runs.size()) {
    const Run& run = chunk.runs[run_];
    at_ = std::max(at_, run.begin);
    take_run(chunk, run);
    if (at_ >= run.end) ++run_;
  }
  commit();
  if (run_ < chunk.runs.size()) return false;
  run_ = 0;
  at_ = 0;
  return true;
}

void Replay::begin_segment(const Chunk& chunk) {
  if (segment_ == chunk.segment->number) return;
  segment_ = chunk.segment->number;
  log_.index_.open_segment(segment_);
}

void Replay::take_run(const Chunk& chunk, const Run& run) {
  while (budget_ != 0 && at_ < run.end) {
    const std::string_view bytes = std::string_view(chunk.bytes).substr(at_, run.end - at_);
    gather(bytes);
    if (group_.size != 0) {
      take_group(chunk);
      continue;
    }
    Record record;
    decode_good_record(bytes, record);
    if (!take_other(chunk, record)) return;
    at_ += record.size_bytes;
    spend(1);
  }
}

// The messages that these bytes begin with. Their subjects are looked up together: it is for memory
// that a start of many subjects waits most.
void Replay::gather(std::string_view bytes) {
  std::array<std::string_view, KnownSubjects::most_together> texts;
  group_.size = 0;
  while (group_.size < texts.size() && !bytes.empty()) {
    MessageRecord& record = group_.messages[group_.size];
    prefetch_record(bytes);
    if (!decode_good_message(bytes, record)) break;
    bytes.remove_prefix(record.size_bytes);
    texts[group_.size++] = record.message.subject;
  }
  const std::span<SubjectId> subjects = std::span(group_.subjects).first(group_.size);
  known_.find(std::span(texts).first(group_.size), subjects);
  for (const SubjectId id : subjects) {
    if (id != no_subject) log_.index_.prefetch(id);
  }
}

void Replay::take_group(const Chunk& chunk) {
  for (std::size_t i = 0; i < group_.size && budget_ != 0; ++i) {
    take_message(group_.messages[i], group_.subjects[i], chunk.offset + at_);
    at_ += group_.messages[i].size_bytes;
  }
}

void Replay::take_message(const MessageRecord& record, SubjectId subject, std::uint64_t offset) {
  const Message& message = record.message;
  spend(message.headers.empty() ? 1 : 1 + headers_cost);
  if (message.sequence <= log_.last_) return;  // the same as before, or what nobody wrote
  log_.last_ = message.sequence;
  log_.last_time_ = std::max(log_.last_time_, message.time);
  open_->saw(message.sequence);
  const SubjectId id = log_.index_.append_committed(
      {.sequence = message.sequence,
       .offset = static_cast<std::uint32_t>(offset),
       .counted = static_cast<std::uint32_t>(counted_bytes(Storage::file, message)),
       .time = log_.last_time_,
       .subject = message.subject,
       .id = subject});
  if (subject == no_subject) known_.remember(message.subject, id);
  log_.owner_.replay_message(message);
  if (record.evicted != 0) erase(record.evicted);
}

bool Replay::take_other(const Chunk& chunk, const Record& record) {
  switch (record.kind) {
    case RecordKind::erase:
      return take_erase(record);
    case RecordKind::through:
      return take_through(record.last);
    case RecordKind::note:
      if (chunk.notes) log_.owner_.replay_note(record.owner_kind, record.note);
      return true;
    case RecordKind::mark:
      if (record.mark.last > log_.last_) {
        log_.index_.skip_to(record.mark.last, record.mark.time);
        log_.last_ = record.mark.last;
        log_.last_time_ = record.mark.time;
      }
      return true;
    case RecordKind::message:  // is taken in groups
    case RecordKind::batch:
      return true;
  }
  return true;
}

bool Replay::take_erase(const Record& record) {
  const Sequence last = std::min(record.last, log_.last_);
  Sequence sequence = std::max({record.first, log_.index_.ahead_first(), resume_});
  for (; sequence <= last; ++sequence) {
    if (budget_ == 0) {
      resume_ = sequence;
      return false;
    }
    erase(sequence);
  }
  resume_ = 0;
  return true;
}

bool Replay::take_through(Sequence last) {
  for (Sequence first = log_.index_.ahead_first(); first != 0 && first <= last;
       first = log_.index_.ahead_first()) {
    if (budget_ == 0) return false;
    erase(first);
  }
  if (last > log_.last_) {
    static_cast<void>(log_.index_.erase_through(last, slice));
    log_.last_ = last;
  }
  return true;
}

void Replay::erase(Sequence sequence) {
  const auto place = log_.index_.find_ahead(sequence);
  if (!log_.index_.erase(sequence)) return;
  if (place->segment != segment_) open_->ends_in.insert(place->segment);
  log_.owner_.replay_erased(sequence);
  spend(erase_cost);
}

}  // namespace spanwire::store
