#include "bus/router.h"

#include <algorithm>
#include <optional>

#include "base/assert.h"
#include "bus/delivery.h"

namespace spanwire::bus {
namespace {

using std::chrono::milliseconds;

// A publisher that fills a peer's queue is stalled 2 to 5 ms at a time: nats-server's figures.
constexpr base::Duration stall_base = milliseconds(2);
constexpr std::uint32_t stall_spread_us = 3000;

std::uint64_t on_loop(base::LoopId loop, std::uint64_t count) {
  return (std::uint64_t{loop} << 56) | count;
}

// One in so many matches is measured: the clock costs a good part of one.
constexpr std::uint64_t measured_builds = 16;

// So many subscriptions of closed ports leave the tree in one step.
constexpr std::size_t leaving_slice = 256;

// Whom a closed port's messages reach.
class Nobody final : public Receiver {
 public:
  Taken on_message(std::span<const Target>, const MessageView&) override { return Taken::none; }
  void on_relief() override {}
} nobody;

}  // namespace

Interest& Hub::interest(const base::Ref<const account::Account>& account) {
  const base::MutexLock lock(mutex_);
  auto& interest = interests_[account->id];
  if (interest == nullptr) {
    interest = std::make_unique<Interest>(account, generations, exchange.loops());
  }
  return *interest;
}

std::vector<Interest*> Hub::interests() {
  const base::MutexLock lock(mutex_);
  std::vector<Interest*> all;
  for (const auto& [id, interest] : interests_) all.push_back(interest.get());
  return all;
}

Router::Router(Hub& hub, base::Loop& loop, RouterSettings settings, std::uint64_t seed)
    : hub_(hub),
      loop_(loop),
      id_(loop.id()),
      settings_(settings),
      random_(seed),
      cache_(id_, settings.match_cache_bytes),
      receipts_(loop),
      subscriptions_(id_),
      parcels_(hub.exchange.loops()) {
  hub.routers_[id_] = this;
}

Router::~Router() {
  BASE_ASSERT(ports_.empty());
  while (!leaving_.empty()) take_out_leaving();
}

OwnedPort Router::open(base::Ref<const account::Principal> principal, Receiver& receiver,
                       base::Ref<Gate> gate, PortOptions options) {
  Interest& interest = hub_.interest(principal->account);
  if (!gate) gate = base::make_ref<Gate>();
  const auto id = static_cast<base::PortId>(on_loop(id_, ++last_port_));
  std::shared_ptr<Verdicts> verdicts = verdicts_.of(principal->permissions);
  OwnedPort port(new Port(*this, interest, std::move(principal), receiver, std::move(gate),
                          std::move(verdicts), id, options.counted ? stats_.clients : stats_.own,
                          options));
  port->stall_allowance_ = stall_allowance;
  ports_.emplace(id, port.get());
  return port;
}

void Router::close(std::unique_ptr<Port> port) {
  BASE_ASSERT(!routing_);
  ports_.erase(port->id_);
  port->receiver_ = &nobody;
  port->left_ = true;
  if (port->watches_ != 0) watches_[&port->interest_]->remove_all(*port);
  leaving_.push_back(std::move(port));
  take_out_leaving();
}

void Router::take_out_leaving() {
  for (std::size_t left = leaving_slice; left != 0 && !leaving_.empty(); --left) {
    Port& port = *leaving_.back();
    if (port.first_ != nullptr) remove_subscription(*port.first_);
    if (port.first_ != nullptr) continue;
    const base::Ref<const account::PermissionSet> set = port.principal().permissions;
    leaving_.pop_back();
    verdicts_.prune(set.get());
  }
}

base::SubId Router::add_subscription(Port& port, const subject::Filter& filter,
                                     const SubOptions& options) {
  BASE_ASSERT(!routing_ && !(options.durable && !options.queue.empty()));
  Subscription& subscription = subscriptions_.add();
  subscription.tag = options.tag;
  subscription.port = &port;
  subscription.echo = options.echo;
  subscription.durable = options.durable;
  subscription.next = port.first_;
  if (port.first_ != nullptr) port.first_->previous = &subscription;
  port.first_ = &subscription;
  ++port.subscription_count_;
  const std::uint64_t watching =
      port.interest_.add(subscription, port.gate_, filter, options.queue);
  if (watching != 0) note_arrival(port.interest_, filter, watching);
  if (port.interest_.has_stream_imports()) add_shadows(subscription, filter, options.queue);
  return subscription.id;
}

bool Router::limit_subscription(Port& port, base::SubId sub, std::uint64_t after) {
  Subscription* const found = subscriptions_.find(sub);
  if (found == nullptr || found->port != &port) return false;
  Subscription& subscription = *found;
  if (after > subscription.delivered) {
    subscription.limit = after;
    port.interest_.touch(*subscription.entry);
    if (subscription.links != nullptr) {
      for (const Subscription* shadow : subscription.links->shadows) {
        shadow->view()->exporter().touch(*shadow->entry);
      }
    }
    return true;
  }
  if (routing_) {
    ended_.push_back(sub);
  } else {
    remove_subscription(subscription);
  }
  return false;
}

void Router::remove_subscription(Subscription& subscription) {
  Port& port = *subscription.port;
  port.interest_.remove(subscription);
  if (subscription.links != nullptr) remove_shadows(subscription);
  if (subscription.previous != nullptr) {
    subscription.previous->next = subscription.next;
  } else {
    port.first_ = subscription.next;
  }
  if (subscription.next != nullptr) subscription.next->previous = subscription.previous;
  --port.subscription_count_;
  subscriptions_.remove(subscription);
}

void Router::post(base::LoopId loop, base::Task task) {
  if (loop == id_) {
    own_tasks_.push_back({std::move(task), parcels_done_ + delivered_});
  } else {
    parcel_to(loop).add(std::move(task));
  }
}

// Without one in the cache, `key` is for make_match().
Match* Router::find_match(Port& port, std::string_view subject, Match::Key& key) {
  Match* match = nullptr;
  do {
    // Mappings that come into force meanwhile are not in the stamp of a match that was built
    // before.
    key = MatchCache::key_of(port.interest_, subject, port.asker());
    match = cache_.find(key);
  } while (key.asker != port.asker());
  if (match != nullptr) {
    port.last_match_ = match;
    port.last_epoch_ = cache_.epoch();
    port.last_verdict_ = Port::Verdict::unknown;
  }
  return match;
}

Match& Router::match_of(const Interest& interest, std::string_view subject, Asker asker) {
  const Match::Key key = MatchCache::key_of(interest, subject, asker);
  Match* const match = cache_.find(key);
  return match != nullptr ? *match : make_match(key);
}

Match& Router::make_match(const Match::Key& key) {
  if (cache_.builds() % measured_builds != 0) return cache_.make(key);
  const base::Time start = loop_.exact_now();
  Match& made = cache_.make(key);
  stats_.match.add(loop_.exact_now() - start);
  return made;
}

// The match in use must stay as it is, so the mappings are asked themselves.
void Router::map_inside(const Port& port, MessageView& message) {
  const base::Ref<const Mappings> mappings = port.interest_.mappings(id_);
  const Mapping* mapping = mappings ? mappings->find(message.route) : nullptr;
  if (mapping == nullptr) return;
  mapped_inside_.clear();
  mapping->apply(message.route, random_.next(), mapped_inside_);
  message.route = message.subject = mapped_inside_;
}

Routed Router::defer(Port& port, const MessageView& message) {
  if (deferred_.size() == max_deferred || deferred_bytes_ >= max_deferred_bytes) {
    stats_.dropped_deferred.add();
    return {};
  }
  deferred_.push_back({port.id_, message.keep()});
  deferred_bytes_ += deferred_.back().message->size_bytes();
  return {};
}

// What could not be done inside on_message.
void Router::after_route() {
  for (const base::SubId id : ended_) {
    Subscription* const found = subscriptions_.find(id);
    if (found != nullptr) remove_subscription(*found);
  }
  ended_.clear();
  run_deferred();
}

void Router::run_deferred() {
  if (running_deferred_) return;  // what these publish in turn is taken by the outer loop
  running_deferred_ = true;
  // Sessions that answer one another without end go on in the next turn, beside everybody else.
  for (std::size_t i = 0; i < max_deferred && !deferred_.empty(); ++i) {
    const Deferred next = std::move(deferred_.front());
    deferred_.pop_front();
    deferred_bytes_ -= next.message->size_bytes();
    const auto port = ports_.find(next.port);
    if (port == ports_.end()) continue;
    MessageView message = next.message->view();
    if (const auto admitted = port->second->admit_deferred(message)) {
      port->second->route(*admitted);
    }
  }
  running_deferred_ = false;
  if (deferred_.empty() || deferred_continues_) return;
  deferred_continues_ = true;
  post(id_, [this] {
    deferred_continues_ = false;
    run_deferred();
  });
}

Parcel& Router::parcel_to(base::LoopId loop) {
  auto& parcel = parcels_[loop];
  if (parcel == nullptr) parcel = hub_.exchange.fresh(id_, loop);
  return *parcel;
}

void Router::batch(Delivery& delivery, base::LoopId loop, bool to_plain,
                   std::span<const Drawn> drawn, ReceiptId receipt) {
  Parcel& parcel = parcel_to(loop);
  parcel.add(delivery.interest, *delivery.message, to_plain, drawn, receipt);
  stats_.handed_over.add();
  if (parcel.size_bytes() >= settings_.parcel_full_bytes) parcel_full_ = true;
  const std::size_t pending = parcel.size_bytes() + hub_.exchange.lane_bytes(id_, loop);
  if (pending <= settings_.lane_limit_bytes / 4 * 3 || delivery.source == nullptr) return;
  if (delivery.source->waiting_) return;
  // The parcel in hand is still to be drained, so the relief cannot be missed.
  hub_.exchange.wait_for(id_, loop);
  delivery.source->waiting_ = true;
  waiting_ports_.push_back(delivery.source->id_);
  stats_.lane_waits.add();
}

void Router::hand_over() {
  send_stall_notices();
  tell_watchers();
  std::optional<base::Time> start;
  for (std::size_t to = 0; to < parcels_.size(); ++to) {
    if (parcels_[to] == nullptr) continue;
    if (!start) start = loop_.exact_now();
    parcels_[to]->set_time(*start);
    const auto loop = static_cast<base::LoopId>(to);
    const std::size_t bytes = parcels_[to]->size_bytes();
    if (hub_.exchange.lane_bytes(id_, loop) + bytes > settings_.lane_limit_bytes) {
      blocked_lanes_ |= std::uint64_t{1} << to;
      hub_.exchange.wait_for(id_, loop);
    }
  }
  parcel_full_ = false;
  if (!start) return;
  hub_.exchange.hand_over(id_, parcels_);
  stats_.hand_over.add(loop_.exact_now() - *start);
}

void Router::forget(TurnEnd& end) {
  std::erase(turn_ends_, &end);
  std::replace(ending_turn_.begin(), ending_turn_.end(), &end, static_cast<TurnEnd*>(nullptr));
}

void Router::end_turn() {
  if (turn_ends_.empty()) return;
  BASE_ASSERT(!routing_);
  ending_turn_.swap(turn_ends_);
  for (std::size_t i = 0; i < ending_turn_.size(); ++i) {
    if (ending_turn_[i] != nullptr) ending_turn_[i]->on_turn_end();
  }
  ending_turn_.clear();
}

void Router::drain() {
  catch_up();
  run_tasks();
  take_out_leaving();
}

void Router::catch_up() {
  BASE_ASSERT(!routing_);
  hub_.exchange.take(id_, taken_);
  if (!taken_.empty()) {
    const base::Time now = loop_.exact_now();
    for (auto& parcel : taken_) {
      stats_.inbox_age.add(now - parcel->time());
      arrived_.push_back(std::move(parcel));
    }
    taken_.clear();
  }
  deliver_arrived();
}

void Router::deliver_arrived() {
  while (delivered_ < arrived_.size()) {
    Parcel& parcel = *arrived_[delivered_++];
    const std::size_t bytes = parcel.size_bytes();
    const base::LoopId source = parcel.source();
    while (parcel.next(arriving_)) {
      if (arriving_.receipt == ReceiptId::none) {
        deliver_entry(arriving_);
      } else {
        deliver_for_receipt(arriving_, source);
      }
    }
    if (hub_.exchange.drained(id_, source, bytes, settings_.lane_limit_bytes / 2)) {
      parcel_to(source).add(
          [hub = &hub_, source, here = id_] { hub->router(source).relieve(here); });
    }
  }
}

// Those of parcels that a task catches up with, and what the tasks post here, wait for the next
// one.
void Router::run_tasks() {
  std::vector<OwnTask> own = std::exchange(own_tasks_, {});
  auto next = own.begin();
  for (std::size_t due = delivered_;; --due) {
    for (; next != own.end() && next->after <= parcels_done_; ++next) next->task();
    if (due == 0) return;
    std::unique_ptr<Parcel> parcel = std::move(arrived_.front());
    arrived_.pop_front();
    --delivered_;
    ++parcels_done_;
    for (base::Task& task : parcel->tasks()) task();
    hub_.exchange.give_back(id_, std::move(parcel));
  }
}

bool Router::at_rest() const {
  const bool nothing_to_send = std::all_of(parcels_.begin(), parcels_.end(),
                                           [](const auto& parcel) { return parcel == nullptr; });
  return idle() && nothing_to_send && arrivals_.empty() && !hub_.exchange.filled(id_);
}

void Router::relieve(base::LoopId loop) {
  blocked_lanes_ &= ~(std::uint64_t{1} << loop);
  const std::vector<base::PortId> waiting = std::exchange(waiting_ports_, {});
  for (const base::PortId id : waiting) {
    const auto found = ports_.find(id);
    if (found == ports_.end()) continue;
    Port& port = *found->second;
    port.waiting_ = false;
    if (!port.stalled_) port.receiver_->on_relief();
  }
}

void Router::stall(Port& port) {
  if (port.stalled_ || port.stall_allowance_ <= base::Duration::zero()) return;
  const base::Duration length =
      stall_base + std::chrono::microseconds(random_.below(stall_spread_us));
  port.stall_allowance_ -= length;
  port.stalled_ = true;
  stats_.stalls.add();
  loop_.start_timer(length, [this, id = port.id_] {
    const auto found = ports_.find(id);
    if (found == ports_.end()) return;
    found->second->stalled_ = false;
    if (!found->second->waiting_) found->second->receiver_->on_relief();
  });
}

void Router::send_stall_notices() {
  for (const base::PortId id : stall_notices_) {
    const base::LoopId there = base::loop_of(id);
    parcel_to(there).add([hub = &hub_, there, id] {
      Router& router = hub->router(there);
      const auto found = router.ports_.find(id);
      if (found != router.ports_.end()) router.stall(*found->second);
    });
  }
  stall_notices_.clear();
}

}  // namespace spanwire::bus
