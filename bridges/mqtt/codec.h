// The bytes of MQTT 3.1.1: what a client sends becomes packet.h's structs, and what the server
// sends becomes bytes. Checks all that one packet tells by itself; what a packet means after those
// before it is the session's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bridges/mqtt/packet.h"
#include "bridges/mqtt/varint.h"

namespace spanwire::mqtt {

// Why a packet is malformed. The connection is closed without an answer, whichever it is.
enum class Malformed : std::uint8_t {
  none,
  reserved_type,          // 0 or 15 [2.2.1]
  server_packet,          // what only a server sends
  reserved_flags,         // of the first byte [MQTT-2.2.2-2, 3.6.1-1, 3.8.1-1, 3.10.1-1]
  qos,                    // 3, of a PUBLISH or a will [MQTT-3.3.1-4, 3.1.2-14]
  dup_without_qos,        // [MQTT-3.3.1-2]
  length_varint,          // a fifth byte [2.2.3]
  too_large,              // above the given maximum
  missing_bytes,          // the packet ends within a field
  excess_bytes,           // or goes on behind its last
  protocol_name,          // [MQTT-3.1.2-1]
  connect_flag_reserved,  // [MQTT-3.1.2-3]
  will_flags,             // will QoS or retain without a will [MQTT-3.1.2-11, -13, -15]
  password_without_user,  // [MQTT-3.1.2-22]
  packet_id_zero,         // [MQTT-2.3.1-1]
  text_ill_formed,        // [MQTT-1.5.3-1]
  text_nul,               // [MQTT-1.5.3-2]
  text_control,           // [1.5.3]
  text_noncharacter,      // [1.5.3]
  topic_empty,            // [MQTT-4.7.3-1]
  topic_wildcard,         // [MQTT-3.3.2-2]
  filter,                 // empty, or a misplaced wildcard [MQTT-4.7.1-2, -3, 4.7.3-1]
  no_filter,              // [MQTT-3.8.3-3, 3.10.3-2]
  subscription_options,   // QoS 3 or a reserved bit [MQTT-3.8.3-4]
};

std::string_view describe(Malformed reason);  // for a log line

struct Decoded {
  Decode status = Decode::need_more;
  Malformed reason = Malformed::none;  // set if malformed
  // ok: what the packet took. need_more: the whole packet's size, or 0 while it is unknown.
  std::size_t size_bytes = 0;
};

// Reads one packet from the front of `in`. A header that no further byte can mend is malformed at
// once, before the packet is whole. The maximum counts every byte of a packet. `out` is untouched
// while more is needed, and unspecified when malformed.
Decoded decode_client_packet(std::string_view in, std::size_t max_packet_size_bytes,
                             ClientPacket& out);

// A PUBLISH of which not all has come, so that its payload can be received in its place: all but
// the payload, of which `packet` has what has come.
struct PublishHead {
  Publish packet;
  std::size_t payload_size_bytes = 0;
};
// More is needed until topic and packet id are there; they are within the first 65,544 bytes. If
// ok, `size_bytes` is the whole packet's. `in` holds no byte behind the packet.
Decoded decode_publish_head(std::string_view in, std::size_t max_packet_size_bytes,
                            PublishHead& out);

// Server to client. encode() needs room for encoded_size_bytes() and returns how much it wrote.
// Texts are at most max_text_size_bytes, packets as large as varint_max allows, packet ids set
// where the struct says so.
std::size_t encoded_size_bytes(const Connack& packet);
std::size_t encoded_size_bytes(const Publish& packet);
std::size_t encoded_size_bytes(const Puback& packet);
std::size_t encoded_size_bytes(const Pubrec& packet);
std::size_t encoded_size_bytes(const Pubrel& packet);
std::size_t encoded_size_bytes(const Pubcomp& packet);
std::size_t encoded_size_bytes(const Suback& packet);
std::size_t encoded_size_bytes(const Unsuback& packet);
std::size_t encoded_size_bytes(const Pingresp& packet);

std::size_t encode(const Connack& packet, std::span<char> out);
std::size_t encode(const Publish& packet, std::span<char> out);
std::size_t encode(const Puback& packet, std::span<char> out);
std::size_t encode(const Pubrec& packet, std::span<char> out);
std::size_t encode(const Pubrel& packet, std::span<char> out);
std::size_t encode(const Pubcomp& packet, std::span<char> out);
std::size_t encode(const Suback& packet, std::span<char> out);
std::size_t encode(const Unsuback& packet, std::span<char> out);
std::size_t encode(const Pingresp& packet, std::span<char> out);

// A PUBLISH up to its payload, of which only the size is used: the bytes follow by reference.
std::size_t publish_header_size_bytes(const Publish& packet);
std::size_t encode_publish_header(const Publish& packet, std::span<char> out);

template <class Packet>
void append(std::string& out, const Packet& packet) {
  const std::size_t kept = out.size();
  out.resize(kept + encoded_size_bytes(packet));
  encode(packet, std::span(out).subspan(kept));
}

}  // namespace spanwire::mqtt
