#include "jetstream/unacknowledged.h"

#include <algorithm>

namespace spanwire::jetstream {

const Unacknowledged* UnacknowledgedSet::find(Sequence sequence) const {
  const auto found = pending_.find(sequence);
  return found == pending_.end() ? nullptr : &found->second;
}

void UnacknowledgedSet::delivered(Sequence sequence, std::uint64_t delivery, base::WallTime now,
                                  base::WallTime due) {
  const auto [entry, is_new] = pending_.try_emplace(sequence);
  if (is_new) entry->second.delivery = delivery;
  entry->second.delivered_at = now;
  entry->second.due = due;
  due_.push({due, sequence});
}

void UnacknowledgedSet::postpone(Sequence sequence, base::WallTime due) {
  const auto found = pending_.find(sequence);
  if (found == pending_.end()) return;
  unqueue(sequence);
  found->second.due = due;
  due_.push({due, sequence});
}

bool UnacknowledgedSet::remove(Sequence sequence) {
  unqueue(sequence);
  if (pending_.erase(sequence) == 0) return false;
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
  for (const auto& [sequence, entry] : pending_) last = std::max(last, entry.due);
  return last;
}

void UnacknowledgedSet::queue_due(base::WallTime now, absl::FunctionRef<bool(Sequence)> accept) {
  while (!due_.empty() && due_.top().at <= now) {
    const Due next = due_.top();
    due_.pop();
    const auto found = pending_.find(next.sequence);
    const bool stale =
        found == pending_.end() || found->second.due != next.at || queued(next.sequence);
    if (!stale && accept(next.sequence)) queue(next.sequence);
  }
}

std::optional<base::WallTime> UnacknowledgedSet::next_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.top().at;
}

void UnacknowledgedSet::remove_below(Sequence first) {
  pending_.erase(pending_.begin(), pending_.lower_bound(first));
  in_queue_.erase(in_queue_.begin(), in_queue_.lower_bound(first));
  absl::erase_if(redeliveries_, [first](const auto& entry) { return entry.first < first; });
}

void UnacknowledgedSet::clear() {
  *this = {};
}

}  // namespace spanwire::jetstream
