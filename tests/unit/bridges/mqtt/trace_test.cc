// What the log shows of an MQTT connection, and what it never does.
#include "bridges/mqtt/trace.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/captured_log.h"
#include "tests/support/mqtt_world.h"

using namespace spanwire;
using test::CapturedLog;
using test::joined;
using test::MqttClient;
using test::MqttWorld;
using Lines = std::vector<std::string>;

namespace {

wire::TraceFilters of_connection(MqttClient& client) {
  return {.connections = {client.peer().id()}};
}

wire::TraceFilters of_subject(std::string_view filter) {
  return {.subjects = {*subject::parse_nats_filter(filter)}};
}

void trace(MqttWorld& world, const wire::TraceFilters& filters) {
  for (std::size_t i = 0; i < world.world().loops(); ++i) CHECK(world.bridge(i).trace(filters));
}

// What the lines of the connection with this number begin with.
std::string label(int id) {
  return "[TRC] 127.0.0.1:" + std::to_string(40000 + id) + " - mid:" + std::to_string(id) + " - ";
}

}  // namespace

TEST_CASE("trace: a CONNECT says what it asks for, without the password") {
  CHECK(mqtt::packet_text(mqtt::Connect{.client_id = "x", .keep_alive_s = 60}) ==
        "CONNECT client \"x\" keepalive 60");
  const mqtt::Connect full = {
      .client_id = "a \"b\\",
      .will =
          mqtt::Will{
              .topic = "w/1", .payload = "gone", .qos = mqtt::Qos::exactly_once, .retain = true},
      .user_name = "joe",
      .password = "s3cret",
      .clean_session = false};
  CHECK(mqtt::packet_text(full) ==
        "CONNECT client \"a \\\"b\\\\\" keepalive 0 clean 0 user \"joe\" password [REDACTED]"
        " will w/1 4 bytes qos 2 retain");
  CHECK(mqtt::packet_text(mqtt::UnsupportedConnect{"MQIsdp", 3}) ==
        "CONNECT protocol \"MQIsdp\" level 3");
}

TEST_CASE("trace: a password is not shown, whatever bytes it is of, nor that it is empty") {
  using namespace std::string_view_literals;
  for (const std::string_view password : {""sv, "s3cret"sv, "s3\"cret]"sv, "s3\0\xff\r\ncret"sv}) {
    const std::string text = mqtt::packet_text(
        mqtt::Connect{.client_id = "x", .user_name = "joe", .password = password});
    CHECK(text == "CONNECT client \"x\" keepalive 0 user \"joe\" password [REDACTED]");
  }
  CHECK(mqtt::packet_text(mqtt::Connect{.user_name = "password"}) ==
        "CONNECT client \"\" keepalive 0 user \"password\"");
}

