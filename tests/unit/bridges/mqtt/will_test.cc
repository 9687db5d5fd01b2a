// Wills: on every end but DISCONNECT.
#include <doctest/doctest.h>

#include "tests/support/mqtt_world.h"

using namespace spanwire;
using test::MqttClient;
using test::MqttWorld;

namespace {

mqtt::Connect with_will(std::string_view client_id = "", bool retain = false) {
  return {.client_id = client_id,
          .will = mqtt::Will{.topic = "will", .payload = "gone", .retain = retain},
          .keep_alive_s = 2};
}

struct Fixture {
  Fixture() : watcher(world, 1) {
    watcher.connect();
    watcher.subscribe(1, {"will"});
    watcher.hears();
  }
  MqttWorld world{{.loops = 3}};
  MqttClient watcher;
};

}  // namespace

TEST_CASE("will: published when the connection breaks [MQTT-3.1.2-8]") {
  Fixture f;
  MqttClient client(f.world);
  client.send(with_will());
  client.hears();
  client.peer().hang_up();
  CHECK(f.watcher.hears() == "PUBLISH will 'gone'");
  CHECK(f.world.stats().wills.get() == 1);
}

TEST_CASE("will: published for a malformed packet and for silence [MQTT-3.1.2-8]") {
  Fixture f;
  MqttClient malformed(f.world);
  malformed.send(with_will());
  malformed.send_bytes("\xf0");
  CHECK(f.watcher.hears() == "PUBLISH will 'gone'");
  MqttClient silent(f.world, 2);
  silent.send(with_will());
  f.world.world().advance(std::chrono::milliseconds(3100));
  CHECK(silent.closed());
  CHECK(f.watcher.hears() == "PUBLISH will 'gone'");
}

TEST_CASE("will: not published after DISCONNECT, whatever follows [MQTT-3.14.4-3]") {
  Fixture f;
  MqttClient client(f.world);
  client.send(with_will());
  client.send(mqtt::Disconnect{});
  client.send_bytes("\xf0");
  CHECK(f.watcher.hears() == "");
  CHECK(client.closed());
}

TEST_CASE("will: published before the connection that takes over is let in [MQTT-3.1.4-2]") {
  for (std::size_t from = 0; from < 3; ++from) {
    for (std::size_t to = 0; to < 3; ++to) {
      Fixture f;
      MqttClient old(f.world, from);
      old.send(with_will("twin"));
      old.hears();
      MqttClient next(f.world, to);
      next.connect("twin");
      next.subscribe(1, {"will"});
      CHECK(next.hears() == "CONNACK 0 SUBACK 1 00");
      CHECK(f.watcher.hears() == "PUBLISH will 'gone'");
    }
  }
}

TEST_CASE("will: a retained one is kept [MQTT-3.1.2-17]") {
  Fixture f;
  MqttClient client(f.world);
  client.send(with_will("", true));
  client.hears();
  client.peer().hang_up();
  CHECK(f.watcher.hears() == "PUBLISH will 'gone'");
  f.watcher.subscribe(2, {"will"});
  CHECK(f.watcher.hears() == "SUBACK 2 00 PUBLISH+retain will 'gone'");
}

TEST_CASE("will: published when the server stops, once") {
  Fixture f;
  MqttClient client(f.world);
  client.send(with_will());
  client.hears();
  client.peer().session()->on_shutdown();
  CHECK(f.watcher.hears() == "PUBLISH will 'gone'");
  client.peer().hang_up();
  CHECK(f.watcher.hears() == "");
}

TEST_CASE("will: of a client that was never let in is not published [MQTT-3.1.4-5]") {
  MqttWorld world({}, {}, {.users = {{"ada", "secret"}}});
  MqttClient watcher(world);
  watcher.send(mqtt::Connect{.user_name = "ada", .password = "secret"});
  watcher.subscribe(1, {"will"});
  watcher.hears();
  MqttClient client(world);
  client.send(with_will());
  CHECK(client.hears() == "CONNACK 5");
  CHECK(watcher.hears() == "");
  CHECK(world.stats().wills.get() == 0);
}

TEST_CASE("will: too many levels refuse the connection") {
  std::string topic = "l";
  for (int i = 1; i <= 200; ++i) topic += "/l";
  MqttWorld world;
  MqttClient client(world);
  client.send(mqtt::Connect{.will = mqtt::Will{.topic = topic}});
  CHECK(client.hears() == "");
  CHECK(client.closed());
  CHECK(world.stats().levels_exceeded.get() == 1);
}

TEST_CASE("will: to a topic of the server's own goes nowhere") {
  MqttWorld world;
  MqttClient client(world);
  client.send(mqtt::Connect{.will = mqtt::Will{.topic = "$SYS/x", .payload = "x"}});
  CHECK(client.hears() == "CONNACK 0");
  client.peer().hang_up();
  world.settle();
  CHECK(world.stats().publishes_refused.get() == 1);
}
