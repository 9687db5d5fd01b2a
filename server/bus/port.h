// A session's seat on the bus: all that a protocol sees of routing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <tl/expected.hpp>

#include "account/account.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/ids.h"
#include "bus/interest.h"
#include "bus/receipts.h"
#include "bus/receiver.h"
#include "bus/verdicts.h"
#include "bus/watches.h"

namespace spanwire::bus {

class Router;
class Match;
enum class Asker : std::uint8_t;

struct SubOptions {
  std::uint64_t tag = 0;   // the receiver's own; comes back in every Target
  std::string_view queue;  // a queue group, or empty
  bool echo = true;        // false: nothing that this port itself publishes
  // It keeps what it gets: claims the receipt of each message and answers it. Not with a queue.
  bool durable = false;
};

struct PortOptions {
  bool maps = true;  // what it publishes is mapped; false for what the server itself publishes
  // What it carries is clients' traffic (RouterStats); false for what the server itself hears and
  // says.
  bool counted = true;
};

enum class SubscribeError : std::uint8_t { not_permitted };
enum class Refusal : std::uint8_t {
  unsafe,          // a byte <= 0x20 or 0x7f in the subject or the reply
  publish_denied,  // no permission for this subject
};

// A message that admit() has let through, with its match: pass it on to route() at once, nothing
// else of the port may be called in between.
class Admitted {
 public:
  // Whether a durable target matches, here or elsewhere: else publish() would be route().
  bool is_kept() const;

 private:
  friend class Port;
  friend class Router;
  Admitted(MessageView& message, Match* match) : message_(&message), match_(match) {}
  MessageView* message_;
  Match* match_;  // none inside on_message: the match in use must stay as it is
};

struct Routed {
  std::uint32_t targets = 0;  // local deliveries taken, loops and queue members elsewhere
  bool pressure = false;      // pause reading until on_relief()
  bool awaited = false;       // of publish(): `done` will be called
};

// What a port has carried.
struct Traffic {
  base::Counter in_messages, in_bytes, out_messages, out_bytes;
};

// Made by Router::open, used and destroyed on its loop, never inside on_message. Destroying it ends
// all its subscriptions: nothing reaches its receiver any more.
class Port {
 public:
  Port(Router& router, Interest& interest, base::Ref<const account::Principal> principal,
       Receiver& receiver, base::Ref<Gate> gate, std::shared_ptr<Verdicts> verdicts,
       base::PortId id, Traffic& total, PortOptions options);
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  base::PortId id() const { return id_; }
  const account::Principal& principal() const { return *principal_; }

  // Visible to every loop when it returns.
  tl::expected<base::SubId, SubscribeError> subscribe(const subject::Filter& filter,
                                                      const SubOptions& options);
  // At once, or after `after` deliveries counted from the subscription's start; if it has had as
  // many, at once. False if it is gone when the call returns. Unknown ids are gone.
  bool unsubscribe(base::SubId sub, std::uint64_t after = 0);

  // The verdict: spelling, mapping, then permission for what mapping yields, which is what is
  // matched and what receivers show. A mapped view has its new subject, refused or not, until the
  // next call; a peer hears of that one.
  tl::expected<Admitted, Refusal> admit(MessageView& message);
  // Delivers to every session of this loop before it returns and batches for the other loops.
  // Gives the message this port's id and next number, in the view that was admitted. Inside
  // on_message: kept and routed when the outer route is over (at most max_deferred, further ones
  // are dropped and counted; answers to answers that go on for more than as many are continued in
  // the next turn).
  Routed route(Admitted admitted);
  // As route(), for whoever acknowledges the message to its peer: calls `done` when every durable
  // target that the message has reached, on whatever loop, has answered, or receipt_deadline has
  // passed. Not awaited: there is none, and `done` is dropped. Never calls it inside, and calls it
  // even when the port has gone. Not inside on_message.
  Routed publish(Admitted admitted, Receipts::Answered done);
  // By a durable target, inside on_message, for a message with a receipt: it will answer.
  void claim(ReceiptId receipt);
  // Once for each claim; not inside on_message.
  void answer(ReceiptId receipt, Storing storing);
  // The number of the message routed last; 0 before the first.
  std::uint64_t last_number() const { return number_; }

