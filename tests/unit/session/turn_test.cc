// The turn (session/turn.h) and what a peer does in it: early flushes, cuts, endings, memory.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "session/turn.h"
#include "tests/support/manual_loop.h"

using namespace spanwire;
using session::Ending;
using session::Turn;

namespace {

bool in_time() {
  return false;
}

// A peer that takes `room` bytes, and says when something happens to it.
class StubPeer final : public session::Peer {
 public:
  StubPeer(Turn& turn, std::uint64_t id) : Peer(turn, id, "stub:1") {}

  void pause() override {}
  void resume() override {}
  base::TimerId arm(base::Duration) override { return base::TimerId::none; }
  void disarm(base::TimerId) override {}

  void make_room(std::size_t bytes) {
    room = bytes;
    takes_more();
  }

  std::size_t room = SIZE_MAX;
  std::string written;
  std::function<void()> on_flush = [] {};
  std::function<void()> on_closed = [] {};
  int flushes = 0;
  int drops = 0;
  std::string closed;

 private:
  void flush() override {
    ++flushes;
    on_flush();
    std::array<iovec, 16> vectors;
    while (room != 0 && !outbox_.empty()) {
      const std::size_t used = outbox_.gather(vectors);
      std::size_t bytes = 0;
      for (std::size_t i = 0; i < used; ++i) {
        const std::size_t part = std::min(vectors[i].iov_len, room - bytes);
        written.append(static_cast<const char*>(vectors[i].iov_base), part);
        bytes += part;
      }
      room -= bytes;
      wrote(bytes);
    }
  }
  void finish_close(std::string_view reason, Ending ending) override {
    on_closed();
    closed = reason;
    if (ending == Ending::discard) drop_pending();
  }
  void drop() override {
    ++drops;
    drop_pending();
  }
};

// A session's receiving side: what it gets goes to the peer.
struct Writer final : public bus::Receiver {
  explicit Writer(session::Peer& to) : peer(to) {}
  bus::Taken on_message(std::span<const bus::Target> targets,
                        const bus::MessageView& message) override {
    for (std::size_t i = 0; i < targets.size(); ++i) peer.send(message.payload);
    return bus::Taken::all;
  }
  void on_relief() override {}
  session::Peer& peer;
};

struct Fixture {
  explicit Fixture(std::size_t buffered = std::size_t{1} << 40) : ledger(buffered) {
    for (std::size_t i = 0; i < 2; ++i) {
      loops.push_back(std::make_unique<test::ManualLoop>(static_cast<base::LoopId>(i)));
      routers.push_back(
          std::make_unique<bus::Router>(hub, *loops[i], bus::RouterSettings{}, i + 1));
      turns.push_back(std::make_unique<Turn>(*routers[i], ledger));
      hub.exchange.set_wake(static_cast<base::LoopId>(i), [this, i] { woken[i] = true; });
    }
    auto made = base::make_ref<account::Principal>();
    made->account = base::make_ref<account::Account>(0U, "$G");
    principal = base::Ref<const account::Principal>(made);
  }
  bus::OwnedPort open(std::size_t loop, bus::Receiver& receiver,
                      const session::Peer* peer = nullptr) {
    return routers[loop]->open(principal, receiver, peer == nullptr ? nullptr : peer->gate());
  }
  static void publish(bus::Port& port, std::string_view payload) {
    bus::MessageView message;
    message.route = message.subject = "a";
    message.payload = payload;
    port.route(*port.admit(message));
  }

  bus::Hub hub{2};
  session::Ledger ledger;
  std::array<bool, 2> woken{};
  std::vector<std::unique_ptr<test::ManualLoop>> loops;
  std::vector<std::unique_ptr<bus::Router>> routers;
  std::vector<std::unique_ptr<Turn>> turns;
  base::Ref<const account::Principal> principal;
};

subject::Filter filter_a() {
  return *subject::parse_nats_filter("a");
}

}  // namespace

