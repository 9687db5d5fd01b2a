// The timers of one loop: a hierarchical wheel. Starting and cancelling cost the same however many
// timers run; far timers move towards the front as their time comes.
//
// Time is cut into ticks of 1 ms. An interval below 100 ms ends at the first tick not before its
// end, a longer one at the first multiple of 10 ticks, so that the far timers of many connections
// share their wake-ups. Timers of one tick run in the order in which they were started.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/done.h"
#include "base/loop.h"

namespace spanwire::base {

// Belongs to one thread. A running timer takes 64 bytes, its callable's inline part included; the
// memory of ended timers serves new ones. Callables may start and cancel timers, also while they
// are destroyed, but may not advance.
class TimerWheel {
 public:
  static constexpr Duration tick = std::chrono::milliseconds(1);
  static constexpr Duration coarse_tick = 10 * tick;
  static constexpr Duration coarse_from = 100 * tick;
  // Longer intervals are cut to this.
  static constexpr Duration longest = std::chrono::hours(24 * 365 * 10);
  static constexpr std::size_t most_timers = (std::size_t{1} << 24) - 1;

  // No time that is given later may be before `epoch`.
  explicit TimerWheel(Time epoch, std::size_t max_timers = most_timers);
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // `task` runs once, in an advance() to `now + after` or later. Started by another task it runs in
  // a later tick than that one, so a task that starts itself again cannot hold up a loop. Returns
  // none, and destroys `task`, when `max_timers` are running.
  TimerId start(Time now, Duration after, Task task);
  // False if the id is unknown: it has run, is running now or was cancelled. The task is destroyed
  // before this returns.
  bool cancel(TimerId id);

  // Runs what is due at `now`, earliest tick first, at most `max_callbacks` of it. True if there is
  // more to do: call again, after whatever else the loop has to do. The re-sorting of far timers is
  // limited in the same way, so the length of one call is bounded.
  bool advance(Time now, std::size_t max_callbacks);

  // When to call advance() next; nothing if no timer runs. No timer is due earlier. It is the exact
  // tick of the first one, unless timers in the far part were cancelled: then it may be the tick of
  // one of those, at most once for each.
  std::optional<Time> next_due() const;

  std::size_t size() const { return size_; }
  // Starts refused at the limit, since the beginning.
  std::uint64_t refused() const { return refused_; }

 private:
  using Tick = std::uint64_t;  // since epoch_
  using Index = std::uint32_t;

  static constexpr Index no_node = 0xffff'ffff;
  static constexpr std::uint32_t free_slot = 0xffff'ffff;
  static constexpr std::size_t level_count = 7;   // 44 bits of ticks: more than a Time can tell
  static constexpr std::size_t near_slots = 256;  // level 0: a tick each
  static constexpr std::size_t far_slots = 64;    // each further level: 64 of a whole level below
  static constexpr std::size_t slot_count = near_slots + (level_count - 1) * far_slots;
  static constexpr std::size_t chunk_nodes = 1024;

  struct Node {
    Task task;
    Tick due = 0;
    std::uint64_t generation = 0;  // of the id that it has, or had last
    Index next = 0;                // in its slot, or among the free ones
    Index previous = 0;
    std::uint32_t slot = free_slot;
  };
  static_assert(sizeof(Node) <= 64);
  struct Slot {
    Index first = no_node;
    Index last = no_node;
    Tick earliest = 0;  // no timer of this slot is due before
  };

  Node& node(Index index) { return chunks_[index / chunk_nodes][index % chunk_nodes]; }
  const Node& node(Index index) const { return chunks_[index / chunk_nodes][index % chunk_nodes]; }
  static std::size_t level_of(std::uint32_t slot);
  Tick due_tick(Time now, Duration after) const;
  std::uint32_t slot_for(Tick due) const;
  bool is_being_sorted(Tick due) const;
  std::optional<std::uint32_t> first_slot() const;

  Index take_node();
  Task release(Index index);
  void link(Index index, std::uint32_t slot_number);
  void unlink(Index index);
  bool step(Tick target);
  bool sort_far(std::size_t& moves_left);

  const Time epoch_;
  std::size_t max_timers_;
  Tick current_ = 0;  // what is due before this tick has run
  std::array<Slot, slot_count> slots_;
  std::array<std::uint64_t, slot_count / 64> occupied_{};  // a bit a slot
  // The far slot whose time has come and whose timers are on their way to lower levels.
  std::optional<std::uint32_t> sorting_;
  std::vector<std::unique_ptr<Node[]>> chunks_;
  Index first_free_ = no_node;
  Index next_new_ = 0;  // nodes from here on were never used
  std::size_t size_ = 0;
  std::uint64_t refused_ = 0;
  bool advancing_ = false;
};

}  // namespace spanwire::base
