// The router of one loop: matches, delivers, batches for other loops.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/histogram.h"
#include "base/loop.h"
#include "base/random.h"
#include "base/result.h"
#include "bus/exchange.h"
#include "bus/match.h"
#include "bus/port.h"
#include "bus/receipts.h"
#include "bus/watches.h"

namespace spanwire::bus {

struct RouterSettings {
  std::size_t match_cache_bytes = 64U << 20;
  std::size_t lane_limit_bytes = 64U << 20;  // from one loop to another; soft at three quarters
  std::size_t parcel_full_bytes = 1U << 20;  // a turn stops reading once a parcel is as large
  std::size_t watch_limit = 1U << 20;        // watches of a loop
};

// What publishes or unsubscribes inside on_message waits; more than this is dropped and counted.
inline constexpr std::size_t max_deferred = 1024;
inline constexpr std::size_t max_deferred_bytes = 16U << 20;

class Router;

// What all loops share of the bus. One for the process.
class Hub {
 public:
  explicit Hub(std::size_t loops) : exchange(loops), routers_(loops) {}
  // The tree of an account, made at first use and kept. Any thread.
  Interest& interest(const base::Ref<const account::Account>& account);
  // Subscriptions that `importer` makes from now on also get the messages of `exporter` that `from`
  // matches, under the subjects that `to` gives them (bus/stream_import.h). Any thread; calls for
  // one importer one after the other.
  base::Status import_stream(const base::Ref<const account::Account>& importer,
                             const base::Ref<const account::Account>& exporter,
                             std::string_view from, std::string_view to);
  // Every account's tree so far. Any thread.
  std::vector<Interest*> interests();
  // The router of a loop, for tasks that run there: not to be used on any other loop.
  Router& router(base::LoopId loop) { return *routers_[loop]; }

  Exchange exchange;
  Generations generations;

 private:
  friend class Router;
  std::vector<Router*> routers_;  // set while the process is wired up
  base::Mutex mutex_;
  absl::flat_hash_map<base::AccountId, std::unique_ptr<Interest>> interests_
      ABSL_GUARDED_BY(mutex_);
};

// Counted by the loop, read by monitoring.
struct RouterStats {
  // Routed by ports of this loop, and delivered to them: clients', and the server's own
  // (PortOptions::counted).
  Traffic clients, own;
  base::Counter handed_over;  // parcel entries to other loops
  base::Counter refused_unsafe;
  base::Counter dropped_deferred;
  base::Counter dropped_queue;  // no member of a group took a message
  base::Counter stalls;
  base::Counter lane_waits;  // a port met a lane above its soft limit
  base::Counter watches;     // that wait now
  base::Counter watches_refused;
  base::Counter arrivals_told;  // tasks that tell a loop whom its watches may wait for
  base::Histogram match;        // building one that was not cached; every sixteenth is measured
  base::Histogram hand_over;    // of a turn, all parcels together
  base::Histogram inbox_age;    // of a parcel, from the hand-over until it is taken
};

class Router {
 public:
  Router(Hub& hub, base::Loop& loop, RouterSettings settings, std::uint64_t seed);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  OwnedPort open(base::Ref<const account::Principal> principal, Receiver& receiver,
                 base::Ref<Gate> gate, PortOptions options = {});

  // Runs `task` on a loop, this one included, in a later drain; ordered after what this loop has
  // routed there and among its other tasks.
  void post(base::LoopId loop, base::Task task);

  // The turn's steps (session/turn.h). drain: messages and tasks that arrived; catch_up: messages
  // only; hand_over: all parcels at once.
  void drain();
  void catch_up();
  void hand_over();
  // Has on_turn_end() called when the sockets of this turn are read, or in the next turn if that is
  // running already. Once for each call; forget() before it is destroyed.
  void at_turn_end(TurnEnd& end) { turn_ends_.push_back(&end); }
  void forget(TurnEnd& end);
  // The turn's step before hand_over().
  void end_turn();
  // False while a lane from here is over its hard limit, until half is drained: read no socket.
  bool may_read() const { return blocked_lanes_ == 0; }
  // A parcel is full: end the turn before reading on.
  bool parcel_full() const { return parcel_full_; }
  // Nothing waits for a drain.
  bool idle() const {
    return arrived_.empty() && own_tasks_.empty() && leaving_.empty() && turn_ends_.empty();
  }
  // Idle, and nothing waits to be handed over or taken in.
  bool at_rest() const;

