// What a consumer has delivered and not yet had acknowledged, and what of it is to be delivered
// again.
#pragma once

#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>
#include <absl/functional/function_ref.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <queue>
#include <vector>

#include "base/clock.h"
#include "jetstream/sequence_window.h"
#include "store/log.h"

namespace spanwire::jetstream {

using store::Sequence;

// One delivery that waits for its acknowledgement.
struct Unacknowledged {
  std::uint64_t delivery = 0;  // the consumer's own number of its first delivery
  base::WallTime delivered_at{};
  base::WallTime due{};  // then it is delivered again
};

// Belongs to one consumer. Deliveries of a message are counted until it is acknowledged or gone
// from the stream, also when it has been given up.
class UnacknowledgedSet {
 public:
  std::size_t size() const { return pending_.size(); }
  bool empty() const { return pending_.empty(); }
  bool contains(Sequence sequence) const { return pending_.contains(sequence); }
  const Unacknowledged* find(Sequence sequence) const { return pending_.find(sequence); }
  // The lowest of them; 0: there is none.
  Sequence lowest() const { return pending_.lowest(); }

  // A delivery, the first or another one, which is due at `due`. One that waits already keeps its
  // number.
  void delivered(Sequence sequence, std::uint64_t delivery, base::WallTime now, base::WallTime due);
  // Waits until another time (in progress, refused with a delay).
  void postpone(Sequence sequence, base::WallTime due);
  // It waits no longer; its count of deliveries stays (forget_count()).
  bool remove(Sequence sequence);
  template <class Visit>
  void for_each(const Visit& visit) const {
    pending_.for_each(visit);
  }

  // How often a message was delivered beyond its first time.
  std::uint64_t redeliveries(Sequence sequence) const;
  void set_redeliveries(Sequence sequence, std::uint64_t count);
  void forget_count(Sequence sequence) {
    if (!redeliveries_.empty()) redeliveries_.erase(sequence);
  }
  std::size_t redelivered() const { return redeliveries_.size(); }
  template <class Visit>
  void for_each_redelivered(const Visit& visit) const {
    for (const auto& [sequence, count] : redeliveries_) visit(sequence, count);
  }

  // To be delivered again, in this order.
  void queue(Sequence sequence);
  bool queued(Sequence sequence) const { return in_queue_.contains(sequence); }
  void unqueue(Sequence sequence) {
    if (!in_queue_.empty()) in_queue_.erase(sequence);
  }
  std::size_t queued_count() const { return in_queue_.size(); }
  // The one to be delivered next; 0: none. It stays until unqueue().
  Sequence first_queued();

  // Queues what is due by now and accept(sequence) lets through; who refuses one removes it.
  void queue_due(base::WallTime now, absl::FunctionRef<bool(Sequence)> accept);
  // When the next one may be due; none: nothing waits.
  std::optional<base::WallTime> next_due() const;

  // How many times it keeps, those of messages included that wait no longer.
  std::size_t times() const { return due_.size(); }

  // When the last of them is due.
  base::WallTime last_due() const;

  // Everything below is gone from the stream, or was reset.
  void remove_below(Sequence first);
  void clear();

 private:
  struct Due {
    base::WallTime at;
    Sequence sequence;
    bool operator>(const Due& other) const {
      return at != other.at ? at > other.at : sequence > other.sequence;
    }
  };

  void add_due(base::WallTime at, Sequence sequence);
  void forget_stale();

  SequenceWindow<Unacknowledged> pending_;
  absl::flat_hash_map<Sequence, std::uint64_t> redeliveries_;
  // Entries whose message was removed or postponed since are stale: `due` of pending_ decides. At
  // most as many as others, and some.
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::deque<Sequence> queue_;  // may hold what in_queue_ no longer does
  absl::btree_set<Sequence> in_queue_;
};

}  // namespace spanwire::jetstream
