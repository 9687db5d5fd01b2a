// Messages to a client: topics of subjects, what is not delivered, and requests across the wires.
#include <doctest/doctest.h>

#include "tests/support/line_session.h"
#include "tests/support/mqtt_world.h"

using namespace spanwire;
using test::MqttClient;
using test::MqttWorld;

namespace {

// A session of another wire, whose messages have what they like.
struct Other final : bus::Receiver {
  explicit Other(MqttWorld& world, std::size_t loop = 0)
      : port(world.serving().services(loop).open(test::principal_of(), *this, nullptr)) {}

  void subscribe(std::string_view filter) {
    CHECK(port->subscribe(*subject::parse_nats_filter(filter), {}));
  }
  std::uint32_t publish(std::string_view subject, std::string_view payload,
                        std::string_view reply = "", std::string_view headers = "") {
    bus::MessageView message;
    message.route = message.subject = subject;
    message.payload = payload;
    message.reply = reply;
    message.headers = headers;
    return port->route(*port->admit(message)).targets;
  }
  bus::Taken on_message(std::span<const bus::Target>, const bus::MessageView& message) override {
    heard += std::string(message.subject) + '=' + std::string(message.payload) + ' ';
    return bus::Taken::all;
  }
  void on_relief() override {}

  bus::OwnedPort port;
  std::string heard;
};

void subscribe(MqttClient& client, std::string_view filter) {
  client.connect();
  client.subscribe(1, {filter});
  client.hears();
}

}  // namespace

TEST_CASE("delivery: subjects without a topic are skipped and counted") {
  MqttWorld world;
  Other other(world);
  MqttClient client(world);
  subscribe(client, "#");
  // Twice each: the second time from the match's note.
  for (int round = 0; round < 3; ++round) {
    for (const char* subject : {"a/b", "a.*", "a+b", "a#", "\xff", "a.\xc2\x80"}) {
      CAPTURE(subject);
      CHECK(other.publish(subject, "x") == 0);
    }
    CHECK(other.publish("a.b", "y") == 1);
  }
  CHECK(client.hears() == "PUBLISH a/b 'y' PUBLISH a/b 'y' PUBLISH a/b 'y'");
  CHECK(world.stats().unspellable.get() == 18);
}

TEST_CASE("delivery: a topic is the same whether it fits the note or not") {
  MqttWorld world;
  Other other(world);
  MqttClient client(world);
  subscribe(client, "#");
  for (std::size_t size = 58; size < 66; ++size) {
    const std::string name(size, 'n');
    for (int round = 0; round < 3; ++round) {
      other.publish(name, "x");
      CHECK(client.hears() == "PUBLISH " + name + " 'x'");
    }
  }
}

TEST_CASE("delivery: headers and reply stay behind: 3.1.1 has no place for them") {
  MqttWorld world;
  Other other(world);
  MqttClient client(world);
  subscribe(client, "a");
  other.publish("a", "small", "reply", "NATS/1.0\r\nk: v\r\n\r\n");
  CHECK(client.hears() == "PUBLISH a 'small'");
  const std::string large(20'000, 'x');
  other.publish("a", large, "", "NATS/1.0\r\nk: v\r\n\r\n");
  CHECK((client.hears() == "PUBLISH a '" + large + "'"));
  // A large header block makes a counted message of a small payload.
  other.publish("a", "small", "", "NATS/1.0\r\nk: " + large + "\r\n\r\n");
  CHECK(client.hears() == "PUBLISH a 'small'");
}

TEST_CASE("delivery: a message above the pending limit is dropped and counted") {
  MqttWorld world({}, {.max_pending = 10'000});
  Other other(world);
  MqttClient client(world);
  subscribe(client, "a");
  client.peer().set_accepting(false);
  for (int i = 0; i < 12; ++i) other.publish("a", std::string(1'000, 'x'));
  CHECK(world.stats().dropped_pending.get() == 3);
  other.publish("a", "s");  // what still fits still goes
  CHECK(world.stats().dropped_pending.get() == 3);
  client.peer().set_accepting(true);
  world.settle();
  CHECK_FALSE(client.closed());
  CHECK(client.peer().take().size() > 9'000);
  other.publish("a", "again");
  CHECK(client.hears() == "PUBLISH a 'again'");
}

TEST_CASE("delivery: a request from another wire is answered through the reply's topic") {
  for (std::size_t loop = 0; loop < 2; ++loop) {
    MqttWorld world({.loops = 2});
    Other requester(world, loop);
    requester.subscribe("_INBOX.x.y");
    MqttClient client(world, 0);
    subscribe(client, "service/time");
    CHECK(requester.publish("service.time", "what", "_INBOX.x.y") == 1);
    CHECK(client.hears() == "PUBLISH service/time 'what'");
    client.publish("_INBOX/x/y", "noon");
    world.settle();
    CHECK(requester.heard == "_INBOX.x.y=noon ");
  }
}

TEST_CASE("delivery: an MQTT client's request is answered through its inbox's subject") {
  MqttWorld world({.loops = 2});
  Other responder(world, 1);
  responder.subscribe("service.time");
  MqttClient client(world, 0);
  subscribe(client, "_INBOX/m/1");
  client.publish("service/time", "what");
  world.settle();
  CHECK(responder.heard == "service.time=what ");
  responder.publish("_INBOX.m.1", "noon");
  CHECK(client.hears() == "PUBLISH _INBOX/m/1 'noon'");
}

TEST_CASE("delivery: retained messages of a slow client wait until it has room") {
  MqttWorld world;
  MqttClient publisher(world);
  publisher.connect();
  for (int i = 0; i < 100; ++i) {
    publisher.retain("r/" + std::to_string(100 + i), std::string(10'000, 'x'));
  }
  world.settle();
  MqttClient client(world);
  client.connect();
  client.hears();
  client.peer().set_accepting(false);
  client.subscribe(1, {"r/#"});
  world.world().advance(std::chrono::seconds(1));
  CHECK(client.peer().pending_bytes() < 300'000);
  client.peer().set_accepting(true);
  world.world().advance(std::chrono::seconds(1));
  CHECK(client.peer().received().size() > 1'000'000);
  CHECK(world.stats().dropped_pending.get() == 0);
  client.peer().take();
  client.send(mqtt::Pingreq{});
  CHECK(client.hears() == "PINGRESP");
}

TEST_CASE("delivery: a closing client takes nothing") {
  MqttWorld world;
  Other other(world);
  MqttClient client(world);
  subscribe(client, "a");
  client.peer().hang_up();
  CHECK(other.publish("a", "x") == 0);
}
