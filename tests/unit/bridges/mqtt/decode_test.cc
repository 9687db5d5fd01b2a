#include <string>
#include <vector>

#include "bridges/mqtt/text.h"
#include "tests/unit/bridges/mqtt/decode_support.h"

using namespace spanwire;
using mqtt::Decode;
using mqtt::Malformed;
using mqtt::Publish;
using mqtt::Qos;
using mqtt::Subscribe;
using mqtt::Subscription;
using mqtt::Unsubscribe;
using mqtt_test::decoded_as;
using mqtt_test::raw;
using mqtt_test::reason_of;
using mqtt_test::roomy;
using support::packet_bytes;
using support::text_field;

namespace {

const std::string id_7 = {'\0', '\x07'};
const std::string id_0 = {'\0', '\0'};

std::string entry(std::string_view filter, char options) {
  return text_field(filter) + options;
}

// One of each type, the larger ones with all their fields.
std::vector<std::string> valid_packets() {
  mqtt::Connect connect{.client_id = "client", .keep_alive_s = 9};
  connect.will = mqtt::Will{.topic = "w", .payload = "gone", .qos = Qos::at_least_once};
  connect.user_name = "user";
  connect.password = "password";
  std::vector<std::string> packets = {
      packet_bytes(connect),
      packet_bytes(Publish{.topic = "a/b", .payload = "zero"}),
      packet_bytes(Publish{.topic = "a/b",
                           .payload = std::string(300, 'x'),
                           .packet_id = 7,
                           .qos = Qos::exactly_once,
                           .dup = true,
                           .retain = true}),
      packet_bytes(mqtt::Puback{7}),
      packet_bytes(mqtt::Pubrec{7}),
      packet_bytes(mqtt::Pubrel{7}),
      packet_bytes(mqtt::Pubcomp{7}),
      packet_bytes(mqtt::Pingreq{}),
      packet_bytes(mqtt::Disconnect{}),
      std::string(raw("\x10\x07\x00\x04MQTT\x05")),
  };
  packets.emplace_back();
  support::append_subscribe(packets.back(), 7,
                            {{"a/+", Qos::at_most_once}, {"#", Qos::exactly_once}});
  packets.emplace_back();
  support::append_unsubscribe(packets.back(), 7, {"a/+", "#"});
  return packets;
}

std::string reencoded(const mqtt::ClientPacket& packet) {
  return std::visit(
      [](const auto& any) {
        using Packet = std::decay_t<decltype(any)>;
        if constexpr (std::is_same_v<Packet, mqtt::UnsupportedConnect>) {
          return std::string();
        } else {
          return packet_bytes(any);
        }
      },
      packet);
}

}  // namespace

TEST_CASE("decode: cut at every byte a packet needs more, and tells its size once that is known") {
  for (const std::string& bytes : valid_packets()) {
    CHECK(reason_of(bytes) == Malformed::none);
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      CAPTURE(cut);
      mqtt::ClientPacket packet = mqtt::Pingreq{};
      const auto decoded = mqtt::decode_client_packet(bytes.substr(0, cut), roomy, packet);
      REQUIRE(decoded.status == Decode::need_more);
      const std::size_t header_size = bytes.size() < 130 ? 2 : 3;
      REQUIRE(decoded.size_bytes == (cut < header_size ? 0 : bytes.size()));
      REQUIRE(packet == mqtt::ClientPacket(mqtt::Pingreq{}));
    }
  }
}

TEST_CASE("decode: packets behind one another are taken one at a time") {
  std::string stream;
  for (const std::string& bytes : valid_packets()) stream += bytes;
  std::string_view rest = stream;
  for (const std::string& bytes : valid_packets()) {
    mqtt::ClientPacket packet;
    const auto decoded = mqtt::decode_client_packet(rest, roomy, packet);
    REQUIRE(decoded.status == Decode::ok);
    REQUIRE(decoded.size_bytes == bytes.size());
    const std::string again = reencoded(packet);
    CHECK((again == bytes || again.empty()));
    rest.remove_prefix(decoded.size_bytes);
  }
  CHECK(rest.empty());
}

