// What the decoding tests share: one packet in, the packet or the reason out.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "bridges/mqtt/codec.h"
#include "tests/support/mqtt_client_codec.h"

namespace spanwire::mqtt_test {

inline constexpr std::size_t roomy = 1 << 20;

// The reason why `bytes` are malformed; none if they are exactly one packet.
inline mqtt::Malformed reason_of(std::string_view bytes, std::size_t max_size_bytes = roomy) {
  mqtt::ClientPacket packet;
  const mqtt::Decoded decoded = mqtt::decode_client_packet(bytes, max_size_bytes, packet);
  CHECK(decoded.status != mqtt::Decode::need_more);
  CHECK((decoded.status == mqtt::Decode::malformed) == (decoded.reason != mqtt::Malformed::none));
  if (decoded.status == mqtt::Decode::ok) CHECK(decoded.size_bytes == bytes.size());
  return decoded.reason;
}

inline mqtt::Malformed reason_of(std::uint8_t first_byte, std::string_view body) {
  std::string bytes;
  support::append_packet(bytes, first_byte, body);
  return reason_of(bytes);
}

// The packet that `bytes` are.
template <class Packet>
Packet decoded_as(std::string_view bytes) {
  mqtt::ClientPacket packet;
  const mqtt::Decoded decoded = mqtt::decode_client_packet(bytes, roomy, packet);
  REQUIRE(decoded.status == mqtt::Decode::ok);
  REQUIRE(decoded.size_bytes == bytes.size());
  REQUIRE(std::holds_alternative<Packet>(packet));
  return std::get<Packet>(packet);
}

// Bytes that may hold zeros, from a literal.
template <std::size_t size>
std::string_view raw(const char (&literal)[size]) {
  return {literal, size - 1};
}

}  // namespace spanwire::mqtt_test
