#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "bridges/mqtt/codec.h"
#include "tests/support/aborts.h"
#include "tests/support/mqtt_client_codec.h"

using namespace spanwire;
using mqtt::Decode;
using mqtt::Publish;
using mqtt::Qos;
using mqtt::SubackCode;

namespace {

template <class Packet>
std::string encoded(const Packet& packet) {
  std::string appended = "kept";
  mqtt::append(appended, packet);
  std::string room(mqtt::encoded_size_bytes(packet) + 3, '!');
  const std::size_t size_bytes = mqtt::encode(packet, room);
  CHECK(size_bytes == mqtt::encoded_size_bytes(packet));
  CHECK(room.substr(size_bytes) == "!!!");
  CHECK(appended == "kept" + room.substr(0, size_bytes));
  return room.substr(0, size_bytes);
}

template <class Packet>
Packet received(const std::string& bytes) {
  support::ServerPacket packet;
  std::size_t size_bytes = 0;
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const auto part = bytes.substr(0, cut);
    REQUIRE(support::decode_server_packet(part, packet, size_bytes) == Decode::need_more);
  }
  REQUIRE(support::decode_server_packet(bytes + "next", packet, size_bytes) == Decode::ok);
  REQUIRE(size_bytes == bytes.size());
  REQUIRE(std::holds_alternative<Packet>(packet));
  return std::get<Packet>(packet);
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15U];
  }
  return text;
}

}  // namespace

TEST_CASE("encode: every small packet, byte for byte") {
  using mqtt::Connack;
  using mqtt::ConnackCode;
  CHECK(hex(encoded(Connack{})) == "20020000");
  CHECK(hex(encoded(Connack{.session_present = true})) == "20020100");
  CHECK(hex(encoded(Connack{.code = ConnackCode::bad_protocol_level})) == "20020001");
  CHECK(hex(encoded(Connack{.code = ConnackCode::identifier_rejected})) == "20020002");
  CHECK(hex(encoded(Connack{.code = ConnackCode::server_unavailable})) == "20020003");
  CHECK(hex(encoded(Connack{.code = ConnackCode::bad_credentials})) == "20020004");
  CHECK(hex(encoded(Connack{.code = ConnackCode::not_authorized})) == "20020005");
  CHECK(hex(encoded(mqtt::Puback{0x1234})) == "40021234");
  CHECK(hex(encoded(mqtt::Pubrec{0x1234})) == "50021234");
  CHECK(hex(encoded(mqtt::Pubrel{0x1234})) == "62021234");
  CHECK(hex(encoded(mqtt::Pubcomp{0x1234})) == "70021234");
  CHECK(hex(encoded(mqtt::Unsuback{0x1234})) == "b0021234");
  CHECK(hex(encoded(mqtt::Pingresp{})) == "d000");
}

