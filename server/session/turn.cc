#include "session/turn.h"

#include <algorithm>

#include "base/assert.h"

namespace spanwire::session {

void Ledger::report(base::LoopId loop, std::size_t bytes, std::size_t largest) {
  Part& part = parts_[loop];
  const std::size_t before = part.bytes.load(std::memory_order_relaxed);
  part.largest.store(largest, std::memory_order_relaxed);
  if (bytes == before) return;
  part.bytes.store(bytes, std::memory_order_relaxed);
  total_.fetch_add(bytes - before, std::memory_order_relaxed);  // wraps to a subtraction
}

bool Ledger::holds_largest(base::LoopId loop) const {
  const std::size_t own = parts_[loop].largest.load(std::memory_order_relaxed);
  return std::all_of(parts_.begin(), parts_.end(), [own](const Part& part) {
    return part.largest.load(std::memory_order_relaxed) <= own;
  });
}

Turn::Turn(bus::Router& router, Ledger& ledger) : router_(router), ledger_(ledger) {}

Turn::~Turn() {
  BASE_ASSERT(peers_.empty());
}

void Turn::enter(Peer& peer) {
  peer.position_ = peers_.size();
  peers_.push_back(&peer);
}

void Turn::leave(Peer& peer) {
  peers_[peer.position_] = peers_.back();
  peers_[peer.position_]->position_ = peer.position_;
  peers_.pop_back();
  if (peer.ended_) --ended_;
  std::erase(ending_, &peer);
  if (!peer.marked_) return;
  std::erase(marked_, &peer);
  std::replace(writing_.begin(), writing_.end(), &peer, static_cast<Peer*>(nullptr));
}

void Turn::flush_early(Peer& peer) {
  stats_.early_flushes.add();
  router_.hand_over();
  peer.flush();
  peer.note_pending();
}

bool Turn::finish(absl::FunctionRef<bool()> out_of_time) {
  stats_.turns.add();
  router_.hand_over();
  bool done = write_marked(out_of_time);
  settle_memory();
  if (!ending_.empty()) {
    close_ending();
    // What sessions published when they ended (wills) leaves this loop now.
    router_.hand_over();
    done = done && marked_.empty() && ending_.empty();
  }
  return done;
}

bool Turn::write_marked(absl::FunctionRef<bool()> out_of_time) {
  writing_.swap(marked_);
  std::size_t next = 0;
  for (; next < writing_.size(); ++next) {
    Peer* peer = writing_[next];
    if (peer == nullptr) continue;
    if (next != 0 && out_of_time()) break;
    peer->marked_ = false;
    if (!peer->outbox_.empty()) peer->flush();
    peer->note_pending();
  }
  const bool all = next == writing_.size();
  if (!all) {
    stats_.cut_flushes.add();
    // Those left over come first next time.
    marked_.insert(marked_.begin(), writing_.begin() + static_cast<std::ptrdiff_t>(next),
                   writing_.end());
    std::erase(marked_, nullptr);
  }
  writing_.clear();
  return all && marked_.empty();
}

void Turn::close_ending() {
  while (!ending_.empty()) {
    Peer* peer = ending_.back();
    ending_.pop_back();
    if (end_watch_ != nullptr) end_watch_->on_ending(*peer, peer->close_reason_);
    peer->ended_ = true;
    ++ended_;
    peer->finish_close(peer->close_reason_, peer->ending_);
  }
}

// The fifth limit: when everything together is too much, the peer that holds most goes.
void Turn::settle_memory() {
  if (pending_bytes_ == 0 && ledger_.total() == 0) return;
  Peer* largest = nullptr;
  if (ledger_.soft()) {
    for (Peer* peer : peers_) {
      if (largest == nullptr || peer->pending_bytes() > largest->pending_bytes()) largest = peer;
    }
  }
  const base::LoopId loop = router_.loop().id();
  ledger_.report(loop, pending_bytes_, largest == nullptr ? 0 : largest->pending_bytes());
  if (largest == nullptr || !ledger_.hard() || !ledger_.holds_largest(loop)) return;
  stats_.closed_for_memory.add();
  largest->close("Buffers Full", Ending::discard);
}

}  // namespace spanwire::session
