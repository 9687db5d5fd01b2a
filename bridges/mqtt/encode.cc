#include <cstring>

#include "base/assert.h"
#include "bridges/mqtt/codec.h"
#include "bridges/mqtt/text.h"

namespace spanwire::mqtt {
namespace {

// Writes fields one behind the other into room that was measured before.
class Writer {
 public:
  Writer(std::span<char> out, std::size_t needed_bytes) : begin_(out.data()), to_(out.data()) {
    BASE_ASSERT(out.size() >= needed_bytes);
  }

  std::size_t written() const { return static_cast<std::size_t>(to_ - begin_); }

  void u8(unsigned value) { *to_++ = static_cast<char>(value); }
  void u16(std::size_t value) {
    u8(static_cast<unsigned>(value >> 8));
    u8(static_cast<unsigned>(value & 0xffU));
  }
  void header(PacketType type, unsigned flags, std::size_t remaining) {
    u8(static_cast<unsigned>(type) << 4 | flags);
    to_ = write_varint(to_, static_cast<std::uint32_t>(remaining));
  }
  void bytes(std::string_view bytes) {
    if (bytes.empty()) return;  // memcpy() may not be given its null
    std::memcpy(to_, bytes.data(), bytes.size());
    to_ += bytes.size();
  }
  void text(std::string_view text) {
    BASE_ASSERT(text.size() <= max_text_size_bytes);
    u16(text.size());
    bytes(text);
  }

 private:
  char* begin_;
  char* to_;
};

constexpr std::size_t packet_id_size = 2;
constexpr std::size_t acknowledgement_size = 2 + packet_id_size;

std::size_t encode_acknowledgement(PacketType type, unsigned flags, std::uint16_t packet_id,
                                   std::span<char> out) {
  BASE_ASSERT(packet_id != 0);
  Writer to(out, acknowledgement_size);
  to.header(type, flags, packet_id_size);
  to.u16(packet_id);
  return to.written();
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

void write_publish_header(const Publish& packet, Writer& to) {
  const bool has_id = packet.qos != Qos::at_most_once;
  BASE_ASSERT(!packet.topic.empty());
  BASE_ASSERT((packet.packet_id != 0) == has_id);
  BASE_ASSERT(has_id || !packet.dup);
  to.header(PacketType::publish, publish_flags(packet), publish_remaining(packet));
  to.text(packet.topic);
  if (has_id) to.u16(packet.packet_id);
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
  Writer to(out, encoded_size_bytes(packet));
  to.header(PacketType::connack, 0, 2);
  to.u8(packet.session_present ? 1 : 0);
  to.u8(static_cast<unsigned>(packet.code));
  return to.written();
}

std::size_t encode(const Publish& packet, std::span<char> out) {
  Writer to(out, encoded_size_bytes(packet));
  write_publish_header(packet, to);
  to.bytes(packet.payload);
  return to.written();
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
  BASE_ASSERT(packet.packet_id != 0);
  BASE_ASSERT(!packet.codes.empty());
  Writer to(out, encoded_size_bytes(packet));
  to.header(PacketType::suback, 0, packet_id_size + packet.codes.size());
  to.u16(packet.packet_id);
  for (const SubackCode code : packet.codes) to.u8(static_cast<unsigned>(code));
  return to.written();
}

std::size_t encode(const Unsuback& packet, std::span<char> out) {
  return encode_acknowledgement(PacketType::unsuback, 0, packet.packet_id, out);
}

std::size_t encode(const Pingresp& packet, std::span<char> out) {
  Writer to(out, encoded_size_bytes(packet));
  to.header(PacketType::pingresp, 0, 0);
  return to.written();
}

std::size_t publish_header_size_bytes(const Publish& packet) {
  return encoded_size_bytes(packet) - packet.payload.size();
}

std::size_t encode_publish_header(const Publish& packet, std::span<char> out) {
  Writer to(out, publish_header_size_bytes(packet));
  write_publish_header(packet, to);
  return to.written();
}

}  // namespace spanwire::mqtt
