#include "tools/loadgen/wire.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "tools/loadgen/blocks.h"
#include "tools/loadgen/http.h"
#include "tools/loadgen/mqtt_wire.h"
#include "tools/loadgen/nats_wire.h"

using namespace spanwire;
using namespace std::string_view_literals;
using loadgen::NatsEvent;

TEST_CASE("nats: a delivery is as long as the MSG that the server writes") {
  const loadgen::NatsWire wire(false);
  const auto delivery = "MSG load.007 1 5\r\nhello\r\n"sv;
  CHECK(wire.delivery_bytes(wire.subject(7), 5) == delivery.size());
  CHECK(wire.payload_offset(wire.subject(7), 5) == delivery.find("hello"));
}

TEST_CASE("nats: with headers publish and delivery differ by the verb and the sid") {
  const loadgen::NatsWire wire(true);
  std::string published;
  wire.append_publish(published, "load.000", "hello");
  CHECK(published.starts_with("HPUB load.000 "));
  CHECK(wire.delivery_bytes("load.000", 5) == published.size() + "1 "sv.size());
}

TEST_CASE("nats: an event is read only when it is whole") {
  const auto input = "MSG a.b 1 reply.to 3\r\nxyz\r\n"sv;
  for (std::size_t size = 0; size < input.size(); ++size) {
    CHECK(loadgen::read_nats_event(input.substr(0, size)).kind == NatsEvent::Kind::need_more);
  }
  const auto event = loadgen::read_nats_event(input);
  REQUIRE(event.kind == NatsEvent::Kind::message);
  CHECK(event.size_bytes == input.size());
  CHECK(event.subject == "a.b");
  CHECK(event.reply == "reply.to");
  CHECK(event.payload == "xyz");
}

TEST_CASE("nats: a message without a reply has none") {
  const auto event = loadgen::read_nats_event("MSG a.b 1 0\r\n\r\nPING\r\n");
  REQUIRE(event.kind == NatsEvent::Kind::message);
  CHECK(event.reply.empty());
  CHECK(event.payload.empty());
}

TEST_CASE("nats: errors, 503 and unreadable lines end a run; PING and PONG do not") {
  CHECK(loadgen::read_nats_event("-ERR 'Slow Consumer'\r\n").kind == NatsEvent::Kind::error);
  CHECK(loadgen::read_nats_event("HMSG r 1 16 16\r\n").kind == NatsEvent::Kind::error);
  CHECK(loadgen::read_nats_event("MSG a 1 x\r\n").kind == NatsEvent::Kind::error);
  CHECK(loadgen::read_nats_event("MSG a\r\n").kind == NatsEvent::Kind::error);
  CHECK(loadgen::read_nats_event("PING\r\n").kind == NatsEvent::Kind::ping);
  CHECK(loadgen::read_nats_event("PONG\r\n").kind == NatsEvent::Kind::other);
}

TEST_CASE("nats: a fence is passed with the PONG, though the server's own PING comes behind it") {
  const loadgen::NatsWire wire(false);
  CHECK(loadgen::passed_fence("MSG a 1 0\r\n\r\nPONG\r\n", wire));
  CHECK(loadgen::passed_fence("PONG\r\nPING\r\n", wire));
  CHECK_FALSE(loadgen::passed_fence("PING\r\n", wire));
  CHECK_FALSE(loadgen::passed_fence("PONG\r\nMSG a 1 0\r\n\r\n", wire));
  CHECK_FALSE(loadgen::passed_fence("", loadgen::MqttWire()));
}

TEST_CASE("mqtt: at QoS 0 a delivery is the packet that was published [MQTT-3.3.1-9]") {
  const loadgen::MqttWire wire;
  for (const std::size_t size : {0U, 16U, 117U, 118U, 128U, 16384U}) {
    std::string published;
    wire.append_publish(published, wire.subject(0), std::string(size, 'x'));
    CHECK(wire.delivery_bytes(wire.subject(0), size) == published.size());
    CHECK(published.substr(wire.payload_offset(wire.subject(0), size)) == std::string(size, 'x'));
  }
}

TEST_CASE("blocks: hold whole messages, 64 KiB or the next more") {
  const loadgen::NatsWire wire(false);
  const loadgen::Shape shape{.size = 16};
  const auto blocks = loadgen::build_blocks(shape, wire, 0);
  REQUIRE(blocks.size() == 1);
  const auto message = "PUB load.000 16\r\n"sv.size() + 16 + 2;
  CHECK(blocks[0].bytes.size() == blocks[0].messages * message);
  CHECK(blocks[0].bytes.size() >= 65536);
  CHECK(blocks[0].bytes.size() < 65536 + message);
}

TEST_CASE("blocks: a shape of single writes has one message in each") {
  const loadgen::NatsWire wire(false);
  const auto blocks = loadgen::build_blocks({.size = 16, .single = true}, wire, 0);
  REQUIRE(blocks.size() == 1);
  CHECK(blocks[0].messages == 1);
}

TEST_CASE("blocks: each of several subjects comes once") {
  const loadgen::NatsWire wire(false);
  const auto blocks = loadgen::build_blocks({.size = 16, .subjects = 5000}, wire, 0);
  std::string all;
  std::uint32_t messages = 0;
  for (const auto& block : blocks) {
    all += block.bytes;
    messages += block.messages;
  }
  CHECK(messages == 5000);
  for (std::uint32_t number = 0; number < 5000; ++number) {
    CHECK(all.find(wire.subject(0, number)) != std::string::npos);
  }
}

TEST_CASE("http: a response is counted when it is whole") {
  const auto input = "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH:  2\r\n\r\nOK"sv;
  for (std::size_t size = 0; size < input.size(); ++size) {
    const auto found = loadgen::response_bytes(input.substr(0, size));
    REQUIRE(found);
    CHECK_FALSE(found->has_value());
  }
  const auto whole = loadgen::response_bytes(input);
  REQUIRE(whole);
  CHECK(*whole == input.size());
}

TEST_CASE("http: a refusal and a response of unknown length end a run") {
  CHECK_FALSE(loadgen::response_bytes("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
  CHECK_FALSE(loadgen::response_bytes("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"));
}
