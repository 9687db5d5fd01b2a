#include <string>

#include "tests/unit/bridges/mqtt/decode_support.h"

using namespace spanwire;
using mqtt::Connect;
using mqtt::Malformed;
using mqtt::Qos;
using mqtt::UnsupportedConnect;
using mqtt_test::decoded_as;
using mqtt_test::raw;
using mqtt_test::reason_of;
using support::text_field;

namespace {

struct Spelling {
  std::string name = "MQTT";
  unsigned level = 4;
  unsigned flags = 0x02;
  std::string keep_alive = {'\0', '\x0a'};
  std::string payload = text_field("id");
};

std::string connect_body(const Spelling& spelling) {
  std::string body = text_field(spelling.name);
  body += static_cast<char>(spelling.level);
  body += static_cast<char>(spelling.flags);
  return body + spelling.keep_alive + spelling.payload;
}

Malformed reason_of_connect(const Spelling& spelling) {
  return reason_of(0x10, connect_body(spelling));
}

const std::string will_fields = text_field("will/topic") + text_field("gone");

}  // namespace

TEST_CASE("connect: the smallest one, byte for byte") {
  const Connect packet = decoded_as<Connect>(raw("\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"));
  CHECK(packet == Connect{.client_id = "", .keep_alive_s = 60, .clean_session = true});
}

TEST_CASE("connect: all fields, in the order of the standard [MQTT-3.1.3-1]") {
  const auto bytes =
      raw("\x10\x28\x00\x04MQTT\x04\xec\x01\x02\x00\x02id\x00\x04will\x00\x03\x00\x01\x02"
          "\x00\x04user\x00\x07\x00passw\xff");
  const Connect packet = decoded_as<Connect>(bytes);
  CHECK(packet.client_id == "id");
  CHECK_FALSE(packet.clean_session);
  CHECK(packet.keep_alive_s == 0x0102);
  REQUIRE(packet.will);
  CHECK(packet.will->topic == "will");
  CHECK(packet.will->payload == raw("\x00\x01\x02"));
  CHECK(packet.will->qos == Qos::at_least_once);
  CHECK(packet.will->retain);
  CHECK(packet.user_name == "user");
  CHECK(packet.password == raw("\x00passw\xff"));
}