TEST_CASE("encode: a SUBACK has a code for each subscription, in order [MQTT-3.8.4-5]") {
  const std::vector<SubackCode> codes = {SubackCode::qos_0, SubackCode::failure, SubackCode::qos_2,
                                         SubackCode::qos_1};
  const std::string bytes = encoded(mqtt::Suback{.packet_id = 0x1234, .codes = codes});
  CHECK(hex(bytes) == "9006123400800201");
  const std::vector<std::uint8_t> wanted = {0, 0x80, 2, 1};
  CHECK(received<support::ReceivedSuback>(bytes) ==
        support::ReceivedSuback{.packet_id = 0x1234, .codes = wanted});
  const std::vector<SubackCode> many(20'000);
  const std::string long_bytes = encoded(mqtt::Suback{.packet_id = 1, .codes = many});
  CHECK(received<support::ReceivedSuback>(long_bytes).codes.size() == 20'000);
}

TEST_CASE("encode: a PUBLISH of every QoS and flag, byte for byte") {
  CHECK(hex(encoded(Publish{.topic = "a/b", .payload = "hi"})) == "30070003612f626869");
  CHECK(hex(encoded(Publish{.topic = "t", .retain = true})) == "3103000174");
  CHECK(hex(encoded(Publish{.topic = "t", .packet_id = 0x1234, .qos = Qos::at_least_once})) ==
        "32050001741234");
  CHECK(hex(encoded(Publish{.topic = "t",
                            .payload = "p",
                            .packet_id = 0x1234,
                            .qos = Qos::exactly_once,
                            .dup = true,
                            .retain = true})) == "3d06000174123470");
}

TEST_CASE("encode: a PUBLISH header is the packet without its payload, at every length size") {
  for (const std::size_t payload_size :
       {0U, 1U, 122U, 123U, 16'376U, 16'379U, 16'380U, 2'100'000U}) {
    CAPTURE(payload_size);
    const std::string payload(payload_size, 'p');
    const Publish packet{.topic = "a/b", .payload = payload};
    const std::string whole = encoded(packet);
    std::string header(mqtt::publish_header_size_bytes(packet), '!');
    CHECK(mqtt::encode_publish_header(packet, header) == header.size());
    CHECK(header + payload == whole);
  }
}

TEST_CASE("encode: a client reads back what the server wrote, cut at every byte") {
  const mqtt::Connack connack{.session_present = true};
  CHECK(received<mqtt::Connack>(encoded(connack)) == connack);
  CHECK(received<mqtt::Puback>(encoded(mqtt::Puback{9})).packet_id == 9);
  CHECK(received<mqtt::Pubrec>(encoded(mqtt::Pubrec{9})).packet_id == 9);
  CHECK(received<mqtt::Pubrel>(encoded(mqtt::Pubrel{9})).packet_id == 9);
  CHECK(received<mqtt::Pubcomp>(encoded(mqtt::Pubcomp{9})).packet_id == 9);
  CHECK(received<mqtt::Unsuback>(encoded(mqtt::Unsuback{9})).packet_id == 9);
  received<mqtt::Pingresp>(encoded(mqtt::Pingresp{}));
  const std::string payload(200, '\0');
  const Publish publish{.topic = "a/b",
                        .payload = payload,
                        .packet_id = 0xffff,
                        .qos = Qos::exactly_once,
                        .dup = true,
                        .retain = true};
  const std::string bytes = encoded(publish);
  support::ServerPacket packet;
  std::size_t size_bytes = 0;
  REQUIRE(support::decode_server_packet(bytes, packet, size_bytes) == Decode::ok);
  CHECK(std::get<Publish>(packet) == publish);
  received<Publish>(bytes);
}

TEST_CASE("client codec: a server's wrong packets are malformed") {
  for (const std::string_view text :
       {"\x20\x02\x02\x01", "\x20\x01\x01", "\x20\x02\x01\x06", "\x90\x03\x01\x01\x03",
        "\x90\x02\x01\x01", "\x36\x03\x01\x01\x01", "\x30\x01\x01", "\x41\x02\x01\x01",
        "\x60\x02\x01\x01", "\xd0\x01\x01", "\x82\x01\x01", "\xf0\x01\x01"}) {
    CAPTURE(hex(text));
    support::ServerPacket packet;
    std::size_t size_bytes = 0;
    CHECK(support::decode_server_packet(text, packet, size_bytes) == Decode::malformed);
  }
}

TEST_CASE("encode: a packet that may not be sent is our own mistake") {
  const auto refuses = [](const auto& packet) {
    return support::aborts([&] {
      std::string out;
      mqtt::append(out, packet);
    });
  };
  const Publish good{.topic = "t", .packet_id = 1, .qos = Qos::at_least_once, .dup = true};
  CHECK_FALSE(refuses(good));
  CHECK(refuses(Publish{}));
  CHECK(refuses(Publish{.topic = "t", .packet_id = 1}));
  CHECK(refuses(Publish{.topic = "t", .dup = true}));
  CHECK(refuses(Publish{.topic = "t", .qos = Qos::at_least_once}));
  const std::string topic(65'536, 't');
  CHECK(refuses(Publish{.topic = topic}));
  CHECK(refuses(Publish{.topic = "t", .payload = {topic.data(), mqtt::varint_max}}));
  CHECK(refuses(mqtt::Puback{}));
  CHECK(refuses(mqtt::Unsuback{}));
  CHECK(refuses(mqtt::Suback{.packet_id = 1}));
  CHECK(refuses(mqtt::Connack{.code = mqtt::ConnackCode::not_authorized, .session_present = true}));
}

TEST_CASE("encode: too little room is our own mistake") {
  const auto fits = [](const auto& packet, std::size_t room) {
    return !support::aborts([&] {
      std::string out(room, '!');
      mqtt::encode(packet, out);
    });
  };
  const std::vector<SubackCode> codes(2);
  const Publish publish{.topic = "t", .payload = "p"};
  CHECK(fits(publish, 6));
  CHECK_FALSE(fits(publish, 5));
  CHECK(fits(mqtt::Puback{1}, 4));
  CHECK_FALSE(fits(mqtt::Puback{1}, 3));
  CHECK_FALSE(fits(mqtt::Connack{}, 3));
  CHECK_FALSE(fits(mqtt::Suback{.packet_id = 1, .codes = codes}, 5));
  CHECK_FALSE(fits(mqtt::Pingresp{}, 1));
  CHECK(support::aborts([&] {
    std::string out(3, '!');
    mqtt::encode_publish_header(publish, out);
  }));
}
