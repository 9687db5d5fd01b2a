#include "bus/subscriptions.h"

#include "base/assert.h"

namespace spanwire::bus {

Subscription& SubscriptionTable::add() {
  if (free_ != nullptr) {
    Subscription& reused = *free_;
    free_ = reused.next;
    const auto id = static_cast<base::SubId>(reused.tag);
    reused = Subscription();
    reused.id = id;
    return reused;
  }
  BASE_ASSERT(slots_ <= slot_mask);
  const std::uint64_t slot = slots_++;
  if ((slot >> chunk_bits) == chunks_.size()) {
    chunks_.push_back(std::make_unique<Subscription[]>(std::size_t{1} << chunk_bits));
  }
  Subscription& fresh = at(slot);
  const std::uint64_t uses = 1;  // so that no id is `none`
  fresh.id = static_cast<base::SubId>((std::uint64_t{loop_} << 56) | (uses << slot_bits) | slot);
  return fresh;
}

void SubscriptionTable::remove(Subscription& subscription) {
  const auto id = static_cast<std::uint64_t>(subscription.id);
  subscription = Subscription();
  const std::uint64_t uses = (id >> slot_bits) & most_uses;
  if (uses == most_uses) return;
  subscription.tag = id + (std::uint64_t{1} << slot_bits);
  subscription.next = free_;
  free_ = &subscription;
}

Subscription* SubscriptionTable::find(base::SubId id) const {
  const std::uint64_t slot = static_cast<std::uint64_t>(id) & slot_mask;
  if (id == base::SubId::none || slot >= slots_) return nullptr;
  Subscription& subscription = at(slot);
  return subscription.id == id ? &subscription : nullptr;
}

}  // namespace spanwire::bus
