#include "store/subject_table.h"

#include <algorithm>

#include "base/assert.h"

namespace spanwire::store {

void SubjectTable::remember(std::string_view subject, SubjectId id) const {
  if (subject.size() > longest_remembered) return;
  last_text_ = subject;
  last_id_ = id;
}

SubjectId SubjectTable::find_other(std::string_view subject) const {
  const SubjectId id = tree_.find(subject);
  if (id != no_subject) remember(subject, id);
  return id;
}

SubjectId SubjectTable::number(std::string_view subject) {
  BASE_ASSERT(!subject.empty());
  if (subject == last_text_) return last_id_;
  const SubjectId fresh = free_.empty() ? end_ : free_.back();
  const SubjectId id = tree_.insert(subject, fresh);
  remember(subject, id);
  if (id != fresh) return id;
  if (!free_.empty()) {
    free_.pop_back();
  } else {
    BASE_ASSERT(end_ < no_subject - 1);
    if (end_ % page_states == 0) pages_.push_back(std::make_unique<SubjectState[]>(page_states));
    ++end_;
  }
  (*this)[id] = {};
  ++given_;
  return id;
}

void SubjectTable::emptied(SubjectId id) {
  SubjectState& state = (*this)[id];
  if (state.listed != 0) return;
  state.listed = 1;
  empty_.push_back(id);
}

bool SubjectTable::worth_recycling() const {
  if (empty_.size() >= batch) return true;
  if (empty_.size() < small_batch) return false;
  return empty_.size() == tree_.size() ||
         tree_.memory_bytes() / tree_.size() * empty_.size() > long_texts;
}

void SubjectTable::recycle() {
  if (!worth_recycling()) return;
  last_text_.clear();
  last_id_ = no_subject;
  std::vector<SubjectId> taken;
  const std::size_t look = std::min(batch, empty_.size());
  for (std::size_t i = 0; i < look; ++i) {
    const SubjectId id = empty_.back();
    empty_.pop_back();
    SubjectState& state = (*this)[id];
    state.listed = 0;
    if (state.messages != 0 || state.ahead != 0) continue;
    tree_.erase(id);
    taken.push_back(id);
  }
  if (taken.empty()) return;
  free_.insert(free_.end(), taken.begin(), taken.end());
  ++epoch_;
  recycled_.push_back(std::move(taken));
  if (recycled_.size() > kept_epochs) recycled_.pop_front();
  if (tree_.size() != 0) return;
  // Nothing is left: begin again with little memory.
  recycled_.clear();
  free_ = std::vector<SubjectId>();
  empty_ = std::vector<SubjectId>();
  pages_.clear();
  pages_.shrink_to_fit();
  end_ = 0;
}

std::size_t SubjectTable::memory_bytes() const {
  std::size_t lists = free_.capacity() + empty_.capacity();
  for (const auto& epoch : recycled_) lists += epoch.capacity();
  return tree_.memory_bytes() + pages_.size() * page_states * sizeof(SubjectState) +
         pages_.capacity() * sizeof(pages_[0]) + lists * sizeof(SubjectId);
}

}  // namespace spanwire::store
