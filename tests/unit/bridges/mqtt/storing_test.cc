// Acknowledgements of what streams keep: after every one of them has answered, in the order of the
// messages, and never for one that may be lost.
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/keeper.h"
#include "tests/support/mqtt_world.h"

using namespace spanwire;
using bus::Storing;
using mqtt::Publish;
using mqtt::Qos;
using test::MqttClient;
using test::MqttWorld;

namespace {

Publish with_id(std::string_view topic, Qos qos, std::uint16_t id) {
  return {.topic = topic, .payload = "x", .packet_id = id, .qos = qos};
}

// In place of a stream: keeps what a filter matches, and answers when a test says so.
struct Keeper final : test::Keeper {
  Keeper(MqttWorld& its, std::string_view filter, std::size_t loop = 0)
      : test::Keeper([&](bus::Receiver& receiver) {
          wire::Services& services = its.serving().services(loop);
          return services.open(services.anonymous(), receiver, nullptr);
        }),
        world(its) {
    keep(filter);
  }
  void answer(const Storing& storing = {.targets = 1}) {
    test::Keeper::answer(storing);
    world.settle();
  }
  void answer_last() {
    test::Keeper::answer_last();
    world.settle();
  }

  MqttWorld& world;
};

}  // namespace

TEST_CASE("storing: PUBACK and PUBREC come when every stream has the message, not before") {
  MqttWorld world({.loops = 2});
  Keeper here(world, "a.*", 0);
  Keeper there(world, "a.>", 1);
  MqttClient client(world);
  client.connect();
  client.hears();
  client.send(with_id("a/1", Qos::at_least_once, 1));
  client.send(with_id("a/2", Qos::exactly_once, 2));
  CHECK(client.hears() == "");
  here.answer();
  CHECK(client.hears() == "");
  there.answer();
  CHECK(client.hears() == "PUBACK 1 PUBREC 2");
  client.send(mqtt::Pubrel{2});
  CHECK(client.hears() == "PUBCOMP 2");
}

TEST_CASE("storing: what no stream keeps is acknowledged at once; QoS 0 asks nobody") {
  MqttWorld world;
  Keeper keeper(world, "a");
  MqttClient client(world);
  client.connect();
  client.hears();
  client.send(with_id("b", Qos::at_least_once, 1));
  CHECK(client.hears() == "PUBACK 1");
  client.publish("a", "x");
  client.hears();
  CHECK(keeper.messages == 1);
  CHECK(keeper.receipts.empty());
}

TEST_CASE("storing: acknowledgements keep the order of their messages [MQTT-4.6.0-2]") {
  MqttWorld world;
  Keeper keeper(world, "a");
  MqttClient client(world);
  client.connect();
  client.hears();
  client.send(with_id("a", Qos::at_least_once, 1));
  client.send(with_id("b", Qos::at_least_once, 2));
  client.send(with_id("a", Qos::at_least_once, 3));
  CHECK(client.hears() == "");
  keeper.answer_last();
  CHECK(client.hears() == "");
  keeper.answer();
  CHECK(client.hears() == "PUBACK 1 PUBACK 2 PUBACK 3");
}

TEST_CASE("storing: a packet of QoS 2 that is sent again while it is stored is one message") {
  MqttWorld world;
  Keeper keeper(world, "a");
  MqttClient client(world);
  client.connect();
  client.hears();
  client.send(with_id("a", Qos::exactly_once, 1));
  client.send(with_id("a", Qos::exactly_once, 1));
  CHECK(client.hears() == "");
  CHECK(keeper.messages == 1);
  keeper.answer();
  CHECK(client.hears() == "PUBREC 1");
}

TEST_CASE("storing: what a limit refuses is acknowledged and counted") {
  MqttWorld world;
  Keeper keeper(world, "a");
  MqttClient client(world);
  client.connect();
  client.hears();
  client.send(with_id("a", Qos::at_least_once, 1));
  client.hears();
  keeper.answer({.outcome = Storing::Outcome::refused, .reason = "full"});
  CHECK(client.hears() == "PUBACK 1");
  CHECK(world.stats().publishes_not_stored.get() == 1);
}

TEST_CASE("storing: what may be lost is never acknowledged: the connection closes") {
  MqttWorld world;
  Keeper keeper(world, "a");
  MqttClient client(world);
  client.connect();
  client.hears();
  client.send(with_id("a", Qos::at_least_once, 1));
  client.send(with_id("b", Qos::at_least_once, 2));
  client.hears();
  keeper.answer({.outcome = Storing::Outcome::unknown, .reason = "disk"});
  CHECK(client.hears() == "");
  CHECK(client.closed());
  CHECK(world.stats().storing_failed.get() == 1);
}

TEST_CASE("storing: without an answer in time the connection closes") {
  MqttWorld world;
  Keeper keeper(world, "a");
  MqttClient client(world);
  client.connect();
  client.hears();
  client.send(with_id("a", Qos::at_least_once, 1));
  client.hears();
  world.world().advance(bus::receipt_deadline + std::chrono::seconds(1));
  CHECK(client.hears() == "");
  CHECK(client.closed());
}

TEST_CASE("storing: nothing more is read while too many messages wait") {
  MqttWorld world({}, {.max_unstored_messages = 2});
  Keeper keeper(world, "a");
  MqttClient client(world);
  client.connect();
  client.hears();
  for (std::uint16_t id = 1; id <= 5; ++id) client.send(with_id("a", Qos::at_least_once, id));
  CHECK(client.hears() == "");
  CHECK(keeper.messages == 2);
  CHECK(world.stats().storing_waits.get() == 1);
  keeper.answer();
  CHECK(client.hears() == "PUBACK 1 PUBACK 2");
  CHECK(keeper.messages == 4);
  keeper.answer();
  keeper.answer();
  CHECK(client.hears() == "PUBACK 3 PUBACK 4 PUBACK 5");
}

TEST_CASE("storing: an answer for a client that has gone is nobody's") {
  MqttWorld world;
  Keeper keeper(world, "a");
  MqttClient client(world);
  client.connect();
  client.send(with_id("a", Qos::at_least_once, 1));
  world.settle();
  client.peer().hang_up();
  world.settle();
  keeper.answer();
  CHECK(world.stats().storing_failed.get() == 0);
}
