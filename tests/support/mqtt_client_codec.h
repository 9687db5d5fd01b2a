// The client's side of MQTT 3.1.1, for tests and tools: encodes what a client sends and decodes
// what a server sends. Written apart from the server's codec, so that the two check each other; of
// the server's mistakes it reports only that there is one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bridges/mqtt/packet.h"
#include "bridges/mqtt/varint.h"

namespace spanwire::support {

// Each appends one packet. Nothing is checked but sizes: a test may want a wrong packet.
void append_packet(std::string& out, const mqtt::Connect& packet);
void append_packet(std::string& out, const mqtt::Publish& packet);
void append_packet(std::string& out, const mqtt::Puback& packet);
void append_packet(std::string& out, const mqtt::Pubrec& packet);
void append_packet(std::string& out, const mqtt::Pubrel& packet);
void append_packet(std::string& out, const mqtt::Pubcomp& packet);
void append_packet(std::string& out, const mqtt::Subscribe& packet);
void append_packet(std::string& out, const mqtt::Unsubscribe& packet);
void append_packet(std::string& out, const mqtt::Pingreq& packet);
void append_packet(std::string& out, const mqtt::Disconnect& packet);

void append_subscribe(std::string& out, std::uint16_t packet_id,
                      const std::vector<mqtt::Subscription>& subscriptions);
void append_unsubscribe(std::string& out, std::uint16_t packet_id,
                        const std::vector<std::string_view>& filters);

// Any packet from its first byte and the fields behind the length.
void append_packet(std::string& out, std::uint8_t first_byte, std::string_view body);

// A string with its size before it.
std::string text_field(std::string_view text);

template <class Packet>
std::string packet_bytes(const Packet& packet) {
  std::string out;
  append_packet(out, packet);
  return out;
}

struct ReceivedSuback {
  std::uint16_t packet_id = 0;
  std::vector<std::uint8_t> codes;
  friend bool operator==(const ReceivedSuback&, const ReceivedSuback&) = default;
};

// What a server may send to a client.
using ServerPacket =
    std::variant<mqtt::Connack, mqtt::Publish, mqtt::Puback, mqtt::Pubrec, mqtt::Pubrel,
                 mqtt::Pubcomp, ReceivedSuback, mqtt::Unsuback, mqtt::Pingresp>;

// Reads one packet from the front of `in` and sets its size. `out` and `size_bytes` are untouched
// unless it returns ok.
mqtt::Decode decode_server_packet(std::string_view in, ServerPacket& out, std::size_t& size_bytes);

}  // namespace spanwire::support
