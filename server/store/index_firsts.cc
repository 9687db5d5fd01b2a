// The first message of each subject that has several: a cache that scans fill and appends keep.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "store/index.h"

namespace spanwire::store {

// Called before the message is counted.
void Index::add_first(SubjectId id, Sequence sequence, const SubjectState& before) {
  const bool learnt = learnt_all();
  if (learnt) learnt_to_ = sequence;
  if (before.ahead == 0) return;
  if (before.ahead == 1) {
    firsts_[id] = {.sequences = {ahead_last_of(id), sequence},
                   .growing = Firsts::Growing::by_appends};
    return;
  }
  const auto found = firsts_.find(id);
  if (found == firsts_.end()) return;
  Firsts& firsts = found->second;
  if (learnt && firsts.growing == Firsts::Growing::as_learned) {
    firsts.growing = Firsts::Growing::by_appends;
  }
  if (firsts.growing == Firsts::Growing::by_appends) push_first(firsts, sequence);
}

void Index::push_first(Firsts& firsts, Sequence sequence) {
  std::vector<Sequence>& sequences = firsts.sequences;
  if (firsts.head > 0 && sequences.size() == sequences.capacity()) {
    sequences.erase(sequences.begin(),
                    sequences.begin() + static_cast<std::ptrdiff_t>(std::exchange(firsts.head, 0)));
  }
  if (sequences.size() < most_firsts) {
    sequences.push_back(sequence);
  } else {
    firsts.complete_to = sequences.back();
    firsts.growing = Firsts::Growing::never;
  }
}

void Index::learn(SubjectId id, Sequence sequence) {
  if (subjects_[id].ahead < 2) return;
  const auto [found, fresh] = firsts_.try_emplace(id);
  Firsts& firsts = found->second;
  if (fresh) firsts.growing = Firsts::Growing::as_learned;
  if (firsts.growing != Firsts::Growing::as_learned) return;
  firsts.complete_to = sequence;
  push_first(firsts, sequence);
}

void Index::learn() {
  if (!std::exchange(firsts_wanted_, true)) learnt_to_ = ahead_.first - 1;
  std::size_t left = learnt_at_once;
  for (std::size_t at = segment_from(learnt_to_ + 1); at < segments_.size(); ++at) {
    const IndexSegment& segment = *segments_[at];
    const std::size_t from = segment.lower_bound(learnt_to_ + 1);
    const std::size_t end = from + std::min(left, segment.size() - from);
    for (std::size_t i = from; i < end; ++i) {
      if (!segment.leaving(i)) learn(segment.subject(i), segment.sequence(i));
    }
    left -= end - from;
    if (end < segment.size()) {
      learnt_to_ = end == 0 ? segment.first() - 1 : segment.sequence(end - 1);
      return;
    }
    learnt_to_ = segment.last();
  }
  learnt_to_ = ahead_.last;
}

void Index::find_firsts(SubjectId id, Firsts& firsts) const {
  const std::size_t wanted = std::min<std::size_t>(most_firsts, subjects_[id].ahead);
  const Sequence from = std::max(firsts.complete_to + 1, ahead_.first);
  firsts.sequences.clear();
  firsts.head = 0;
  for (std::size_t at = segment_from(from); firsts.sequences.size() < wanted; ++at) {
    BASE_ASSERT(at < segments_.size());
    const IndexSegment& segment = *segments_[at];
    std::size_t i = segment.next_ahead(segment.lower_bound(from), id);
    for (; i < segment.size() && firsts.sequences.size() < wanted;
         i = segment.next_ahead(i + 1, id)) {
      firsts.sequences.push_back(segment.sequence(i));
    }
  }
  firsts.complete_to = firsts.sequences.back();
  firsts.growing =
      wanted == subjects_[id].ahead ? Firsts::Growing::by_appends : Firsts::Growing::never;
}

Sequence Index::ahead_first_of(std::string_view subject) {
  const SubjectId id = subjects_.find(subject);
  if (id == no_subject || subjects_[id].ahead == 0) return 0;
  if (subjects_[id].ahead == 1) return ahead_last_of(id);
  if (ahead_.subjects == 1) return ahead_.first;
  if (!firsts_wanted_ || !learnt_all()) learn();
  Firsts& firsts = firsts_[id];
  while (firsts.head < firsts.sequences.size()) {
    if (is_ahead(firsts.sequences[firsts.head])) return firsts.sequences[firsts.head];
    ++firsts.head;
  }
  find_firsts(id, firsts);
  return firsts.sequences.front();
}

}  // namespace spanwire::store
