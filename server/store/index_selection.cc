#include "store/index_selection.h"

#include <algorithm>

namespace spanwire::store {
namespace {

// With more it is cheaper to scan than to look all of them up for each search.
constexpr std::size_t few_literals = 16;
// What the first look at a subject costs, in messages scanned.
constexpr std::size_t first_look = 100;

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
  if (literals_) {  // each once: their totals are added up
    const auto before = [](const subject::Filter& a, const subject::Filter& b) {
      return a.literal_text() < b.literal_text();
    };
    std::sort(filters_.begin(), filters_.end(), before);
    filters_.erase(std::unique(filters_.begin(), filters_.end()), filters_.end());
  }
}

bool IndexSelection::matches(std::string_view subject) const {
  return all_ || std::any_of(filters_.begin(), filters_.end(), [&](const subject::Filter& filter) {
           return subject::matches(filter, subject);
         });
}

void IndexSelection::renew(const SubjectTable& subjects) {
  if (all_) return;
  if (epoch_ != subjects.epoch()) {
    const bool mended = subjects.recycled_since(epoch_, [this](SubjectId id) {
      if (id / 32 < verdicts_.size()) verdicts_[id / 32] &= ~(std::uint64_t{3} << id % 32 * 2);
    });
    if (!mended) verdicts_.clear();
    epoch_ = subjects.epoch();
  }
  if (subjects.end() / 32 >= verdicts_.size()) verdicts_.resize(subjects.end() / 32 + 1);
}

bool IndexSelection::selects(const SubjectTable& subjects, SubjectId id, std::size_t& budget) {
  if (all_) return true;
  std::uint64_t& word = verdicts_[id / 32];
  const unsigned shift = id % 32 * 2;
  if ((word >> shift & 1) == 0) {
    budget -= std::min(budget, first_look);
    subjects.tree().text_of(id, text_);
    word |= std::uint64_t{matches(text_) ? 3U : 1U} << shift;
  }
  return (word >> shift & 2) != 0;
}

}  // namespace spanwire::store
