#include "store/index_selection.h"

#include <algorithm>

namespace spanwire::store {
namespace {

// With more it is cheaper to scan than to look all of them up for each search.
constexpr std::size_t few_literals = 16;
// So many filters are looked at one by one.
constexpr std::size_t few_filters = 8;
// What the first look at a subject costs, in messages scanned.
constexpr std::size_t first_look = 150;
// How many nodes of the tree are entered, and numbers looked at, to learn which subjects are
// selected before any is met: about a millisecond.
constexpr std::size_t learnt_nodes = 2'000;
constexpr std::size_t most_free = 50'000;

bool takes_everything(const subject::Filter& filter) {
  if (filter.size() != 1 || filter.not_dollar()) return false;
  const subject::TokenKind kind = filter[0].kind;
  return kind != subject::TokenKind::literal && kind != subject::TokenKind::one;
}

}  // namespace

IndexSelection::IndexSelection(std::vector<subject::Filter> filters)
    : filters_(std::move(filters)) {
  all_ = filters_.empty() || std::any_of(filters_.begin(), filters_.end(), takes_everything);
  if (all_) filters_.clear();
  literals_ = !all_ && filters_.size() <= few_literals &&
              std::all_of(filters_.begin(), filters_.end(),
                          [](const subject::Filter& filter) { return filter.is_literal(); });
  if (filters_.size() > few_filters) {
    for (const subject::Filter& filter : filters_) many_.insert(filter);
  }
  if (literals_) {  // each once: their totals are added up
    const auto before = [](const subject::Filter& a, const subject::Filter& b) {
      return a.literal_text() < b.literal_text();
    };
    std::sort(filters_.begin(), filters_.end(), before);
    filters_.erase(std::unique(filters_.begin(), filters_.end()), filters_.end());
  }
}

bool IndexSelection::matches(std::string_view subject) const {
  if (all_) return true;
  bool any = false;
  if (many_.size() != 0) {
    many_.match(subject, [&any](char) { any = true; });
    return any;
  }
  return std::any_of(filters_.begin(), filters_.end(), [&](const subject::Filter& filter) {
    return subject::matches(filter, subject);
  });
}

void IndexSelection::renew(const SubjectTable& subjects) {
  if (all_) return;
  if (epoch_ != subjects.epoch()) {
    if (!subjects.recycled_since(epoch_, [this](SubjectId id) { forget(id); })) verdicts_.clear();
    epoch_ = subjects.epoch();
  }
  const bool fresh = verdicts_.empty();
  if (subjects.end() / 32 >= verdicts_.size()) verdicts_.resize(subjects.end() / 32 + 1);
  if (fresh) learn(subjects);
}

// A filter may select few of many subjects: then the tree leads to them, and all others are known
// to be refused.
void IndexSelection::learn(const SubjectTable& subjects) {
  using Step = SubjectTree::Walk::Step;
  learnt_ = subjects.given();
  knows_all_ = false;
  std::size_t budget = learnt_nodes;
  for (const subject::Filter& filter : filters_) {
    SubjectTree::Walk walk(subjects.tree(), &filter, {});
    for (Step step = walk.next(budget); step != Step::end; step = walk.next(budget)) {
      if (budget == 0) return;
      if (step == Step::found) set(walk.id(), selected);
    }
  }
  if (subjects.free().size() > most_free) return;
  for (std::uint64_t& word : verdicts_) word |= known_bits;
  // Numbers that are given out later may get subjects that are selected.
  for (const SubjectId id : subjects.free()) forget(id);
  for (std::size_t id = subjects.end(); id < verdicts_.size() * 32; ++id) {
    forget(static_cast<SubjectId>(id));
  }
  knows_all_ = true;
}

bool IndexSelection::knows_all(const SubjectTable& subjects) {
  if (learnt_ != subjects.given()) learn(subjects);
  return knows_all_;
}

bool IndexSelection::meet(const SubjectTable& subjects, SubjectId id, std::size_t& budget) {
  budget -= std::min(budget, first_look);
  subjects.tree().text_of(id, text_);
  const bool matched = matches(text_);
  set(id, matched ? selected : refused);
  return matched;
}

}  // namespace spanwire::store
