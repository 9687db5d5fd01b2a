// PUBLISH from a client: the flows of its QoS, large payloads, what is refused.
#include <doctest/doctest.h>

#include "bridges/mqtt/session.h"
#include "tests/support/line_session.h"
#include "tests/support/mqtt_world.h"

using namespace spanwire;
using mqtt::Publish;
using mqtt::Qos;
using test::MqttClient;
using test::MqttWorld;

namespace {

Publish with_id(std::string_view topic, std::string_view payload, Qos qos, std::uint16_t id) {
  return {.topic = topic, .payload = payload, .packet_id = id, .qos = qos};
}

// A subscriber of another wire: sees subjects.
test::TestPeer& listen(MqttWorld& world, std::string_view filter, std::size_t loop = 0) {
  test::TestPeer& peer = test::connect_line(world.world(), loop);
  peer.write("sub " + std::string(filter) + "\n");
  world.settle();
  return peer;
}

// Waits for nothing to be stored.
struct NoOwner final : mqtt::Publisher::Owner {
  void on_stored() override {}
  void on_storing_failed(std::string_view) override {}
};

}  // namespace

TEST_CASE("publish: a topic's levels are a subject's tokens") {
  MqttWorld world;
  test::TestPeer& line = listen(world, ">");
  MqttClient client(world);
  client.connect();
  client.publish("plant/7/a.b c", "42");
  world.settle();
  CHECK(line.take() == "msg plant.7.a//b/_c 42\n");
}

TEST_CASE("publish: QoS 2 is routed once, at PUBLISH, before PUBREC [MQTT-4.3.3-2]") {
  MqttWorld world;
  MqttClient client(world);
  client.connect();
  client.subscribe(1, {"a"});
  client.hears();
  client.send(with_id("a", "once", Qos::exactly_once, 7));
  CHECK(client.hears() == "PUBLISH a 'once' PUBREC 7");
  client.send(with_id("a", "once", Qos::exactly_once, 7));
  CHECK(client.hears() == "PUBREC 7");
  client.send(mqtt::Pubrel{7});
  CHECK(client.hears() == "PUBCOMP 7");
  client.send(mqtt::Pubrel{7});
  CHECK(client.hears() == "PUBCOMP 7");
  client.send(with_id("a", "another", Qos::exactly_once, 7));
  CHECK(client.hears() == "PUBLISH a 'another' PUBREC 7");
}

TEST_CASE("publish: a publisher's own copy comes before its PUBACK [MQTT-4.3.2-2]") {
  MqttWorld world;
  MqttClient client(world);
  client.connect();
  client.subscribe(1, {"a"});
  client.hears();
  client.send(with_id("a", "x", Qos::at_least_once, 9));
  CHECK(client.hears() == "PUBLISH a 'x' PUBACK 9");
}

TEST_CASE("publish: too many messages of QoS 2 under way close the connection") {
  MqttWorld world({}, {.max_open_messages = 2});
  MqttClient client(world);
  client.connect();
  client.send(with_id("a", "1", Qos::exactly_once, 1));
  client.send(with_id("a", "2", Qos::exactly_once, 2));
  client.send(with_id("a", "2", Qos::exactly_once, 2));  // not another one
  client.send(mqtt::Pubrel{1});
  client.send(with_id("a", "3", Qos::exactly_once, 3));
  CHECK(client.hears() == "CONNACK 0 PUBREC 1 PUBREC 2 PUBREC 2 PUBCOMP 1 PUBREC 3");
  client.send(with_id("a", "4", Qos::exactly_once, 4));
  CHECK(client.hears() == "");
  CHECK(client.closed());
  CHECK(world.stats().open_exceeded.get() == 1);
}

