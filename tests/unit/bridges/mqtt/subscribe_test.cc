// SUBSCRIBE, UNSUBSCRIBE, and what a new subscription brings.
#include <doctest/doctest.h>

#include "tests/support/between_reads.h"
#include "tests/support/mqtt_world.h"

using namespace spanwire;
using test::BetweenReads;
using test::MqttClient;
using test::MqttWorld;

TEST_CASE("subscribe: whatever QoS is asked for, 0 is granted [MQTT-3.9.3]") {
  MqttWorld world;
  MqttClient client(world);
  client.connect();
  std::string bytes;
  support::append_subscribe(bytes, 7,
                            {{.filter = "a", .qos = mqtt::Qos::at_most_once},
                             {.filter = "b", .qos = mqtt::Qos::at_least_once},
                             {.filter = "c", .qos = mqtt::Qos::exactly_once}});
  client.send_bytes(bytes);
  CHECK(client.hears() == "CONNACK 0 SUBACK 7 00 00 00");
}

TEST_CASE("subscribe: what cannot be subscribed fails alone, with code 80 [MQTT-3.8.4-5]") {
  std::string deep = "l";
  for (int i = 1; i <= 200; ++i) deep += "/l";
  MqttWorld world;
  MqttClient client(world);
  client.connect();
  client.subscribe(9, {"good", "$SYS/#", "$JS/a", "$MQTT/+", "$KV/#", "$O/x", "$SPW/#",
                       "$share/group/a", deep, "$own/#"});
  CHECK(client.hears() == "CONNACK 0 SUBACK 9 00 80 80 80 80 80 80 80 80 00");
  CHECK(world.stats().subscriptions_refused.get() == 8);
  CHECK(world.stats().levels_exceeded.get() == 1);
}

TEST_CASE("subscribe: a packet of which nothing is accepted is answered too [MQTT-3.8.4-1]") {
  MqttWorld world;
  MqttClient client(world);
  client.connect();
  client.subscribe(1, {"$SYS/#"});
  client.send(mqtt::Pingreq{});
  CHECK(client.hears() == "CONNACK 0 SUBACK 1 80 PINGRESP");
}

TEST_CASE("subscribe: the limit of subscriptions refuses new filters, not known ones") {
  MqttWorld world({}, {.max_subscriptions = 2});
  MqttClient client(world);
  client.connect();
  client.subscribe(1, {"a", "b", "c"});
  client.subscribe(2, {"a"});
  client.unsubscribe(3, {"a"});
  client.subscribe(4, {"c"});
  CHECK(client.hears() == "CONNACK 0 SUBACK 1 00 00 80 SUBACK 2 00 UNSUBACK 3 SUBACK 4 00");
}

TEST_CASE("subscribe: a retained message comes behind the SUBACK, of any loop [MQTT-3.3.1-6]") {
  for (std::size_t from = 0; from < 3; ++from) {
    for (std::size_t to = 0; to < 3; ++to) {
      MqttWorld world({.loops = 3});
      MqttClient publisher(world, from);
      publisher.connect();
      publisher.retain("r/a", "kept");
      publisher.send(mqtt::Pingreq{});
      CHECK(publisher.hears() == "CONNACK 0 PINGRESP");
      MqttClient client(world, to);
      client.connect();
      client.subscribe(1, {"r/+"});
      CHECK(client.hears() == "CONNACK 0 SUBACK 1 00 PUBLISH+retain r/a 'kept'");
    }
  }
}

TEST_CASE("subscribe: packets in a row are answered in order, their retained messages once") {
  MqttWorld world({.loops = 2});
  MqttClient publisher(world, 1);
  publisher.connect();
  publisher.retain("r/a", "1");
  publisher.retain("r/b", "2");
  world.settle();
  MqttClient client(world, 0);
  client.connect();
  client.subscribe(1, {"r/a"});
  client.subscribe(2, {"r/#", "$SYS/x"});
  client.subscribe(3, {"r/b"});
  client.send(mqtt::Pingreq{});
  CHECK(client.hears() ==
        "CONNACK 0 SUBACK 1 00 SUBACK 2 00 80 SUBACK 3 00 PUBLISH+retain r/a '1' "
        "PUBLISH+retain r/b '2' PINGRESP");
}

