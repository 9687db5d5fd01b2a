#include "jetstream/unacknowledged.h"

#include <algorithm>

namespace spanwire::jetstream {

void UnacknowledgedSet::delivered(Sequence sequence, std::uint64_t delivery, base::WallTime now,
                                  base::WallTime due) {
  Unacknowledged& entry = pending_[sequence];
  if (entry.delivery == 0) entry.delivery = delivery;
  entry.delivered_at = now;
  entry.due = due;
  add_due(due, sequence);
}

void UnacknowledgedSet::add_due(base::WallTime at, Sequence sequence) {
  due_.push({at, sequence});
  forget_stale();
}

// What is acknowledged long before it is due would pile up here.
void UnacknowledgedSet::forget_stale() {
  constexpr std::size_t few = 256;
  if (due_.size() <= 2 * pending_.size() + few) return;
  std::vector<Due> all;
  all.reserve(pending_.size());
  pending_.for_each([&all](Sequence sequence, const Unacknowledged& entry) {
    all.push_back({entry.due, sequence});
  });
  due_ = decltype(due_)(std::greater<>(), std::move(all));
}

void UnacknowledgedSet::postpone(Sequence sequence, base::WallTime due) {
  Unacknowledged* const found = pending_.find(sequence);
  if (found == nullptr) return;
  unqueue(sequence);
  found->due = due;
  add_due(due, sequence);
}

bool UnacknowledgedSet::remove(Sequence sequence) {
  unqueue(sequence);
  if (!pending_.erase(sequence)) return false;
  if (pending_.empty()) due_ = {};
  return true;
}

std::uint64_t UnacknowledgedSet::redeliveries(Sequence sequence) const {
  const auto found = redeliveries_.find(sequence);
  return found == redeliveries_.end() ? 0 : found->second;
}

void UnacknowledgedSet::set_redeliveries(Sequence sequence, std::uint64_t count) {
  if (count == 0) {
    redeliveries_.erase(sequence);
  } else {
    redeliveries_[sequence] = count;
  }
}

void UnacknowledgedSet::queue(Sequence sequence) {
  if (in_queue_.insert(sequence).second) queue_.push_back(sequence);
}

Sequence UnacknowledgedSet::first_queued() {
  while (!queue_.empty() && !in_queue_.contains(queue_.front())) queue_.pop_front();
  return queue_.empty() ? 0 : queue_.front();
}

base::WallTime UnacknowledgedSet::last_due() const {
  base::WallTime last = base::WallTime::min();
  pending_.for_each(
      [&last](Sequence, const Unacknowledged& entry) { last = std::max(last, entry.due); });
  return last;
}

void UnacknowledgedSet::queue_due(base::WallTime now, absl::FunctionRef<bool(Sequence)> accept) {
  while (!due_.empty() && due_.top().at <= now) {
    const Due next = due_.top();
    due_.pop();
    const Unacknowledged* const found = pending_.find(next.sequence);
    const bool stale = found == nullptr || found->due != next.at || queued(next.sequence);
    if (!stale && accept(next.sequence)) queue(next.sequence);
  }
}

std::optional<base::WallTime> UnacknowledgedSet::next_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.top().at;
}

void UnacknowledgedSet::remove_below(Sequence first) {
  pending_.erase_below(first);
  in_queue_.erase(in_queue_.begin(), in_queue_.lower_bound(first));
  absl::erase_if(redeliveries_, [first](const auto& entry) { return entry.first < first; });
}

void UnacknowledgedSet::clear() {
  *this = {};
}

}  // namespace spanwire::jetstream
