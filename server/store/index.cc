#include "store/index.h"

#include <algorithm>

#include "base/assert.h"

namespace spanwire::store {
namespace {

// Giving so much memory or disk back takes as long as erasing one message from the index.
constexpr std::size_t bytes_like_a_message = 4096;

}  // namespace

const Totals& Index::totals() const {
  const Sequence first = totals_.messages == 0 ? 0 : totals_.first;
  if (timed_ != first) {
    totals_.first_time = first == 0 ? base::WallTime{} : time_of_(first);
    timed_ = first;
  }
  return totals_;
}

std::size_t Index::segment_from(Sequence sequence) const {
  return static_cast<std::size_t>(
      std::partition_point(segments_.begin(), segments_.end(),
                           [sequence](const auto& segment) { return segment->last() < sequence; }) -
      segments_.begin());
}

Index::Spot Index::spot(Sequence sequence) const {
  const std::size_t at = segment_from(sequence);
  if (at == segments_.size()) return {};
  IndexSegment& segment = *segments_[at];
  const std::size_t position = segment.find(sequence);
  if (position == segment.size()) return {};
  return {&segment, position};
}

std::size_t Index::visible_end(const IndexSegment& segment) const {
  return segment.last() <= totals_.last ? segment.size() : segment.lower_bound(totals_.last + 1);
}

void Index::open_segment(std::uint64_t number) {
  if (opened_) {
    dead_.push_back(*opened_);
  } else if (!segments_.empty()) {
    segments_.back()->seal();
    died_ = died_ || segments_.back()->live() == 0;
  }
  opened_ = number;
}

bool Index::segment_full() const {
  return !opened_ && !segments_.empty() && segments_.back()->size() >= IndexSegment::max_messages;
}

SubjectId Index::append(const Appended& message) {
  BASE_ASSERT(message.sequence > ahead_.last);
  BASE_ASSERT(message.time >= ahead_.last_time);
  if (opened_) {
    segments_.push_back(std::make_unique<IndexSegment>(*opened_));
    opened_.reset();
  }
  BASE_ASSERT(!segments_.empty());
  const SubjectId id = message.id != no_subject ? message.id : subjects_.number(message.subject);
  segments_.back()->append(message.sequence, message.offset, message.counted, id, message.time);
  SubjectState& state = subjects_[id];
  if (firsts_wanted_) add_first(id, message.sequence, state);
  if (state.ahead++ == 0) ++ahead_.subjects;
  state.ahead_last = message.sequence;
  state.ahead_stale = 0;
  if (ahead_.messages++ == 0) ahead_.first = message.sequence;
  ahead_.bytes += message.counted;
  ahead_.last = message.sequence;
  ahead_.last_time = message.time;
  part_.appended_bytes += message.counted;
  return id;
}

SubjectId Index::append_committed(const Appended& message) {
  BASE_ASSERT(parts_.empty());
  const SubjectId id = append(message);
  commit_one(subjects_[id], message.sequence);
  totals_.last = message.sequence;
  return id;
}

void Index::erase_ahead(IndexSegment& segment, std::size_t position) {
  const Sequence sequence = segment.sequence(position);
  const SubjectId id = segment.subject(position);
  segment.set_leaving(position);
  SubjectState& state = subjects_[id];
  if (--state.ahead == 0) --ahead_.subjects;
  if (state.ahead_last == sequence) state.ahead_stale = 1;
  if (state.ahead <= 1 && !firsts_.empty()) firsts_.erase(id);
  --ahead_.messages;
  ahead_.bytes -= segment.counted(position);
}

void Index::note_erased(Sequence first, Sequence last) {
  std::vector<Erased>& erased = part_.erased;
  if (!erased.empty() && erased.back().last + 1 == first) {
    erased.back().last = last;
  } else {
    erased.push_back({first, last});
  }
}

void Index::advance_ahead_first() {
  if (ahead_.messages == 0) {
    ahead_.first = ahead_.last + 1;
    return;
  }
  for (std::size_t at = segment_from(ahead_.first);; ++at) {
    BASE_ASSERT(at < segments_.size());
    const IndexSegment& segment = *segments_[at];
    const std::size_t position = segment.next_ahead(segment.lower_bound(ahead_.first), no_subject);
    if (position == segment.size()) continue;
    ahead_.first = segment.sequence(position);
    return;
  }
}

bool Index::erase(Sequence sequence) {
  const Spot at = spot(sequence);
  if (at.segment == nullptr || at.segment->leaving(at.position)) return false;
  erase_ahead(*at.segment, at.position);
  note_erased(sequence, sequence);
  if (sequence == ahead_.first) advance_ahead_first();
  return true;
}

// Returns the last one that it erased; 0 if none.
Sequence Index::erase_ahead_through(Sequence last, std::size_t& budget) {
  Sequence reached = 0;
  for (std::size_t at = segment_from(ahead_.first);
       at < segments_.size() && segments_[at]->first() <= last; ++at) {
    IndexSegment& segment = *segments_[at];
    const std::size_t end = segment.lower_bound(last + 1);
    std::size_t position = segment.next_ahead(segment.lower_bound(ahead_.first), no_subject);
    for (; position < end; position = segment.next_ahead(position + 1, no_subject)) {
      if (budget == 0) return reached;
      budget -= std::min(budget, 1 + segment.counted(position) / bytes_like_a_message);
      reached = segment.sequence(position);
      erase_ahead(segment, position);
    }
  }
  return reached;
}

bool Index::erase_through(Sequence sequence, std::size_t budget) {
  BASE_ASSERT(budget != 0);
  if (ahead_.messages != 0 && ahead_.first <= sequence) {
    const Sequence from = ahead_.first;
    note_erased(from, erase_ahead_through(std::min(sequence, ahead_.last), budget));
    advance_ahead_first();
    if (ahead_.first <= std::min(sequence, ahead_.last)) return false;
  }
  if (sequence > ahead_.last) {
    ahead_.last = sequence;
    ahead_.first = sequence + 1;
  }
  return true;
}

void Index::skip_to(Sequence sequence, base::WallTime time) {
  BASE_ASSERT(sequence > ahead_.last);
  ahead_.last = sequence;
  ahead_.last_time = std::max(ahead_.last_time, time);
  if (ahead_.messages == 0) ahead_.first = sequence + 1;
}

void Index::end_part(Ticket ticket) {
  part_.ticket = ticket;
  part_.last = ahead_.last;
  part_.last_time = ahead_.last_time;
  parts_.push_back(std::move(part_));
  part_ = {};
}

void Index::commit_appended(Sequence last) {
  for (std::size_t at = segment_from(totals_.last + 1); at < segments_.size(); ++at) {
    const IndexSegment& segment = *segments_[at];
    if (segment.first() > last) return;
    const std::size_t end = segment.lower_bound(last + 1);
    for (std::size_t i = segment.lower_bound(totals_.last + 1); i < end; ++i) {
      if (segment.gone(i)) continue;  // stands for a sequence that was never given
      commit_one(subjects_[segment.subject(i)], segment.sequence(i));
    }
  }
}

void Index::commit_one(SubjectState& state, Sequence sequence) {
  if (state.messages++ == 0) ++totals_.subjects;
  state.last = sequence;
  state.last_stale = 0;
  if (totals_.messages++ == 0) totals_.first = sequence;
}

void Index::commit_gone(IndexSegment& segment, std::size_t position) {
  const Sequence sequence = segment.sequence(position);
  const SubjectId id = segment.subject(position);
  segment.set_gone(position);
  if (segment.live() == 0) died_ = true;
  SubjectState& state = subjects_[id];
  if (state.last == sequence) state.last_stale = 1;
  if (--state.messages == 0) {
    --totals_.subjects;
    if (state.ahead == 0) subjects_.emptied(id);
  }
  --totals_.messages;
  totals_.bytes -= segment.counted(position);
}

void Index::commit_erased(const Erased& erased) {
  for (std::size_t at = segment_from(erased.first); at < segments_.size(); ++at) {
    IndexSegment& segment = *segments_[at];
    if (segment.first() > erased.last) return;
    const std::size_t end = segment.lower_bound(erased.last + 1);
    std::size_t i = segment.next_live(segment.lower_bound(erased.first), end, no_subject);
    for (; i < end; i = segment.next_live(i + 1, end, no_subject)) commit_gone(segment, i);
  }
}

void Index::advance_first() {
  if (totals_.messages == 0) {
    totals_.first = totals_.last + 1;
    return;
  }
  for (std::size_t at = segment_from(totals_.first);; ++at) {
    BASE_ASSERT(at < segments_.size());
    const IndexSegment& segment = *segments_[at];
    const std::size_t position =
        segment.next_live(segment.lower_bound(totals_.first), segment.size(), no_subject);
    if (position == segment.size()) continue;
    totals_.first = segment.sequence(position);
    return;
  }
}

void Index::commit(Ticket ticket) {
  while (!parts_.empty() && parts_.front().ticket <= ticket) {
    const Part& part = parts_.front();
    commit_appended(part.last);
    totals_.last = part.last;
    totals_.last_time = part.last_time;
    totals_.bytes += part.appended_bytes;
    for (const Erased& erased : part.erased) commit_erased(erased);
    parts_.pop_front();
  }
  advance_first();
  forget_dead();
  subjects_.recycle();
}

void Index::forget_dead() {
  if (!std::exchange(died_, false)) return;
  Segments kept;
  for (std::unique_ptr<IndexSegment>& segment : segments_) {
    const bool open = !opened_ && segment == segments_.back();
    if (segment->live() != 0 || open) {
      kept.push_back(std::move(segment));
    } else {
      dead_.push_back(segment->number());
    }
  }
  segments_ = std::move(kept);
}

std::vector<std::uint64_t> Index::take_dead() {
  return std::exchange(dead_, {});
}

// Of this subject nothing is said any more that is not committed.
void Index::fall_back(SubjectId id) {
  SubjectState& state = subjects_[id];
  state.ahead = state.messages;
  state.ahead_last = state.last;
  state.ahead_stale = state.last_stale;
  if (state.messages == 0) subjects_.emptied(id);
}

void Index::undo(const Part& part) {
  for (const Erased& erased : part.erased) {
    for (std::size_t at = segment_from(erased.first); at < segments_.size(); ++at) {
      IndexSegment& segment = *segments_[at];
      if (segment.first() > erased.last) break;
      const std::size_t end = segment.lower_bound(erased.last + 1);
      std::size_t i = segment.next_live(segment.lower_bound(erased.first), end, no_subject);
      for (; i < end; i = segment.next_live(i + 1, end, no_subject)) {
        segment.clear_leaving(i);
        fall_back(segment.subject(i));
      }
    }
  }
}

void Index::drop_uncommitted() {
  while (!segments_.empty() && segments_.back()->last() > totals_.last) {
    IndexSegment& segment = *segments_.back();
    const SubjectId id = segment.subject(segment.size() - 1);
    segment.pop();
    fall_back(id);
    if (!segment.empty()) continue;
    dead_.push_back(segment.number());
    segments_.pop_back();
  }
  for (const Part& part : parts_) undo(part);
  undo(part_);
  parts_.clear();
  part_ = {};
  firsts_.clear();
  firsts_wanted_ = false;
  ahead_ = totals_;
  ahead_.first_time = {};
}

SubjectTotals Index::ahead_of(std::string_view subject) const {
  const SubjectId id = subjects_.find(subject);
  if (id == no_subject) return {};
  return {.messages = subjects_[id].ahead, .last = ahead_last_of(id)};
}

SubjectTotals Index::of(std::string_view subject) const {
  const SubjectId id = subjects_.find(subject);
  if (id == no_subject) return {};
  return {.messages = subjects_[id].messages, .last = last_of(id)};
}

Sequence Index::ahead_last_of(SubjectId id) const {
  SubjectState& state = subjects_[id];
  if (state.ahead == 0) return 0;
  if (state.ahead_stale == 0) return state.ahead_last;
  const std::size_t behind = segment_from(state.ahead_last);
  for (std::size_t at = std::min(behind + 1, segments_.size());; --at) {
    BASE_ASSERT(at != 0);
    const IndexSegment& segment = *segments_[at - 1];
    const std::size_t position = segment.last_ahead(segment.lower_bound(state.ahead_last), id);
    if (position == segment.size()) continue;
    state.ahead_last = segment.sequence(position);
    state.ahead_stale = 0;
    return state.ahead_last;
  }
}

Sequence Index::last_of(SubjectId id) const {
  SubjectState& state = subjects_[id];
  if (state.messages == 0) return 0;
  if (state.last_stale == 0) return state.last;
  const std::size_t behind = segment_from(state.last);
  for (std::size_t at = std::min(behind + 1, segments_.size());; --at) {
    BASE_ASSERT(at != 0);
    const IndexSegment& segment = *segments_[at - 1];
    const std::size_t position = segment.last_live(segment.lower_bound(state.last), 0, id);
    if (position == segment.size()) continue;
    state.last = segment.sequence(position);
    state.last_stale = 0;
    return state.last;
  }
}

bool Index::is_ahead(Sequence sequence) const {
  const Spot at = spot(sequence);
  return at.segment != nullptr && !at.segment->leaving(at.position);
}

Sequence Index::ahead_from(Sequence sequence) const {
  if (ahead_.messages == 0) return 0;
  sequence = std::max(sequence, ahead_.first);
  for (std::size_t at = segment_from(sequence); at < segments_.size(); ++at) {
    const IndexSegment& segment = *segments_[at];
    const std::size_t position = segment.next_ahead(segment.lower_bound(sequence), no_subject);
    if (position < segment.size()) return segment.sequence(position);
  }
  return 0;
}

std::optional<Index::Place> Index::find(Sequence sequence) const {
  if (sequence > totals_.last) return std::nullopt;
  return find_ahead(sequence);
}

std::optional<Index::Place> Index::find_ahead(Sequence sequence) const {
  const Spot at = spot(sequence);
  if (at.segment == nullptr || at.segment->gone(at.position)) return std::nullopt;
  return Place{.segment = at.segment->number(), .offset = at.segment->offset(at.position)};
}

std::string_view Index::subject_of(Sequence sequence) const {
  const Spot at = spot(sequence);
  if (at.segment == nullptr || at.segment->gone(at.position)) return {};
  subjects_.tree().text_of(at.segment->subject(at.position), subject_text_);
  return subject_text_;
}

void Index::replace(std::size_t first, std::size_t last, std::unique_ptr<IndexSegment> fresh) {
  BASE_ASSERT(last < segments_.size() - (opened_ ? 0 : 1));
  std::size_t at = first;
  for (std::size_t i = 0; i < fresh->size(); ++i) {
    if (fresh->gone(i)) continue;
    const Sequence sequence = fresh->sequence(i);
    while (at < last && segments_[at]->last() < sequence) ++at;
    const IndexSegment& old = *segments_[at];
    const std::size_t was = old.find(sequence);
    if (was == old.size() || old.gone(was)) {
      fresh->set_gone(i);
    } else if (old.leaving(was)) {
      fresh->set_leaving(i);
    }
  }
  for (std::size_t i = first; i <= last; ++i) dead_.push_back(segments_[i]->number());
  fresh->seal();
  const auto begin = segments_.begin();
  if (fresh->live() == 0) {
    dead_.push_back(fresh->number());
    segments_.erase(begin + static_cast<std::ptrdiff_t>(first),
                    begin + static_cast<std::ptrdiff_t>(last + 1));
    return;
  }
  segments_[first] = std::move(fresh);
  segments_.erase(begin + static_cast<std::ptrdiff_t>(first + 1),
                  begin + static_cast<std::ptrdiff_t>(last + 1));
}

std::size_t Index::memory_bytes() const {
  std::size_t bytes = sizeof(*this) + subjects_.memory_bytes();
  for (const auto& segment : segments_) bytes += segment->memory_bytes();
  bytes += firsts_.capacity() * (sizeof(SubjectId) + sizeof(Firsts) + 1);
  for (const auto& [id, firsts] : firsts_) bytes += firsts.sequences.capacity() * 8;
  return bytes;
}

}  // namespace spanwire::store
