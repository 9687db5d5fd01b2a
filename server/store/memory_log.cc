#include "store/memory_log.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/assert.h"
#include "store/store.h"

namespace spanwire::store {
namespace {

constexpr std::size_t smallest_chunk = 4U << 10;
constexpr std::size_t largest_chunk = 8U << 20;
// A log lies in so many chunks of one size, so that an eighth of it is the most that waits for the
// rest of its chunk.
constexpr std::size_t chunks_of_a_log = 8;
// What one commit may do for the room of others: together about half a millisecond.
constexpr std::size_t slice_bytes = 512U << 10;
constexpr std::size_t slice_messages = 4'000;
constexpr std::size_t slice_segments = 8;
// So many small neighbours become one; with fewer each message would be moved more often.
constexpr std::size_t worth_joining = 4;

// What stands before a message's texts.
struct Head {
  std::int64_t time = 0;
  std::uint32_t subject_bytes = 0;
  std::uint32_t header_bytes = 0;
  std::uint32_t payload_bytes = 0;
  std::size_t record_bytes() const {
    return head_bytes + std::size_t{subject_bytes} + header_bytes + payload_bytes;
  }
  static constexpr std::size_t head_bytes = 20;  // as they are stored
};

Head head_of(const char* record) {
  Head head;
  std::memcpy(static_cast<void*>(&head), record, Head::head_bytes);
  return head;
}

char* append_text(char* at, std::string_view text) {
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

base::WallTime wall_time(std::int64_t nanoseconds) {
  return base::WallTime(base::Duration(nanoseconds));
}

}  // namespace

MemoryLog::MemoryLog(Owner& owner)
    : IndexedLog([this](Sequence sequence) { return time_of(sequence); }), owner_(owner) {}

const char* MemoryLog::record(const Index::Place& place) const {
  return chunks_.find(place.segment)->second.bytes.get() + place.offset;
}

base::WallTime MemoryLog::time_of(Sequence sequence) const {
  return wall_time(head_of(record(*index_.find_ahead(sequence))).time);
}

std::size_t MemoryLog::chunk_bytes() const {
  const std::size_t share = index_.ahead().bytes / chunks_of_a_log;
  return std::bit_ceil(std::clamp(share, smallest_chunk, largest_chunk));
}

void MemoryLog::make_room(std::size_t bytes) {
  const auto open = chunks_.find(open_);
  if (open != chunks_.end()) {
    const Chunk& chunk = open->second;
    if (chunk.capacity - chunk.used >= bytes && !index_.segment_full()) return;
  }
  Chunk chunk;
  chunk.capacity = std::max(bytes, chunk_bytes());
  chunk.bytes = std::make_unique_for_overwrite<char[]>(chunk.capacity);
  chunks_bytes_ += chunk.capacity;
  open_ = ++last_number_;
  index_.open_segment(open_);
  chunks_.emplace(open_, std::move(chunk));
}

Sequence MemoryLog::append(const Appending& message) {
  const base::WallTime time = std::max(message.time, index_.ahead().last_time);
  const Head head = {.time = time.time_since_epoch().count(),
                     .subject_bytes = static_cast<std::uint32_t>(message.subject.size()),
                     .header_bytes = static_cast<std::uint32_t>(message.headers.size()),
                     .payload_bytes = static_cast<std::uint32_t>(message.payload.size())};
  const std::size_t bytes = head.record_bytes();
  BASE_ASSERT(bytes < IndexSegment::max_offset);
  make_room(bytes);
  Chunk& chunk = chunks_.find(open_)->second;
  char* at = chunk.bytes.get() + chunk.used;
  std::memcpy(at, &head, Head::head_bytes);
  at = append_text(at + Head::head_bytes, message.subject);
  at = append_text(at, message.headers);
  append_text(at, message.payload);
  const Message stored = {
      .subject = message.subject, .headers = message.headers, .payload = message.payload};
  const Sequence sequence = std::max(message.sequence, index_.ahead().last + 1);
  index_.append({.sequence = sequence,
                 .offset = static_cast<std::uint32_t>(chunk.used),
                 .counted = static_cast<std::uint32_t>(counted_bytes(Storage::memory, stored)),
                 .time = time,
                 .subject = message.subject});
  chunk.used += bytes;
  uncommitted_bytes_ += bytes;
  return sequence;
}

Ticket MemoryLog::commit() {
  const Ticket ticket = ++ticket_;
  index_.end_part(ticket);
  index_.commit(ticket);
  uncommitted_bytes_ = 0;
  tidy();
  owner_.on_committed(ticket, {});
  return ticket;
}

Read MemoryLog::read(Sequence sequence, Message& out) {
  const std::optional<Index::Place> place = index_.find(sequence);
  if (!place) return Read::gone;
  const char* at = record(*place);
  const Head head = head_of(at);
  at += Head::head_bytes;
  out.sequence = sequence;
  out.time = wall_time(head.time);
  out.subject = {at, head.subject_bytes};
  out.headers = {at + head.subject_bytes, head.header_bytes};
  out.payload = {at + head.subject_bytes + head.header_bytes, head.payload_bytes};
  return Read::found;
}

Log::Footprint MemoryLog::footprint() const {
  return {.memory_bytes = chunks_bytes_ + index_.memory_bytes(),
          .segments = index_.segments().size()};
}

void MemoryLog::close(base::Done<> done) {
  commit();
  done();
}

void MemoryLog::tidy() {
  seal_if_mostly_dead();
  if (!rewriting_) begin_rewriting();
  if (rewriting_) go_on_rewriting();
  free_dead();
}

void MemoryLog::free_dead() {
  for (const std::uint64_t number : index_.take_dead()) {
    const auto chunk = chunks_.find(number);
    if (chunk == chunks_.end()) continue;  // was opened, and nothing was appended
    chunks_bytes_ -= chunk->second.capacity;
    chunks_.erase(chunk);
  }
}

// A chunk that was made for a larger log: what is left of it shall not keep it.
void MemoryLog::seal_if_mostly_dead() {
  const auto open = chunks_.find(open_);
  if (open == chunks_.end() || open->second.capacity <= 2 * chunk_bytes()) return;
  const IndexSegment& segment = *index_.segments().back();
  if (segment.live_bytes() > open->second.capacity / 4) return;
  open_ = ++last_number_;
  index_.open_segment(open_);
}

// Whether rewriting it, or it with its neighbours, gives memory back.
bool MemoryLog::mostly_dead(std::size_t at) const {
  const IndexSegment& segment = *index_.segments()[at];
  if (segment.last() > index_.committed_last()) return false;
  const std::size_t capacity = chunks_.find(segment.number())->second.capacity;
  // What is consumed from the front dies by itself, soon.
  if (at == 0 && capacity <= 2 * chunk_bytes()) return false;
  return segment.live_bytes() < capacity / 2;
}

// Whether it should be one with its neighbours.
bool MemoryLog::small(std::size_t at) const {
  const IndexSegment& segment = *index_.segments()[at];
  return segment.last() <= index_.committed_last() && segment.live_bytes() <= chunk_bytes() / 4;
}

void MemoryLog::begin_rewriting() {
  const Index::Segments& segments = index_.segments();
  if (segments.empty()) return;
  const std::size_t sealed = segments.size() - (segments.back()->number() == open_ ? 1 : 0);
  for (std::size_t looks = 0; looks < std::min(slice_segments, sealed); ++looks) {
    if (looked_at_ >= sealed) looked_at_ = 0;
    const std::size_t first = looked_at_++;
    std::size_t bytes = 0;
    std::size_t messages = 0;
    std::size_t end = first;
    while (end < sealed && (mostly_dead(end) || small(end)) &&
           (end == first || bytes + segments[end]->live_bytes() <= chunk_bytes()) &&
           messages + segments[end]->live() <= IndexSegment::max_messages) {
      bytes += segments[end]->live_bytes();
      messages += segments[end]->live();
      ++end;
    }
    if (end == first || (!mostly_dead(first) && end - first < worth_joining)) continue;
    // A record is its counted bytes less the 16 that nats-server counts, and a head.
    const std::size_t capacity = bytes + messages * (Head::head_bytes - 16);
    rewriting_ = {.next = segments[first]->first(), .last = segments[end - 1]->last()};
    rewriting_->chunk.bytes = std::make_unique_for_overwrite<char[]>(capacity);
    rewriting_->chunk.capacity = capacity;
    rewriting_->segment = std::make_unique<IndexSegment>(++last_number_);
    chunks_bytes_ += capacity;
    return;
  }
}

void MemoryLog::go_on_rewriting() {
  Rewriting& to = *rewriting_;
  std::size_t bytes = slice_bytes;
  std::size_t messages = slice_messages;
  for (std::size_t at = index_.segment_from(to.next); at < index_.segments().size(); ++at) {
    const IndexSegment& from = *index_.segments()[at];
    if (from.first() > to.last) break;
    const char* base = chunks_.find(from.number())->second.bytes.get();
    std::size_t i = from.next_live(from.lower_bound(to.next), from.size(), no_subject);
    for (; i < from.size(); i = from.next_live(i + 1, from.size(), no_subject)) {
      if (bytes == 0 || messages == 0) return;
      const char* record = base + from.offset(i);
      const Head head = head_of(record);
      const std::size_t record_bytes = head.record_bytes();
      std::memcpy(to.chunk.bytes.get() + to.chunk.used, record, record_bytes);
      to.segment->append(from.sequence(i), static_cast<std::uint32_t>(to.chunk.used),
                         from.counted(i), from.subject(i), wall_time(head.time));
      to.chunk.used += record_bytes;
      to.next = from.sequence(i) + 1;
      bytes -= std::min(bytes, record_bytes);
      --messages;
    }
  }
  end_rewriting();
}

void MemoryLog::end_rewriting() {
  Rewriting done = std::move(*rewriting_);
  rewriting_.reset();
  const Index::Segments& segments = index_.segments();
  const std::uint64_t number = done.segment->number();
  const std::size_t first = index_.segment_from(done.segment->first());
  std::size_t end = first;
  while (end < segments.size() && segments[end]->first() <= done.last) ++end;
  if (first == end || done.segment->empty()) {  // all of them have died meanwhile
    chunks_bytes_ -= done.chunk.capacity;
    return;
  }
  chunks_.emplace(number, std::move(done.chunk));
  index_.replace(first, end - 1, std::move(done.segment));
}

std::unique_ptr<Log> make_memory_log(Log::Owner& owner) {
  return std::make_unique<MemoryLog>(owner);
}

}  // namespace spanwire::store