TEST_CASE("decode: a body cut short behind an honest length is malformed, or a shorter packet") {
  for (const std::string& bytes : valid_packets()) {
    const std::string_view body = std::string_view(bytes).substr(bytes.size() < 130 ? 2 : 3);
    for (std::size_t cut = 0; cut < body.size(); ++cut) {
      CAPTURE(cut);
      std::string shorter;
      support::append_packet(shorter, static_cast<std::uint8_t>(bytes[0]), body.substr(0, cut));
      mqtt::ClientPacket packet;
      const auto decoded = mqtt::decode_client_packet(shorter, roomy, packet);
      REQUIRE(decoded.status != Decode::need_more);
      if (decoded.status == Decode::ok) REQUIRE(reencoded(packet) == shorter);
    }
  }
}

TEST_CASE("decode: a packet above the maximum is refused by its header, one at it is not") {
  const std::string bytes = packet_bytes(Publish{.topic = "t", .payload = std::string(500, 'x')});
  CHECK(reason_of(bytes, bytes.size()) == Malformed::none);
  CHECK(reason_of(bytes, bytes.size() - 1) == Malformed::too_large);
  CHECK(reason_of(std::string_view(bytes).substr(0, 3), bytes.size() - 1) == Malformed::too_large);
  CHECK(reason_of(raw("\x30\xff\xff\xff\x7f")) == Malformed::too_large);
}

TEST_CASE("decode: a fifth length byte is malformed, whatever the packet [MQTT 2.2.3]") {
  for (const char first : {'\x10', '\x30', '\x40', '\x62', '\x82', '\xc0', '\xe0'}) {
    CHECK(reason_of(first + std::string("\x80\x80\x80\x80\x01")) == Malformed::length_varint);
  }
}

TEST_CASE("decode: the reserved types and a server's packets are malformed at their first byte") {
  for (unsigned flags = 0; flags < 16; ++flags) {
    CAPTURE(flags);
    const auto reason_of_type = [flags](unsigned type) {
      return reason_of(std::string(1, static_cast<char>(type << 4 | flags)));
    };
    CHECK(reason_of_type(0) == Malformed::reserved_type);
    CHECK(reason_of_type(15) == Malformed::reserved_type);
    for (const unsigned type : {2U, 9U, 11U, 13U}) {
      CHECK(reason_of_type(type) == Malformed::server_packet);
    }
  }
}

TEST_CASE("decode: reserved header flags are fixed [MQTT-2.2.2-2, 3.6.1-1, 3.8.1-1, 3.10.1-1]") {
  for (const std::string& bytes : valid_packets()) {
    const unsigned type = static_cast<std::uint8_t>(bytes[0]) >> 4;
    if (type == 3) continue;
    for (unsigned flags = 0; flags < 16; ++flags) {
      CAPTURE(type);
      CAPTURE(flags);
      std::string changed = bytes;
      changed[0] = static_cast<char>(type << 4 | flags);
      CHECK((reason_of(changed) == Malformed::none) == (changed == bytes));
      if (changed != bytes) CHECK(reason_of(changed.substr(0, 1)) == Malformed::reserved_flags);
    }
  }
}

TEST_CASE("publish: QoS 0, byte for byte, with an empty payload too") {
  const Publish packet =
      decoded_as<Publish>(raw("\x31\x08\x00\x03"
                              "a/b"
                              "\x00"
                              "hi"));
  CHECK(packet == Publish{.topic = "a/b", .payload = raw("\x00hi"), .retain = true});
  CHECK(decoded_as<Publish>(raw("\x30\x03\x00\x01t")) == Publish{.topic = "t"});
}

TEST_CASE("publish: QoS 1 and 2 carry a packet id, byte for byte") {
  CHECK(decoded_as<Publish>(raw("\x32\x06\x00\x01t\x12\x34p")) ==
        Publish{.topic = "t", .payload = "p", .packet_id = 0x1234, .qos = Qos::at_least_once});
  CHECK(decoded_as<Publish>(raw("\x3c\x05\x00\x01t\xff\xff")) ==
        Publish{.topic = "t", .packet_id = 0xffff, .qos = Qos::exactly_once, .dup = true});
}

