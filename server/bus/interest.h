// Who is interested in what: one tree of filters for each account, shared by all loops.
//
// Written under all loops' locks, read under the reader's own (a loop only waits for writers, never
// for other readers). A loop's own Subscription objects are touched by that loop alone; other loops
// see counts, ids and gates.
#pragma once

#include <absl/container/inlined_vector.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "account/account.h"
#include "base/ids.h"
#include "base/mutex.h"
#include "bus/mappings.h"
#include "bus/receiver.h"
#include "bus/subscriptions.h"
#include "subject/index.h"

namespace spanwire::bus {

struct QueueMember {
  base::SubId id;
  base::Ref<Gate> gate;
  base::Ref<const account::PermissionSet> permissions;  // none: everything is allowed
  Subscription* subscription;                           // only for the loop that loop_of(id) names
  base::Ref<const ShadowView> view;                     // of a shadow

  bool may_receive(std::string_view subject) const;
};

struct QueueGroup {
  std::string name;
  std::vector<QueueMember> members;
};

// Generation counters that tell a cached match whether it still holds; one table for the process.
// Filters share slots by hash, so a match may be rebuilt needlessly, never kept wrongly.
class Generations {
 public:
  using Slot = std::atomic<std::uint64_t>;
  static constexpr std::size_t literal_slots = 1U << 16;
  static constexpr std::size_t prefix_slots = 1U << 12;
  static constexpr std::size_t pair_slots = 1U << 16;

  Slot& literal(std::uint64_t hash) { return literal_[hash % literal_slots]; }
  // Of wildcards under one literal token, and under two.
  Slot& prefix(std::uint64_t hash) { return prefix_[hash % prefix_slots]; }
  Slot& pair(std::uint64_t hash) { return pair_[hash % pair_slots]; }

 private:
  std::array<Slot, literal_slots> literal_{};
  std::array<Slot, prefix_slots> prefix_{};
  std::array<Slot, pair_slots> pair_{};
};

// The plain subscriptions of one loop to one filter. The pointers are for that loop only; other
// loops see whether anybody there may receive a subject.
struct LoopPlain {
  struct Restricted {
    base::Ref<const account::PermissionSet> set;
    base::Ref<const ShadowView> view;  // of shadows: each is for itself
    std::uint32_t subscriptions;
  };

  bool may_receive(std::string_view subject) const;

  base::LoopId loop = 0;
  std::uint32_t durable : 24 = 0;  // subscriptions that claim receipts
  std::uint32_t unrestricted = 0;  // subscriptions that get whatever matches
  absl::InlinedVector<Subscription*, 2> subscriptions;
  std::unique_ptr<std::vector<Restricted>> restricted;  // by set and view; null: none
};

// What stands at one filter of the tree. There may be a million of them: 72 bytes, and nothing else
// allocated for one or two plain subscriptions of one loop.
struct FilterEntry {
  using Groups = std::vector<std::unique_ptr<QueueGroup>>;

  subject::Place* place = nullptr;
  Generations::Slot* generation = nullptr;  // the one that a change here bumps
  absl::InlinedVector<LoopPlain, 1> plain;  // loops that have any, in no order
  std::unique_ptr<Groups> groups;           // by name; null: none

  bool unused() const { return plain.empty() && groups == nullptr; }
  subject::Filter filter() const { return subject::filter_at(*place); }
};
static_assert(sizeof(FilterEntry) == 72);

// What a match stands on. Its slots only grow, so their sum is unchanged only if each of them is.
struct Stamp {
  std::array<const Generations::Slot*, 5> slots{};
  std::uint64_t sum = 0;

  std::uint64_t read() const {
    std::uint64_t total = 0;
    for (const auto* slot : slots) total += slot->load(std::memory_order_acquire);
    return total;
  }
  bool holds() const { return read() == sum; }
};

class Interest {
 public:
  Interest(base::Ref<const account::Account> account, Generations& generations, std::size_t loops);

  const account::Account& account() const { return *account_; }

  // Links a subscription, whose id and port are set, and bumps the generations. Visible to every
  // loop when it returns. Any loop, for its own subscription. Returns the loops that are to be told
  // of it (bus/watches.h), a bit each.
  std::uint64_t add(Subscription& subscription, const base::Ref<Gate>& gate,
                    const subject::Filter& filter, std::string_view queue);
  void remove(Subscription& subscription);
  // Makes every loop build its matches for this filter again (a limit was set).
  void touch(const FilterEntry& entry);
  // Whether a loop has watches of this account. On that loop.
  void set_watched(base::LoopId loop, bool watched);

  std::uint64_t hash(std::string_view subject) const;
  // Read before the walk, so that a change during it leaves a stamp that no longer holds.
  Stamp stamp(std::string_view subject, std::uint64_t hash) const;

  // What ports that map publish goes where these say, from their next message on. None: nowhere
  // else. Any thread.
  void set_mappings(base::Ref<const Mappings> mappings);
  bool has_mappings() const { return has_mappings_.load(std::memory_order_acquire); }
  // Those in force, or none. Whoever keeps what they say reads a stamp and then asks again: only if
  // they are still the same does the stamp stand for them.
  base::Ref<const Mappings> mappings(base::LoopId reader) const;

  // What subscriptions that are made from now on get of other accounts' messages. Any thread.
  void set_stream_imports(base::Ref<const StreamImports> imports);
  bool has_stream_imports() const { return has_imports_.load(std::memory_order_acquire); }
  base::Ref<const StreamImports> stream_imports(base::LoopId reader) const;

  // Calls visit(const FilterEntry&) for each filter that matches, under the reader's lock.
  template <class Visit>
  void match(base::LoopId reader, std::string_view subject, Visit&& visit) const {
    const base::MutexLock lock(locks_[reader].mutex);
    tree_.match(subject, visit);
  }

  // Whether anybody subscribes to this very subject, in the queue group of this name or, without a
  // name, plainly.
  bool listens(base::LoopId reader, std::string_view subject, std::string_view group) const;

  std::size_t subscriptions() const { return subscriptions_.load(std::memory_order_relaxed); }
  // Since the start.
  std::uint64_t inserted() const { return inserted_.load(std::memory_order_relaxed); }

 private:
  struct alignas(64) ReaderLock {
    mutable base::Mutex mutex;
  };
  class WriterLock;

  Generations::Slot& generation_of(const subject::Filter& filter);
  static void bump(const FilterEntry& entry);
  static void link_plain(FilterEntry& entry, Subscription& subscription);
  static void link_member(FilterEntry& entry, Subscription& subscription,
                          const base::Ref<Gate>& gate, std::string_view queue);
  static void unlink_plain(FilterEntry& entry, Subscription& subscription);
  static void unlink_member(FilterEntry& entry, Subscription& subscription);

  base::Ref<const account::Account> account_;
  Generations& generations_;
  Generations::Slot wild_{0};      // filters whose first token is a wildcard
  Generations::Slot settings_{0};  // mappings, imports, permission sets
  std::unique_ptr<ReaderLock[]> locks_;
  std::size_t loops_;
  base::Ref<const Mappings> mappings_;  // never empty ones
  std::atomic<bool> has_mappings_{false};
  base::Ref<const StreamImports> imports_;
  std::atomic<bool> has_imports_{false};
  // The loops that watch, a bit each. A loop changes its own under its lock, so that whoever holds
  // them all reads what stands.
  std::atomic<std::uint64_t> watching_{0};
  subject::Index<FilterEntry> tree_;
  std::atomic<std::size_t> subscriptions_{0};
  std::atomic<std::uint64_t> inserted_{0};
};

}  // namespace spanwire::bus