TEST_CASE("connect: every allowed combination of flags comes back from the client's encoder") {
  for (unsigned choice = 0; choice < 64; ++choice) {
    CAPTURE(choice);
    Connect packet{.client_id = "some client", .keep_alive_s = 65'535};
    packet.clean_session = (choice & 1U) != 0;
    if ((choice & 2U) != 0) {
      packet.will = mqtt::Will{.topic = "t", .payload = "", .qos = Qos::exactly_once};
      packet.will->retain = (choice & 4U) != 0;
      packet.will->qos = (choice & 8U) != 0 ? Qos::exactly_once : Qos::at_most_once;
    }
    if ((choice & 16U) != 0) packet.user_name = "";
    if ((choice & 48U) == 48U) packet.password = "secret";
    CHECK(decoded_as<Connect>(support::packet_bytes(packet)) == packet);
  }
}

TEST_CASE("connect: any other protocol name is malformed [MQTT-3.1.2-1]") {
  for (const char* name : {"", "MQT", "MQTTT", "mqtt", "MQTU", "MQIsdq"}) {
    CAPTURE(name);
    CHECK(reason_of_connect({.name = name}) == Malformed::protocol_name);
  }
  CHECK(reason_of_connect({}) == Malformed::none);
}

TEST_CASE("connect: another level of MQTT is told apart, not malformed [MQTT-3.1.2-2]") {
  for (unsigned level = 0; level < 256; ++level) {
    if (level == 4) continue;
    CAPTURE(level);
    std::string bytes;
    support::append_packet(bytes, 0x10, connect_body({.level = level, .payload = "\xff"}));
    const auto packet = decoded_as<UnsupportedConnect>(bytes);
    CHECK(packet.protocol_name == "MQTT");
    CHECK(packet.protocol_level == level);
  }
}

TEST_CASE("connect: MQIsdp at level 3 is told apart, at any other malformed [MQTT-3.1.2-1]") {
  std::string bytes;
  support::append_packet(bytes, 0x10, connect_body({.name = "MQIsdp", .level = 3}));
  CHECK(decoded_as<UnsupportedConnect>(bytes) ==
        UnsupportedConnect{.protocol_name = "MQIsdp", .protocol_level = 3});
  CHECK(reason_of_connect({.name = "MQIsdp", .level = 4}) == Malformed::protocol_name);
}

TEST_CASE("connect: the reserved flag is malformed [MQTT-3.1.2-3]") {
  CHECK(reason_of_connect({.flags = 0x03}) == Malformed::connect_flag_reserved);
  CHECK(reason_of_connect({.flags = 0x02}) == Malformed::none);
}

TEST_CASE("connect: will QoS or retain without a will is malformed [MQTT-3.1.2-11, 3.1.2-15]") {
  for (const unsigned flags : {0x08U, 0x10U, 0x18U, 0x20U, 0x2aU}) {
    CAPTURE(flags);
    CHECK(reason_of_connect({.flags = flags}) == Malformed::will_flags);
  }
}

TEST_CASE("connect: will QoS 3 is malformed, 0 to 2 are not [MQTT-3.1.2-14]") {
  const std::string payload = text_field("id") + will_fields;
  CHECK(reason_of_connect({.flags = 0x1e, .payload = payload}) == Malformed::qos);
  for (const unsigned flags : {0x06U, 0x0eU, 0x16U}) {
    CHECK(reason_of_connect({.flags = flags, .payload = payload}) == Malformed::none);
  }
}

TEST_CASE("connect: a will without its fields is malformed [MQTT-3.1.2-9]") {
  CHECK(reason_of_connect({.flags = 0x06}) == Malformed::missing_bytes);
  const std::string half = text_field("id") + text_field("topic");
  CHECK(reason_of_connect({.flags = 0x06, .payload = half}) == Malformed::missing_bytes);
}

TEST_CASE("connect: a will topic is a topic name [MQTT-4.7.3-1, 3.3.2-2]") {
  const auto with_topic = [](std::string_view topic) {
    const std::string payload = text_field("id") + text_field(topic) + text_field("");
    return reason_of_connect({.flags = 0x06, .payload = payload});
  };
  CHECK(with_topic("") == Malformed::topic_empty);
  CHECK(with_topic("a/+") == Malformed::topic_wildcard);
  CHECK(with_topic("a/#") == Malformed::topic_wildcard);
  CHECK(with_topic("a/b") == Malformed::none);
}

TEST_CASE("connect: a user name without its flag is excess [MQTT-3.1.2-18]") {
  const std::string payload = text_field("id") + text_field("user");
  CHECK(reason_of_connect({.flags = 0x02, .payload = payload}) == Malformed::excess_bytes);
}

TEST_CASE("connect: a user flag without its name is malformed [MQTT-3.1.2-19]") {
  CHECK(reason_of_connect({.flags = 0x82}) == Malformed::missing_bytes);
}

TEST_CASE("connect: a password without its flag is excess [MQTT-3.1.2-20]") {
  const std::string payload = text_field("id") + text_field("user") + text_field("password");
  CHECK(reason_of_connect({.flags = 0x82, .payload = payload}) == Malformed::excess_bytes);
  CHECK(reason_of_connect({.flags = 0xc2, .payload = payload}) == Malformed::none);
}

TEST_CASE("connect: a password flag without its field is malformed [MQTT-3.1.2-21]") {
  const std::string payload = text_field("id") + text_field("user");
  CHECK(reason_of_connect({.flags = 0xc2, .payload = payload}) == Malformed::missing_bytes);
}

TEST_CASE("connect: a password without a user name is malformed [MQTT-3.1.2-22]") {
  const std::string payload = text_field("id") + text_field("password");
  CHECK(reason_of_connect({.flags = 0x42, .payload = payload}) == Malformed::password_without_user);
}

TEST_CASE("connect: client id, will topic and user name are checked text [MQTT-1.5.3-1, 1.5.3-2]") {
  struct Bad {
    std::string_view text;
    Malformed reason;
  };
  const Bad cases[] = {
      {"to\xed\xa0\x80", Malformed::text_ill_formed},
      {raw("top\x00\x00"), Malformed::text_nul},
      {"to\x01p", Malformed::text_control},
      {"to\x7fp", Malformed::text_control},
      {"to\xc2\x9fp", Malformed::text_control},
      {"to\xef\xbf\xbf", Malformed::text_noncharacter},
  };
  for (const Bad& bad : cases) {
    CAPTURE(describe(bad.reason));
    const std::string field = text_field(bad.text);
    CHECK(reason_of_connect({.payload = field}) == bad.reason);
    CHECK(reason_of_connect({.flags = 0x06, .payload = text_field("id") + field + field}) ==
          bad.reason);
    CHECK(reason_of_connect({.flags = 0x82, .payload = text_field("id") + field}) == bad.reason);
    // The will's payload and the password are any bytes.
    const std::string binary = text_field("id") + text_field("t") + field + text_field("u") + field;
    CHECK(reason_of_connect({.flags = 0xc6, .payload = binary}) == Malformed::none);
  }
}

TEST_CASE("connect: a body cut at any field is malformed, and so is one that goes on") {
  const std::string body = connect_body(
      {.flags = 0xc6,
       .payload = text_field("id") + will_fields + text_field("user") + text_field("password")});
  CHECK(reason_of(0x10, body) == Malformed::none);
  for (std::size_t cut = 0; cut < body.size(); ++cut) {
    CAPTURE(cut);
    CHECK(reason_of(0x10, std::string_view(body).substr(0, cut)) == Malformed::missing_bytes);
  }
  CHECK(reason_of(0x10, body + '\0') == Malformed::excess_bytes);
}