TEST_CASE("publish: QoS 3 is malformed at the first byte [MQTT-3.3.1-4]") {
  for (const char first : {'\x36', '\x37', '\x3e', '\x3f'}) {
    CHECK(reason_of(std::string(1, first)) == Malformed::qos);
  }
}

TEST_CASE("publish: DUP with QoS 0 is malformed at the first byte [MQTT-3.3.1-2]") {
  CHECK(reason_of("\x38") == Malformed::dup_without_qos);
  CHECK(reason_of("\x39") == Malformed::dup_without_qos);
  CHECK(reason_of(0x3a, text_field("t") + id_7) == Malformed::none);
}

TEST_CASE("publish: a wildcard in the topic name is malformed [MQTT-3.3.2-2]") {
  for (const char* topic : {"+", "#", "a/+", "a/#", "+opic", "a#"}) {
    CAPTURE(topic);
    CHECK(reason_of(0x30, text_field(topic)) == Malformed::topic_wildcard);
  }
  CHECK(reason_of(0x30, text_field("a/*/>")) == Malformed::none);
}

TEST_CASE("publish: an empty topic is malformed [MQTT-4.7.3-1]") {
  CHECK(reason_of(0x30, text_field("") + "payload") == Malformed::topic_empty);
}

TEST_CASE("publish: packet id 0 is malformed [MQTT-2.3.1-1]") {
  CHECK(reason_of(0x32, text_field("t") + id_0) == Malformed::packet_id_zero);
  CHECK(reason_of(0x34, text_field("t") + id_0 + "p") == Malformed::packet_id_zero);
  CHECK(reason_of(0x34, text_field("t") + id_7 + "p") == Malformed::none);
}

TEST_CASE("publish: the topic is checked text [MQTT-1.5.3-1, 1.5.3-2]") {
  CHECK(reason_of(0x30, text_field("to\xed\xa0\x80")) == Malformed::text_ill_formed);
  CHECK(reason_of(0x30, text_field(raw("top\x00"))) == Malformed::text_nul);
  for (const char* control : {"to\x01p", "to\tp", "to\x1fp", "to\x7fp", "to\xc2\x80p"}) {
    CHECK(reason_of(0x30, text_field(control)) == Malformed::text_control);
  }
  CHECK(reason_of(0x30, text_field("\xef\xb7\x90")) == Malformed::text_noncharacter);
  CHECK(reason_of(0x30, text_field("A\xf0\xaa\x9b\x94")) == Malformed::none);
}

TEST_CASE("publish: the longest topic is taken") {
  const std::string topic(mqtt::max_text_size_bytes, 't');
  CHECK(decoded_as<Publish>(packet_bytes(Publish{.topic = topic})).topic == topic);
}

TEST_CASE("acknowledgements: each carries its packet id, which is not 0 [MQTT-2.3.1-1]") {
  CHECK(decoded_as<mqtt::Puback>(raw("\x40\x02\x12\x34")).packet_id == 0x1234);
  CHECK(decoded_as<mqtt::Pubrec>(raw("\x50\x02\x12\x34")).packet_id == 0x1234);
  CHECK(decoded_as<mqtt::Pubrel>(raw("\x62\x02\x12\x34")).packet_id == 0x1234);
  CHECK(decoded_as<mqtt::Pubcomp>(raw("\x70\x02\x12\x34")).packet_id == 0x1234);
  for (const int first : {0x40, 0x50, 0x62, 0x70}) {
    const auto byte = static_cast<std::uint8_t>(first);
    CHECK(reason_of(byte, id_0) == Malformed::packet_id_zero);
    CHECK(reason_of(byte, id_7.substr(0, 1)) == Malformed::missing_bytes);
    CHECK(reason_of(byte, "") == Malformed::missing_bytes);
    CHECK(reason_of(byte, id_7 + '\0') == Malformed::excess_bytes);
  }
}

