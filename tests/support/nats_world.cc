#include "tests/support/nats_world.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace spanwire::test {
namespace {

bool in_time() {
  return false;
}

}  // namespace

DrainPeer::DrainPeer(session::Turn& turn, std::uint64_t id) : Peer(turn, id, "127.0.0.1:1") {}

DrainPeer::~DrainPeer() {
  if (session_ != nullptr) session_->on_closed("Client Closed");
}

void DrainPeer::attach(std::unique_ptr<session::Session> session) {
  session_ = std::move(session);
  set_session(session_.get());
  session_->on_open();
}

// Time stands still in these worlds.
base::TimerId DrainPeer::arm(base::Duration after) {
  return turn().loop().start_timer(after, [] {});
}

void DrainPeer::disarm(base::TimerId timer) {
  turn().loop().cancel_timer(timer);
}

void DrainPeer::flush() {
  ++writes_;
  taken_bytes_ += outbox_.size();
  wrote(outbox_.size());
}

void DrainPeer::finish_close(std::string_view reason, session::Ending) {
  session_->on_closed(reason);
  set_session(nullptr);
  session_.reset();
}

NatsWorld::NatsWorld(std::size_t loops)
    : serving_({.loops = loops}), wire_(nats::make_wire({}, 0)) {
  for (std::size_t i = 0; i < loops; ++i) bridges_.push_back(wire_.start(serving_.services(i)));
}

NatsWorld::~NatsWorld() = default;

DrainPeer& NatsWorld::connect(std::size_t loop, std::string_view lines) {
  session::Turn& turn = serving_.world().turn(loop);
  peers_.push_back(std::make_unique<DrainPeer>(turn, peers_.size() + 1));
  DrainPeer& peer = *peers_.back();
  peer.attach(wire_.open(peer, *bridges_[loop]));
  const std::string connect = R"(CONNECT {"verbose":false,"pedantic":false,"headers":true})"
                              "\r\n";
  feed(peer, connect + std::string(lines));
  return peer;
}

void NatsWorld::feed(DrainPeer& peer, std::string_view bytes) {
  peer.turn().drain();
  while (!bytes.empty()) {
    const std::span<char> space = peer.session().body_space();
    std::size_t used = 0;
    if (space.empty()) {
      used = peer.session().on_bytes(bytes);
      if (used == 0) break;
    } else {
      used = std::min(space.size(), bytes.size());
      std::memcpy(space.data(), bytes.data(), used);
      peer.session().on_body(used);
    }
    bytes.remove_prefix(used);
  }
  peer.turn().finish(in_time);
}

void NatsWorld::turn(std::size_t loop) {
  session::Turn& turn = serving_.world().turn(loop);
  turn.drain();
  turn.finish(in_time);
}

}  // namespace spanwire::test
