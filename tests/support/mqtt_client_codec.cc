#include "tests/support/mqtt_client_codec.h"

#include <optional>

#include "base/assert.h"

namespace spanwire::support {
namespace {

using mqtt::Decode;
using mqtt::PacketType;
using mqtt::Qos;

std::string u16_field(std::size_t value) {
  BASE_ASSERT(value <= 0xffff);
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}

std::uint8_t first_byte(PacketType type, unsigned flags) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4 | flags);
}

std::size_t u16_at(std::string_view bytes) {
  return static_cast<std::size_t>(static_cast<std::uint8_t>(bytes[0])) << 8 |
         static_cast<std::uint8_t>(bytes[1]);
}

std::optional<std::uint16_t> whole_packet_id(std::string_view body) {
  if (body.size() != 2 || u16_at(body) == 0) return std::nullopt;
  return static_cast<std::uint16_t>(u16_at(body));
}

std::optional<ServerPacket> read_connack(std::string_view body) {
  if (body.size() != 2) return std::nullopt;
  const auto flags = static_cast<std::uint8_t>(body[0]);
  const auto code = static_cast<std::uint8_t>(body[1]);
  if (flags > 1 || code > 5 || (flags != 0 && code != 0)) return std::nullopt;
  return mqtt::Connack{.code = static_cast<mqtt::ConnackCode>(code), .session_present = flags == 1};
}

std::optional<ServerPacket> read_publish(unsigned flags, std::string_view body) {
  const unsigned qos = flags >> 1 & 3U;
  const bool dup = (flags & 8U) != 0;
  if (qos == 3 || (qos == 0 && dup) || body.size() < 2) return std::nullopt;
  const std::size_t topic_size = u16_at(body);
  const std::size_t id_size = qos == 0 ? 0 : 2;
  if (topic_size == 0 || body.size() < 2 + topic_size + id_size) return std::nullopt;
  mqtt::Publish packet{.qos = static_cast<Qos>(qos), .dup = dup, .retain = (flags & 1U) != 0};
  packet.topic = body.substr(2, topic_size);
  body.remove_prefix(2 + topic_size);
  if (id_size != 0) packet.packet_id = static_cast<std::uint16_t>(u16_at(body));
  if (id_size != 0 && packet.packet_id == 0) return std::nullopt;
  packet.payload = body.substr(id_size);
  return packet;
}

std::optional<ServerPacket> read_suback(std::string_view body) {
  if (body.size() < 3 || u16_at(body) == 0) return std::nullopt;
  ReceivedSuback packet{.packet_id = static_cast<std::uint16_t>(u16_at(body))};
  for (const char code : body.substr(2)) {
    packet.codes.push_back(static_cast<std::uint8_t>(code));
    if (packet.codes.back() > 2 && packet.codes.back() != 0x80) return std::nullopt;
  }
  return packet;
}

template <class Packet>
std::optional<ServerPacket> read_acknowledgement(std::string_view body) {
  const auto id = whole_packet_id(body);
  if (!id) return std::nullopt;
  return Packet{.packet_id = *id};
}