TEST_CASE("subscribe: filters come in order with their QoS, byte for byte") {
  auto packet =
      decoded_as<Subscribe>(raw("\x82\x0c\x12\x34\x00\x03"
                                "a/+"
                                "\x01\x00\x01#\x02"));
  CHECK(packet.packet_id == 0x1234);
  REQUIRE(packet.subscriptions.count() == 2);
  Subscription got;
  REQUIRE(packet.subscriptions.next(got));
  CHECK(got == Subscription{"a/+", Qos::at_least_once});
  REQUIRE(packet.subscriptions.next(got));
  CHECK(got == Subscription{"#", Qos::exactly_once});
  CHECK_FALSE(packet.subscriptions.next(got));
  CHECK(got == Subscription{"#", Qos::exactly_once});
}

TEST_CASE("subscribe: without a filter it is malformed [MQTT-3.8.3-3]") {
  CHECK(reason_of(0x82, id_7) == Malformed::no_filter);
  CHECK(reason_of(0x82, id_7 + entry("a", 0)) == Malformed::none);
}

TEST_CASE("subscribe: QoS 3 and reserved option bits are malformed [MQTT-3.8.3-4]") {
  for (int options = 0; options < 256; ++options) {
    CAPTURE(options);
    const Malformed reason = reason_of(0x82, id_7 + entry("a", static_cast<char>(options)));
    CHECK(reason == (options < 3 ? Malformed::none : Malformed::subscription_options));
  }
}

TEST_CASE("subscribe: packet id 0 is malformed [MQTT-2.3.1-1]") {
  CHECK(reason_of(0x82, id_0 + entry("a", 0)) == Malformed::packet_id_zero);
  CHECK(reason_of(0xa2, id_0 + text_field("a")) == Malformed::packet_id_zero);
}

TEST_CASE("subscribe, unsubscribe: a misplaced wildcard is malformed [MQTT-4.7.1-2, 4.7.1-3]") {
  for (const char* filter : {"", "a+", "+a", "ab/+e", "a/#/b", "#a", "a#"}) {
    CAPTURE(filter);
    const std::string good = text_field("good");
    CHECK(reason_of(0x82, id_7 + entry("good", 0) + entry(filter, 0)) == Malformed::filter);
    CHECK(reason_of(0x82, id_7 + entry(filter, 0) + entry("good", 0)) == Malformed::filter);
    CHECK(reason_of(0xa2, id_7 + good + text_field(filter)) == Malformed::filter);
    CHECK(reason_of(0xa2, id_7 + text_field(filter) + good) == Malformed::filter);
  }
  CHECK(reason_of(0x82, id_7 + entry("+/a/#", 0) + entry("#", 2)) == Malformed::none);
  CHECK(reason_of(0xa2, id_7 + text_field("+/a/#") + text_field("/")) == Malformed::none);
}

TEST_CASE("subscribe, unsubscribe: filters are checked text [MQTT-1.5.3-1, 1.5.3-2]") {
  for (const int first : {0x82, 0xa2}) {
    const std::string end = first == 0x82 ? std::string(1, '\0') : std::string();
    const auto reason_of_filter = [&](std::string_view filter) {
      return reason_of(static_cast<std::uint8_t>(first), id_7 + text_field(filter) + end);
    };
    CHECK(reason_of_filter("to\xed\xa0\x80") == Malformed::text_ill_formed);
    CHECK(reason_of_filter(raw("top\x00")) == Malformed::text_nul);
    CHECK(reason_of_filter("to\x1fp") == Malformed::text_control);
    CHECK(reason_of_filter("to\xef\xbf\xbe") == Malformed::text_noncharacter);
    CHECK(reason_of_filter("to p") == Malformed::none);
  }
}

