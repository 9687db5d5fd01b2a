// The numbers of the subjects that a start meets again and again, by their texts: two places in
// memory each, known before they are needed, where the tree must be walked from node to node.
// Bounded: when it is full it forgets all that it knows, and learns anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "store/subject_tree.h"

namespace spanwire::store {

class KnownSubjects {
 public:
  // What is looked up together: memory is waited for once, and not once a subject.
  static constexpr std::size_t most_together = 32;
  // A longer one is not kept here.
  static constexpr std::size_t longest = 1024;
  static constexpr std::size_t most = std::size_t{1} << 17;  // then it takes 10 MiB

  // For so many subjects, as far as `most` allows it.
  explicit KnownSubjects(std::size_t subjects);

  // The numbers that remember() was told; no_subject: it is not known here.
  void find(std::span<const std::string_view> texts, std::span<SubjectId> ids) const;
  // One that find() does not know.
  void remember(std::string_view text, SubjectId id);
  void forget_all();

  std::size_t size() const { return size_; }
  std::size_t memory_bytes() const {
    return slots_.size() * sizeof(Slot) + text_units_ * sizeof(std::uint32_t);
  }

 private:
  // One that stands for a subject names where the subject's entry begins in texts_: its number, its
  // size and its bytes. 0: the slot is free. A subject is in the first slot from its hash on that
  // was free by then.
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t entry = 0;
  };
  static constexpr std::size_t entry_units = 2;  // before the bytes

  // The entry that has this hash; 0: none.
  std::uint32_t entry_of(std::uint32_t hash) const;
  bool is(std::uint32_t entry, std::string_view text) const;

  std::vector<Slot> slots_;
  std::size_t text_units_;
  std::unique_ptr<std::uint32_t[]> texts_;
  std::size_t used_units_ = 1;
  std::size_t size_ = 0;
};

}  // namespace spanwire::store