TEST_CASE("turn: nothing is written before the end of the turn, and then behind the hand-over") {
  Fixture f;
  StubPeer near(*f.turns[0], 1);
  StubPeer far(*f.turns[1], 2);
  Writer near_writer(near);
  Writer far_writer(far);
  const auto near_port = f.open(0, near_writer);
  const auto far_port = f.open(1, far_writer);
  near_port->subscribe(filter_a(), {});
  far_port->subscribe(filter_a(), {});
  near.on_flush = [&] { CHECK(f.hub.exchange.filled(1)); };
  Fixture::publish(*near_port, "one");
  CHECK(near.flushes == 0);
  CHECK_FALSE(f.hub.exchange.filled(1));
  f.turns[0]->finish(in_time);
  CHECK(near.written == "one");
  f.turns[1]->drain();
  CHECK(far.flushes == 0);
  f.turns[1]->finish(in_time);
  CHECK(far.written == "one");
}

namespace {

// Publishes when the turn ends, and asks again as often as it is told.
struct Gatherer final : public bus::TurnEnd {
  Gatherer(bus::Router& its_router, bus::Port& its_port) : router(its_router), port(its_port) {}
  void on_turn_end() override {
    ++ends;
    Fixture::publish(port, "gathered ");
    if (again-- > 0) router.at_turn_end(*this);
  }
  bus::Router& router;
  bus::Port& port;
  int again = 0;
  int ends = 0;
};

}  // namespace

TEST_CASE("turn: what was gathered is routed once, before the turn hands over and writes") {
  Fixture f;
  StubPeer near(*f.turns[0], 1);
  Writer writer(near);
  const bus::OwnedPort port = f.open(0, writer, &near);
  REQUIRE(port->subscribe(filter_a(), {}));
  Gatherer gatherer(*f.routers[0], *port);
  f.routers[0]->at_turn_end(gatherer);
  CHECK_FALSE(f.routers[0]->idle());
  CHECK(f.turns[0]->finish(in_time));
  CHECK(gatherer.ends == 1);
  CHECK(near.written == "gathered ");
  CHECK(f.routers[0]->idle());
  f.turns[0]->finish(in_time);
  CHECK(gatherer.ends == 1);
}

TEST_CASE(
    "turn: who asks again while it gathers is called in the next turn, which is not slept over") {
  Fixture f;
  StubPeer near(*f.turns[0], 1);
  Writer writer(near);
  const bus::OwnedPort port = f.open(0, writer, &near);
  Gatherer gatherer(*f.routers[0], *port);
  gatherer.again = 1;
  f.routers[0]->at_turn_end(gatherer);
  f.turns[0]->finish(in_time);
  CHECK(gatherer.ends == 1);
  CHECK_FALSE(f.routers[0]->idle());
  f.turns[0]->finish(in_time);
  CHECK(gatherer.ends == 2);
  CHECK(f.routers[0]->idle());
}

TEST_CASE("turn: who was forgotten is not called") {
  Fixture f;
  StubPeer near(*f.turns[0], 1);
  Writer writer(near);
  const bus::OwnedPort port = f.open(0, writer, &near);
  Gatherer gatherer(*f.routers[0], *port);
  f.routers[0]->at_turn_end(gatherer);
  f.routers[0]->forget(gatherer);
  f.turns[0]->finish(in_time);
  CHECK(gatherer.ends == 0);
}