TEST_CASE("unsubscribe: filters come in order, one at least [MQTT-3.10.3-2]") {
  auto packet =
      decoded_as<Unsubscribe>(raw("\xa2\x0a\x12\x34\x00\x03"
                                  "a/+"
                                  "\x00\x01#"));
  CHECK(packet.packet_id == 0x1234);
  REQUIRE(packet.filters.count() == 2);
  std::string_view filter;
  REQUIRE(packet.filters.next(filter));
  CHECK(filter == "a/+");
  REQUIRE(packet.filters.next(filter));
  CHECK(filter == "#");
  CHECK_FALSE(packet.filters.next(filter));
  CHECK(filter == "#");
  CHECK(reason_of(0xa2, id_7) == Malformed::no_filter);
}

TEST_CASE("pingreq, disconnect: any body is excess [MQTT 3.12, 3.14]") {
  CHECK(reason_of(0xc0, "") == Malformed::none);
  CHECK(reason_of(0xc0, id_0) == Malformed::excess_bytes);
  CHECK(reason_of(0xe0, "") == Malformed::none);
  CHECK(reason_of(0xe0, id_0) == Malformed::excess_bytes);
}

TEST_CASE("decode: a length longer than needed is taken for what it means") {
  CHECK(decoded_as<mqtt::Puback>(raw("\x40\x82\x80\x00\x00\x07")).packet_id == 7);
}

TEST_CASE("decode: each reason has its own words") {
  std::vector<std::string_view> seen;
  for (int i = 0; i <= static_cast<int>(Malformed::subscription_options); ++i) {
    const std::string_view words = describe(static_cast<Malformed>(i));
    CHECK(words != "unknown");
    for (const std::string_view other : seen) CHECK(words != other);
    seen.push_back(words);
  }
}

TEST_CASE("decode: the head of a PUBLISH is read as soon as topic and packet id are there") {
  const std::string packet = support::packet_bytes(mqtt::Publish{.topic = "a/b",
                                                                 .payload = "payload",
                                                                 .packet_id = 7,
                                                                 .qos = mqtt::Qos::exactly_once,
                                                                 .retain = true});
  const std::size_t head_size = packet.size() - 7;
  for (std::size_t cut = 0; cut <= packet.size(); ++cut) {
    CAPTURE(cut);
    mqtt::PublishHead head;
    const mqtt::Decoded decoded =
        mqtt::decode_publish_head(std::string_view(packet).substr(0, cut), mqtt_test::roomy, head);
    CHECK((decoded.status == mqtt::Decode::ok) == (cut >= head_size));
    if (decoded.status != mqtt::Decode::ok) {
      CHECK(decoded.status == mqtt::Decode::need_more);
      continue;
    }
    CHECK(decoded.size_bytes == packet.size());
    CHECK(head.payload_size_bytes == 7);
    CHECK(head.packet ==
          mqtt::Publish{.topic = "a/b",
                        .payload = std::string_view("payload").substr(0, cut - head_size),
                        .packet_id = 7,
                        .qos = mqtt::Qos::exactly_once,
                        .retain = true});
  }
}

TEST_CASE("decode: the head of a PUBLISH is malformed as the whole packet is") {
  const auto reason_of_head = [](std::string_view bytes, std::size_t max_size = mqtt_test::roomy) {
    mqtt::PublishHead head;
    const mqtt::Decoded decoded = mqtt::decode_publish_head(bytes, max_size, head);
    CHECK(decoded.status == mqtt::Decode::malformed);
    return decoded.reason;
  };
  using mqtt::Malformed;
  CHECK(reason_of_head(mqtt_test::raw("\x36\x64")) == Malformed::qos);
  CHECK(reason_of_head(mqtt_test::raw("\x30\x64"), 50) == Malformed::too_large);
  CHECK(reason_of_head(mqtt_test::raw("\x30\x64\0\0")) == Malformed::topic_empty);
  CHECK(reason_of_head(mqtt_test::raw("\x30\x64\0\1#")) == Malformed::topic_wildcard);
  CHECK(reason_of_head(mqtt_test::raw("\x30\x64\0\1\xff")) == Malformed::text_ill_formed);
  CHECK(reason_of_head(mqtt_test::raw("\x32\x64\0\1a\0\0")) == Malformed::packet_id_zero);
  CHECK(reason_of_head(mqtt_test::raw("\x30\x02\0\5")) == Malformed::missing_bytes);
}
