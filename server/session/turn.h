// The turn of a loop: drain, read, hand over, flush. One class, driven by net and simulations
// alike.
//
// The order is the promise: what a connection has received comes before everything that it causes,
// on any loop. So nothing is written to any socket before everything that was routed so far has
// been handed over to the other loops.
#pragma once

#include <absl/functional/function_ref.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/counter.h"
#include "base/histogram.h"
#include "base/loop.h"
#include "bus/router.h"
#include "session/outbox.h"
#include "session/peer.h"

namespace spanwire::session {

// What one peer is given in one step of writing.
inline constexpr std::size_t write_quota_bytes = 1024 * 1024;
// What one connection may read in a turn: four reads of the loop's buffer, or one small one while
// memory is short.
inline constexpr std::size_t read_quota_bytes = 4 * 256 * 1024;
inline constexpr std::size_t short_read_quota_bytes = 64 * 1024;

// What all loops together hold for their peers. One for the process.
class Ledger {
 public:
  explicit Ledger(std::size_t hard_bytes) : hard_bytes_(hard_bytes) {}

  // A loop says what its peers hold now, and the most that one of them can hold.
  void report(base::LoopId loop, std::size_t bytes, std::size_t largest);
  bool soft() const { return total() > hard_bytes_ / 4 * 3; }
  bool hard() const { return total() > hard_bytes_; }
  // The loop whose peer has most pending of all, as far as the loops have said.
  base::LoopId holder_of_largest() const;
  std::size_t total() const { return total_.load(std::memory_order_relaxed); }

 private:
  std::size_t hard_bytes_;
  std::atomic<std::size_t> total_{0};
  struct alignas(64) Part {
    std::atomic<std::size_t> bytes{0};
    std::atomic<std::size_t> largest{0};
  };
  std::array<Part, base::max_loops> parts_{};
};

struct TurnStats {
  base::Counter turns;
  base::Counter early_flushes;
  base::Counter cut_flushes;        // turns whose writing was cut and continued later
  base::Counter closed_for_memory;  // peers closed because all buffers together were full
  base::Histogram read;             // of a turn, what reading sockets took, routing included
  base::Histogram flush;            // of a turn, what writing to sockets took
};

// Is told of every session before it ends, on its loop. For monitoring.
class EndWatch {
 public:
  virtual void on_ending(const Peer& peer, std::string_view reason) = 0;

 protected:
  ~EndWatch() = default;
};

class Turn {
 public:
  Turn(bus::Router& router, Ledger& ledger);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  // First of all, before sockets are read.
  void drain() { router_.drain(); }
  // Whether to go on reading sockets in this turn.
  bool may_read() const { return router_.may_read() && !router_.parcel_full(); }
  std::size_t read_quota() const {
    return ledger_.soft() ? short_read_quota_bytes : read_quota_bytes;
  }
  // Last of all: hands over, writes to the marked peers and carries out closings until
  // out_of_time() (asked between two peers). False: call again soon, something is left to do.
  bool finish(absl::FunctionRef<bool()> out_of_time);

  // Whether finish() would write to anybody.
  bool has_output() const { return !marked_.empty(); }

  bus::Router& router() { return router_; }
  base::Loop& loop() { return router_.loop(); }
  ChunkPool& pool() { return pool_; }
  const TurnStats& stats() const { return stats_; }
  // Every peer of this loop, those included whose session has ended; valid until the next step.
  const std::vector<Peer*>& peers() const { return peers_; }
  // How many of them have a session.
  std::size_t sessions() const { return peers_.size() - ended_; }
  // Lives until another one, or none, is set.
  void set_end_watch(EndWatch* watch) { end_watch_ = watch; }

  // What reading took in this turn.
  void note_read(base::Duration taken) { stats_.read.add(taken); }
  // When the last read() returned, on this loop.
  void set_read_time(base::WallTime time) { read_time_ = time; }
  base::WallTime read_time() const { return read_time_; }

 private:
  friend class Peer;
  void enter(Peer& peer);
  void leave(Peer& peer);
  void note_backlog(Peer& peer);
  void flush_early(Peer& peer);
  static void write_to(Peer& peer);
  bool write_marked(absl::FunctionRef<bool()> out_of_time);
  void close_ending(absl::FunctionRef<bool()> out_of_time);
  void settle_memory();

  bus::Router& router_;
  Ledger& ledger_;
  ChunkPool pool_;
  TurnStats stats_;
  std::vector<Peer*> peers_;
  std::vector<Peer*> marked_;
  std::vector<Peer*> writing_;  // scratch of write_marked()
  std::deque<Peer*> ending_;
  std::size_t ended_ = 0;  // of peers_, their sessions
  EndWatch* end_watch_ = nullptr;
  std::size_t pending_bytes_ = 0;
  base::WallTime read_time_{};
};

}  // namespace spanwire::session