std::optional<ServerPacket> read_packet(std::uint8_t first, std::string_view body) {
  if (first >> 4 == static_cast<unsigned>(PacketType::publish)) {
    return read_publish(first & 0x0fU, body);
  }
  switch (first) {
    case 0x20:
      return read_connack(body);
    case 0x40:
      return read_acknowledgement<mqtt::Puback>(body);
    case 0x50:
      return read_acknowledgement<mqtt::Pubrec>(body);
    case 0x62:
      return read_acknowledgement<mqtt::Pubrel>(body);
    case 0x70:
      return read_acknowledgement<mqtt::Pubcomp>(body);
    case 0x90:
      return read_suback(body);
    case 0xb0:
      return read_acknowledgement<mqtt::Unsuback>(body);
    case 0xd0:
      if (body.empty()) return mqtt::Pingresp{};
      break;
    default:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::string text_field(std::string_view text) {
  return u16_field(text.size()).append(text);
}

void append_packet(std::string& out, std::uint8_t first, std::string_view body) {
  BASE_ASSERT(body.size() <= mqtt::varint_max);
  out += static_cast<char>(first);
  mqtt::append_varint(out, static_cast<std::uint32_t>(body.size()));
  out += body;
}

void append_packet(std::string& out, const mqtt::Connect& packet) {
  unsigned flags = packet.clean_session ? 0x02 : 0;
  std::string payload = text_field(packet.client_id);
  if (packet.will) {
    flags |= 0x04U | static_cast<unsigned>(packet.will->qos) << 3;
    if (packet.will->retain) flags |= 0x20;
    payload += text_field(packet.will->topic) + text_field(packet.will->payload);
  }
  if (packet.user_name) {
    flags |= 0x80;
    payload += text_field(*packet.user_name);
  }
  if (packet.password) {
    flags |= 0x40;
    payload += text_field(*packet.password);
  }
  std::string body = text_field("MQTT") + '\x04' + static_cast<char>(flags);
  body += u16_field(packet.keep_alive_s) + payload;
  append_packet(out, first_byte(PacketType::connect, 0), body);
}

void append_packet(std::string& out, const mqtt::Publish& packet) {
  unsigned flags = static_cast<unsigned>(packet.qos) << 1;
  if (packet.dup) flags |= 8;
  if (packet.retain) flags |= 1;
  std::string body = text_field(packet.topic);
  if (packet.qos != Qos::at_most_once) body += u16_field(packet.packet_id);
  append_packet(out, first_byte(PacketType::publish, flags), body.append(packet.payload));
}

void append_packet(std::string& out, const mqtt::Puback& packet) {
  append_packet(out, 0x40, u16_field(packet.packet_id));
}

void append_packet(std::string& out, const mqtt::Pubrec& packet) {
  append_packet(out, 0x50, u16_field(packet.packet_id));
}

void append_packet(std::string& out, const mqtt::Pubrel& packet) {
  append_packet(out, 0x62, u16_field(packet.packet_id));
}

void append_packet(std::string& out, const mqtt::Pubcomp& packet) {
  append_packet(out, 0x70, u16_field(packet.packet_id));
}

void append_packet(std::string& out, const mqtt::Subscribe& packet) {
  std::vector<mqtt::Subscription> subscriptions;
  auto list = packet.subscriptions;
  for (mqtt::Subscription entry; list.next(entry);) subscriptions.push_back(entry);
  append_subscribe(out, packet.packet_id, subscriptions);
}

void append_packet(std::string& out, const mqtt::Unsubscribe& packet) {
  std::vector<std::string_view> filters;
  auto list = packet.filters;
  for (std::string_view filter; list.next(filter);) filters.push_back(filter);
  append_unsubscribe(out, packet.packet_id, filters);
}

void append_packet(std::string& out, const mqtt::Pingreq&) {
  append_packet(out, 0xc0, {});
}

void append_packet(std::string& out, const mqtt::Disconnect&) {
  append_packet(out, 0xe0, {});
}

void append_subscribe(std::string& out, std::uint16_t packet_id,
                      const std::vector<mqtt::Subscription>& subscriptions) {
  std::string body = u16_field(packet_id);
  for (const mqtt::Subscription& entry : subscriptions) {
    body += text_field(entry.filter) + static_cast<char>(entry.qos);
  }
  append_packet(out, 0x82, body);
}

void append_unsubscribe(std::string& out, std::uint16_t packet_id,
                        const std::vector<std::string_view>& filters) {
  std::string body = u16_field(packet_id);
  for (const std::string_view filter : filters) body += text_field(filter);
  append_packet(out, 0xa2, body);
}

Decode decode_server_packet(std::string_view in, ServerPacket& out, std::size_t& size_bytes) {
  if (in.empty()) return Decode::need_more;
  mqtt::Varint length;
  const Decode read = mqtt::read_varint(in.substr(1), length);
  if (read != Decode::ok) return read;
  const std::size_t header_size = 1 + length.size_bytes;
  if (in.size() - header_size < length.value) return Decode::need_more;
  const auto packet =
      read_packet(static_cast<std::uint8_t>(in[0]), in.substr(header_size, length.value));
  if (!packet) return Decode::malformed;
  out = *packet;
  size_bytes = header_size + length.value;
  return Decode::ok;
}

}  // namespace spanwire::support