TEST_CASE("publish: a payload of any size arrives whole, however it is cut [MQTT-2.2.3]") {
  for (const std::size_t size : {1'000UL, 65'500UL, 65'536UL, 70'000UL, 700'000UL}) {
    for (const std::size_t piece : {1'000UL, 65'537UL, 262'144UL}) {
      CAPTURE(size);
      CAPTURE(piece);
      MqttWorld world({.loops = 2});
      MqttClient from(world, 0);
      MqttClient same(world, 0);
      MqttClient other(world, 1);
      from.connect();
      same.connect();
      other.connect();
      same.subscribe(1, {"big/#"});
      other.subscribe(1, {"big/#"});
      world.settle();
      same.peer().take();
      other.peer().take();
      from.peer().set_read_limit(piece);
      std::string payload(size, 'x');
      for (std::size_t i = 0; i < size; i += 7) payload[i] = static_cast<char>('a' + i % 26);
      from.send(with_id("big/one", payload, Qos::at_least_once, 3));
      from.send(mqtt::Pingreq{});
      CHECK(from.hears() == "CONNACK 0 PUBACK 3 PINGRESP");
      const std::string expected = "PUBLISH big/one '" + payload + "'";
      CHECK((same.hears() == expected));
      CHECK((other.hears() == expected));
    }
  }
}

TEST_CASE("publish: a large message of QoS 2 is routed once like a small one [MQTT-4.3.3-2]") {
  MqttWorld world;
  MqttClient client(world);
  client.connect();
  client.subscribe(1, {"a"});
  const std::string payload(200'000, 'x');
  client.hears();
  client.send(with_id("a", payload, Qos::exactly_once, 7));
  CHECK((client.hears() == "PUBLISH a '" + payload + "' PUBREC 7"));
  client.send(with_id("a", payload, Qos::exactly_once, 7));
  CHECK(client.hears() == "PUBREC 7");
  client.send(mqtt::Pubrel{7});
  CHECK(client.hears() == "PUBCOMP 7");
}

TEST_CASE("publish: a large packet is checked before its payload comes [MQTT-3.3.2-2]") {
  for (const char* topic : {"a/#", "", "a\x01"}) {
    MqttWorld world;
    MqttClient client(world);
    client.connect();
    const std::string packet =
        support::packet_bytes(Publish{.topic = topic, .payload = std::string(100'000, 'x')});
    client.send_bytes(packet.substr(0, 70'000));
    world.settle();
    CHECK(client.closed());
    CHECK(world.stats().malformed.get() == 1);
  }
}

TEST_CASE("publish: the longest topic goes through, with a small and a large payload") {
  const std::string topic(65'535, 't');
  for (const std::size_t size : {10UL, 5'000UL, 100'000UL}) {
    MqttWorld world;
    MqttClient client(world);
    client.connect();
    client.subscribe(1, {topic});
    client.hears();
    client.publish(topic, std::string(size, 'x'));
    CHECK((client.hears() == "PUBLISH " + topic + " '" + std::string(size, 'x') + "'"));
  }
}

TEST_CASE("publish: a packet above the maximum size closes") {
  MqttWorld world({}, {.max_packet_size = 5'000});
  MqttClient client(world);
  client.connect();
  client.publish("a", std::string(4'990, 'x'));
  CHECK(client.hears() == "CONNACK 0");
  client.publish("a", std::string(5'000, 'x'));
  world.settle();
  CHECK(client.closed());
  CHECK(world.stats().packets_too_large.get() == 1);
}

TEST_CASE("publish: another packet than PUBLISH above 128 KiB closes") {
  MqttWorld world;
  MqttClient client(world);
  client.connect();
  std::string filters;
  while (filters.size() < 140'000) filters += support::text_field("some/filter") + '\0';
  std::string packet;
  support::append_packet(packet, 0x82, std::string("\0\1", 2) + filters);
  client.send_bytes(packet);
  client.peer().set_read_limit(70'000);
  world.settle();
  CHECK(client.closed());
  CHECK(world.stats().packets_too_large.get() == 1);
}

TEST_CASE("publish: more levels than allowed close, in small and large packets") {
  std::string topic = "l";
  for (int i = 1; i < 200; ++i) topic += "/l";
  MqttWorld world;
  MqttClient allowed(world);
  allowed.connect();
  allowed.publish(topic, "x");
  world.settle();
  CHECK_FALSE(allowed.closed());
  for (const std::size_t size : {1UL, 100'000UL}) {
    MqttClient client(world);
    client.connect();
    client.publish(topic + "/l", std::string(size, 'x'));
    world.settle();
    CHECK(client.closed());
  }
  CHECK(world.stats().levels_exceeded.get() == 2);
}

TEST_CASE("publish: the server's own topics are acknowledged and go nowhere") {
  MqttWorld world;
  test::TestPeer& line = listen(world, ">");
  MqttClient client(world);
  client.connect();
  client.publish("$SYS/a", "x");
  client.send(with_id("$JS/a", "x", Qos::at_least_once, 1));
  client.send(with_id("$KV/a", "x", Qos::exactly_once, 2));
  client.send(mqtt::Pubrel{2});
  client.retain("$O/a", std::string(100'000, 'x'));
  client.publish("$other/a", "y");
  CHECK(client.hears() == "CONNACK 0 PUBACK 1 PUBREC 2 PUBCOMP 2");
  CHECK(line.take() == "msg $other.a y\n");
  CHECK(world.stats().publishes_refused.get() == 4);
}

TEST_CASE("publish: the server's own topics are open where the settings say so") {
  MqttWorld world({}, {.system_topics = true});
  test::TestPeer& line = listen(world, ">");
  MqttClient client(world);
  client.connect();
  client.publish("$JS/a", "x");
  world.settle();
  CHECK(line.take() == "msg $JS.a x\n");
}

TEST_CASE("publish: a message says that it is from MQTT, with its QoS and retain flag") {
  struct Watch final : bus::Receiver {
    bus::Taken on_message(std::span<const bus::Target>, const bus::MessageView& message) override {
      seen.push_back(message.origin);
      return bus::Taken::all;
    }
    void on_relief() override {}
    std::vector<bus::Origin> seen;
  };
  MqttWorld world;
  Watch watch;
  const auto port = world.serving().services(0).open(test::principal_of(), watch, nullptr);
  CHECK(port->subscribe(*subject::parse_nats_filter("a"), {}));
  MqttClient client(world);
  client.connect();
  client.publish("a", "0");
  client.send(Publish{.topic = "a", .packet_id = 1, .qos = Qos::at_least_once, .retain = true});
  client.send(with_id("a", std::string(100'000, 'x'), Qos::exactly_once, 2));
  client.send(mqtt::Pubrel{2});
  world.settle();
  REQUIRE(watch.seen.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(watch.seen[i].wire == 1);
    CHECK(watch.seen[i].qos == i);
    CHECK(watch.seen[i].retain == (i == 1));
    CHECK(watch.seen[i].number == i + 1);
  }
}

TEST_CASE("publish: pressure pauses the client until it is relieved") {
  bus::RouterSettings router;
  router.lane_limit_bytes = 64 * 1024;
  MqttWorld world({.loops = 2, .router = router});
  MqttClient to(world, 1);
  to.connect();
  to.subscribe(1, {"a"});
  world.settle();
  MqttClient from(world, 0);
  from.connect();
  from.hears();
  for (int i = 0; i < 100; ++i) from.publish("a", std::string(1'000, 'x'));
  from.send(mqtt::Pingreq{});
  world.world().step(0);
  CHECK(from.peer().paused());
  CHECK(from.received() == "");
  CHECK(from.hears() == "PINGRESP");
  CHECK(to.peer().received().size() > 100'000);
}

TEST_CASE(
    "publish: a client without the permission is acknowledged and goes nowhere [MQTT-3.3.5-2]") {
  auto permissions = base::make_ref<account::PermissionSet>();
  permissions->publish_deny.push_back(*subject::parse_nats_filter("no.>"));
  permissions->subscribe_deny.push_back(*subject::parse_nats_filter("no.>"));
  auto principal = base::make_ref<account::Principal>();
  principal->account = test::principal_of()->account;
  principal->permissions = permissions;

  MqttWorld world;
  test::TestPeer& line = listen(world, ">");
  struct Nobody final : bus::Receiver {
    bus::Taken on_message(std::span<const bus::Target>, const bus::MessageView&) override {
      return bus::Taken::none;
    }
    void on_relief() override {}
  } nobody;
  const auto port = world.serving().services(0).open(principal, nobody, nullptr);
  test::TestPeer& peer = world.world().connect(0);
  const mqtt::Trace trace(peer, world.bridge().tracer());
  NoOwner owner;
  mqtt::Publisher publisher(peer, world.bridge(), trace, owner);
  publisher.open(*port);
  CHECK(publisher.publish(with_id("no/way", "x", Qos::at_least_once, 5)) == mqtt::Published::ok);
  CHECK(publisher.publish(with_id("yes", "y", Qos::at_least_once, 6)) == mqtt::Published::ok);
  world.settle();
  CHECK(test::spell_packets(peer.received()) == "PUBACK 5 PUBACK 6");
  CHECK(line.take() == "msg yes y\n");
  CHECK(world.stats().publishes_refused.get() == 1);
}
