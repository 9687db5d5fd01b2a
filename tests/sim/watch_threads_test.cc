// Watches with real threads: a loop watches while another one subscribes.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <random>
#include <vector>

#include "tests/support/line_session.h"
#include "tests/support/threaded_stage.h"

using namespace spanwire;
using test::principal_of;
using test::ThreadedStage;

namespace {

constexpr int rounds = 60;
constexpr std::size_t accounts = 100;

class Silent final : public bus::Receiver {
 public:
  bus::Taken on_message(std::span<const bus::Target>, const bus::MessageView&) override {
    return bus::Taken::all;
  }
  void on_relief() override {}
};

// Brings two threads to the same place at the same time, if both are running, and then apart by a
// little, so that they meet at every point of each other's way.
class Starts {
 public:
  void meet(std::size_t loop, std::uint64_t start, std::mt19937& rng) {
    at_[loop].store(start);
    for (int tries = 0; tries < 5000 && at_[1 - loop].load() < start; ++tries) {
    }
    for (volatile unsigned left = rng() % 200; left != 0;) left = left - 1;
  }

 private:
  std::array<std::atomic<std::uint64_t>, 2> at_{};
};

// A loop's part in one account. There is no other watch, so that each begins the watching anew.
struct Side {
  bus::OwnedPort port;
  bool known = false;
  bus::WatchId watch = bus::WatchId::none;
  base::SubId sub = base::SubId::none;
};

std::vector<Side> open_sides(bus::Router& router, bus::Receiver& receiver) {
  std::vector<Side> sides(accounts);
  for (std::size_t i = 0; i < accounts; ++i) {
    const auto account = static_cast<base::AccountId>(i);
    sides[i].port = router.open(principal_of(account), receiver, nullptr);
  }
  return sides;
}

void watch(Side& side) {
  const bus::Watched watched = side.port->watch("w", [&side] { side.known = true; });
  side.known = watched.interested;
  side.watch = watched.id;
}

}  // namespace

TEST_CASE("watch: a subscription that comes at the same time is found or told of") {
  ThreadedStage stage(2);
  Starts starts;
  int missed = 0;
  stage.run([&](std::size_t loop) {
    Silent silent;
    std::mt19937 rng(static_cast<unsigned>(1 + loop));
    std::vector<Side> sides = open_sides(stage.router(loop), silent);
    std::uint64_t start = 0;
    const subject::Filter filter = subject::literal_filter("w");
    for (int round = 0; round < rounds; ++round) {
      for (Side& side : sides) side.port->interested("w");  // it is kept, and must not be believed
      stage.meet();
      for (Side& side : sides) {
        starts.meet(loop, ++start, rng);
        if (loop == 0) {
          watch(side);
        } else {
          side.sub = *side.port->subscribe(filter, {});
        }
      }
      stage.settle(loop);
      for (Side& side : sides) {
        if (loop == 0 && !side.known) ++missed;
        side.port->unwatch(side.watch);
        if (loop == 1) side.port->unsubscribe(side.sub);
      }
      stage.meet();
    }
    sides.clear();
    stage.settle(loop);
  });
  CHECK(missed == 0);
}
