// The receiving side of the seam: what a session implements to get messages.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "base/ids.h"
#include "base/ref.h"
#include "bus/message.h"

namespace spanwire::bus {

// How a peer keeps up, as its loop last said. The one thing about a connection that other loops
// read: when a queue member is drawn, and to stall who fills it.
enum class GateState : std::uint8_t { open, congested, closed };

class Gate : public base::RefCounted<Gate> {
 public:
  GateState state() const { return state_.load(std::memory_order_relaxed); }
  // The rest is for the peer's own loop.
  void set(GateState state) { state_.store(state, std::memory_order_relaxed); }
  void took(std::size_t bytes) { taken_bytes_ += bytes; }
  // True if the peer took bytes since the last call that returned true: stalling a publisher for
  // a peer that takes nothing helps nobody.
  bool worth_stalling() {
    if (taken_bytes_ == 0) return false;
    taken_bytes_ = 0;
    return true;
  }

 private:
  std::atomic<GateState> state_{GateState::open};
  std::size_t taken_bytes_ = 0;
};

// 64 bytes that stay with a cached match, for what a session would write again for each message:
// its `MSG a.b 7 `, its MQTT topic. All zero at first; whoever fills it keeps size in `used`.
struct Note {
  std::array<char, 63> text;
  std::uint8_t used;
};
static_assert(sizeof(Note) == 64);

struct Target {
  base::SubId sub = base::SubId::none;
  std::uint64_t tag = 0;  // the receiver's own, given to subscribe()
  Note* note = nullptr;   // null for matches of over 1,000 and first-seen subjects; do not use it
                          // when the message's subject differs from its route
  bool last = false;      // auto-unsubscribe: the subscription ends with this message
};

enum class Taken : std::uint8_t {
  all,
  plain,  // the queue members among the targets were not taken
  none,   // the session is closed or at its limit
};

// A session, called on its own loop. It may neither block nor throw, nor destroy a port inside
// on_message; what it publishes or unsubscribes there waits until the outer route is over.
class Receiver {
 public:
  // Once a message and session, with all its matching subscriptions: plain ones first, then drawn
  // queue members; once more for each other subject that it shows them under (stream imports). Only
  // encodes into the outbox.
  virtual Taken on_message(std::span<const Target> targets, const MessageView& message) = 0;
  // The congestion that route() reported is over.
  virtual void on_relief() = 0;

 protected:
  ~Receiver() = default;
};

// Sees each message that a port of its loop routed, after delivery (last values, traces). It is no
// interest: it counts for no 503 and draws no copy from other loops.
class Tap {
 public:
  virtual void on_routed(const MessageView& message, base::AccountId account) = 0;

 protected:
  ~Tap() = default;
};

// Work that a turn gathers and does once, as its last step before the loop hands over: what streams
// acknowledge, what consumers deliver.
class TurnEnd {
 public:
  // May route. Called once for each Router::at_turn_end().
  virtual void on_turn_end() = 0;

 protected:
  ~TurnEnd() = default;
};

}  // namespace spanwire::bus
