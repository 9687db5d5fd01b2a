// Entries by the sequence of a message, for sets whose entries come in nearly ascending order and
// go in nearly the same: what waits for an acknowledgement.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <utility>

#include "store/log.h"

namespace spanwire::jetstream {

// Finding one takes constant time where sequences follow one another without gaps, otherwise the
// logarithm of their number. So does adding one behind all others; one before others moves those.
// Pointers hold until the next change.
template <class Entry>
class SequenceWindow {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool contains(store::Sequence sequence) const { return find(sequence) != nullptr; }
  const Entry* find(store::Sequence sequence) const {
    const auto slot = slot_of(sequence);
    return is_at(slot, sequence) && slot->used ? &slot->entry : nullptr;
  }
  Entry* find(store::Sequence sequence) {
    return const_cast<Entry*>(std::as_const(*this).find(sequence));
  }
  // The lowest; 0: there is none.
  store::Sequence lowest() const { return slots_.empty() ? 0 : slots_.front().sequence; }

  // Makes an empty one if there is none.
  Entry& operator[](store::Sequence sequence) {
    auto slot = slots_.begin() + (slot_of(sequence) - slots_.cbegin());
    if (!is_at(slot, sequence)) slot = slots_.insert(slot, Slot{.sequence = sequence});
    if (!slot->used) {
      *slot = {.sequence = sequence, .used = true};
      ++size_;
    }
    return slot->entry;
  }

  bool erase(store::Sequence sequence) {
    const auto slot = slots_.begin() + (slot_of(sequence) - slots_.cbegin());
    if (!is_at(slot, sequence) || !slot->used) return false;
    slot->used = false;
    --size_;
    close_gaps();
    return true;
  }
  void erase_below(store::Sequence first) {
    while (!slots_.empty() && slots_.front().sequence < first) drop_front();
    close_gaps();
  }

  // In ascending order.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const Slot& slot : slots_) {
      if (slot.used) visit(slot.sequence, slot.entry);
    }
  }

 private:
  struct Slot {
    store::Sequence sequence = 0;
    bool used = false;
    Entry entry{};
  };
  // So few unused slots are not worth the work of closing up.
  static constexpr std::size_t few = 64;

  template <class Slots>
  bool is_at(const Slots& slot, store::Sequence sequence) const {
    return slot != slots_.end() && slot->sequence == sequence;
  }

  // The first whose sequence is not below.
  typename std::deque<Slot>::const_iterator slot_of(store::Sequence sequence) const {
    if (slots_.empty() || sequence > slots_.back().sequence) return slots_.end();
    if (sequence <= slots_.front().sequence) return slots_.begin();
    const store::Sequence ahead = sequence - slots_.front().sequence;
    if (ahead < slots_.size() && slots_[ahead].sequence == sequence) {
      return slots_.begin() + static_cast<std::ptrdiff_t>(ahead);
    }
    return std::lower_bound(
        slots_.begin(), slots_.end(), sequence,
        [](const Slot& slot, store::Sequence wanted) { return slot.sequence < wanted; });
  }

  void drop_front() {
    if (slots_.front().used) --size_;
    slots_.pop_front();
  }

  // The first slot is in use, and most of the others are.
  void close_gaps() {
    while (!slots_.empty() && !slots_.front().used) slots_.pop_front();
    if (slots_.size() <= 2 * size_ + few) return;
    std::erase_if(slots_, [](const Slot& slot) { return !slot.used; });
  }

  std::deque<Slot> slots_;  // by sequence
  std::size_t size_ = 0;    // of them in use
};

}  // namespace spanwire::jetstream
