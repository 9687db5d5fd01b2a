// What sessions do inside on_message: it waits until the outer route is over, and changes nothing
// of it.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/line_session.h"
#include "tests/support/world.h"

using namespace spanwire;
using test::connect_line;
using test::LineSession;
using test::TestPeer;
using test::World;

TEST_CASE("reentry: a message keeps its receivers whoever publishes while it is delivered") {
  // Known subjects have a match of their own; all new ones share one.
  for (const int known : {0, 2}) {
    for (const std::size_t from : {0, 1}) {
      CAPTURE(known);
      CAPTURE(from);
      World world({.loops = 2});
      LineSession* echo = nullptr;
      connect_line(world, 0, &echo).write("sub ask\n");
      std::vector<TestPeer*> askers;
      std::vector<TestPeer*> answerers;
      for (int i = 0; i < 8; ++i) {
        askers.push_back(&connect_line(world, 0));
        askers.back()->write("sub ask\n");
      }
      for (int i = 0; i < 12; ++i) {
        answerers.push_back(&connect_line(world, 0));
        answerers.back()->write("sub answer\n");
      }
      TestPeer& publisher = connect_line(world, from);
      world.settle();
      for (int i = 0; i < known; ++i) publisher.write("pub ask 0\n");
      world.settle();
      for (TestPeer* peer : askers) peer->take();
      echo->echo_subject = "answer";
      publisher.write("pub ask 1\n");
      world.settle();
      for (TestPeer* peer : askers) CHECK(peer->received() == "msg ask 1\n");
      for (TestPeer* peer : answerers) CHECK(peer->received() == "msg answer 1\n");
    }
  }
}

TEST_CASE("reentry: a match that is pushed out by what is published inside it is still delivered") {
  World world({.loops = 1, .router = {.match_cache_bytes = 1500}});
  LineSession* echo = nullptr;
  connect_line(world, 0, &echo).write("sub ask\n");
  std::vector<TestPeer*> askers;
  for (int i = 0; i < 4; ++i) {
    askers.push_back(&connect_line(world, 0));
    askers.back()->write("sub ask\n");
  }
  TestPeer& publisher = connect_line(world, 0);
  world.settle();
  for (int i = 0; i < 50; ++i) {
    for (int twice = 0; twice < 2; ++twice) {
      echo->echo_subject = "answer." + std::to_string(i);
      publisher.write("pub ask 1\n");
      world.settle();
    }
  }
  for (TestPeer* peer : askers) {
    std::string expected;
    for (int i = 0; i < 100; ++i) expected += "msg ask 1\n";
    CHECK(peer->received() == expected);
  }
}

TEST_CASE("reentry: a refusal inside on_message is the same as outside, and counted once") {
  World world({.loops = 1});
  LineSession* echo = nullptr;
  TestPeer& echoing = connect_line(world, 0, &echo);
  echoing.write("sub ask\n");
  TestPeer& publisher = connect_line(world, 0);
  world.settle();
  echo->echo_subject = "not safe";
  publisher.write("pub ask 1\n");
  world.settle();
  CHECK(echoing.received() == "msg ask 1\nrefused\n");
  CHECK(world.router(0).stats().refused_unsafe.get() == 1);
}

TEST_CASE("reentry: sessions that answer one another without end do not hold up their loop") {
  World world({.loops = 1});
  LineSession* one = nullptr;
  LineSession* other = nullptr;
  connect_line(world, 0, &one).write("sub ping\n");
  connect_line(world, 0, &other).write("sub pong\n");
  TestPeer& publisher = connect_line(world, 0);
  world.settle();
  one->echo_subject = "pong";
  other->echo_subject = "ping";
  TestPeer& bystander = connect_line(world, 0);
  publisher.write("pub ping 1\n");
  world.step(0);
  bystander.write("ping\n");
  world.step(0);
  world.step(0);
  CHECK(bystander.received() == "pong\n");
  const std::uint64_t answers = world.router(0).stats().clients.out_messages.get();
  CHECK(answers > bus::max_deferred);
  world.step(0);
  CHECK(world.router(0).stats().clients.out_messages.get() > answers);  // and they go on
  one->echo_subject.clear();                                            // and it ends when they do
  world.settle();
}
