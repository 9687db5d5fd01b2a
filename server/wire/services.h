// All that a wire gets of the server, on each loop. Implemented by app/ over the router and by
// nothing else: simulations use the same one.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "account/account.h"
#include "base/done.h"
#include "base/loop.h"
#include "base/result.h"
#include "bus/port.h"
#include "streams/client.h"

namespace spanwire::wire {

// What a peer says to prove who it is. Every wire fills what its protocol has.
struct Credentials {
  std::string user;
  std::string password;
  std::string token;
};

// Who this server is, for greetings. Never changes while it runs.
struct ServerIdentity {
  std::string id;            // 56 characters, new with each start
  std::string name;          // `server_name`, or the id
  std::string version;       // of Spanwire
  std::string nats_version;  // of the nats-server that the NATS wire is compatible with
};

// Calls come on the loop that these services belong to, and every Done is called there.
class Services {
 public:
  virtual ~Services() = default;

  virtual base::Loop& loop() = 0;
  virtual const ServerIdentity& identity() const = 0;

  // Who a peer without credentials is, or none if it must have some.
  virtual base::Ref<const account::Principal> anonymous() const = 0;
  // Checks credentials; the error is for the log, peers are told no more than that they failed.
  // The asker pauses its connection meanwhile.
  virtual void authenticate(Credentials credentials,
                            base::Done<base::Result<base::Ref<const account::Principal>>> done) = 0;
  virtual bus::OwnedPort open(base::Ref<const account::Principal> principal,
                              bus::Receiver& receiver, base::Ref<bus::Gate> gate,
                              bus::PortOptions options = {}) = 0;

  // The durable streams of an account, for use on this loop; null: it has none here.
  virtual std::unique_ptr<streams::Client> streams(base::AccountId account) = 0;

  // The loop on which the thing of this key lives, always the same one.
  virtual base::LoopId home(base::AccountId account, std::string_view key) const = 0;
  virtual std::size_t loops() const = 0;
  // Runs `task` on a loop, this one included, in a later turn; there it comes after everything that
  // this loop has routed and posted before.
  virtual void post(base::LoopId loop, base::Task task) = 0;
  // Called when every loop has handed over what it had routed at the time of the call.
  virtual void fence(base::Done<> done) = 0;
  // Runs `work`, which may block, on a helper thread, then `done` here. False: too much work
  // waits already, neither will be called.
  virtual bool offload(base::Task work, base::Done<> done) = 0;

  // Calls end.on_turn_end() once, before this turn (or the next, if this one ends already) hands
  // over; forget() before it is destroyed.
  virtual void at_turn_end(bus::TurnEnd& end) = 0;
  virtual void forget(bus::TurnEnd& end) = 0;

  // `tap` lives until it is removed.
  virtual void add_tap(bus::Tap& tap) = 0;
  virtual void remove_tap(bus::Tap& tap) = 0;
};

}  // namespace spanwire::wire
