#include "tests/support/mqtt_world.h"

#include <fmt/format.h>

namespace spanwire::test {
namespace {

std::string spell(const mqtt::Connack& packet) {
  return fmt::format("CONNACK {}{}", static_cast<int>(packet.code),
                     packet.session_present ? " present" : "");
}

std::string spell(const mqtt::Publish& packet) {
  return fmt::format("PUBLISH{}{} {} '{}'", packet.retain ? "+retain" : "",
                     packet.qos == mqtt::Qos::at_most_once ? "" : "+qos", packet.topic,
                     packet.payload);
}

std::string spell(const support::ReceivedSuback& packet) {
  std::string text = fmt::format("SUBACK {}", packet.packet_id);
  for (const std::uint8_t code : packet.codes) text += fmt::format(" {:02x}", code);
  return text;
}

std::string spell(const mqtt::Puback& packet) {
  return fmt::format("PUBACK {}", packet.packet_id);
}
std::string spell(const mqtt::Pubrec& packet) {
  return fmt::format("PUBREC {}", packet.packet_id);
}
std::string spell(const mqtt::Pubrel& packet) {
  return fmt::format("PUBREL {}", packet.packet_id);
}
std::string spell(const mqtt::Pubcomp& packet) {
  return fmt::format("PUBCOMP {}", packet.packet_id);
}
std::string spell(const mqtt::Unsuback& packet) {
  return fmt::format("UNSUBACK {}", packet.packet_id);
}
std::string spell(const mqtt::Pingresp&) {
  return "PINGRESP";
}

}  // namespace

std::string spell_packets(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    support::ServerPacket packet;
    std::size_t size = 0;
    const mqtt::Decode decoded = support::decode_server_packet(bytes, packet, size);
    if (!text.empty()) text += ' ';
    if (decoded != mqtt::Decode::ok) return text + "and no packet";
    text += std::visit([](const auto& known) { return spell(known); }, packet);
    bytes.remove_prefix(size);
  }
  return text;
}

MqttWorld::MqttWorld(WorldSettings world, mqtt::Settings settings, auth::Settings authorization,
                     kit::RetainedLimits retained)
    : serving_(world, std::move(authorization)),
      stores_(std::make_shared<kit::RetainedStores>(retained)),
      wire_(mqtt::make_wire(settings, 1, stores_)) {
  for (std::size_t i = 0; i < world.loops; ++i) {
    bridges_.push_back(wire_.start(serving_.services(i)));
  }
}

MqttWorld::~MqttWorld() {
  for (TestPeer* peer : peers_) peer->hang_up();
  settle();
}

TestPeer& MqttWorld::open(std::size_t loop) {
  TestPeer& peer = world().connect(loop);
  peers_.push_back(&peer);
  peer.attach(wire_.open(peer, *bridges_[loop]));
  return peer;
}

void MqttClient::subscribe(std::uint16_t packet_id, const std::vector<std::string_view>& filters) {
  std::vector<mqtt::Subscription> subscriptions;
  for (const std::string_view filter : filters) subscriptions.push_back({.filter = filter});
  std::string bytes;
  support::append_subscribe(bytes, packet_id, subscriptions);
  peer_.write(bytes);
}

void MqttClient::unsubscribe(std::uint16_t packet_id,
                             const std::vector<std::string_view>& filters) {
  std::string bytes;
  support::append_unsubscribe(bytes, packet_id, filters);
  peer_.write(bytes);
}

}  // namespace spanwire::test
