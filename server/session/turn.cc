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

base::LoopId Ledger::holder_of_largest() const {
  const auto found =
      std::max_element(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) {
        return a.largest.load(std::memory_order_relaxed) <
               b.largest.load(std::memory_order_relaxed);
      });
  return static_cast<base::LoopId>(found - parts_.begin());
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

// A peer has early_flush_bytes or more of earlier messages.
void Turn::note_backlog(Peer& peer) {
  if (peer.outbox_.size() >= peer.early_flush_at_) {
    flush_early(peer);
  } else {
    peer.note_pending();
  }
}

void Turn::flush_early(Peer& peer) {
  stats_.early_flushes.add();
  router_.hand_over();
  write_to(peer);
}

void Turn::write_to(Peer& peer) {
  if (!peer.outbox_.empty()) peer.flush();
  // A peer that takes nothing costs no hand-over for every message that is added.
  peer.early_flush_at_ = peer.outbox_.size() + early_flush_bytes;
  peer.note_pending();
}

bool Turn::finish(absl::FunctionRef<bool()> out_of_time) {
  stats_.turns.add();
  router_.end_turn();
  router_.hand_over();
  bool done = write_marked(out_of_time);
  settle_memory();
  if (!ending_.empty()) {
    close_ending(out_of_time);
    // What sessions published when they ended (wills) leaves this loop now.
    router_.hand_over();
    ledger_.report(router_.loop().id(), pending_bytes_, pending_bytes_);
    done = done && marked_.empty() && ending_.empty();
  }
  return done;
}

bool Turn::write_marked(absl::FunctionRef<bool()> out_of_time) {
  if (marked_.empty()) return true;
  const base::Time start = loop().exact_now();
  writing_.swap(marked_);
  std::size_t next = 0;
  for (; next < writing_.size(); ++next) {
    Peer* peer = writing_[next];
    if (peer == nullptr) continue;
    if (next != 0 && out_of_time()) break;
    peer->marked_ = false;
    write_to(*peer);
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
  stats_.flush.add(loop().exact_now() - start);
  return all && marked_.empty();
}

// In the order in which they were asked for; one at least.
void Turn::close_ending(absl::FunctionRef<bool()> out_of_time) {
  while (!ending_.empty()) {
    Peer* peer = ending_.front();
    ending_.pop_front();
    if (end_watch_ != nullptr) end_watch_->on_ending(*peer, peer->close_reason_);
    peer->ended_ = true;
    ++ended_;
    peer->finish_close(peer->close_reason_, peer->ending_);
    if (out_of_time()) return;
  }
}

// The fifth limit: when everything together is too much, the peer that holds most goes.
void Turn::settle_memory() {
  if (pending_bytes_ == 0 && ledger_.total() == 0) return;
  const base::LoopId loop = router_.loop().id();
  // Until somebody asks, one peer may hold all of it.
  ledger_.report(loop, pending_bytes_, pending_bytes_);
  if (!ledger_.soft() || peers_.empty()) return;
  Peer* largest = *std::max_element(peers_.begin(), peers_.end(), [](const Peer* a, const Peer* b) {
    return a->pending_bytes() < b->pending_bytes();
  });
  ledger_.report(loop, pending_bytes_, largest->pending_bytes());
  if (!ledger_.hard()) return;
  const base::LoopId holder = ledger_.holder_of_largest();
  if (holder != loop) {
    // It may sleep, for nothing happens there: a task of no content has it look for itself.
    router_.post(holder, [] {});
    router_.hand_over();
    return;
  }
  stats_.closed_for_memory.add();
  largest->give_up("Buffers Full");
}

}  // namespace spanwire::session
