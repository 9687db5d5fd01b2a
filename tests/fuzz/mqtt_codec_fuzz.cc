// The MQTT codec: the input is what a client sent. Each packet that is taken must come back the
// same from the client's encoder, and need every one of its bytes; what goes both ways must come
// back through the server's encoder too. The input is also read as what a server sent.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bridges/mqtt/codec.h"
#include "tests/support/mqtt_client_codec.h"

using namespace spanwire;
using mqtt::Decode;

namespace {

constexpr std::size_t max_packet_size_bytes = 1 << 16;

void require(bool holds) {
  if (!holds) std::abort();
}

void require_same_again(const mqtt::ClientPacket& packet, std::string_view bytes) {
  mqtt::ClientPacket again;
  const auto decoded = mqtt::decode_client_packet(bytes, 2 * max_packet_size_bytes, again);
  require(decoded.status == Decode::ok);
  require(decoded.size_bytes == bytes.size());
  require(packet == again);
}

// Of each packet that a server may send too, as a client reads it.
template <class Packet>
void require_same_to_client(const Packet& packet) {
  std::string bytes;
  mqtt::append(bytes, packet);
  support::ServerPacket again;
  std::size_t size_bytes = 0;
  require(support::decode_server_packet(bytes, again, size_bytes) == Decode::ok);
  require(size_bytes == bytes.size());
  require(std::get<Packet>(again) == packet);
}

struct Checks {
  void operator()(const mqtt::Connect& packet) const { reencode(packet); }
  void operator()(const mqtt::UnsupportedConnect& packet) const {
    require(packet.protocol_level != 4);
  }
  void operator()(const mqtt::Publish& packet) const { both_ways(packet); }
  void operator()(const mqtt::Puback& packet) const { both_ways(packet); }
  void operator()(const mqtt::Pubrec& packet) const { both_ways(packet); }
  void operator()(const mqtt::Pubrel& packet) const { both_ways(packet); }
  void operator()(const mqtt::Pubcomp& packet) const { both_ways(packet); }
  void operator()(const mqtt::Subscribe& packet) const { reencode(packet); }
  void operator()(const mqtt::Unsubscribe& packet) const { reencode(packet); }
  void operator()(const mqtt::Pingreq& packet) const { reencode(packet); }
  void operator()(const mqtt::Disconnect& packet) const { reencode(packet); }

  template <class Packet>
  static void reencode(const Packet& packet) {
    require_same_again(packet, support::packet_bytes(packet));
  }
  template <class Packet>
  static void both_ways(const Packet& packet) {
    reencode(packet);
    require_same_to_client(packet);
  }
};

void require_every_byte(std::string_view bytes) {
  const std::size_t step = std::max<std::size_t>(1, bytes.size() / 64);
  for (std::size_t cut = 0; cut < bytes.size(); cut += step) {
    // Alone in its memory, so that the address sanitizer sees a read past the cut.
    const std::vector<char> part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(cut));
    mqtt::ClientPacket packet;
    const auto decoded =
        mqtt::decode_client_packet({part.data(), cut}, max_packet_size_bytes, packet);
    require(decoded.status == Decode::need_more);
    require(decoded.size_bytes == 0 || decoded.size_bytes == bytes.size());
  }
}

// The head of a PUBLISH is the same however much of the payload has come.
void require_same_head(std::string_view bytes, const mqtt::Publish& packet) {
  const std::size_t head_size = bytes.size() - packet.payload.size();
  const std::size_t step = std::max<std::size_t>(1, bytes.size() / 64);
  for (std::size_t cut = 0; cut < bytes.size(); cut += step) {
    const std::vector<char> part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(cut));
    mqtt::PublishHead head;
    const auto decoded = mqtt::decode_publish_head({part.data(), cut}, max_packet_size_bytes, head);
    require(decoded.status == (cut < head_size ? Decode::need_more : Decode::ok));
    if (decoded.status != Decode::ok) continue;
    mqtt::Publish expected = packet;
    expected.payload = packet.payload.substr(0, cut - head_size);
    require(head.packet == expected);
    require(head.payload_size_bytes == packet.payload.size());
    require(decoded.size_bytes == bytes.size());
  }
}

void read_as_server(std::string_view stream) {
  for (;;) {
    mqtt::ClientPacket packet;
    const auto decoded = mqtt::decode_client_packet(stream, max_packet_size_bytes, packet);
    require((decoded.status == Decode::malformed) == (decoded.reason != mqtt::Malformed::none));
    if (decoded.status == Decode::need_more) {
      require(decoded.size_bytes == 0 || decoded.size_bytes > stream.size());
      require(decoded.size_bytes <= max_packet_size_bytes);
    }
    if (decoded.status != Decode::ok) return;
    std::visit(Checks(), packet);
    const std::string_view bytes = stream.substr(0, decoded.size_bytes);
    require_every_byte(bytes);
    if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) {
      require_same_head(bytes, *publish);
    }
    stream.remove_prefix(decoded.size_bytes);
  }
}

void read_as_client(std::string_view stream) {
  support::ServerPacket packet;
  std::size_t size_bytes = 0;
  while (support::decode_server_packet(stream, packet, size_bytes) == Decode::ok) {
    std::visit(
        [](const auto& any) {
          using Packet = std::decay_t<decltype(any)>;
          if constexpr (!std::is_same_v<Packet, support::ReceivedSuback>) {
            require_same_to_client(any);
          }
        },
        packet);
    stream.remove_prefix(size_bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  read_as_server(stream);
  read_as_client(stream);
  return 0;
}
