// The promise of the HTTP broker (docs/promises.md): a GET after an OK shows that message, over
// three loops, with every interleaving that a seeded random walk finds.
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/support/broker_world.h"
#include "tests/support/seeds.h"

using namespace spanwire;
using test::BrokerWorld;
using test::TestPeer;

namespace {

constexpr std::size_t loops = 3;

// A client with a connection on each loop, which waits for each answer, while the loops take steps
// in random order.
struct Walk {
  explicit Walk(unsigned seed) : rng(seed), broker(loops) {
    for (std::size_t i = 0; i < loops; ++i) connections.push_back(&broker.connect(i));
  }

  test::HttpAnswer ask(std::size_t loop, std::string_view method, std::string_view target,
                       std::string_view body = "") {
    connections[loop]->write(test::http_request(method, target, body));
    for (int i = 0; i < 1000; ++i) {
      broker.world.step(rng() % loops);
      std::string got = connections[loop]->received();
      if (auto answer = test::take_answer(got)) {
        connections[loop]->take();
        return *answer;
      }
    }
    FAIL("no answer");
    return {};
  }
  std::size_t any_loop() { return rng() % loops; }

  std::mt19937 rng;
  BrokerWorld broker;
  std::vector<TestPeer*> connections;
};

}  // namespace

TEST_CASE("latest: GET shows the last message whose OK has come, from and on any loop") {
  for (unsigned seed = 1; seed <= test::seeds(200); ++seed) {
    CAPTURE(seed);
    Walk walk(seed);
    for (int i = 0; i < 12; ++i) {
      const std::string text = std::to_string(i);
      const std::string topic = "/broker/t/" + std::to_string(walk.rng() % 2);
      CHECK(walk.ask(walk.any_loop(), "POST", topic, text).body == "OK");
      CHECK(walk.ask(walk.any_loop(), "GET", topic).body == text);
      CHECK(walk.ask(walk.any_loop(), "GET", "/broker/t/*").body == text);
      CHECK(walk.ask(walk.any_loop(), "GET", "/broker/@").body == text);
    }
  }
}

TEST_CASE("latest: the same of retained messages, cleared ones included") {
  for (unsigned seed = 1; seed <= test::seeds(200); ++seed) {
    CAPTURE(seed);
    Walk walk(seed);
    for (int i = 0; i < 12; ++i) {
      const std::string text = walk.rng() % 4 == 0 ? "" : std::to_string(i);
      CHECK(walk.ask(walk.any_loop(), "POST", "/broker/t?retained=true", text).body == "OK");
      for (const char* target : {"/broker/t?retained=true", "/broker/*?retained=true"}) {
        const test::HttpAnswer got = walk.ask(walk.any_loop(), "GET", target);
        CHECK(got.status == (text.empty() ? 404 : 200));
        CHECK(got.body == text);
      }
      CHECK(walk.ask(walk.any_loop(), "GET", "/broker/t").body == text);
    }
  }
}

TEST_CASE("latest: a message of another wire that its sender knows handed over is the latest") {
  for (unsigned seed = 1; seed <= test::seeds(100); ++seed) {
    CAPTURE(seed);
    Walk walk(seed);
    std::vector<TestPeer*> others;
    for (std::size_t i = 0; i < loops; ++i) {
      others.push_back(&test::connect_line(walk.broker.world, i));
    }
    for (int i = 0; i < 10; ++i) {
      const std::string text = std::to_string(i);
      TestPeer& other = *others[walk.any_loop()];
      other.write("pub t." + text + " " + text + "\nping\n");
      while (other.received().empty()) walk.broker.world.step(walk.any_loop());
      other.take();
      CHECK(walk.ask(walk.any_loop(), "GET", "/broker/t/+").body == text);
      CHECK(walk.ask(walk.any_loop(), "POST", "/broker/t/x", "x" + text).body == "OK");
      CHECK(walk.ask(walk.any_loop(), "GET", "/broker/t/@").body == "x" + text);
    }
  }
}

TEST_CASE("latest: messages reach a subscriber in the order of their OKs") {
  for (unsigned seed = 1; seed <= test::seeds(100); ++seed) {
    CAPTURE(seed);
    Walk walk(seed);
    TestPeer& subscriber = test::connect_line(walk.broker.world, walk.any_loop());
    subscriber.write("sub t\n");
    walk.broker.world.settle();
    std::string expected;
    for (int i = 0; i < 20; ++i) {
      const std::string text = std::to_string(i);
      const char* target = walk.rng() % 2 == 0 ? "/broker/t" : "/broker/t?retained=true&qos=1";
      CHECK(walk.ask(walk.any_loop(), "POST", target, text).status == 200);
      expected += "msg t " + text + "\n";
    }
    walk.broker.world.settle();
    CHECK(subscriber.received() == expected);
  }
}
