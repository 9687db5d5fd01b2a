// A reader's filters with the verdicts on the subjects that it has met, two bits each by their
// numbers.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "store/log.h"
#include "store/subject_table.h"
#include "subject/index.h"

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
  bool selects(const SubjectTable& subjects, SubjectId id, std::size_t& budget) {
    if (all_) return true;
    const std::uint64_t verdict = verdicts_[id / 32] >> id % 32 * 2 & 3;
    return verdict == 0 ? meet(subjects, id, budget) : verdict == selected;
  }
  // Every subject's verdict is known; tries to learn them, if they are few enough for a step.
  bool knows_all(const SubjectTable& subjects);
  // Calls visit(id) for each that is known to be selected; some have no subject or messages.
  template <class Visit>
  void each_selected(Visit visit) const {
    for (std::size_t word = 0; word < verdicts_.size(); ++word) {
      for (std::uint64_t left = verdicts_[word] & selected_bits; left != 0; left &= left - 1) {
        visit(static_cast<SubjectId>(word * 32 + std::countr_zero(left) / 2));
      }
    }
  }

 private:
  static constexpr std::uint64_t refused = 1;
  static constexpr std::uint64_t selected = 3;
  static constexpr std::uint64_t known_bits = 0x5555'5555'5555'5555;
  static constexpr std::uint64_t selected_bits = ~known_bits;

  bool meet(const SubjectTable& subjects, SubjectId id, std::size_t& budget);
  void set(SubjectId id, std::uint64_t verdict) { verdicts_[id / 32] |= verdict << id % 32 * 2; }
  void forget(SubjectId id) {
    if (id / 32 < verdicts_.size()) verdicts_[id / 32] &= ~(std::uint64_t{3} << id % 32 * 2);
  }
  void learn(const SubjectTable& subjects);

  std::vector<subject::Filter> filters_;
  subject::Index<char> many_;  // the filters again, if they are many
  bool all_ = false;
  bool literals_ = false;
  std::uint64_t epoch_ = 0;
  std::uint64_t learnt_ = 0;             // how many numbers were given when learn() looked at all
  bool knows_all_ = false;               // by then
  std::vector<std::uint64_t> verdicts_;  // 32 to a word: known, selected
  std::string text_;
};

}  // namespace spanwire::store
