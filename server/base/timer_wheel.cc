#include "base/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/assert.h"

namespace spanwire::base {

namespace {

constexpr unsigned near_bits = 8;
constexpr unsigned far_bits = 6;
constexpr unsigned index_bits = 24;
constexpr std::uint64_t last_generation = (std::uint64_t{1} << (64 - index_bits)) - 1;
// How many far timers may be sorted for each callback that may run: a move costs a tenth of what a
// short callback does.
constexpr std::size_t moves_per_callback = 8;

// The position of a level's lowest bit in a tick.
unsigned shift_of_level(std::size_t level) {
  return level == 0 ? 0 : near_bits + far_bits * static_cast<unsigned>(level - 1);
}

TimerId make_id(std::uint64_t generation, std::uint32_t index) {
  return static_cast<TimerId>(generation << index_bits | index);
}

}  // namespace

TimerWheel::TimerWheel(Time epoch, std::size_t max_timers)
    : epoch_(epoch), max_timers_(max_timers) {
  BASE_ASSERT(max_timers <= most_timers);
}

TimerWheel::~TimerWheel() {
  BASE_ASSERT(!advancing_);
  max_timers_ = 0;  // a callable that is destroyed may cancel timers, but starts no more
  for (Index index = 0; index < next_new_; ++index) {
    if (node(index).slot != free_slot) release(index);
  }
}

TimerId TimerWheel::start(Time now, Duration after, Task task) {
  BASE_ASSERT(task);
  const Index index = size_ < max_timers_ ? take_node() : no_node;
  if (index == no_node) {
    ++refused_;
    return TimerId::none;
  }
  ++size_;
  Node& fresh = node(index);
  fresh.task = std::move(task);
  fresh.due = due_tick(now, after);
  // Behind the timers of its own tick that are still waiting to be sorted.
  link(index, is_being_sorted(fresh.due) ? *sorting_ : slot_for(fresh.due));
  return make_id(fresh.generation, index);
}

bool TimerWheel::cancel(TimerId id) {
  const auto value = static_cast<std::uint64_t>(id);
  const auto index = static_cast<Index>(value & ((std::uint64_t{1} << index_bits) - 1));
  if (index >= next_new_) return false;
  const Node& found = node(index);
  if (found.slot == free_slot || found.generation != value >> index_bits) return false;
  release(index);
  return true;
}

bool TimerWheel::advance(Time now, std::size_t max_callbacks) {
  BASE_ASSERT(!advancing_);
  BASE_ASSERT(max_callbacks > 0);
  BASE_ASSERT(now >= epoch_);
  const Tick target = std::max(current_, static_cast<Tick>((now - epoch_) / tick));
  std::size_t moves_left = max_callbacks * moves_per_callback;
  bool more_is_due = false;
  advancing_ = true;
  while (!more_is_due) {
    if (sorting_ && !sort_far(moves_left)) {
      more_is_due = true;
    } else if (const Slot& slot = slots_[current_ % near_slots]; slot.first != no_node) {
      more_is_due = max_callbacks == 0;
      if (more_is_due) break;
      --max_callbacks;
      Task task = release(slot.first);
      task();
    } else if (!step(target)) {
      break;
    }
  }
  advancing_ = false;
  return more_is_due;
}

std::optional<Time> TimerWheel::next_due() const {
  if (sorting_) return epoch_ + static_cast<std::int64_t>(current_) * tick;
  const auto slot = first_slot();
  if (!slot) return std::nullopt;
  return epoch_ + static_cast<std::int64_t>(slots_[*slot].earliest) * tick;
}

TimerWheel::Tick TimerWheel::due_tick(Time now, Duration after) const {
  BASE_ASSERT(now >= epoch_);
  after = std::clamp(after, Duration::zero(), longest);
  const Duration unit = after < coarse_from ? tick : coarse_tick;
  const Duration since_epoch = now - epoch_ + after;
  const auto units = static_cast<Tick>((since_epoch + unit - Duration(1)) / unit);
  // A slot that is being run takes nothing new.
  return std::max(units * static_cast<Tick>(unit / tick), current_ + 1);
}

// A timer's level is that of the highest bits in which its tick differs from the present one. So
// all timers of a tick are in one slot, in the order of their starts, and a far slot lies wholly
// ahead until its first tick has come.
std::uint32_t TimerWheel::slot_for(Tick due) const {
  const Tick difference = due ^ current_;
  if (difference < near_slots) return static_cast<std::uint32_t>(due % near_slots);
  const std::size_t highest_bit = static_cast<std::size_t>(std::bit_width(difference)) - 1;
  const std::size_t level = 1 + (highest_bit - near_bits) / far_bits;
  BASE_ASSERT(level < level_count);
  const Tick in_level = (due >> shift_of_level(level)) % far_slots;
  return static_cast<std::uint32_t>(near_slots + (level - 1) * far_slots + in_level);
}

bool TimerWheel::is_being_sorted(Tick due) const {
  if (!sorting_) return false;
  const unsigned shift = shift_of_level(level_of(*sorting_));
  return due >> shift == current_ >> shift;
}

// The bits stand in the order of time: a lower level ends before the next one begins, and what is
// over is empty.
std::optional<std::uint32_t> TimerWheel::first_slot() const {
  for (std::size_t word = 0; word < occupied_.size(); ++word) {
    if (occupied_[word] == 0) continue;
    return static_cast<std::uint32_t>(word * 64) +
           static_cast<std::uint32_t>(std::countr_zero(occupied_[word]));
  }
  return std::nullopt;
}

std::size_t TimerWheel::level_of(std::uint32_t slot) {
  return slot < near_slots ? 0 : 1 + (slot - near_slots) / far_slots;
}

// A free node with a new generation, or no_node when every index has been used up.
TimerWheel::Index TimerWheel::take_node() {
  Index index = first_free_;
  if (index != no_node) {
    first_free_ = node(index).next;
  } else {
    if (next_new_ > most_timers) return no_node;
    if (next_new_ == chunks_.size() * chunk_nodes) {
      chunks_.push_back(std::make_unique<Node[]>(chunk_nodes));
    }
    index = next_new_++;
  }
  ++node(index).generation;
  return index;
}

// The node is free when this returns, so the callable may do with the wheel what it likes.
Task TimerWheel::release(Index index) {
  unlink(index);
  Node& ended = node(index);
  Task task = std::move(ended.task);
  ended.task = nullptr;
  ended.slot = free_slot;
  if (ended.generation < last_generation) {  // else its ids would come again: never used any more
    ended.next = first_free_;
    first_free_ = index;
  }
  --size_;
  return task;
}

void TimerWheel::link(Index index, std::uint32_t slot_number) {
  Node& added = node(index);
  Slot& slot = slots_[slot_number];
  added.slot = slot_number;
  added.next = no_node;
  added.previous = slot.last;
  if (slot.last == no_node) {
    slot.first = index;
    slot.earliest = added.due;
    occupied_[slot_number / 64] |= std::uint64_t{1} << (slot_number % 64);
  } else {
    node(slot.last).next = index;
    slot.earliest = std::min(slot.earliest, added.due);
  }
  slot.last = index;
}

void TimerWheel::unlink(Index index) {
  const Node& removed = node(index);
  Slot& slot = slots_[removed.slot];
  (removed.previous == no_node ? slot.first : node(removed.previous).next) = removed.next;
  (removed.next == no_node ? slot.last : node(removed.next).previous) = removed.previous;
  if (slot.first == no_node) {
    occupied_[removed.slot / 64] &= ~(std::uint64_t{1} << (removed.slot % 64));
  }
}

// Goes to the next tick, up to `target`, at which something has to be done. False if there is none.
bool TimerWheel::step(Tick target) {
  const auto slot = first_slot();
  if (!slot) {
    current_ = target;
    return false;
  }
  const unsigned shift = shift_of_level(level_of(*slot));
  const Tick start = slots_[*slot].earliest >> shift << shift;
  current_ = std::min(start, target);
  if (start > target) return false;
  if (*slot >= near_slots) sorting_ = slot;
  return true;
}

// Moves timers of the far slot whose time has come to the levels below. False if the allowance was
// spent before the last.
bool TimerWheel::sort_far(std::size_t& moves_left) {
  while (slots_[*sorting_].first != no_node) {
    if (moves_left == 0) return false;
    --moves_left;
    const Index index = slots_[*sorting_].first;
    unlink(index);
    link(index, slot_for(node(index).due));
  }
  sorting_.reset();
  return true;
}

}  // namespace spanwire::base