  // Delivers what other loops have handed over: call before answering PING, PINGREQ, UNSUBSCRIBE.
  void catch_up();
  // Whether anybody at all would be reached. Not inside on_message.
  bool interested(std::string_view subject);
  // Whether anybody subscribes to this very subject, in the queue group of this name or, without a
  // name, plainly. Who hears it by a wildcard does not count.
  bool listens(std::string_view subject, std::string_view group) const;
  // If nobody listens to a subject: calls `on_arrival` once, in a later turn of this loop, when
  // somebody may have come to, on whatever loop, in a queue group or by an import too. Each
  // subscription from now on is told of; so are some that this port's messages would not reach:
  // look again. That the last listener goes is told to nobody; who publishes sees it by what
  // route() returns. With a `group` only those listen whom listens() counts. Not inside on_message.
  Watched watch(std::string_view subject, base::Task on_arrival,
                std::optional<std::string_view> group = std::nullopt);
  // It will not be called. Those that were called are ignored, as unknown ones are. A port that is
  // destroyed takes its watches along, in one step: who has many takes them back one by one.
  void unwatch(WatchId id);
  // A plain subscription of this port that matches: the one that hears a 503. Valid until the next
  // call on this loop. Not inside on_message.
  const Target* find_plain(std::string_view subject);

  const Traffic& traffic() const { return traffic_; }
  std::size_t subscriptions() const { return subscription_count_; }
  // The latest of them, or null; the others follow it. For monitoring.
  const Subscription* first_subscription() const { return first_; }
  bool may_receive(std::string_view subject) const;
  // Its owner has given it up; its last subscriptions are still in the tree.
  bool has_left() const { return left_; }

 private:
  friend class Router;
  friend class Match;
  friend class Watches;
  friend struct Leave;
  enum class Verdict : std::uint8_t { unknown, allowed, denied };

  // Whose its publications are: a client's only if there is something to map.
  Asker asker() const;
  tl::expected<Admitted, Refusal> admit_elsewhere(MessageView& message, Match* match);
  // Inside on_message, and when the turn of what was admitted there has come.
  tl::expected<Admitted, Refusal> admit_inside(MessageView& message);
  tl::expected<Admitted, Refusal> admit_deferred(MessageView& message);
  Match& follow(Match& match, MessageView& message);
  tl::expected<Admitted, Refusal> judge(MessageView& message, Match* match);
  bool may_publish(std::string_view subject, const Match* match);

  Router& router_;
  Interest& interest_;
  base::Ref<const account::Principal> principal_;
  Receiver* receiver_;
  base::Ref<Gate> gate_;
  base::PortId id_;
  std::uint64_t number_ = 0;
  Subscription* first_ = nullptr;
  std::size_t subscription_count_ = 0;
  std::size_t watches_ = 0;
  Traffic traffic_;
  Traffic& total_;  // the router's, of ports of its kind

  // The last subject's match, the cache's epoch in which it was found, and the verdict on it.
  Match* last_match_ = nullptr;
  std::uint64_t last_epoch_ = 0;
  Verdict last_verdict_ = Verdict::unknown;
  std::shared_ptr<Verdicts> verdicts_;         // null: everything may be published
  std::string mapped_;                         // the last subject that a mapping yielded
  Verdict mapped_verdict_ = Verdict::unknown;  // on it
  bool maps_;

  bool left_ = false;
  bool stalled_ = false;  // a stall timer runs
  bool waiting_ = false;  // for a lane to drain
  base::Duration stall_allowance_{};
  std::size_t routed_since_refill_ = 0;
};

// Gives the port back to its router, which takes its subscriptions out in slices: there may be a
// million of them.
struct Leave {
  void operator()(Port* port) const;
};
using OwnedPort = std::unique_ptr<Port, Leave>;

}  // namespace spanwire::bus
