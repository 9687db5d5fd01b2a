// What a message may cost on its way, in allocations and locks, whatever the machine: after a
// warm-up and on repeated subjects, at one loop and at two. tests/unit/net counts reads and writes.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "tests/support/allocations.h"
#include "tests/support/nats_world.h"

using namespace spanwire;
using test::DrainPeer;
using test::NatsWorld;

namespace {

constexpr std::size_t messages = 100;

// Not more than a connection may read in one turn.
std::size_t count_of(std::size_t payload) {
  return std::min(messages, session::read_quota_bytes / (payload + 100));
}

std::string publications(std::size_t payload, std::string_view reply = {}) {
  std::string text;
  for (std::size_t i = 0; i < count_of(payload); ++i) {
    text += "PUB a.b" + std::string(reply) + " " + std::to_string(payload) + "\r\n" +
            std::string(payload, 'x') + "\r\n";
  }
  return text;
}

std::string publications_with_headers(std::size_t payload) {
  const std::string headers = "NATS/1.0\r\nA: b\r\nC: d\r\n\r\n";
  std::string text;
  for (std::size_t i = 0; i < messages; ++i) {
    text += "HPUB a.b " + std::to_string(headers.size()) + " " +
            std::to_string(headers.size() + payload) + "\r\n" + headers +
            std::string(payload, 'x') + "\r\n";
  }
  return text;
}

struct Cost {
  std::size_t allocations = 0;
  std::uint64_t publishing_locks = 0;  // in the turn that reads and hands over
  std::uint64_t receiving_locks = 0;   // in the turn of the other loop
};

// The last of several turns with the same input.
Cost cost_of(NatsWorld& world, DrainPeer& publisher, const std::string& input, std::size_t loops) {
  Cost cost;
  for (int i = 0; i < 20; ++i) {
    const std::size_t before = test::allocations();
    const std::uint64_t locks = base::Mutex::acquisitions;
    world.feed(publisher, input);
    cost.publishing_locks = base::Mutex::acquisitions - locks;
    for (std::size_t loop = 1; loop < loops; ++loop) world.turn(loop);
    cost.receiving_locks = base::Mutex::acquisitions - locks - cost.publishing_locks;
    cost.allocations = test::allocations() - before;
    world.turn(0);  // gives parcels back
  }
  return cost;
}

// Who listens, and where: every way that a message can take.
const std::vector<std::vector<std::string>> audiences = {
    {},
    {"SUB a.b 1\r\n"},
    {"SUB a.b 1\r\nSUB a.* 2\r\nSUB > 3\r\n"},
    {"SUB a.b workers 1\r\n", "SUB a.> workers 2\r\n", "SUB a.b 3\r\n"},
    {"SUB a.b one 1\r\nSUB a.b two 2\r\n", "SUB a.b one 3\r\nSUB a.b two 4\r\n"},
};

}  // namespace

TEST_CASE("path cost: below 8 KiB nothing allocates, and a turn locks each inbox once at most") {
  for (const std::size_t loops : {std::size_t{1}, std::size_t{2}}) {
    for (const auto& audience : audiences) {
      NatsWorld world(loops);
      std::vector<DrainPeer*> listeners;
      for (std::size_t i = 0; i < audience.size(); ++i) {
        listeners.push_back(&world.connect((i + loops - 1) % loops, audience[i]));
      }
      DrainPeer& publisher = world.connect(0);
      for (const std::string& input :
           {publications(16), publications(128), publications(16, " r.1"), publications(5000),
            publications_with_headers(128)}) {
        CAPTURE(loops);
        CAPTURE(audience.size());
        CAPTURE(input.substr(0, 40));
        const Cost cost = cost_of(world, publisher, input, loops);
        CHECK(cost.allocations == 0);
        // A peer that is flushed early hands over before.
        const std::size_t hand_overs = 1 + input.size() / session::early_flush_bytes;
        CHECK(cost.publishing_locks <= hand_overs * (loops - 1));
        CHECK(cost.receiving_locks <= 1);
      }
      for (const DrainPeer* listener : listeners) CHECK(listener->taken_bytes() > 100'000);
    }
  }
}

TEST_CASE("path cost: from 8 KiB on a message allocates once at most, whatever its audience") {
  for (const std::size_t loops : {std::size_t{1}, std::size_t{2}}) {
    for (const auto& audience : audiences) {
      NatsWorld world(loops);
      for (std::size_t i = 0; i < audience.size(); ++i) {
        world.connect((i + loops - 1) % loops, audience[i]);
      }
      DrainPeer& publisher = world.connect(0);
      for (const std::size_t size : {8192, 20'000, 100'000}) {
        CAPTURE(loops);
        CAPTURE(audience.size());
        CAPTURE(size);
        const Cost cost = cost_of(world, publisher, publications(size), loops);
        CHECK(cost.allocations <= count_of(size));
        CHECK(cost.receiving_locks <= 1);
      }
    }
  }
}

TEST_CASE(
    "path cost: a subject seen for the first time allocates nothing, at second sight little") {
  NatsWorld world(1);
  world.connect(0, "SUB a.> 1\r\nSUB a.*.c workers 2\r\n");
  DrainPeer& publisher = world.connect(0);
  std::string input;
  const auto fill = [&input](int round) {
    input.clear();
    for (std::size_t i = 0; i < messages; ++i) {
      input += "PUB a." + std::to_string(round) + "-" + std::to_string(i) + ".c 2\r\nhi\r\n";
    }
  };
  for (int round = 0; round < 5; ++round) {
    fill(round);
    world.feed(publisher, input);
  }
  fill(5);
  std::size_t before = test::allocations();
  world.feed(publisher, input);
  CHECK(test::allocations() - before <= 3 * messages);
  before = test::allocations();
  world.feed(publisher, input);
  CHECK(test::allocations() - before <= 16 * messages);
  before = test::allocations();
  world.feed(publisher, input);
  CHECK(test::allocations() - before == 0);
}
