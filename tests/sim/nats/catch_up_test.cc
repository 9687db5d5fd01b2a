// What another loop hands over in the midst of a turn comes before the answers of that turn.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nats/bridge.h"
#include "tests/support/between_reads.h"
#include "tests/support/serving_world.h"

using namespace spanwire;
using test::BetweenReads;
using test::ServingWorld;
using test::TestPeer;

namespace {

// A subscriber on loop 0 and a publisher on loop 1, whose turn comes while loop 0 has its own.
struct TwoLoops {
  TwoLoops() {
    for (std::size_t i = 0; i < 2; ++i) bridges.push_back(wire.start(serving.services(i)));
    subscriber = &client(0);
    publisher = &client(1);
    subscriber->write("CONNECT {\"verbose\":true}\r\nPING\r\nSUB x 1\r\n");
    publisher->write("CONNECT {}\r\n");
    serving.settle();
    subscriber->take();
  }
  // The sessions go first, while all that they refer to is still there.
  ~TwoLoops() {
    subscriber->hang_up();
    publisher->hang_up();
    serving.settle();
  }
  TestPeer& client(std::size_t loop) {
    TestPeer& peer = serving.world().connect(loop);
    peer.attach(wire.open(peer, *bridges[loop]));
    return peer;
  }
  // What the subscriber gets in the turn in which it writes this, the publisher shortly before.
  std::string answers(std::string_view bytes) {
    between.run([this] {
      publisher->write("PUB x 1\r\n1\r\n");
      serving.world().step(1);
    });
    subscriber->write(bytes);
    serving.world().step(0);
    return subscriber->take();
  }

  ServingWorld serving{{.loops = 2}};
  BetweenReads& between = BetweenReads::connect(serving.world(), 0);
  wire::Wire wire = nats::make_wire({}, 0);
  std::vector<std::unique_ptr<wire::Bridge>> bridges;
  TestPeer* subscriber = nullptr;
  TestPeer* publisher = nullptr;
};

}  // namespace

TEST_CASE("nats: PONG comes behind what was handed over before the PING was read") {
  TwoLoops loops;
  CHECK(loops.answers("PING\r\n") == "MSG x 1 1\r\n1\r\nPONG\r\n");
}

TEST_CASE("nats: what was handed over before the UNSUB was read is delivered") {
  TwoLoops loops;
  CHECK(loops.answers("UNSUB 1\r\n") == "MSG x 1 1\r\n1\r\n+OK\r\n");
  CHECK(loops.answers("PING\r\n") == "PONG\r\n");
}

TEST_CASE("nats: what was handed over before an UNSUB with a limit was read counts for it") {
  TwoLoops loops;
  CHECK(loops.answers("UNSUB 1 1\r\n") == "MSG x 1 1\r\n1\r\n+OK\r\n");
  CHECK(loops.answers("PING\r\n") == "PONG\r\n");
}