TEST_CASE("subscribe: more filters in a row than one round has are all answered") {
  MqttWorld world;
  MqttClient publisher(world);
  publisher.connect();
  publisher.retain("r/2400", "kept");
  world.settle();
  MqttClient client(world);
  client.connect();
  client.hears();
  for (std::uint16_t i = 1; i <= 2500; ++i) {
    const std::string filter = "r/" + std::to_string(i);
    client.subscribe(i, {filter});
  }
  const std::string heard = client.hears();
  CHECK(heard.starts_with("SUBACK 1 00 SUBACK 2 00 "));
  CHECK(heard.find("PUBLISH+retain r/2400 'kept'") != std::string::npos);
  CHECK(heard.ends_with("SUBACK 2500 00") + heard.ends_with("'kept'") == 1);
}

TEST_CASE("subscribe: a malformed packet behind it does not swallow the SUBACK [MQTT-4.8.0-1]") {
  MqttWorld world;
  MqttClient client(world);
  client.connect();
  client.subscribe(1, {"a"});
  client.subscribe(2, {"a/#/b"});
  CHECK(client.hears() == "CONNACK 0 SUBACK 1 00");
  CHECK(client.closed());
}

TEST_CASE("subscribe: live messages during the round come behind the SUBACK and the retained one") {
  MqttWorld world({.loops = 2});
  MqttClient publisher(world, 0);
  publisher.connect();
  publisher.retain("r/a", "old");
  world.settle();
  MqttClient client(world, 0);
  client.connect();
  client.hears();
  client.subscribe(1, {"r/#"});
  client.publish("r/a", "own");
  world.world().step(0);  // the subscription stands, its round has begun
  CHECK(client.peer().paused());
  publisher.publish("r/a", "live");
  CHECK(client.hears() ==
        "SUBACK 1 00 PUBLISH+retain r/a 'old' PUBLISH r/a 'live' PUBLISH r/a 'own'");
}

TEST_CASE("subscribe: the same filter again brings the retained message again [MQTT-3.8.4-3]") {
  MqttWorld world;
  MqttClient client(world);
  client.connect();
  client.retain("r", "kept");
  client.subscribe(1, {"r"});
  client.hears();
  client.subscribe(2, {"r"});
  CHECK(client.hears() == "SUBACK 2 00 PUBLISH+retain r 'kept'");
  client.publish("r", "live");
  CHECK(client.hears() == "PUBLISH r 'live'");
}

TEST_CASE("subscribe: filters that overlap bring one copy [MQTT-3.3.5-1]") {
  MqttWorld world({.loops = 2});
  MqttClient client(world, 0);
  MqttClient other(world, 1);
  client.connect();
  other.connect();
  client.subscribe(1, {"o/a", "o/+", "o/#", "#"});
  client.hears();
  other.publish("o/a", "x");
  CHECK(client.hears() == "PUBLISH o/a 'x'");
}

TEST_CASE("unsubscribe: what other loops have handed over comes before UNSUBACK [MQTT-3.10.4-2]") {
  MqttWorld world({.loops = 2});
  BetweenReads& between = BetweenReads::connect(world.world(), 0);
  MqttClient client(world, 0);
  MqttClient other(world, 1);
  client.connect();
  other.connect();
  client.subscribe(1, {"u"});
  other.hears();
  client.hears();
  between.run([&] {
    other.publish("u", "before");
    world.world().step(1);
  });
  client.unsubscribe(2, {"u", "never"});
  CHECK(client.hears() == "PUBLISH u 'before' UNSUBACK 2");
  other.publish("u", "after");
  CHECK(client.hears() == "");
}

TEST_CASE("ping: what other loops have handed over comes before PINGRESP [MQTT-3.12.4-1]") {
  MqttWorld world({.loops = 2});
  BetweenReads& between = BetweenReads::connect(world.world(), 0);
  MqttClient client(world, 0);
  MqttClient other(world, 1);
  client.connect();
  other.connect();
  client.subscribe(1, {"u"});
  other.hears();
  client.hears();
  between.run([&] {
    other.publish("u", "before");
    world.world().step(1);
  });
  client.send(mqtt::Pingreq{});
  CHECK(client.hears() == "PUBLISH u 'before' PINGRESP");
}

TEST_CASE("disconnect: the subscriptions of a clean session are gone [MQTT-3.1.2-6]") {
  MqttWorld world;
  MqttClient client(world);
  client.connect("c");
  client.subscribe(1, {"a"});
  client.send(mqtt::Disconnect{});
  client.hears();
  CHECK(client.closed());
  CHECK(client.peer().close_reason() == "Client Disconnected");
  MqttClient again(world);
  again.connect("c");
  again.publish("a", "x");
  CHECK(again.hears() == "CONNACK 0");
}