TEST_CASE("trace: every packet has its line") {
  mqtt::Publish publish = {.topic = "a/b", .payload = "hello"};
  CHECK(mqtt::packet_text(publish) == "PUBLISH a/b 5 bytes qos 0");
  publish.qos = mqtt::Qos::at_least_once;
  publish.packet_id = 7;
  publish.dup = publish.retain = true;
  CHECK(mqtt::publish_text(publish, 100'000) == "PUBLISH a/b 100000 bytes qos 1 id 7 dup retain");
  const std::vector<mqtt::SubackCode> codes = {mqtt::SubackCode::qos_0, mqtt::SubackCode::failure};
  CHECK(mqtt::packet_text(mqtt::Suback{.packet_id = 9, .codes = codes}) ==
        "SUBACK 9 qos 0, refused");
  CHECK(mqtt::packet_text(mqtt::Connack{.code = mqtt::ConnackCode::not_authorized}) == "CONNACK 5");
  CHECK(mqtt::packet_text(mqtt::Connack{.session_present = true}) == "CONNACK 0 session present");
}

TEST_CASE("trace: a session from its beginning to its end") {
  CapturedLog log({.trace = true});
  MqttWorld world;
  MqttClient client(world);
  client.send(mqtt::Connect{
      .client_id = "x", .user_name = "joe", .password = "s3cret", .keep_alive_s = 60});
  client.subscribe(1, {"a/+", "$share/g/a"});
  client.publish("a/b", "hello");
  client.send(
      mqtt::Publish{.topic = "c", .payload = "1", .packet_id = 2, .qos = mqtt::Qos::at_least_once});
  client.send(
      mqtt::Publish{.topic = "c", .payload = "2", .packet_id = 3, .qos = mqtt::Qos::exactly_once});
  client.send(mqtt::Pubrel{3});
  client.unsubscribe(4, {"a/+", "b"});
  client.send(mqtt::Pingreq{});
  client.send(mqtt::Disconnect{});
  world.settle();
  const std::string own = label(1);
  const Lines expected = {
      own + "<<- [CONNECT client \"x\" keepalive 60 user \"joe\" password [REDACTED]]",
      own + "->> [CONNACK 0]",
      own + "<<- [SUBSCRIBE 1 a/+ qos 0, $share/g/a qos 0]",
      own + "->> [SUBACK 1 qos 0, refused]",
      own + "<<- [PUBLISH a/b 5 bytes qos 0]",
      own + "->> [PUBLISH a/b 5 bytes qos 0]",
      own + "<<- [PUBLISH c 1 bytes qos 1 id 2]",
      own + "->> [PUBACK 2]",
      own + "<<- [PUBLISH c 1 bytes qos 2 id 3]",
      own + "->> [PUBREC 3]",
      own + "<<- [PUBREL 3]",
      own + "->> [PUBCOMP 3]",
      own + "<<- [UNSUBSCRIBE 4 a/+, b]",
      own + "->> [UNSUBACK 4]",
      own + "<<- [PINGREQ]",
      own + "->> [PINGRESP]",
      own + "<<- [DISCONNECT]",
  };
  CHECK(joined(log.lines()) == joined(expected));
}

TEST_CASE("trace: nothing is logged where nobody asked") {
  CapturedLog log;
  MqttWorld world;
  MqttClient client(world);
  client.connect("x");
  client.subscribe(1, {"#"});
  client.publish("a", "hello");
  client.send(mqtt::Pingreq{});
  client.hears();
  CHECK(log.lines().empty());
}

TEST_CASE("trace: of one connection, not of another, until it is turned off") {
  CapturedLog log;
  MqttWorld world({.loops = 2});
  MqttClient first(world, 0);
  MqttClient second(world, 1);
  for (MqttClient* client : {&first, &second}) {
    client->connect();
    client->subscribe(1, {"a"});
    client->hears();
  }
  trace(world, of_connection(second));
  first.publish("a", "12");
  world.settle();
  CHECK(log.lines() == Lines{label(2) + "->> [PUBLISH a 2 bytes qos 0]"});
  trace(world, {});
  first.publish("a", "12");
  second.send(mqtt::Pingreq{});
  world.settle();
  CHECK(log.lines().empty());
}

TEST_CASE("trace: a subject in NATS spelling finds its topics, in every packet that has them") {
  CapturedLog log;
  MqttWorld world;
  MqttClient client(world);
  client.connect();
  client.hears();
  trace(world, of_subject("plant.1//2.>"));
  client.subscribe(1, {"plant/1.2/#", "other"});
  client.subscribe(2, {"plant/+/x"});
  client.publish("plant/1.2/x", "hello");
  client.publish("plant/1/2/x", "hello");
  client.unsubscribe(3, {"other"});
  client.unsubscribe(4, {"plant/1.2/#"});
  client.send(mqtt::Pingreq{});
  world.settle();
  const Lines expected = {
      label(1) + "<<- [SUBSCRIBE 1 plant/1.2/# qos 0, other qos 0]",
      label(1) + "<<- [PUBLISH plant/1.2/x 5 bytes qos 0]",
      label(1) + "->> [PUBLISH plant/1.2/x 5 bytes qos 0]",
      label(1) + "<<- [UNSUBSCRIBE 4 plant/1.2/#]",
  };
  CHECK(joined(log.lines()) == joined(expected));
}

TEST_CASE("trace: retained messages, a payload that comes in parts, and wills") {
  CapturedLog log;
  MqttWorld world;
  MqttClient publisher(world);
  publisher.send(mqtt::Connect{.will = mqtt::Will{.topic = "a/will", .payload = "gone"}});
  publisher.hears();
  trace(world, of_subject("a.>"));
  publisher.retain("a/kept", "12");
  publisher.publish("a/large", std::string(100'000, 'x'));
  publisher.hears();
  MqttClient reader(world);
  reader.connect();
  reader.subscribe(1, {"+/kept"});
  reader.hears();
  publisher.peer().hang_up();
  world.settle();
  const Lines expected = {
      label(1) + "<<- [PUBLISH a/kept 2 bytes qos 0 retain]",
      label(1) + "<<- [PUBLISH a/large 100000 bytes qos 0]",
      label(2) + "->> [PUBLISH a/kept 2 bytes qos 0 retain]",
      label(1) + "<-> [WILL a.will 4 bytes]",
  };
  CHECK(joined(log.lines()) == joined(expected));
}

TEST_CASE("trace: a will that may not be published is about no subject") {
  CapturedLog log;
  MqttWorld world;
  MqttClient client(world);
  client.send(mqtt::Connect{.will = mqtt::Will{.topic = "$SYS/x", .payload = "gone"}});
  client.hears();
  trace(world, of_subject(">"));
  client.peer().hang_up();
  world.settle();
  CHECK(log.lines().empty());
}
