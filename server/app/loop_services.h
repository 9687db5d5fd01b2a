// What the wires of one loop get of the server (wire/services.h), over its router.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "auth/authenticator.h"
#include "bus/router.h"
#include "wire/services.h"

namespace spanwire::app {

// Runs blocking work on helper threads; implemented by net and by tests.
class Helpers {
 public:
  virtual ~Helpers() = default;
  // `done` is posted to `loop` after `work`. False: the queue is full, neither is called.
  virtual bool run(base::Task work, base::Loop& loop, base::Task done) = 0;
};

// Opens the streams of an account for a loop with these services; null: it has none. From any loop.
using OpenStreams = std::function<std::unique_ptr<streams::Client>(wire::Services& services,
                                                                   base::AccountId account)>;

// Lives on its loop, as long as the router.
class LoopServices final : public wire::Services {
 public:
  LoopServices(bus::Router& router, const wire::ServerIdentity& identity,
               const auth::Authenticator& authenticator, Helpers& helpers)
      : router_(router), identity_(identity), authenticator_(authenticator), helpers_(helpers) {}

  base::Loop& loop() override { return router_.loop(); }
  const wire::ServerIdentity& identity() const override { return identity_; }
  base::Ref<const account::Principal> anonymous() const override {
    return authenticator_.anonymous();
  }
  void authenticate(wire::Credentials credentials,
                    base::Done<base::Result<base::Ref<const account::Principal>>> done) override;
  bus::OwnedPort open(base::Ref<const account::Principal> principal, bus::Receiver& receiver,
                      base::Ref<bus::Gate> gate, bus::PortOptions options = {}) override;
  std::unique_ptr<streams::Client> streams(base::AccountId account) override;
  base::LoopId home(base::AccountId account, std::string_view key) const override;
  std::size_t loops() const override { return router_.hub().exchange.loops(); }
  void post(base::LoopId loop, base::Task task) override { router_.post(loop, std::move(task)); }
  void fence(base::Done<> done) override;
  bool offload(base::Task work, base::Done<> done) override;
  void at_turn_end(bus::TurnEnd& end) override { router_.at_turn_end(end); }
  void forget(bus::TurnEnd& end) override { router_.forget(end); }
  void add_tap(bus::Tap& tap) override { router_.add_tap(tap); }
  void remove_tap(bus::Tap& tap) override { router_.remove_tap(tap); }

  // Before the loop runs; without it no account has streams.
  void install_streams(OpenStreams open) { open_streams_ = std::move(open); }

 private:
  bus::Router& router_;
  const wire::ServerIdentity& identity_;
  const auth::Authenticator& authenticator_;
  Helpers& helpers_;
  OpenStreams open_streams_;
};

}  // namespace spanwire::app
