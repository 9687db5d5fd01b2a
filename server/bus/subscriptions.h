// The subscriptions of one loop, each at an address that stays, found by id without a hash table:
// there may be a million of them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/ids.h"
#include "bus/stream_import.h"

namespace spanwire::bus {

class Port;
struct FilterEntry;
struct QueueGroup;

struct Subscription;

// How a subscription and its shadows in other accounts' trees (bus/stream_import.h) know each
// other.
struct ShadowLinks {
  Subscription* primary = nullptr;     // of a shadow: the one whose messages it brings
  base::Ref<const ShadowView> view;    // of a shadow
  std::vector<Subscription*> shadows;  // of a primary
};

// One subscription of a port. Lives on the port's loop.
struct Subscription {
  base::SubId id = base::SubId::none;
  std::uint64_t tag = 0;
  Port* port = nullptr;
  FilterEntry* entry = nullptr;
  QueueGroup* group = nullptr;  // null: a plain subscription
  std::uint32_t position = 0;   // in its list; kept by Interest under the writer's lock
  bool echo = true;             // false: messages of its own port are not delivered
  bool durable = false;         // claims the receipts of what it gets
  std::uint64_t delivered = 0;
  std::uint64_t limit = 0;           // 0: none; else it ends when `delivered` reaches it
  Subscription* previous = nullptr;  // the port's list
  Subscription* next = nullptr;
  std::unique_ptr<ShadowLinks> links;  // null: neither a shadow nor one that has any

  bool is_shadow() const { return links != nullptr && links->primary != nullptr; }
  const ShadowView* view() const { return links == nullptr ? nullptr : links->view.get(); }
  // The one that counts deliveries and that receivers know.
  Subscription& counted() { return is_shadow() ? *links->primary : *this; }
};

// An id is the loop (8 bits), how often its slot was used before (28) and the slot (28). A slot
// that was used as often as can be counted is given up, so that no id ever comes back.
class SubscriptionTable {
 public:
  explicit SubscriptionTable(base::LoopId loop) : loop_(loop) {}

  // A new one; only its id is set.
  Subscription& add();
  void remove(Subscription& subscription);
  // Null if it is gone, or of another loop.
  Subscription* find(base::SubId id) const;

 private:
  static constexpr unsigned slot_bits = 28;
  static constexpr unsigned chunk_bits = 10;
  static constexpr std::uint64_t slot_mask = (std::uint64_t{1} << slot_bits) - 1;
  static constexpr std::uint64_t most_uses = (std::uint64_t{1} << (56 - slot_bits)) - 1;

  Subscription& at(std::uint64_t slot) const {
    return chunks_[slot >> chunk_bits][slot & ((1U << chunk_bits) - 1)];
  }

  base::LoopId loop_;
  std::vector<std::unique_ptr<Subscription[]>> chunks_;
  std::uint64_t slots_ = 0;       // those that were ever used
  Subscription* free_ = nullptr;  // linked by `next`; `tag` has the id to use
};

}  // namespace spanwire::bus
