#include <cstring>

#include "base/assert.h"
#include "bridges/mqtt/codec.h"
#include "bridges/mqtt/text.h"

namespace spanwire::mqtt {
namespace {

constexpr std::size_t packet_id_size = 2;
constexpr std::size_t acknowledgement_size = 2 + packet_id_size;

// Each writes a field and returns its end; the room was measured before.
char* put_u8(char* to, unsigned value) {
  *to = static_cast<char>(value);
  return to + 1;
}

char* put_u16(char* to, std::size_t value) {
  to[0] = static_cast<char>(value >> 8);
  to[1] = static_cast<char>(value & 0xff);
  return to + 2;
}

char* put_bytes(char* to, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());  // not with an empty one's null
  return to + bytes.size();
}

char* put_header(char* to, PacketType type, unsigned flags, std::size_t remaining) {
  to = put_u8(to, static_cast<unsigned>(type) << 4 | flags);
  return write_varint(to, static_cast<std::uint32_t>(remaining));
}

std::size_t encode_acknowledgement(PacketType type, unsigned flags, std::uint16_t packet_id,
                                   std::span<char> out) {
  BASE_ASSERT(packet_id != 0);
  BASE_ASSERT(out.size() >= acknowledgement_size);
  put_u16(put_header(out.data(), type, flags, packet_id_size), packet_id);
  return acknowledgement_size;
}

std::size_t size_with_header(std::size_t remaining) {
  BASE_ASSERT(remaining <= varint_max);
  return 1 + varint_size_bytes(static_cast<std::uint32_t>(remaining)) + remaining;
}

std::size_t publish_remaining(const Publish& packet) {
  const std::size_t id = packet.qos == Qos::at_most_once ? 0 : packet_id_size;
  return 2 + packet.topic.size() + id + packet.payload.size();
}

unsigned publish_flags(const Publish& packet) {
  return (packet.dup ? 8U : 0U) | static_cast<unsigned>(packet.qos) << 1 |
         (packet.retain ? 1U : 0U);
}

char* put_publish_header(char* to, const Publish& packet) {
  const bool has_id = packet.qos != Qos::at_most_once;
  BASE_ASSERT(!packet.topic.empty() && packet.topic.size() <= max_text_size_bytes);
  BASE_ASSERT((packet.packet_id != 0) == has_id);
  BASE_ASSERT(has_id || !packet.dup);
  to = put_header(to, PacketType::publish, publish_flags(packet), publish_remaining(packet));
  to = put_bytes(put_u16(to, packet.topic.size()), packet.topic);
  return has_id ? put_u16(to, packet.packet_id) : to;
}

}  // namespace

std::size_t encoded_size_bytes(const Connack&) {
  return 4;
}
std::size_t encoded_size_bytes(const Publish& packet) {
  return size_with_header(publish_remaining(packet));
}
std::size_t encoded_size_bytes(const Puback&) {
  return acknowledgement_size;
}
std::size_t encoded_size_bytes(const Pubrec&) {
  return acknowledgement_size;
}
std::size_t encoded_size_bytes(const Pubrel&) {
  return acknowledgement_size;
}
std::size_t encoded_size_bytes(const Pubcomp&) {
  return acknowledgement_size;
}
std::size_t encoded_size_bytes(const Suback& packet) {
  return size_with_header(packet_id_size + packet.codes.size());
}
std::size_t encoded_size_bytes(const Unsuback&) {
  return acknowledgement_size;
}
std::size_t encoded_size_bytes(const Pingresp&) {
  return 2;
}

std::size_t encode(const Connack& packet, std::span<char> out) {
  BASE_ASSERT(!packet.session_present || packet.code == ConnackCode::accepted);
  BASE_ASSERT(out.size() >= encoded_size_bytes(packet));
  char* to = put_header(out.data(), PacketType::connack, 0, 2);
  to = put_u8(to, packet.session_present ? 1 : 0);
  put_u8(to, static_cast<unsigned>(packet.code));
  return encoded_size_bytes(packet);
}

std::size_t encode(const Publish& packet, std::span<char> out) {
  const std::size_t size_bytes = encoded_size_bytes(packet);
  BASE_ASSERT(out.size() >= size_bytes);
  put_bytes(put_publish_header(out.data(), packet), packet.payload);
  return size_bytes;
}

std::size_t encode(const Puback& packet, std::span<char> out) {
  return encode_acknowledgement(PacketType::puback, 0, packet.packet_id, out);
}

std::size_t encode(const Pubrec& packet, std::span<char> out) {
  return encode_acknowledgement(PacketType::pubrec, 0, packet.packet_id, out);
}

std::size_t encode(const Pubrel& packet, std::span<char> out) {
  return encode_acknowledgement(PacketType::pubrel, 2, packet.packet_id, out);
}

std::size_t encode(const Pubcomp& packet, std::span<char> out) {
  return encode_acknowledgement(PacketType::pubcomp, 0, packet.packet_id, out);
}

std::size_t encode(const Suback& packet, std::span<char> out) {
  const std::size_t size_bytes = encoded_size_bytes(packet);
  BASE_ASSERT(packet.packet_id != 0);
  BASE_ASSERT(!packet.codes.empty());
  BASE_ASSERT(out.size() >= size_bytes);
  const std::size_t remaining = packet_id_size + packet.codes.size();
  char* to = put_u16(put_header(out.data(), PacketType::suback, 0, remaining), packet.packet_id);
  for (const SubackCode code : packet.codes) to = put_u8(to, static_cast<unsigned>(code));
  return size_bytes;
}

std::size_t encode(const Unsuback& packet, std::span<char> out) {
  return encode_acknowledgement(PacketType::unsuback, 0, packet.packet_id, out);
}

std::size_t encode(const Pingresp& packet, std::span<char> out) {
  BASE_ASSERT(out.size() >= encoded_size_bytes(packet));
  put_header(out.data(), PacketType::pingresp, 0, 0);
  return encoded_size_bytes(packet);
}

std::size_t publish_header_size_bytes(const Publish& packet) {
  return encoded_size_bytes(packet) - packet.payload.size();
}

std::size_t encode_publish_header(const Publish& packet, std::span<char> out) {
  const std::size_t size_bytes = publish_header_size_bytes(packet);
  BASE_ASSERT(out.size() >= size_bytes);
  put_publish_header(out.data(), packet);
  return size_bytes;
}

}  // namespace spanwire::mqtt
