// How a subscriber gets retained messages, then live ones, neither missing nor doubled, whatever is
// published on whatever loop meanwhile.
//
// A round: the session subscribes and calls start(). What was routed before the subscription was
// visible is in the store once every loop has handed over (Services::fence); then the store is
// asked. Live messages are held meanwhile. When the answer is there the session is told that it is
// subscribed, gets the answer, then of the held messages those that the answer does not include: of
// the same port and subject with the same or a lower number.
//
// Messages that an older subscription of the session matches too are never left out: where the
// answer includes one, its message is moved behind it.
//
// If more has to be held than the limits allow, holding ends: the session is told that it is
// subscribed, gets what was held and from then on all live messages at once; of the answer it gets
// what it has not already got live in a later or the same message. Nothing is lost, but retained
// and live messages mix.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <string>
#include <vector>

#include "base/lifeline.h"
#include "bridges/kit/retained.h"

namespace spanwire::kit {

// Of one session.
struct ReplayLimits {
  std::size_t held_messages = 4096;
  std::size_t held_bytes = 4U << 20;
};

// The session. It may be called within on_message, so it only sends.
class ReplaySink {
 public:
  // Once a round, before its messages: time to acknowledge the subscription.
  virtual void on_subscribed() = 0;
  virtual void on_retained(const bus::MessageView& message) = 0;
  virtual void on_held(const bus::MessageView& message) = 0;
  // Whether to send retained messages on; else the replay waits and asks again.
  virtual bool has_room() const = 0;
  // The round is over; never within on_message.
  virtual void on_replayed() = 0;

 protected:
  ~ReplaySink() = default;
};

// A member of its session, on the session's loop.
class RetainedReplay {
 public:
  RetainedReplay(Retained& retained, ReplaySink& sink, ReplayLimits limits)
      : retained_(retained), sink_(sink), limits_(limits) {}

  // A round is under way: no other may start.
  bool busy() const { return busy_; }
  // The session has subscribed to `filters`.
  void start(base::AccountId account, std::vector<subject::Filter> filters);
  // For each message that comes while busy. `established`: a subscription that is not of this round
  // matches it. False: send it at once, it is not held.
  bool hold(const bus::MessageView& message, bool established);

 private:
  struct Held {
    RetainedMessage message;  // none: the answer includes it
    RetainedMessage answer;   // the subject's retained message, to be sent behind it
    bool established = false;
  };
  struct Seen {
    base::PortId port = base::PortId::none;
    std::uint64_t number = 0;
  };

  void ask(base::AccountId account, std::vector<subject::Filter> filters);
  void take(RetainedAnswer answer);
  void merge();
  void replay();
  void replay_later(base::Duration after);
  void acknowledge();
  void release();
  void overflow();
  void note_passed(const bus::MessageView& message);
  bool outdated(const RetainedMessage& message) const;
  void finish();

  Retained& retained_;
  ReplaySink& sink_;
  ReplayLimits limits_;
  bool busy_ = false;
  bool acknowledged_ = false;
  bool passing_ = false;  // holding has ended
  std::vector<Held> held_;
  std::size_t held_bytes_ = 0;
  RetainedAnswer answer_;
  std::size_t next_ = 0;                           // of the answer
  absl::flat_hash_map<std::string, Seen> passed_;  // retained ones that went out while passing
  base::Lifeline lifeline_;
};

}  // namespace spanwire::kit
