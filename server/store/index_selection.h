// A reader's filters with the verdicts on the subjects that it has met, two bits each by their
// numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/log.h"
#include "store/subject_table.h"

namespace spanwire::store {

class IndexSelection final : public Selection {
 public:
  explicit IndexSelection(std::vector<subject::Filter> filters);

  bool all() const override { return all_; }
  bool matches(std::string_view subject) const override;

  const std::vector<subject::Filter>& filters() const { return filters_; }
  // A few subjects by name: their totals tell how far a search has to go.
  bool literals() const { return literals_; }
  // Before the selection is asked about ids.
  void renew(const SubjectTable& subjects);
  // Known not to be selected.
  bool refuses(SubjectId id) const { return (verdicts_[id / 32] >> id % 32 * 2 & 3) == 1; }
  // Takes some of the budget, which may be less, if the subject is met for the first time.
  bool selects(const SubjectTable& subjects, SubjectId id, std::size_t& budget);

 private:
  std::vector<subject::Filter> filters_;
  bool all_ = false;
  bool literals_ = false;
  std::uint64_t epoch_ = 0;
  std::vector<std::uint64_t> verdicts_;  // 32 to a word: known, selected
  std::string text_;
};

}  // namespace spanwire::store
