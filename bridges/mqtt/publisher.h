// What one client publishes: its topics as subjects, the flows of QoS 1 and 2, large payloads, its
// will. Routed is all that an acknowledgement means.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <memory>
#include <span>
#include <string_view>

#include "bridges/mqtt/bridge.h"
#include "bridges/mqtt/codec.h"
#include "bridges/mqtt/trace.h"
#include "session/peer.h"

namespace spanwire::mqtt {

// What a client did, or why its connection must be closed.
enum class Published : std::uint8_t { ok, too_many_levels, too_many_open };

class Publisher {
 public:
  // All outlive it.
  Publisher(session::Peer& peer, Bridge& bridge, const Trace& trace);
  ~Publisher();

  // The client is let in; nothing may be published before.
  void open(bus::Port& port) { port_ = &port; }

  Published publish(const Publish& packet);
  void release(const Pubrel& packet);

  // A PUBLISH whose payload is received straight into its message; nothing else is published
  // meanwhile.
  Published start_body(const PublishHead& head);
  std::span<char> body_space();
  Published on_body(std::size_t bytes);

  // False: the topic has too many levels.
  bool set_will(const Will& will);
  void drop_will() { will_ = nullptr; }
  void publish_will();

  // Whether routing has reported pressure since the last call.
  bool take_pressure() { return std::exchange(pressure_, false); }

 private:
  struct Body;

  bool exceeds_levels(std::string_view topic);
  bus::MessageView message_of(const Publish& packet);
  Published accept(bus::MessageView message, std::uint16_t packet_id);
  Published keep_open(const bus::MessageView& message, std::uint16_t packet_id);
  void route(bus::MessageView message);

  session::Peer& peer_;
  Bridge& bridge_;
  const Trace& trace_;
  bus::Port* port_ = nullptr;
  std::unique_ptr<Body> body_;
  // QoS 2 between PUBLISH and PUBREL, by packet id.
  absl::flat_hash_map<std::uint16_t, base::Ref<const bus::Message>> open_;
  std::size_t open_bytes_ = 0;
  base::Ref<const bus::Message> will_;
  bool pressure_ = false;
};

}  // namespace spanwire::mqtt
