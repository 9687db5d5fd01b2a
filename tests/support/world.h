// Several loops without threads or sockets, stepped by a test in any order that it likes.
#pragma once

#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "bus/router.h"
#include "session/turn.h"
#include "tests/support/manual_loop.h"
#include "tests/support/test_peer.h"

namespace spanwire::test {

struct WorldSettings {
  std::size_t loops = 1;
  bus::RouterSettings router;
  std::size_t buffered_bytes = std::size_t{1} << 40;
  std::uint64_t seed = 1;
};

class World {
 public:
  explicit World(WorldSettings settings = {});
  ~World();

  std::size_t loops() const { return sites_.size(); }
  base::Loop& loop(std::size_t index) { return sites_[index]->loop; }
  bus::Router& router(std::size_t index) { return sites_[index]->router; }
  session::Turn& turn(std::size_t index) { return sites_[index]->turn; }
  bus::Hub& hub() { return hub_; }
  session::Ledger& ledger() { return ledger_; }

  // A connection on a loop, from `remote` or from a port of 127.0.0.1 of its own; its session is
  // attached by the caller. Lives until the world ends.
  TestPeer& connect(std::size_t loop, std::string remote = {});

  // One turn of one loop: posted tasks, timers, drain, one read of each readable peer, finish.
  // Returns whether anything happened.
  bool step(std::size_t loop);
  // Steps every loop in turn until nothing happens any more.
  void settle();
  // The same with a random loop each time.
  void settle_at_random(std::mt19937& rng);
  // Moves time on all loops, settling at each timer on the way.
  void advance(base::Duration by);

 private:
  struct Site {
    Site(bus::Hub& hub, session::Ledger& ledger, base::LoopId id, const WorldSettings& settings)
        : loop(id), router(hub, loop, settings.router, settings.seed + id), turn(router, ledger) {}
    ManualLoop loop;
    bus::Router router;
    session::Turn turn;
    std::vector<std::unique_ptr<TestPeer>> peers;
    bool woken = false;
  };
  bool busy(Site& site) const;
  void read_clock(Site& site);

  bus::Hub hub_;
  session::Ledger ledger_;
  std::vector<std::unique_ptr<Site>> sites_;
  std::uint64_t last_connection_ = 0;
  base::Time now_{};
};

}  // namespace spanwire::test
