// CONNECT: logins, client ids, time limits.
#include <doctest/doctest.h>

#include "bridges/mqtt/session.h"
#include "tests/support/mqtt_world.h"

using namespace spanwire;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::MqttClient;
using test::MqttWorld;

namespace {

auth::Settings one_user() {
  return {.users = {{"ada", "secret"}}};
}

}  // namespace

TEST_CASE("connect: user and password let a client in [MQTT-3.1.3-11]") {
  MqttWorld world({}, {}, one_user());
  MqttClient client(world);
  client.send(mqtt::Connect{.user_name = "ada", .password = "secret"});
  CHECK(client.hears() == "CONNACK 0");
  CHECK(client.peer().session()->describe().user == "ada");
}

TEST_CASE("connect: a wrong password is answered with code 5, then closed [MQTT-3.2.2-5]") {
  MqttWorld world({}, {}, one_user());
  MqttClient client(world);
  client.send(mqtt::Connect{.user_name = "ada", .password = "guess"});
  CHECK(client.hears() == "CONNACK 5");
  CHECK(client.closed());
  CHECK(world.stats().logins_refused.get() == 1);
}

TEST_CASE("connect: no credentials where some are needed: code 5, then closed [MQTT-3.2.2-5]") {
  MqttWorld world({}, {}, one_user());
  MqttClient client(world);
  client.connect();
  client.publish("a", "x");
  CHECK(client.hears() == "CONNACK 5");
  CHECK(client.closed());
}

TEST_CASE("connect: a server with a token takes it as the password") {
  MqttWorld world({}, {}, {.token = "t0ken"});
  MqttClient good(world);
  MqttClient bad(world);
  good.send(mqtt::Connect{.user_name = "any", .password = "t0ken"});
  bad.send(mqtt::Connect{.user_name = "any", .password = "token"});
  CHECK(good.hears() == "CONNACK 0");
  CHECK(bad.hears() == "CONNACK 5");
}

TEST_CASE("connect: what follows waits for the verdict, then is processed [MQTT-3.1.4-5]") {
  MqttWorld world({}, {}, one_user());
  MqttClient client(world);
  client.send(mqtt::Connect{.user_name = "ada", .password = "secret"});
  client.send(mqtt::Pingreq{});
  world.world().step(0);
  CHECK(client.peer().paused());
  CHECK(client.received() == "");
  CHECK(client.hears() == "CONNACK 0 PINGRESP");
}

TEST_CASE("connect: a client that goes away during its login is forgotten") {
  MqttWorld world({.loops = 2}, {}, one_user());
  for (int steps = 0; steps < 12; ++steps) {
    MqttClient client(world, 1);
    client.send(mqtt::Connect{.client_id = "gone",
                              .will = mqtt::Will{.topic = "w"},
                              .user_name = "ada",
                              .password = "secret"});
    for (int i = 0; i < steps; ++i) world.world().step(static_cast<std::size_t>(1 - i % 2));
    client.peer().hang_up();
    world.settle();
    CHECK(client.closed());
  }
  MqttClient next(world);
  next.send(mqtt::Connect{.client_id = "gone", .user_name = "ada", .password = "secret"});
  CHECK(next.hears() == "CONNACK 0");
}

TEST_CASE("connect: a client id above the limit is refused with code 2 [MQTT-3.1.3-9]") {
  MqttWorld world({}, {.max_client_id = 30});
  MqttClient fits(world);
  MqttClient long_one(world);
  fits.connect(std::string(30, 'i'));
  long_one.connect(std::string(31, 'i'));
  CHECK(fits.hears() == "CONNACK 0");
  CHECK(long_one.hears() == "CONNACK 2");
  CHECK(long_one.closed());
  CHECK(world.stats().client_ids_refused.get() == 1);
}

TEST_CASE("connect: clean session 0 is accepted, counted, and nothing is present [MQTT-3.2.2-3]") {
  MqttWorld world;
  MqttClient client(world);
  client.send(mqtt::Connect{.client_id = "durable", .clean_session = false});
  CHECK(client.hears() == "CONNACK 0");
  CHECK(world.stats().sessions_not_kept.get() == 1);
  MqttClient nameless(world);
  nameless.send(mqtt::Connect{.clean_session = false});
  CHECK(nameless.hears() == "CONNACK 2");
}

