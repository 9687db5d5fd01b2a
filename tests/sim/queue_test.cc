// Queue groups over three loops: each message to exactly one member, whatever happens to members.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/support/line_session.h"
#include "tests/support/seeds.h"
#include "tests/support/world.h"

using namespace spanwire;
using test::connect_line;
using test::LineSession;
using test::TestPeer;
using test::World;

namespace {

std::size_t count(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("queue: each message goes to exactly one member, and every member is used") {
  World world({.loops = 3});
  std::vector<TestPeer*> members;
  for (std::size_t i = 0; i < 6; ++i) {
    members.push_back(&connect_line(world, i % 3));
    members.back()->write(i < 3 ? "sub jobs q\n" : "sub job* q\nsub *.x q\nsub jobs.> other\n");
    members.back()->write(i < 3 ? "" : "sub * q\n");
  }
  TestPeer& publisher = connect_line(world, 0);
  world.settle();
  for (int i = 0; i < 600; ++i) publisher.write("pub jobs " + std::to_string(i) + "\n");
  world.settle();
  std::size_t total = 0;
  for (TestPeer* member : members) {
    CHECK(count(member->received()) > 40);  // 100 expected; chance of 40 or fewer below 1e-11
    total += count(member->received());
  }
  CHECK(total == 600);
}

TEST_CASE("queue: a plain subscription beside a group gets its own copy, also on one connection") {
  World world({.loops = 1});
  TestPeer& both = connect_line(world, 0);
  both.write("sub a\nsub a q\n");
  TestPeer& publisher = connect_line(world, 0);
  world.settle();
  publisher.write("pub a 1\n");
  world.settle();
  CHECK(both.received() == "msg a 1\nmsg a 1\n");
}

TEST_CASE("queue: a member that does not take a message is replaced on its loop, else elsewhere") {
  for (std::size_t taker = 0; taker < 3; ++taker) {
    CAPTURE(taker);
    World world({.loops = 3});
    std::vector<TestPeer*> members;
    for (std::size_t loop = 0; loop < 3; ++loop) {
      LineSession* session = nullptr;
      members.push_back(&connect_line(world, loop, &session));
      members.back()->write("sub jobs q\n");
      if (loop != taker) session->set_taken(bus::Taken::none);
    }
    TestPeer& publisher = connect_line(world, 0);
    world.settle();
    for (int i = 0; i < 50; ++i) publisher.write("pub jobs x\n");
    world.settle();
    CHECK(count(members[taker]->received()) == 50);
  }
}

TEST_CASE("queue: when no member takes a message it is dropped and counted") {
  World world({.loops = 2});
  for (std::size_t loop = 0; loop < 2; ++loop) {
    LineSession* session = nullptr;
    connect_line(world, loop, &session).write("sub jobs q\n");
    session->set_taken(bus::Taken::none);
  }
  TestPeer& publisher = connect_line(world, 0);
  world.settle();
  publisher.write("pub jobs x\n");
  world.settle();
  CHECK(world.router(0).stats().dropped_queue.get() + world.router(1).stats().dropped_queue.get() ==
        1);
}

TEST_CASE("queue: members come and go between draw and delivery, and no message is lost") {
  for (std::uint64_t seed = 1; seed <= test::seeds(60); ++seed) {
    CAPTURE(seed);
    std::mt19937 rng(static_cast<unsigned>(seed));
    World world({.loops = 3, .seed = seed});
    TestPeer& steady = connect_line(world, 2);
    steady.write("sub jobs q\n");
    std::vector<TestPeer*> fickle;
    for (std::size_t loop = 0; loop < 3; ++loop) {
      fickle.push_back(&connect_line(world, loop));
      fickle.back()->write("sub jobs q\n");
    }
    TestPeer& publisher = connect_line(world, 0);
    world.settle();
    for (int i = 0; i < 90; ++i) {
      publisher.write("pub jobs x\n");
      if (i == 45) {
        for (TestPeer* peer : fickle) peer->write("unsub 0\n");
      }
      world.step(rng() % 3);
    }
    world.settle_at_random(rng);
    std::size_t total = count(steady.received());
    for (TestPeer* peer : fickle) total += count(peer->received());
    CHECK(total == 90);
  }
}

TEST_CASE("queue: a limit of N deliveries gives exactly N, the rest goes to other members") {
  World world({.loops = 3});
  TestPeer& limited = connect_line(world, 1);
  limited.write("sub jobs q\nunsub 0 5\n");
  TestPeer& other = connect_line(world, 2);
  other.write("sub jobs q\n");
  TestPeer& publisher = connect_line(world, 0);
  world.settle();
  for (int i = 0; i < 100; ++i) publisher.write("pub jobs x\n");
  world.settle();
  CHECK(count(limited.received()) == 5);
  CHECK(count(other.received()) == 95);
}
