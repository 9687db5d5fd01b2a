// The subjects of a log by number, with what is kept of each. The number of a subject without
// messages stays with it for a while; then such numbers are taken back, thousands at once, and an
// epoch begins. So what others keep by number stays true between epochs, and is mended by the list
// of those that were taken back.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/log.h"
#include "store/subject_tree.h"

namespace spanwire::store {

// A last sequence is stale once that message was erased: then it is an upper bound.
struct SubjectState {
  Sequence last : 62 = 0;
  Sequence last_stale : 1 = 0;
  Sequence listed : 1 = 0;  // among those without messages
  Sequence ahead_last : 63 = 0;
  Sequence ahead_stale : 1 = 0;
  std::uint32_t messages = 0;
  std::uint32_t ahead = 0;
};

class SubjectTable {
 public:
  SubjectId find(std::string_view subject) const {
    if (subject == last_text_) return last_id_;
    return find_other(subject);
  }
  // A new number if the subject has none.
  SubjectId number(std::string_view subject);
  SubjectState& operator[](SubjectId id) { return pages_[id / page_states][id % page_states]; }
  const SubjectState& operator[](SubjectId id) const {
    return pages_[id / page_states][id % page_states];
  }
  const SubjectTree& tree() const { return tree_; }
  // All ids are below.
  SubjectId end() const { return end_; }
  // How many numbers were given out so far; and those below end() that no subject has.
  std::uint64_t given() const { return given_; }
  const std::vector<SubjectId>& free() const { return free_; }

  // The subject has no messages any more, neither committed nor ahead.
  void emptied(SubjectId id);
  // Takes numbers back if there are enough without messages: half a millisecond at most.
  void recycle();
  std::uint64_t epoch() const { return epoch_; }
  // Calls forget(id) for what was taken back since that epoch; false: everything is to be
  // forgotten.
  template <class Forget>
  bool recycled_since(std::uint64_t epoch, Forget forget) const {
    if (epoch_ - epoch > recycled_.size()) return false;
    for (std::size_t i = recycled_.size() - (epoch_ - epoch); i < recycled_.size(); ++i) {
      for (const SubjectId id : recycled_[i]) forget(id);
    }
    return true;
  }

  std::size_t memory_bytes() const;

 private:
  static constexpr std::size_t page_states = 64;
  static constexpr std::size_t batch = 4096;  // numbers taken back at once
  static constexpr std::size_t small_batch =
      64;  // if their texts are long, or nothing else is left
  static constexpr std::size_t long_texts = 1U << 20;
  static constexpr std::size_t kept_epochs = 8;

  static constexpr std::size_t longest_remembered = 256;

  SubjectId find_other(std::string_view subject) const;
  void remember(std::string_view subject, SubjectId id) const;
  bool worth_recycling() const;

  SubjectTree tree_;
  std::vector<std::unique_ptr<SubjectState[]>> pages_;
  SubjectId end_ = 0;
  std::uint64_t given_ = 0;
  std::vector<SubjectId> free_;
  std::vector<SubjectId> empty_;  // some have messages again
  // What was looked up last, if it was there: a publish asks several times for its subject.
  mutable std::string last_text_;
  mutable SubjectId last_id_ = no_subject;
  std::uint64_t epoch_ = 0;
  std::deque<std::vector<SubjectId>> recycled_;  // of the last epochs
};

}  // namespace spanwire::store