TEST_CASE("connect: one connection too many is answered with code 3 [MQTT-3.2.2-5]") {
  MqttWorld world;
  test::TestPeer& peer = world.world().connect(0);
  peer.set_surplus();
  peer.attach(std::make_unique<mqtt::Session>(peer, world.bridge()));
  peer.write(support::packet_bytes(mqtt::Connect{}));
  world.settle();
  CHECK(test::spell_packets(peer.received()) == "CONNACK 3");
  CHECK(peer.closed());
}

TEST_CASE("connect: a connection without CONNECT is closed in time [MQTT-3.1.4]") {
  MqttWorld world({}, {.connect_timeout = seconds(3)});
  MqttClient silent(world);
  MqttClient slow(world);
  slow.send_bytes("\x10");
  MqttClient good(world);
  good.connect();
  world.world().advance(milliseconds(2900));
  CHECK_FALSE(silent.closed());
  world.world().advance(milliseconds(200));
  CHECK(silent.closed());
  CHECK(slow.closed());
  CHECK_FALSE(good.closed());
  CHECK(world.stats().connect_timeouts.get() == 2);
}

TEST_CASE("connect: silence of one and a half keep alives closes [MQTT-3.1.2-24]") {
  MqttWorld world;
  MqttClient client(world);
  client.send(mqtt::Connect{.keep_alive_s = 10});
  world.world().advance(milliseconds(14900));
  client.send(mqtt::Pingreq{});
  world.world().advance(milliseconds(14900));
  CHECK_FALSE(client.closed());
  world.world().advance(milliseconds(200));
  CHECK(client.closed());
  CHECK(client.peer().close_reason() == "Keep Alive Timeout");
  CHECK(world.stats().keep_alive_timeouts.get() == 1);
}

TEST_CASE("connect: a client whose payload still comes is alive [MQTT-3.1.2-24]") {
  MqttWorld world;
  MqttClient client(world);
  client.send(mqtt::Connect{.keep_alive_s = 2});
  const std::string packet = support::packet_bytes(
      mqtt::Publish{.topic = "a", .payload = std::string_view(std::string(300'000, 'x'))});
  for (std::size_t at = 0; at < packet.size(); at += 100'000) {
    client.send_bytes(packet.substr(at, 100'000));
    world.world().advance(seconds(2));
  }
  CHECK_FALSE(client.closed());
}

TEST_CASE("connect: a client id of another loop is taken over [MQTT-3.1.4-2]") {
  for (std::size_t from = 0; from < 3; ++from) {
    for (std::size_t to = 0; to < 3; ++to) {
      MqttWorld world({.loops = 3});
      MqttClient old(world, from);
      old.connect("twin");
      CHECK(old.hears() == "CONNACK 0");
      MqttClient next(world, to);
      next.connect("twin");
      CHECK(next.hears() == "CONNACK 0");
      CHECK(old.closed());
      CHECK(old.peer().close_reason() == "Client Identifier Taken Over");
      CHECK_FALSE(next.closed());
      CHECK(world.stats(from).taken_over.get() == 1);
    }
  }
}

TEST_CASE("connect: cut at every byte it is the same [MQTT-3.1.0-1]") {
  const std::string packet = support::packet_bytes(
      mqtt::Connect{.client_id = "c", .will = mqtt::Will{.topic = "w", .payload = "gone"}});
  for (std::size_t cut = 0; cut <= packet.size(); ++cut) {
    MqttWorld world;
    MqttClient client(world);
    client.send_bytes(packet.substr(0, cut));
    CHECK(client.hears() == (cut == packet.size() ? "CONNACK 0" : ""));
    client.send_bytes(packet.substr(cut));
    client.send(mqtt::Pingreq{});
    CHECK(client.hears() == (cut == packet.size() ? "PINGRESP" : "CONNACK 0 PINGRESP"));
  }
}

TEST_CASE("connect: what an operator sees of a client") {
  MqttWorld world;
  MqttClient client(world);
  client.connect("device-7");
  client.hears();
  const session::Description shown = client.peer().session()->describe();
  CHECK(shown.kind == "mqtt");
  CHECK(shown.name == "device-7");
  CHECK(shown.version == "3.1.1");
  CHECK(shown.port != nullptr);
}
