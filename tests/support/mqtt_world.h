// MQTT clients of a server on manual loops, each a script of packets.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bridges/mqtt/bridge.h"
#include "tests/support/mqtt_client_codec.h"
#include "tests/support/serving_world.h"

namespace spanwire::test {

class MqttWorld {
 public:
  explicit MqttWorld(WorldSettings world = {}, mqtt::Settings settings = {},
                     auth::Settings authorization = {}, kit::RetainedLimits retained = {});
  // The sessions go first, while all that they refer to is still there.
  ~MqttWorld();

  void settle() { serving_.settle(); }
  World& world() { return serving_.world(); }
  ServingWorld& serving() { return serving_; }
  mqtt::Bridge& bridge(std::size_t loop = 0) { return static_cast<mqtt::Bridge&>(*bridges_[loop]); }
  mqtt::Stats& stats(std::size_t loop = 0) { return bridge(loop).stats(); }
  kit::RetainedStores& stores() { return *stores_; }
  // A connection that has sent nothing yet.
  TestPeer& open(std::size_t loop = 0);

 private:
  ServingWorld serving_;
  std::shared_ptr<kit::RetainedStores> stores_;
  wire::Wire wire_;
  std::vector<std::unique_ptr<wire::Bridge>> bridges_;
  std::vector<TestPeer*> peers_;
};

// What a server sent, one word group a packet: `CONNACK 0`, `SUBACK 7 00 80`, `PUBLISH a/b 'text'`,
// `PUBLISH+retain a/b ''`, `PUBACK 7`, `PINGRESP`.
std::string spell_packets(std::string_view bytes);

// A client. What it sends is taken when the world takes its steps.
class MqttClient {
 public:
  MqttClient(MqttWorld& world, std::size_t loop = 0) : world_(world), peer_(world.open(loop)) {}

  template <class Packet>
  void send(const Packet& packet) {
    peer_.write(support::packet_bytes(packet));
  }
  void send_bytes(std::string_view bytes) { peer_.write(bytes); }
  void connect(std::string_view client_id = "") { send(mqtt::Connect{.client_id = client_id}); }
  void publish(std::string_view topic, std::string_view payload) {
    send(mqtt::Publish{.topic = topic, .payload = payload});
  }
  void retain(std::string_view topic, std::string_view payload) {
    send(mqtt::Publish{.topic = topic, .payload = payload, .retain = true});
  }
  void subscribe(std::uint16_t packet_id, const std::vector<std::string_view>& filters);
  void unsubscribe(std::uint16_t packet_id, const std::vector<std::string_view>& filters);

  // Lets everything happen, then what has come since the last call.
  std::string hears() {
    world_.settle();
    return spell_packets(peer_.take());
  }
  std::string received() const { return spell_packets(peer_.received()); }
  TestPeer& peer() { return peer_; }
  bool closed() const { return peer_.closed(); }

 private:
  MqttWorld& world_;
  TestPeer& peer_;
};

}  // namespace spanwire::test