  // Counts routes and arrivals: what a connection took before the present one may be flushed
  // early, the present one's hand-over is not complete.
  const std::uint64_t& serial() const { return serial_; }

  void add_tap(Tap& tap) { taps_.push_back(&tap); }
  void remove_tap(Tap& tap) { std::erase(taps_, &tap); }

  base::Loop& loop() { return loop_; }
  Hub& hub() { return hub_; }
  const RouterStats& stats() const { return stats_; }
  const MatchCache& cache() const { return cache_; }
  const VerdictBook& verdicts() const { return verdicts_; }
  const Receipts& receipts() const { return receipts_; }
  std::size_t ports() const { return ports_.size(); }
  // Null if it has ended.
  const Subscription* find_subscription(base::SubId sub) const { return subscriptions_.find(sub); }

 private:
  friend class Port;
  friend struct Leave;
  struct Delivery;
  struct Deferred {
    base::PortId port;
    base::Ref<const Message> message;  // mapped already
  };

  base::SubId add_subscription(Port& port, const subject::Filter& filter,
                               const SubOptions& options);
  bool limit_subscription(Port& port, base::SubId sub, std::uint64_t after);
  void remove_subscription(Subscription& subscription);
  void add_shadows(Subscription& primary, const subject::Filter& filter, std::string_view queue);
  void remove_shadows(Subscription& primary);
  Watched watch(Port& port, std::string_view subject, base::Task on_arrival,
                std::optional<std::string_view> group);
  void unwatch(const Port& port, WatchId id);
  void note_arrival(Interest& interest, const subject::Filter& filter, std::uint64_t loops);
  void tell_watchers();
  void take_arrivals(Interest& interest, const Arrivals& arrivals);
  void walk_watches(Watches& watches);
  void close(std::unique_ptr<Port> port);
  void take_out_leaving();

  // Of the subject that the port has published last; null: of another one.
  Match* last_match(const Port& port, std::string_view subject) const {
    if (port.last_match_ == nullptr || port.last_epoch_ != cache_.epoch() ||
        !base::same_text(port.last_match_->subject(), subject) || !port.last_match_->holds()) {
      return nullptr;
    }
    return port.last_match_;
  }
  Match* find_match(Port& port, std::string_view subject, Match::Key& key);
  Match& make_match(const Match::Key& key);
  Match& match_of(const Interest& interest, std::string_view subject, Asker asker = Asker::router);
  void map_inside(const Port& port, MessageView& message);
  Routed route(Port& port, MessageView& message, Match* admitted);
  Routed publish(Port& port, MessageView& message, Match* admitted, Receipts::Answered done);
  void count_publication(Port& port, std::size_t bytes);
  void deliver(Delivery& delivery);
  Routed defer(Port& port, const MessageView& message);
  void after_route();
  void run_deferred();

  void send_elsewhere(Delivery& delivery);
  void deliver_here(Delivery& delivery);
  void draw_members(Delivery& delivery);
  bool take_drawn(const Match& match, const Drawn& drawn);
  Taken offer(Delivery& delivery, Port& port, std::span<const Target> targets,
              std::uint32_t shown) const;
  [[gnu::noinline]] static Taken offer_shown(Delivery& delivery, Port& port,
                                             std::span<const Target> targets, std::uint32_t shown);
  void deliver_run(Delivery& delivery, const Run& run);
  void sort_draws();
  bool is_drawn_for(const Run& run) const;
  void deliver_drawn(Delivery& delivery, base::PortId before, std::uint32_t before_shown);
  void deliver_picked(Delivery& delivery, const Run& run);
  void pick_plain(Delivery& delivery, const Run& run);
  void pick_drawn(const Port& port, std::uint32_t shown);
  void offer_picked(Delivery& delivery, Port& port, std::size_t plain, std::uint32_t shown);
  void pick(Subscription& subscription, Note* note);
  void count_delivery(Delivery& delivery, Port& port, std::size_t count);
  void count_delivered(Subscription& subscription);
  void note_congestion(Delivery& delivery, Port& port);
  void redraw(Delivery& delivery, std::string_view group, base::SubId refused,
              std::uint64_t tried_loops);
  bool redraw_here(Delivery& delivery, const Draw& draw, base::SubId refused);
  bool redraw_elsewhere(Delivery& delivery, const Draw& draw, std::uint64_t tried_loops);

