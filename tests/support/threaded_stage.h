// Routers with a thread each, as the server has them, but without sockets and clocks: what each
// thread does is counted, so a run ends by itself and its length is not a matter of luck.
#pragma once

#include <barrier>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "bus/router.h"
#include "session/turn.h"
#include "tests/support/manual_loop.h"

namespace spanwire::test {

class ThreadedStage {
 public:
  explicit ThreadedStage(std::size_t loops, bus::RouterSettings settings = {})
      : hub_(loops), ledger_(std::size_t{1} << 40), barrier_(static_cast<std::ptrdiff_t>(loops)) {
    for (std::size_t i = 0; i < loops; ++i) {
      sites_.push_back(
          std::make_unique<Site>(hub_, ledger_, static_cast<base::LoopId>(i), settings));
      hub_.exchange.set_wake(static_cast<base::LoopId>(i), [] {});  // nobody sleeps
    }
  }

  std::size_t loops() const { return sites_.size(); }
  bus::Hub& hub() { return hub_; }
  bus::Router& router(std::size_t loop) { return sites_[loop]->router; }
  session::Turn& turn(std::size_t loop) { return sites_[loop]->turn; }

  // Runs `work(loop)` on a thread for each loop and returns when all have ended.
  void run(const std::function<void(std::size_t)>& work) {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < loops(); ++i) {
      threads.emplace_back([&work, i] { work(i); });
    }
    for (std::thread& thread : threads) thread.join();
  }
  // One turn without reads: called by the thread of the loop.
  void step(std::size_t loop) {
    turn(loop).drain();
    turn(loop).finish([] { return false; });
  }
  // Waits until every thread has called it. Called by all threads or none.
  void meet() { barrier_.arrive_and_wait(); }
  // Takes turns, all loops in step, until what is under way has arrived, however often it is sent
  // on: called by all threads.
  void settle(std::size_t loop) {
    for (std::size_t i = 0; i < 4 * loops(); ++i) {
      meet();
      step(loop);
    }
    meet();
  }

 private:
  struct Site {
    Site(bus::Hub& hub, session::Ledger& ledger, base::LoopId id, bus::RouterSettings settings)
        : loop(id), router(hub, loop, settings, 1 + id), turn(router, ledger) {}
    ManualLoop loop;
    bus::Router router;
    session::Turn turn;
  };

  bus::Hub hub_;
  session::Ledger ledger_;
  std::barrier<> barrier_;
  std::vector<std::unique_ptr<Site>> sites_;
};

}  // namespace spanwire::test
