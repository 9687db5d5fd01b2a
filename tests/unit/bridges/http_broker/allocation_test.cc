// The hot path of the HTTP broker allocates nothing.
#include <doctest/doctest.h>

#include "tests/support/allocations.h"
#include "tests/support/broker_world.h"

using namespace spanwire;
using test::BrokerWorld;
using test::TestPeer;

namespace {

// What the session allocates for the input, once it has seen the same twice.
std::size_t cost_of(BrokerWorld& broker, TestPeer& client, std::string_view input) {
  std::size_t cost = 0;
  for (int i = 0; i < 3; ++i) {
    const std::size_t before = test::allocations();
    CHECK(client.session()->on_bytes(input) == input.size());
    cost = test::allocations() - before;
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
  CHECK(cost_of(broker, client, get) <= 8);
}