  Parcel& parcel_to(base::LoopId loop);
  void batch(Delivery& delivery, base::LoopId loop, bool to_plain, std::span<const Drawn> drawn,
             ReceiptId receipt = ReceiptId::none);
  void deliver_arrived();
  void deliver_entry(ParcelEntry& entry);
  void deliver_for_receipt(ParcelEntry& entry, base::LoopId source);
  void answer_source(base::LoopId source, ReceiptId receipt, Storing storing);
  void run_tasks();
  void stall(Port& port);
  void relieve(base::LoopId loop);
  void send_stall_notices();

  Hub& hub_;
  base::Loop& loop_;
  base::LoopId id_;
  RouterSettings settings_;
  base::Random random_;
  MatchCache cache_;
  VerdictBook verdicts_;
  RouterStats stats_;
  Receipts receipts_;

  absl::flat_hash_map<base::PortId, Port*> ports_;
  std::vector<std::unique_ptr<Port>> leaving_;  // closed, with subscriptions still in the tree
  SubscriptionTable subscriptions_;
  std::uint64_t last_port_ = 0;

  std::vector<std::unique_ptr<Parcel>> parcels_;  // by destination; null: nothing for it yet
  bool parcel_full_ = false;
  std::deque<std::unique_ptr<Parcel>> arrived_;
  std::size_t delivered_ = 0;  // so many of them are; their tasks are still to be run
  std::vector<std::unique_ptr<Parcel>> taken_;  // scratch of take()
  ParcelEntry arriving_;                        // scratch of deliver_arrived()
  // A task of this loop for itself. What has arrived since it was posted may be its consequence, or
  // that of what its poster has routed, so each has its place among the parcels.
  struct OwnTask {
    base::Task task;
    std::uint64_t after = 0;  // this many parcels' tasks
  };
  std::vector<OwnTask> own_tasks_;
  std::uint64_t parcels_done_ = 0;  // whose tasks have been run
  std::uint64_t blocked_lanes_ = 0;

  bool routing_ = false;
  std::string mapped_inside_;  // the subject of what is admitted inside on_message
  std::uint64_t serial_ = 0;
  std::deque<Deferred> deferred_;
  std::size_t deferred_bytes_ = 0;
  bool running_deferred_ = false;
  bool deferred_continues_ = false;          // a task of the next turn sees to the rest
  std::vector<base::SubId> ended_;           // by auto-unsubscribe, within the present route
  std::vector<base::PortId> waiting_ports_;  // for a lane to drain
  std::vector<base::PortId> stall_notices_;  // ports of other loops to stall, this turn
  absl::flat_hash_map<const Interest*, std::unique_ptr<Watches>> watches_;
  std::uint64_t last_watch_ = 0;
  struct Told {
    std::uint64_t loops = 0;  // a bit each
    base::Ref<Arrivals> arrivals;
  };
  absl::flat_hash_map<Interest*, Told> arrivals_;  // since the last hand-over
  std::vector<Tap*> taps_;
  std::vector<TurnEnd*> turn_ends_;
  std::vector<TurnEnd*> ending_turn_;  // those that end_turn() calls now; null: forgotten

  // Scratch of one delivery, kept for its capacity.
  struct LocalDraw {
    Subscription* subscription;  // that counts
    base::SubId member;          // it, or its shadow
    std::uint64_t tried_loops;
    std::uint32_t shown;  // as Run::shown
  };
  std::vector<Target> picked_;
  std::vector<Subscription*> picked_subscriptions_;  // parallel to picked_
  std::vector<LocalDraw> local_draws_;
  std::size_t next_draw_ = 0;  // of local_draws_, the first that is not delivered yet
  std::vector<LocalDraw> picked_draws_;
  std::vector<Drawn> remote_draws_;
  std::vector<Drawn> drawn_there_;
  std::vector<Drawn> gone_;  // drawn by another loop, unsubscribed since
};

}  // namespace spanwire::bus
