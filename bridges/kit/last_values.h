// Last values: what was last published to each subject, by whatever wire. Each loop keeps what its
// own connections publish; a question is put to all loops, and the newest answer wins.
#pragma once

#include <absl/container/flat_hash_set.h>
#include <absl/hash/hash.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/counter.h"
#include "base/done.h"
#include "base/ids.h"
#include "base/lifeline.h"
#include "base/ref.h"
#include "base/result.h"
#include "bridges/kit/value_query.h"
#include "bus/message.h"
#include "bus/receiver.h"
#include "subject/filter.h"
#include "wire/services.h"

namespace spanwire::kit {

struct LastValuesSettings {
  std::size_t bytes = 64U << 20;  // of all loops together, what the index costs included
  // Only subjects that one of these matches are kept; none: all. `$…` and inboxes never are.
  std::vector<subject::Filter> keep;
};

struct LastValuesStats {
  base::Counter entries;
  base::Counter bytes;
  base::Counter evicted;    // gave way to others
  base::Counter too_large;  // larger than all that a loop may keep
  base::Counter refused;    // questions, because too many waited
};

class LastValues;

// Those of every loop. Made before the loops run, outlives their LastValues.
class LastValuesGroup {
 private:
  friend class LastValues;
  std::array<LastValues*, base::max_loops> of_loop_{};
};

// One a loop. It taps the bus from its construction to its end.
//
// A value that gives way takes the older ones of its subject on other loops with it, before anybody
// hears of what was published with it: the word goes out as messages do.
//
// The newest is what has the latest clock of its loop after the read() that brought it: an answer
// that a publisher has waited for was written after that, and what it publishes next, on whatever
// loop, is read after it. The clock is the steady one, so nobody setting the time can turn it back.
class LastValues final : private bus::Tap {
 public:
  // Neither no message nor a failure is unusual: too many may be asking.
  using Answer = base::Result<base::Ref<const bus::Message>>;

  LastValues(wire::Services& services, LastValuesGroup& group, LastValuesSettings settings);
  ~LastValues();
  LastValues(const LastValues&) = delete;
  LastValues& operator=(const LastValues&) = delete;

  // The newest value that the query fits, or null. It is looked up by its subject if the filter is
  // literal; else all values are walked, in slices.
  void find(ValueQuery query, base::Done<Answer> done);

  const LastValuesStats& stats() const { return stats_; }

 private:
  // The value of a subject, in a list that the oldest entry leads.
  struct Entry {
    base::AccountId account = 0;
    std::string subject;
    std::string payload;                    // small ones are copied into memory that stays
    base::Ref<const bus::Message> message;  // a large one is shared
    bus::Origin origin;
    base::Time time{};
    std::uint64_t number = 0;  // counts what this loop has kept
    std::uint64_t born = 0;    // the number of the first value
    std::size_t bytes = 0;     // as accounted
    bool used = false;         // since it was last considered for eviction
    Entry* previous = nullptr;
    Entry* next = nullptr;
  };
  struct Key {
    base::AccountId account;
    std::string_view subject;
    friend bool operator==(const Key&, const Key&) = default;
  };
  // A Key on its way to other loops.
  struct HashedKey {
    std::size_t hash;  // the same on all loops
  };
  struct EntryHash {
    using is_transparent = void;
    std::size_t operator()(HashedKey key) const { return key.hash; }
    std::size_t operator()(const Key& key) const { return absl::HashOf(key.account, key.subject); }
    std::size_t operator()(const std::unique_ptr<Entry>& entry) const {
      return (*this)(key_of(*entry));
    }
  };
  struct EntryEqual {
    using is_transparent = void;
    static const Key& key(const Key& key) { return key; }
    static Key key(const std::unique_ptr<Entry>& entry) { return key_of(*entry); }
    bool operator()(const std::unique_ptr<Entry>& entry, HashedKey key) const {
      return EntryHash()(entry) == key.hash;
    }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return key(a) == key(b);
    }
  };
  // What a loop has to say.
  struct Found {
    base::Time time{};
    base::LoopId loop = 0;
    std::uint64_t number = 0;
    base::Ref<const bus::Message> message;
    bool refused = false;

    bool is_older_than(base::Time other, base::LoopId from, std::uint64_t its_number) const;
  };
  struct Search;
  struct Walk;

  static Key key_of(const Entry& entry) { return {entry.account, entry.subject}; }

  void on_routed(const bus::MessageView& message, base::AccountId account) override;
  bool is_kept(std::string_view subject) const;
  Entry* find(const Key& key) const;
  Entry& add(const Key& key);
  void set_value(Entry& entry, const bus::MessageView& message);
  void make_room();
  void give_up(Entry& entry);
  void remove_older(HashedKey key, base::Time time);
  void remove(Entry& entry);

  void ask(std::unique_ptr<Walk> walk);
  Found look_up(const ValueQuery& query);
  void begin_walk();
  void walk_on();
  static bool fits(const ValueQuery& query, const Entry& entry);
  static base::Ref<const bus::Message> message_of(const Entry& entry);
  void answer(std::unique_ptr<Walk> walk);

  wire::Services& services_;
  base::Loop& loop_;
  LastValuesGroup& group_;
  LastValuesSettings settings_;
  std::size_t limit_bytes_;
  absl::flat_hash_set<std::unique_ptr<Entry>, EntryHash, EntryEqual> entries_;
  Entry* first_ = nullptr;
  Entry* last_ = nullptr;
  Entry* hand_ = nullptr;    // the next to be considered for eviction
  Entry* recent_ = nullptr;  // what was published last
  std::size_t bytes_ = 0;
  std::uint64_t number_ = 0;
  std::deque<std::unique_ptr<Walk>> walks_;  // the first one is under way
  Entry* cursor_ = nullptr;                  // of the first walk: where it goes on
  LastValuesStats stats_;
  base::Lifeline lifeline_;
};

}  // namespace spanwire::kit
