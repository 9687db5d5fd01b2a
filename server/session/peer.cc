#include "session/peer.h"

#include "session/turn.h"

namespace spanwire::session {

Peer::Peer(Turn& turn, std::uint64_t id, std::string remote)
    : outbox_(turn.pool()),
      turn_(turn),
      route_serial_(turn.router().serial()),
      id_(id),
      remote_(std::move(remote)),
      gate_(base::make_ref<bus::Gate>()),
      start_time_(turn.loop().wall_now()),
      last_activity_(start_time_),
      early_flush_at_(early_flush_bytes) {
  turn_.enter(*this);
}

Peer::~Peer() {
  gate_->set(bus::GateState::closed);
  drop_pending();
  turn_.leave(*this);
}

std::string_view Peer::remote_host() const {
  std::string_view host = std::string_view(remote_).substr(0, remote_.rfind(':'));
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return host;
}

base::Time Peer::now() const {
  return turn_.loop().now();
}

base::WallTime Peer::read_time() const {
  return turn_.read_time();
}

void Peer::note_backlog() {
  turn_.note_backlog(*this);
}

void Peer::mark() {
  marked_ = true;
  turn_.marked_.push_back(this);
}

void Peer::takes_more() {
  early_flush_at_ = early_flush_bytes;
  want_flush();
}

void Peer::wrote(std::size_t bytes) {
  outbox_.consume(bytes);
  gate_->took(bytes);
  note_pending();
}

void Peer::drop_pending() {
  outbox_.clear();
  note_pending();
}

// Called where the amount may have changed much: after writing, and at the end of the turn.
void Peer::note_pending() {
  turn_.pending_bytes_ += outbox_.size() - accounted_;  // wraps to a subtraction
  accounted_ = outbox_.size();
  if (gate_->state() == bus::GateState::closed) return;
  gate_->set(outbox_.size() > limit_.soft() ? bus::GateState::congested : bus::GateState::open);
}

void Peer::close(std::string_view reason, Ending ending) {
  if (closing_) return;
  closing_ = true;
  close_reason_ = reason;
  ending_ = ending;
  gate_->set(bus::GateState::closed);
  turn_.ending_.push_back(this);
}

void Peer::give_up(std::string_view reason) {
  if (ended_) return drop();
  close(reason, Ending::discard);
  ending_ = Ending::discard;
}

}  // namespace spanwire::session
