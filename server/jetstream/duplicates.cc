#include "jetstream/duplicates.h"

#include <algorithm>

namespace spanwire::jetstream {

store::Sequence Duplicates::find(std::string_view id) const {
  const auto found = ids_.find(id);
  return found == ids_.end() ? 0 : found->second;
}

bool Duplicates::add(std::string_view id, store::Sequence sequence, base::WallTime now) {
  if (window_ <= base::Duration::zero()) return true;
  forget_before(now);
  if (full()) return false;
  const auto [entry, is_new] = ids_.try_emplace(std::string(id), sequence);
  if (is_new) order_.push_back({&entry->first, sequence, now});
  return true;
}

std::optional<Duplicates::Found> Duplicates::next(store::Sequence from) const {
  const auto found = std::lower_bound(
      order_.begin(), order_.end(), from,
      [](const Entry& entry, store::Sequence wanted) { return entry.sequence < wanted; });
  if (found == order_.end()) return std::nullopt;
  return Found{.id = *found->id, .sequence = found->sequence, .time = found->time};
}

void Duplicates::forget_before(base::WallTime now) {
  while (!order_.empty() && order_.front().time + window_ <= now) {
    ids_.erase(*order_.front().id);
    order_.pop_front();
  }
}

void Duplicates::forget_above(store::Sequence last) {
  while (!order_.empty() && order_.back().sequence > last) {
    ids_.erase(*order_.back().id);
    order_.pop_back();
  }
}

}  // namespace spanwire::jetstream