TEST_CASE("turn: an early flush writes what earlier routes have added, behind their hand-over") {
  Fixture f;
  StubPeer peer(*f.turns[0], 1);
  StubPeer far(*f.turns[1], 2);
  Writer writer(peer);
  Writer far_writer(far);
  const auto port = f.open(0, writer);
  const auto far_port = f.open(1, far_writer);
  // Three targets: the second and third copy of a message come above the limit, too.
  for (int i = 0; i < 3; ++i) port->subscribe(filter_a(), {});
  far_port->subscribe(filter_a(), {});
  const std::string one(100'000, '1');
  const std::string two(100'000, '2');
  const std::string three(10, '3');
  std::size_t handed_over = 0;
  peer.on_flush = [&] { handed_over = f.hub.exchange.lane_bytes(0, 1); };
  Fixture::publish(*port, one);
  CHECK(peer.flushes == 0);  // 300,000 bytes, all of one route
  Fixture::publish(*port, two);
  CHECK(peer.flushes == 1);
  CHECK(peer.written == one + one + one);
  CHECK(handed_over > 200'000);  // with the message that is on its way
  CHECK(f.turns[0]->stats().early_flushes.get() == 1);
  Fixture::publish(*port, three);
  CHECK(peer.written == one + one + one + two + two + two);
  f.turns[0]->finish(in_time);
  CHECK(peer.written == one + one + one + two + two + two + three + three + three);
  f.turns[1]->drain();
  f.turns[1]->finish(in_time);
  CHECK(far.written == one + two + three);
}

TEST_CASE("turn: what one route adds is not flushed before that route is over") {
  Fixture f;
  StubPeer peer(*f.turns[0], 1);
  StubPeer far(*f.turns[1], 2);
  Writer writer(peer);
  Writer far_writer(far);
  const auto port = f.open(0, writer);
  const auto other_port = f.open(0, writer);  // the same peer is written to twice
  const auto far_port = f.open(1, far_writer);
  for (int i = 0; i < 4; ++i) port->subscribe(filter_a(), {});
  for (int i = 0; i < 4; ++i) other_port->subscribe(filter_a(), {});
  far_port->subscribe(filter_a(), {});
  Fixture::publish(*port, std::string(100'000, '1'));
  CHECK(peer.flushes == 0);
  Fixture::publish(*port, "2");
  CHECK(peer.flushes == 1);
  CHECK(peer.written == std::string(800'000, '1'));
  f.turns[0]->finish(in_time);
}

TEST_CASE("turn: arrivals of one drain are flushed early, each behind those before it") {
  Fixture f;
  StubPeer peer(*f.turns[1], 1);
  Writer writer(peer);
  Writer nobody(peer);
  const auto port = f.open(1, writer);
  const auto publisher = f.open(0, nobody);
  port->subscribe(filter_a(), {});
  for (const char text : {'1', '2', '3'}) Fixture::publish(*publisher, std::string(200'000, text));
  f.turns[0]->finish(in_time);
  f.turns[1]->drain();
  CHECK(peer.flushes == 1);
  CHECK(peer.written == std::string(200'000, '1') + std::string(200'000, '2'));
  f.turns[1]->finish(in_time);
  CHECK(peer.written.size() == 600'000);
}

TEST_CASE("turn: a peer that takes nothing is not flushed early, and its turn stays one batch") {
  Fixture f;
  StubPeer peer(*f.turns[0], 1);
  StubPeer far(*f.turns[1], 2);
  Writer writer(peer);
  Writer far_writer(far);
  const auto port = f.open(0, writer, &peer);
  const auto far_port = f.open(1, far_writer);
  port->subscribe(filter_a(), {});
  far_port->subscribe(filter_a(), {});
  peer.limit_pending({800'000});
  peer.room = 0;
  Fixture::publish(*port, std::string(400'000, 'x'));
  f.turns[0]->finish(in_time);
  f.turns[1]->drain();
  f.turns[1]->finish(in_time);
  const std::uint64_t before = f.turns[0]->stats().early_flushes.get();
  for (int i = 0; i < 50; ++i) Fixture::publish(*port, std::string(5000, 'y'));
  CHECK(f.turns[0]->stats().early_flushes.get() == before);
  CHECK_FALSE(f.hub.exchange.filled(1));                     // one batch, at the end of the turn
  CHECK(peer.gate()->state() == bus::GateState::congested);  // known before the turn ends
  f.turns[0]->finish(in_time);
  peer.make_room(SIZE_MAX);
  Fixture::publish(*port, "z");
  CHECK(f.turns[0]->stats().early_flushes.get() == before + 1);
  CHECK(peer.written.size() == 650'000);
  f.turns[0]->finish(in_time);
  CHECK(peer.gate()->state() == bus::GateState::open);
}

TEST_CASE("turn: writing that is cut goes on where it ended, before what was marked since") {
  Fixture f;
  std::vector<int> order;
  std::vector<std::unique_ptr<StubPeer>> peers;
  for (int i = 0; i < 6; ++i) {
    peers.push_back(std::make_unique<StubPeer>(*f.turns[0], i));
    peers.back()->on_flush = [&order, i] { order.push_back(i); };
    if (i != 5) peers.back()->send("x");
  }
  const auto after_two = [&] { return order.size() % 2 == 0; };
  CHECK_FALSE(f.turns[0]->finish(after_two));
  CHECK(order == std::vector<int>{0, 1});
  CHECK(f.turns[0]->stats().cut_flushes.get() == 1);
  peers[5]->send("x");
  peers[0]->send("y");
  peers[2]->send("y");  // it waits already
  CHECK_FALSE(f.turns[0]->finish(after_two));
  CHECK_FALSE(f.turns[0]->finish(after_two));
  CHECK(f.turns[0]->finish(in_time));
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5, 0});
  CHECK(peers[2]->written == "xy");
}

TEST_CASE("turn: a peer that leaves while its writing was cut is not written to") {
  Fixture f;
  std::vector<std::unique_ptr<StubPeer>> peers;
  for (int i = 0; i < 4; ++i) {
    peers.push_back(std::make_unique<StubPeer>(*f.turns[0], i));
    peers.back()->send("x");
  }
  CHECK_FALSE(f.turns[0]->finish([] { return true; }));
  peers[1].reset();
  peers[3]->close("gone");
  peers[3].reset();
  CHECK(f.turns[0]->finish(in_time));
  CHECK(peers[0]->written == "x");
  CHECK(peers[2]->written == "x");
}

TEST_CASE("turn: closing comes after the writing, in the order of the calls, and may close more") {
  Fixture f;
  std::vector<std::string> order;
  std::vector<std::unique_ptr<StubPeer>> peers;
  for (int i = 0; i < 4; ++i) {
    peers.push_back(std::make_unique<StubPeer>(*f.turns[0], i));
    StubPeer* peer = peers.back().get();
    peer->on_closed = [&order, peer, i] {
      CHECK(peer->written == "last words");
      order.push_back("closed " + std::to_string(i));
    };
  }
  for (const int i : {2, 0, 3}) {
    peers[static_cast<std::size_t>(i)]->send("last words");
    peers[static_cast<std::size_t>(i)]->close("first reason");
    peers[static_cast<std::size_t>(i)]->close("second reason");
  }
  peers[1]->send("last words");
  auto* zero = peers[0].get();
  zero->on_closed = [&] {
    order.push_back("closed 0");
    peers[1]->close("by another's end");
  };
  CHECK(order.empty());
  f.turns[0]->finish(in_time);
  CHECK(order == std::vector<std::string>{"closed 2", "closed 0", "closed 3", "closed 1"});
  CHECK(peers[2]->closed == "first reason");
}

TEST_CASE("turn: the gate of a peer is closed from its close() on, whatever is written then") {
  Fixture f;
  auto peer = std::make_unique<StubPeer>(*f.turns[0], 1);
  const base::Ref<bus::Gate> gate = peer->gate();
  peer->send("last words");
  CHECK(gate->state() == bus::GateState::open);
  peer->close("gone");
  CHECK(gate->state() == bus::GateState::closed);
  f.turns[0]->finish(in_time);
  CHECK(peer->written == "last words");
  CHECK(gate->state() == bus::GateState::closed);

  auto other = std::make_unique<StubPeer>(*f.turns[0], 2);
  const base::Ref<bus::Gate> other_gate = other->gate();
  other.reset();
  CHECK(other_gate->state() == bus::GateState::closed);
}

TEST_CASE("turn: what a session publishes as it ends is handed over in the same turn") {
  Fixture f;
  StubPeer peer(*f.turns[0], 1);
  StubPeer far(*f.turns[1], 2);
  Writer writer(peer);
  Writer far_writer(far);
  auto port = f.open(0, writer);
  const auto far_port = f.open(1, far_writer);
  far_port->subscribe(filter_a(), {});
  peer.on_closed = [&] {
    Fixture::publish(*port, "will");
    port.reset();
  };
  peer.close("gone");
  f.turns[0]->finish(in_time);
  f.turns[1]->drain();
  f.turns[1]->finish(in_time);
  CHECK(far.written == "will");
}

TEST_CASE("turn: closing many is cut as writing is, and goes on in the next turn") {
  Fixture f;
  std::vector<std::unique_ptr<StubPeer>> peers;
  for (int i = 0; i < 5; ++i) {
    peers.push_back(std::make_unique<StubPeer>(*f.turns[0], i));
    peers.back()->close("gone");
  }
  const auto closed = [&] {
    return std::count_if(peers.begin(), peers.end(),
                         [](const auto& peer) { return !peer->closed.empty(); });
  };
  CHECK_FALSE(f.turns[0]->finish([] { return true; }));
  CHECK(closed() == 1);
  CHECK_FALSE(f.turns[0]->finish([] { return true; }));
  CHECK(closed() == 2);
  CHECK(f.turns[0]->finish(in_time));
  CHECK(closed() == 5);
}

TEST_CASE("memory: a peer that is closing gives up what it holds when all buffers are full") {
  for (const bool same_turn : {true, false}) {
    CAPTURE(same_turn);
    Fixture f(100'000);
    StubPeer slow(*f.turns[0], 1);
    StubPeer other(*f.turns[0], 2);
    slow.room = other.room = 0;
    slow.send(std::string(90'000, 's'));
    slow.close("leaving, with all of that behind it");
    if (!same_turn) f.turns[0]->finish(in_time);
    other.send(std::string(20'000, 'o'));
    f.turns[0]->finish(in_time);
    CHECK(slow.pending_bytes() == 0);
    CHECK(slow.drops == (same_turn ? 0 : 1));
    CHECK_FALSE(other.closing());
    CHECK(f.turns[0]->stats().closed_for_memory.get() == 1);
    f.turns[0]->finish(in_time);
    CHECK(f.ledger.total() == 20'000);
    CHECK_FALSE(other.closing());
  }
}

TEST_CASE("memory: the loop with the largest peer is woken, however long it could sleep") {
  Fixture f(100'000);
  StubPeer largest(*f.turns[1], 1);
  largest.room = 0;
  largest.send(std::string(80'000, 'l'));
  f.turns[1]->finish(in_time);
  CHECK(f.hub.exchange.fall_asleep(1));
  std::vector<std::unique_ptr<StubPeer>> peers;
  for (int i = 0; i < 4; ++i) {
    peers.push_back(std::make_unique<StubPeer>(*f.turns[0], 2 + i));
    peers.back()->room = 0;
    peers.back()->send(std::string(10'000, 's'));
  }
  f.turns[0]->finish(in_time);
  REQUIRE(f.ledger.hard());
  CHECK(f.woken[1]);
  f.turns[1]->drain();
  f.turns[1]->finish(in_time);
  CHECK(largest.closed == "Buffers Full");
  CHECK(f.ledger.hard() == false);
  for (const auto& peer : peers) CHECK_FALSE(peer->closing());
}

TEST_CASE("ledger: the sum follows each loop's report, down as well as up") {
  session::Ledger ledger(1000);
  ledger.report(0, 500, 400);
  ledger.report(1, 600, 100);
  CHECK(ledger.total() == 1100);
  CHECK(ledger.hard());
  ledger.report(0, 100, 50);
  CHECK(ledger.total() == 700);
  CHECK_FALSE(ledger.hard());
  CHECK_FALSE(ledger.soft());
  ledger.report(1, 651, 100);
  CHECK(ledger.soft());
  ledger.report(0, 0, 0);
  ledger.report(1, 0, 0);
  CHECK(ledger.total() == 0);
}
