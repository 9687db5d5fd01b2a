#include "store/index_segment.h"

#include <algorithm>

#include "base/assert.h"

namespace spanwire::store {
namespace {

// So many missing sequences are filled in rather than told: a filler costs four sequences told.
constexpr Sequence worth_filling = 16;

}  // namespace

void IndexSegment::add_low(Sequence sequence, std::size_t position) {
  const Sequence high = sequence >> 16;
  if (blocks_.empty() || blocks_.back().high != high) {
    blocks_.push_back({high, static_cast<std::uint32_t>(position)});
  }
  lows_.push_back(static_cast<std::uint16_t>(sequence));
}

void IndexSegment::make_sparse() {
  lows_.reserve(entries_.size() + 1);
  for (std::size_t i = 0; i < entries_.size(); ++i) add_low(first_ + i, i);
}

// Before a sequence that does not follow the last one.
void IndexSegment::close_gap(Sequence sequence, std::uint32_t offset) {
  const Sequence missing = sequence - last_ - 1;
  if (missing > worth_filling || missing > entries_.size()) return make_sparse();
  for (Sequence i = 0; i < missing; ++i) {
    entries_.push_back({offset | gone_bit | leaving_bit, no_subject});
    if ((entries_.size() - 1) % time_step == 0) times_.push_back(last_time_);
  }
}

void IndexSegment::append(Sequence sequence, std::uint32_t offset, std::uint32_t counted,
                          SubjectId subject, base::WallTime time) {
  BASE_ASSERT(offset < max_offset);
  BASE_ASSERT(sequence > last_);
  if (entries_.empty()) {
    first_ = sequence;
  } else {
    const std::uint32_t before = this->offset(entries_.size() - 1);
    const auto overhead =
        static_cast<std::int32_t>(offset - before) - static_cast<std::int32_t>(last_counted_);
    if (overheads_.empty() || overheads_.back().bytes != overhead) {
      overheads_.push_back({static_cast<std::uint32_t>(entries_.size() - 1), overhead});
    }
    if (dense() && sequence != last_ + 1) close_gap(sequence, offset);
  }
  if (!dense()) add_low(sequence, entries_.size());
  if (entries_.size() % time_step == 0) times_.push_back(time);
  entries_.push_back({offset, subject});
  last_ = sequence;
  last_time_ = time;
  last_counted_ = counted;
  ++live_;
  live_bytes_ += counted;
  bytes_ += counted;
}

void IndexSegment::pop() {
  const std::size_t position = entries_.size() - 1;
  bytes_ -= last_counted_;
  if (!gone(position)) {
    --live_;
    live_bytes_ -= last_counted_;
    if (leaving(position)) --leaving_;
  }
  // With it go the fillers before it.
  std::size_t left = position;
  while (left > 0 && entries_[left - 1].subject == no_subject) --left;
  last_counted_ = left == 0 ? 0 : counted(left - 1);
  last_ = left == 0 ? 0 : sequence(left - 1);
  entries_.resize(left);
  while (!overheads_.empty() && overheads_.back().position + 1 >= left) overheads_.pop_back();
  times_.resize((left + time_step - 1) / time_step);
  if (dense()) return;
  lows_.resize(left);
  while (!blocks_.empty() && blocks_.back().position >= left) blocks_.pop_back();
}

void IndexSegment::seal() {
  entries_.shrink_to_fit();
  lows_.shrink_to_fit();
  blocks_.shrink_to_fit();
  overheads_.shrink_to_fit();
  times_.shrink_to_fit();
}

std::size_t IndexSegment::lower_bound(Sequence sequence) const {
  if (empty() || sequence <= first_) return 0;
  if (sequence > last_) return size();
  if (dense()) return sequence - first_;
  const auto block =
      std::partition_point(blocks_.begin(), blocks_.end(),
                           [sequence](const Block& each) { return each.high < sequence >> 16; });
  if (block == blocks_.end()) return size();
  if (block->high != sequence >> 16) return block->position;
  const std::size_t end = block + 1 == blocks_.end() ? size() : block[1].position;
  const auto low = static_cast<std::uint16_t>(sequence);
  return static_cast<std::size_t>(std::lower_bound(lows_.begin() + block->position,
                                                   lows_.begin() + static_cast<std::ptrdiff_t>(end),
                                                   low) -
                                  lows_.begin());
}

std::size_t IndexSegment::find(Sequence sequence) const {
  if (sequence < first_) return size();
  const std::size_t position = lower_bound(sequence);
  return position < size() && this->sequence(position) == sequence ? position : size();
}

Sequence IndexSegment::sequence(std::size_t position) const {
  if (dense()) return first_ + position;
  const auto behind =
      std::partition_point(blocks_.begin(), blocks_.end(),
                           [position](const Block& each) { return each.position <= position; });
  return (behind[-1].high << 16) | lows_[position];
}

std::uint32_t IndexSegment::counted(std::size_t position) const {
  if (position + 1 == entries_.size()) return last_counted_;
  const auto behind =
      std::partition_point(overheads_.begin(), overheads_.end(),
                           [position](const Overhead& each) { return each.position <= position; });
  return static_cast<std::uint32_t>(
      static_cast<std::int32_t>(offset(position + 1) - offset(position)) - behind[-1].bytes);
}

void IndexSegment::set_gone(std::size_t position) {
  if (leaving(position)) --leaving_;
  entries_[position].place |= gone_bit | leaving_bit;
  --live_;
  live_bytes_ -= counted(position);
}

template <std::uint32_t dead_bit>
std::size_t IndexSegment::next_without(std::size_t from, std::size_t end, SubjectId subject) const {
  const Entry* entry = entries_.data() + from;
  const Entry* const stop = entries_.data() + end;
  if (subject == no_subject) {
    while (entry < stop && (entry->place & dead_bit) != 0) ++entry;
  } else {
    while (entry < stop && (entry->subject != subject || (entry->place & dead_bit) != 0)) ++entry;
  }
  return static_cast<std::size_t>(entry - entries_.data());
}

template <std::uint32_t dead_bit>
std::size_t IndexSegment::last_without(std::size_t from, std::size_t end, SubjectId subject) const {
  while (from > end) {
    const Entry& entry = entries_[--from];
    if ((entry.place & dead_bit) != 0) continue;
    if (subject == no_subject || entry.subject == subject) return from;
  }
  return size();
}

std::size_t IndexSegment::next_live(std::size_t from, std::size_t end, SubjectId subject) const {
  return next_without<gone_bit>(from, end, subject);
}

std::size_t IndexSegment::last_live(std::size_t from, std::size_t end, SubjectId subject) const {
  return last_without<gone_bit>(from, end, subject);
}

std::size_t IndexSegment::next_ahead(std::size_t from, SubjectId subject) const {
  return next_without<leaving_bit>(from, size(), subject);
}

std::size_t IndexSegment::last_ahead(std::size_t from, SubjectId subject) const {
  return last_without<leaving_bit>(from, 0, subject);
}

IndexSegment::Between IndexSegment::since(base::WallTime time) const {
  if (empty() || last_time_ < time) return {size(), size()};
  const auto sample = static_cast<std::size_t>(
      std::lower_bound(times_.begin(), times_.end(), time) - times_.begin());
  if (sample == 0) return {0, 0};
  return {(sample - 1) * time_step + 1, std::min(sample * time_step, size())};
}

std::size_t IndexSegment::memory_bytes() const {
  return sizeof(*this) + entries_.capacity() * sizeof(Entry) + lows_.capacity() * sizeof(lows_[0]) +
         blocks_.capacity() * sizeof(Block) + overheads_.capacity() * sizeof(Overhead) +
         times_.capacity() * sizeof(times_[0]);
}

}  // namespace spanwire::store
