// The hot path of the HTTP broker allocates nothing.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/support/broker_world.h"

using namespace spanwire;
using test::BrokerWorld;
using test::TestPeer;

namespace {

std::atomic<std::size_t> allocations{0};

}  // namespace

// Counts what the process allocates; the array form comes down to this one.
void* operator new(std::size_t size) {
  ++allocations;
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace {

// What the session allocates for the input, once it has seen the same twice.
std::size_t cost_of(BrokerWorld& broker, TestPeer& client, std::string_view input) {
  std::size_t cost = 0;
  for (int i = 0; i < 3; ++i) {
    const std::size_t before = allocations;
    CHECK(client.session()->on_bytes(input) == input.size());
    cost = allocations - before;
    broker.world.settle();
    CHECK(client.take().find("200 OK") != std::string::npos);
  }
  return cost;
}

}  // namespace

TEST_CASE("broker: a small POST on a connection that stays allocates nothing") {
  BrokerWorld broker(1);
  TestPeer& client = broker.connect(0);
  const std::string fields = "User-Agent: curl/7.88.1\r\nAccept: */*\r\n";
  const std::string post = test::http_request("POST", "/broker/sensors/kitchen/temperature?qos=1",
                                              "twenty-one and a half degrees", fields);
  CHECK(cost_of(broker, client, post + post) == 0);
  const std::string get =
      test::http_request("GET", "/broker/sensors/kitchen/temperature", "", fields);
  CHECK(cost_of(broker, client, get) <= 9);
}
