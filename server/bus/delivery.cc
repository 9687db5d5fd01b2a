#include "bus/delivery.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "base/assert.h"

namespace spanwire::bus {
namespace {

std::uint64_t bit(base::LoopId loop) {
  return std::uint64_t{1} << loop;
}

// Behind every port.
constexpr auto no_port_after = static_cast<base::PortId>(~std::uint64_t{0});

const Draw* find_draw(const Match& match, std::string_view group) {
  const auto found = std::lower_bound(
      match.draws.begin(), match.draws.end(), group,
      [](const Draw& draw, std::string_view wanted) { return draw.group < wanted; });
  return found != match.draws.end() && found->group == group ? &*found : nullptr;
}

bool may_take(const DrawMember& member, base::LoopId here, const Port* source) {
  if (member.gate->state() == GateState::closed) return false;
  if (base::loop_of(member.id) != here) return true;
  const Subscription& subscription = *member.subscription;
  if (subscription.port->has_left()) return false;
  if (!subscription.echo && subscription.port == source) return false;
  return subscription.limit == 0 || subscription.delivered < subscription.limit;
}

}  // namespace

Routed Router::route(Port& port, MessageView& message, Match* admitted) {
  if (routing_) return defer(port, message);
  BASE_ASSERT(admitted != nullptr);  // admitted inside on_message, routed after it
  Match& match = *admitted;
  ++serial_;
  message.origin.port = port.id_;
  message.origin.number = ++port.number_;
  const std::size_t bytes = message.body_size();
  count_publication(port, bytes);
  Delivery delivery{match, &message, port.interest_, &port};
  std::optional<MessageView> counted;
  base::Ref<const Message> kept;
  if (bytes >= by_reference_bytes && match.is_shared()) {
    kept = message.keep();  // once, however many share it
    delivery.message = &counted.emplace(kept->view(message.origin));
    counted->receipt = message.receipt;
  }
  routing_ = true;
  deliver(delivery);
  for (Tap* tap : taps_) tap->on_routed(*delivery.message, port.interest_.account().id);
  routing_ = false;
  const Routed routed{delivery.taken, port.stalled_ || port.waiting_};
  if (!ended_.empty() || !deferred_.empty()) after_route();
  return routed;
}

// Takes its message to the targets with a receipt, which those that keep it claim.
Routed Router::publish(Port& port, MessageView& message, Match* admitted, Receipts::Answered done) {
  BASE_ASSERT(!routing_);
  if (receipts_.full()) {
    post(id_, [done = std::move(done)]() mutable {
      done({.outcome = Storing::Outcome::refused,
            .reason = "too many messages wait to be stored: publish slower"});
    });
    return {.awaited = true};
  }
  message.receipt = receipts_.begin(std::move(done));
  Routed routed = route(port, message, admitted);
  message.receipt = ReceiptId::none;
  routed.awaited = receipts_.end();
  return routed;
}

void Router::count_publication(Port& port, std::size_t bytes) {
  port.total_.in_messages.add();
  port.total_.in_bytes.add(bytes);
  port.traffic_.in_messages.add();
  port.traffic_.in_bytes.add(bytes);
  port.routed_since_refill_ += bytes;
  if (port.routed_since_refill_ < refill_bytes) return;
  port.routed_since_refill_ = 0;
  port.stall_allowance_ = stall_allowance;
}

void Router::deliver(Delivery& delivery) {
  const Match& match = delivery.match;
  if (match.is_plain_and_here()) {
    for (const Run& run : match.runs) deliver_run(delivery, run);
    return;
  }
  // Elsewhere first: a connection of this loop that is flushed early must not have a message whose
  // copies for other loops are not yet in their parcels.
  send_elsewhere(delivery);
  deliver_here(delivery);
}

// Draws one member for each group: from a random start the first open one, else a congested one.
void Router::draw_members(Delivery& delivery) {
  for (const Draw& draw : delivery.match.draws) {
    const auto count = static_cast<std::uint32_t>(draw.members.size());
    const std::uint32_t start = random_.below(count);
    const DrawMember* chosen = nullptr;
    for (std::uint32_t i = 0; i < count; ++i) {
      const DrawMember& member = draw.members[(start + i) % count];
      if (!may_take(member, id_, delivery.source)) continue;
      if (chosen == nullptr) chosen = &member;
      if (member.gate->state() == GateState::open) {
        chosen = &member;
        break;
      }
    }
    if (chosen == nullptr) continue;
    if (base::loop_of(chosen->id) == id_) {
      local_draws_.push_back({chosen->subscription, chosen->id, 0, chosen->shown});
    } else {
      remote_draws_.push_back({chosen->id, draw.group, 0});
    }
  }
}

void Router::send_elsewhere(Delivery& delivery) {
  local_draws_.clear();
  remote_draws_.clear();
  if (!delivery.match.draws.empty()) draw_members(delivery);
  std::uint64_t loops = delivery.match.remote_loops;
  for (const Drawn& drawn : remote_draws_) loops |= bit(base::loop_of(drawn.sub));
  while (loops != 0) {
    const auto loop = static_cast<base::LoopId>(std::countr_zero(loops));
    loops &= loops - 1;
    drawn_there_.clear();
    for (const Drawn& drawn : remote_draws_) {
      if (base::loop_of(drawn.sub) == loop) drawn_there_.push_back(drawn);
    }
    const bool to_plain = (delivery.match.remote_loops & bit(loop)) != 0;
    delivery.taken += static_cast<std::uint32_t>(drawn_there_.size()) + (to_plain ? 1 : 0);
    ReceiptId receipt = ReceiptId::none;
    if ((delivery.match.durable_loops & bit(loop)) != 0) receipt = delivery.message->receipt;
    if (receipt != ReceiptId::none) receipts_.claim(receipt);
    batch(delivery, loop, to_plain, drawn_there_, receipt);
  }
}

// Plain subscriptions lie by port in the match; the drawn members are brought into the same order.
void Router::deliver_here(Delivery& delivery) {
  sort_draws();
  for (const Run& run : delivery.match.runs) {
    deliver_drawn(delivery, run.port->id_, run.shown);
    deliver_run(delivery, run);
  }
  deliver_drawn(delivery, no_port_after, 0);
}

void Router::sort_draws() {
  next_draw_ = 0;
  if (local_draws_.size() < 2) return;
  std::sort(local_draws_.begin(), local_draws_.end(), [](const LocalDraw& a, const LocalDraw& b) {
    const base::PortId left = a.subscription->port->id_;
    const base::PortId right = b.subscription->port->id_;
    if (left != right) return left < right;
    return a.shown != b.shown ? a.shown < b.shown : a.subscription->id < b.subscription->id;
  });
}

inline bool Router::is_drawn_for(const Run& run) const {
  if (next_draw_ == local_draws_.size()) return false;
  const LocalDraw& next = local_draws_[next_draw_];
  return next.subscription->port == run.port && next.shown == run.shown;
}

// Under the subject that these targets show.
inline Taken Router::offer(Delivery& delivery, Port& port, std::span<const Target> targets,
                           std::uint32_t shown) const {
  if (shown == 0) [[likely]]
    return port.receiver_->on_message(targets, *delivery.message);
  return offer_shown(delivery, port, targets, shown);
}

void Router::deliver_run(Delivery& delivery, const Run& run) {
  if (run.picky || is_drawn_for(run)) return deliver_picked(delivery, run);
  Port& port = *run.port;
  const std::span<const Target> targets(delivery.match.targets.data() + run.first, run.count);
  if (offer(delivery, port, targets, run.shown) == Taken::none) return;
  for (std::uint32_t i = 0; i < run.count; ++i) {
    ++delivery.match.subscriptions[run.first + i]->delivered;
  }
  count_delivery(delivery, port, run.count);
}

// An importer sees nothing of the exporter's own subject. Apart from offer(), which is the usual
// way and should not pay for this one's room.
Taken Router::offer_shown(Delivery& delivery, Port& port, std::span<const Target> targets,
                          std::uint32_t shown) {
  MessageView message = *delivery.message;
  message.route = message.subject = delivery.match.shown[shown - 1];
  return port.receiver_->on_message(targets, message);
}

void Router::deliver_picked(Delivery& delivery, const Run& run) {
  pick_plain(delivery, run);
  const std::size_t plain = picked_.size();
  pick_drawn(*run.port, run.shown);
  offer_picked(delivery, *run.port, plain, run.shown);
}

// To the drawn members of the ports before this one, and of this one if they show a subject before.
void Router::deliver_drawn(Delivery& delivery, base::PortId before, std::uint32_t before_shown) {
  while (next_draw_ != local_draws_.size()) {
    const LocalDraw next = local_draws_[next_draw_];
    Port& port = *next.subscription->port;
    if (port.id_ > before || (port.id_ == before && next.shown >= before_shown)) return;
    picked_.clear();
    picked_subscriptions_.clear();
    pick_drawn(port, next.shown);
    offer_picked(delivery, port, 0, next.shown);
  }
}

void Router::pick(Subscription& subscription, Note* note) {
  const bool last = subscription.limit != 0 && subscription.delivered + 1 >= subscription.limit;
  picked_.push_back({subscription.id, subscription.tag, note, last});
  picked_subscriptions_.push_back(&subscription);
}

void Router::pick_plain(Delivery& delivery, const Run& run) {
  picked_.clear();
  picked_subscriptions_.clear();
  for (std::uint32_t i = run.first; i < run.first + run.count; ++i) {
    Subscription& subscription = *delivery.match.subscriptions[i];
    if (!subscription.echo && delivery.message->origin.port == run.port->id_) continue;
    if (subscription.limit != 0 && subscription.delivered >= subscription.limit) continue;
    pick(subscription, delivery.match.targets[i].note);
  }
}

// Moves this port's drawn members that show this subject behind the plain targets.
void Router::pick_drawn(const Port& port, std::uint32_t shown) {
  picked_draws_.clear();
  for (; next_draw_ != local_draws_.size(); ++next_draw_) {
    const LocalDraw& draw = local_draws_[next_draw_];
    if (draw.subscription->port != &port || draw.shown != shown) return;
    pick(*draw.subscription, nullptr);
    picked_draws_.push_back(draw);
  }
}

void Router::offer_picked(Delivery& delivery, Port& port, std::size_t plain, std::uint32_t shown) {
  if (picked_.empty()) return;
  const Taken taken = offer(delivery, port, picked_, shown);
  const std::size_t count = taken == Taken::all     ? picked_.size()
                            : taken == Taken::plain ? plain
                                                    : 0;
  for (std::size_t i = 0; i < count; ++i) count_delivered(*picked_subscriptions_[i]);
  if (count != 0) count_delivery(delivery, port, count);
  if (taken == Taken::all) return;
  for (const LocalDraw& draw : picked_draws_) {
    redraw(delivery, draw.subscription->group->name, draw.member, draw.tried_loops);
  }
}

void Router::count_delivered(Subscription& subscription) {
  ++subscription.delivered;
  if (subscription.limit != 0 && subscription.delivered >= subscription.limit) {
    ended_.push_back(subscription.id);
  }
}

void Router::count_delivery(Delivery& delivery, Port& port, std::size_t count) {
  const std::size_t bytes = count * delivery.message->body_size();
  delivery.taken += static_cast<std::uint32_t>(count);
  port.total_.out_messages.add(count);
  port.total_.out_bytes.add(bytes);
  port.traffic_.out_messages.add(count);
  port.traffic_.out_bytes.add(bytes);
  if (port.gate_->state() != GateState::open) [[unlikely]]
    note_congestion(delivery, port);
}

void Router::note_congestion(Delivery& delivery, Port& port) {
  if (!port.gate_->worth_stalling()) return;
  if (delivery.source != nullptr) {
    stall(*delivery.source);
    return;
  }
  const base::PortId publisher = delivery.message->origin.port;
  const bool known =
      std::find(stall_notices_.begin(), stall_notices_.end(), publisher) != stall_notices_.end();
  if (!known && base::loop_of(publisher) != id_) stall_notices_.push_back(publisher);
}

// A drawn member did not take the message: another one of this loop, else one of a loop that has
// not been tried, else it is dropped.
void Router::redraw(Delivery& delivery, std::string_view group, base::SubId refused,
                    std::uint64_t tried_loops) {
  const Draw* draw = find_draw(delivery.match, group);
  if (draw != nullptr && (redraw_here(delivery, *draw, refused) ||
                          redraw_elsewhere(delivery, *draw, tried_loops | bit(id_)))) {
    return;
  }
  stats_.dropped_queue.add();
}

bool Router::redraw_here(Delivery& delivery, const Draw& draw, base::SubId refused) {
  const auto count = static_cast<std::uint32_t>(draw.members.size());
  const std::uint32_t start = random_.below(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const DrawMember& member = draw.members[(start + i) % count];
    if (base::loop_of(member.id) != id_ || member.id == refused) continue;
    if (!may_take(member, id_, delivery.source)) continue;
    Subscription& subscription = *member.subscription;
    const bool last = subscription.limit != 0 && subscription.delivered + 1 >= subscription.limit;
    const Target target{subscription.id, subscription.tag, nullptr, last};
    if (offer(delivery, *subscription.port, {&target, 1}, member.shown) != Taken::all) continue;
    count_delivered(subscription);
    count_delivery(delivery, *subscription.port, 1);
    return true;
  }
  return false;
}

bool Router::redraw_elsewhere(Delivery& delivery, const Draw& draw, std::uint64_t tried_loops) {
  const auto count = static_cast<std::uint32_t>(draw.members.size());
  const std::uint32_t start = random_.below(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const DrawMember& member = draw.members[(start + i) % count];
    const base::LoopId loop = base::loop_of(member.id);
    if ((tried_loops & bit(loop)) != 0 || member.gate->state() == GateState::closed) continue;
    const Drawn drawn{member.id, draw.group, tried_loops};
    batch(delivery, loop, false, {&drawn, 1});
    ++delivery.taken;
    return true;
  }
  return false;
}

// False: the member that another loop has drawn is gone, or wants no more.
bool Router::take_drawn(const Match& match, const Drawn& drawn) {
  Subscription* const member = subscriptions_.find(drawn.sub);
  if (member == nullptr) return false;
  Subscription& counted = member->counted();
  if (counted.limit != 0 && counted.delivered >= counted.limit) return false;
  std::uint32_t shown = 0;
  if (member->is_shadow()) {
    const Draw* draw = find_draw(match, drawn.group);
    if (draw == nullptr) return false;
    const auto found =
        std::find_if(draw->members.begin(), draw->members.end(),
                     [&drawn](const DrawMember& other) { return other.id == drawn.sub; });
    if (found == draw->members.end()) return false;
    shown = found->shown;
  }
  local_draws_.push_back({&counted, drawn.sub, drawn.tried_loops, shown});
  return true;
}

// The targets here claim a receipt of this loop; its answer is the source's.
void Router::deliver_for_receipt(ParcelEntry& entry, base::LoopId source) {
  const ReceiptId asked = entry.receipt;
  entry.message.receipt = receipts_.begin(
      [this, source, asked](Storing storing) { answer_source(source, asked, std::move(storing)); });
  deliver_entry(entry);
  if (!receipts_.end()) answer_source(source, asked, {});
}

void Router::answer_source(base::LoopId source, ReceiptId receipt, Storing storing) {
  post(source, [hub = &hub_, source, receipt, storing = std::move(storing)]() mutable {
    hub->router(source).receipts_.answer(receipt, std::move(storing));
  });
}

void Router::deliver_entry(ParcelEntry& entry) {
  ++serial_;
  Match& match = match_of(*entry.interest, entry.message.route);
  Delivery delivery{match, &entry.message, *entry.interest};
  local_draws_.clear();
  gone_.clear();
  routing_ = true;
  for (const Drawn& drawn : entry.drawn) {
    if (!take_drawn(match, drawn)) gone_.push_back(drawn);
  }
  if (entry.to_plain) {
    deliver_here(delivery);
  } else {
    sort_draws();
    deliver_drawn(delivery, no_port_after, 0);
  }
  for (const Drawn& drawn : gone_) redraw(delivery, drawn.group, drawn.sub, drawn.tried_loops);
  routing_ = false;
  if (!ended_.empty() || !deferred_.empty()) after_route();
}

}  // namespace spanwire::bus
