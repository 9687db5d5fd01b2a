// The order promise (docs/promises.md) over three loops, with every interleaving that a seeded
// random walk finds.
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/support/line_session.h"
#include "tests/support/seeds.h"
#include "tests/support/world.h"

using namespace spanwire;
using test::connect_line;
using test::TestPeer;
using test::World;

namespace {

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = text.find('\n', at);
    all.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

}  // namespace

TEST_CASE("order: messages of one publisher reach each subscriber of any loop in their order") {
  for (std::uint64_t seed = 1; seed <= test::seeds(40); ++seed) {
    CAPTURE(seed);
    std::mt19937 rng(static_cast<unsigned>(seed));
    World world({.loops = 3, .seed = seed});
    std::vector<TestPeer*> subscribers;
    for (std::size_t loop = 0; loop < 3; ++loop) {
      subscribers.push_back(&connect_line(world, loop));
      subscribers.back()->write(loop == 1 ? "sub a.*\n" : "sub a.b\n");
    }
    TestPeer& publisher = connect_line(world, 0);
    publisher.set_read_limit(64);
    world.settle();
    for (int i = 0; i < 100; ++i) {
      publisher.write("pub a.b " + std::to_string(i) + "\n");
      if (rng() % 4 == 0) world.step(rng() % 3);
    }
    world.settle_at_random(rng);
    for (TestPeer* subscriber : subscribers) {
      const auto got = lines(subscriber->received());
      REQUIRE(got.size() == 100);
      for (std::size_t i = 0; i < 100; ++i) CHECK(got[i] == "msg a.b " + std::to_string(i));
    }
  }
}

TEST_CASE("order: what a connection has received comes before everything that it causes") {
  // A on loop 0 publishes `cause`; B on loop 1 gets it and publishes `effect`; C on loop 2 has
  // subscribed to both and must never see the effect first.
  for (std::uint64_t seed = 1; seed <= test::seeds(300); ++seed) {
    CAPTURE(seed);
    std::mt19937 rng(static_cast<unsigned>(seed));
    World world({.loops = 3, .seed = seed});
    TestPeer& a = connect_line(world, 0);
    TestPeer& b = connect_line(world, 1);
    TestPeer& c = connect_line(world, 2);
    b.write("sub cause\n");
    c.write("sub *\n");
    world.settle();
    a.write("pub cause 1\n");
    bool answered = false;
    for (int i = 0; i < 200; ++i) {
      world.step(rng() % 3);
      if (!answered && !b.received().empty()) {
        b.write("pub effect 1\n");
        answered = true;
      }
    }
    world.settle();
    CHECK(c.received() == "msg cause 1\nmsg effect 1\n");
  }
}

TEST_CASE("order: a reply to PING comes after all that was handed over before it") {
  for (std::uint64_t seed = 1; seed <= test::seeds(100); ++seed) {
    CAPTURE(seed);
    std::mt19937 rng(static_cast<unsigned>(seed));
    World world({.loops = 3, .seed = seed});
    TestPeer& publisher = connect_line(world, 0);
    TestPeer& subscriber = connect_line(world, 1);
    subscriber.write("sub x\n");
    world.settle();
    publisher.write("pub x 1\nping\n");
    while (publisher.received().empty()) world.step(rng() % 3);
    // The publisher has its pong: the message was handed over, so the subscriber's own ping,
    // written only now, is answered after the message.
    subscriber.write("ping\n");
    world.settle_at_random(rng);
    CHECK(subscriber.received() == "msg x 1\npong\n");
  }
}

TEST_CASE("order: a subscription is visible to every loop when subscribe() returns") {
  for (std::size_t from = 0; from < 3; ++from) {
    for (std::size_t to = 0; to < 3; ++to) {
      World world({.loops = 3});
      TestPeer& subscriber = connect_line(world, to);
      TestPeer& publisher = connect_line(world, from);
      // A match without targets is cached first, so that only its generation can tell.
      publisher.write("pub s.t 0\npub s.t 0\npub s.t 0\n");
      world.settle();
      subscriber.write("sub s.*\n");
      world.step(to);
      publisher.write("pub s.t 1\n");
      world.settle();
      CAPTURE(from);
      CAPTURE(to);
      CHECK(subscriber.received() == "msg s.t 1\n");
    }
  }
}

TEST_CASE("order: no message is delivered after the unsubscription was answered") {
  for (std::uint64_t seed = 1; seed <= test::seeds(100); ++seed) {
    CAPTURE(seed);
    std::mt19937 rng(static_cast<unsigned>(seed));
    World world({.loops = 2, .seed = seed});
    TestPeer& subscriber = connect_line(world, 1);
    TestPeer& publisher = connect_line(world, 0);
    subscriber.write("sub x\n");
    world.settle();
    publisher.write("pub x 1\npub x 2\n");
    world.step(rng() % 2);
    subscriber.write("unsub 0\nping\n");
    for (int i = 0; i < 20; ++i) world.step(rng() % 2);
    world.settle();
    CHECK(subscriber.received().ends_with("pong\n"));
  }
}

TEST_CASE("order: what a loop asks of itself is done before what it has caused elsewhere") {
  World world({.loops = 2});
  std::string done;
  world.router(0).post(0, [&] { done += "own "; });
  world.router(0).post(1, [&] { world.router(1).post(0, [&] { done += "caused "; }); });
  world.router(0).hand_over();
  world.step(1);  // the answer arrives before loop 0 has its turn
  world.settle();
  CHECK(done == "own caused ");
}

TEST_CASE("order: what a message causes on its loop is done after what its publisher asked for") {
  struct Poster final : bus::Receiver {
    Poster(World& in, std::string& text) : world(in), done(text) {}
    bus::Taken on_message(std::span<const bus::Target>, const bus::MessageView&) override {
      world.router(0).post(0, [this] { done += "effect "; });
      return bus::Taken::all;
    }
    void on_relief() override {}
    World& world;
    std::string& done;
  };
  World world({.loops = 2});
  std::string done;
  Poster poster(world, done);
  const auto subscriber = world.router(0).open(test::principal_of(), poster, nullptr);
  const auto publisher = world.router(1).open(test::principal_of(), poster, nullptr);
  REQUIRE(subscriber->subscribe(*subject::parse_nats_filter("x"), {}));
  bus::MessageView message;
  message.route = message.subject = "x";
  publisher->route(*publisher->admit(message));
  world.router(1).post(0, [&] { done += "cause "; });
  world.router(1).hand_over();
  world.router(0).catch_up();  // the message; tasks wait for the turn
  world.settle();
  CHECK(done == "cause effect ");
}

TEST_CASE("order: tasks that a task catches up with wait for the next drain, messages do not") {
  World world({.loops = 2});
  TestPeer& publisher = connect_line(world, 1);
  TestPeer& subscriber = connect_line(world, 0);
  subscriber.write("sub x\n");
  world.settle();
  std::string done;
  world.router(1).post(0, [&] {
    publisher.write("pub x 1\n");
    world.step(1);
    world.router(1).post(0, [&] { done += "second "; });
    world.router(0).post(0, [&] { done += "own "; });
    world.router(1).hand_over();
    world.router(0).catch_up();
    CHECK(subscriber.pending_bytes() != 0);
    done += "first ";
  });
  world.router(1).hand_over();
  world.router(0).drain();
  CHECK(done == "first ");
  world.router(0).drain();
  CHECK(done.size() == std::string("first second own ").size());
  world.settle();
}
