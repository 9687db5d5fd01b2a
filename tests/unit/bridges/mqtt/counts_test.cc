// What monitoring shows of the MQTT wire.
#include <doctest/doctest.h>

#include "tests/support/mqtt_world.h"

using namespace spanwire;
using test::MqttClient;
using test::MqttWorld;

namespace {

// Of all loops together, as /varz adds them up.
std::uint64_t count_of(MqttWorld& world, std::string_view name) {
  std::uint64_t sum = 0;
  bool known = false;
  for (std::size_t loop = 0; loop < world.world().loops(); ++loop) {
    for (const wire::Count& count : world.bridge(loop).counts()) {
      if (count.name != name) continue;
      sum += count.value;
      known = true;
    }
  }
  CAPTURE(name);
  CHECK(known);
  return sum;
}

}  // namespace

TEST_CASE("counts: a name stands for one number, in the same place on every loop") {
  MqttWorld world({.loops = 2});
  const auto here = world.bridge(0).counts();
  const auto there = world.bridge(1).counts();
  REQUIRE(here.size() == there.size());
  for (std::size_t i = 0; i < here.size(); ++i) {
    CHECK(here[i].name == there[i].name);
    for (std::size_t k = 0; k < i; ++k) CHECK(here[i].name != here[k].name);
  }
}

TEST_CASE("counts: sessions are the clients that are let in and have not ended") {
  MqttWorld world({.loops = 2}, {}, {.users = {{"ada", "secret"}}});
  MqttClient refused(world);
  refused.connect();
  MqttClient silent(world);
  MqttClient first(world);
  first.send(mqtt::Connect{.client_id = "x", .user_name = "ada", .password = "secret"});
  CHECK(first.hears() == "CONNACK 0");
  CHECK(count_of(world, "sessions") == 1);
  CHECK(count_of(world, "rejected_logins") == 1);
  MqttClient second(world, 1);
  second.send(mqtt::Connect{.client_id = "x", .user_name = "ada", .password = "secret"});
  CHECK(second.hears() == "CONNACK 0");
  CHECK(count_of(world, "sessions") == 1);
  CHECK(count_of(world, "taken_over") == 1);
  second.send(mqtt::Disconnect{});
  silent.peer().hang_up();
  world.settle();
  CHECK(count_of(world, "sessions") == 0);
}

TEST_CASE("counts: publishes are counted when they come and for each client they go to") {
  MqttWorld world({.loops = 2});
  MqttClient here(world);
  MqttClient there(world, 1);
  for (MqttClient* client : {&here, &there}) {
    client->connect();
    client->subscribe(1, {"a"});
    client->hears();
  }
  here.publish("a", "x");
  here.publish("nobody", "x");
  here.publish("$SYS/x", "x");
  world.settle();
  CHECK(count_of(world, "publishes_in") == 3);
  CHECK(count_of(world, "publishes_out") == 2);
  CHECK(count_of(world, "publishes_refused") == 1);
}

TEST_CASE("counts: a QoS that is asked for and not granted, a session that is not kept") {
  MqttWorld world;
  MqttClient client(world);
  client.send(mqtt::Connect{.client_id = "kept", .clean_session = false});
  std::string bytes;
  support::append_subscribe(bytes, 1,
                            {{"a", mqtt::Qos::at_most_once},
                             {"b", mqtt::Qos::at_least_once},
                             {"c", mqtt::Qos::exactly_once},
                             {"$SYS/x", mqtt::Qos::exactly_once}});
  client.send_bytes(bytes);
  CHECK(client.hears() == "CONNACK 0 SUBACK 1 00 00 00 80");
  CHECK(count_of(world, "granted_lower_qos") == 2);
  CHECK(count_of(world, "subscriptions_refused") == 1);
  CHECK(count_of(world, "sessions_not_kept") == 1);
}

TEST_CASE("counts: retained messages that are kept, and one that finds no room") {
  MqttWorld world({.loops = 3}, {}, {}, {.max_messages = 2});
  MqttClient client(world, 2);
  client.connect();
  for (const char* topic : {"a", "b", "c"}) client.retain(topic, "x");
  world.settle();
  CHECK(count_of(world, "retained_messages") == 2);
  CHECK(count_of(world, "retained_refused") == 1);
  client.retain("a", "");
  world.settle();
  CHECK(count_of(world, "retained_messages") == 1);
}

TEST_CASE("counts: a client that is silent for too long is a stale connection") {
  MqttWorld world;
  MqttClient client(world);
  client.send(mqtt::Connect{.keep_alive_s = 2});
  world.world().advance(std::chrono::milliseconds(3100));
  CHECK(client.closed());
  CHECK(count_of(world, "stale_connections") == 1);
  CHECK(count_of(world, "sessions") == 0);
}
