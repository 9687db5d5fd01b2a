// What one client publishes: its topics as subjects, the flows of QoS 1 and 2, large payloads, its
// will.
//
// A message of QoS 1 or 2 is acknowledged when every stream that captures its subject has it on the
// disk, and, if it is to be retained, when that is done too; acknowledgements go out in the order
// of the messages [MQTT-4.6.0-2], [MQTT-4.6.0-3].
#pragma once

#include <absl/container/flat_hash_set.h>

#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "base/lifeline.h"
#include "bridges/mqtt/bridge.h"
#include "bridges/mqtt/codec.h"
#include "bridges/mqtt/trace.h"
#include "session/peer.h"

namespace spanwire::mqtt {

// What a client did, or why its connection must be closed.
enum class Published : std::uint8_t { ok, too_many_levels, too_many_open };

class Publisher {
 public:
  // The session. Called when messages are stored, not inside calls of the publisher.
  class Owner {
   public:
    // is_full() no longer.
    virtual void on_stored() = 0;
    // A message may be stored or not, so it is never acknowledged: the connection must end.
    virtual void on_storing_failed(std::string_view reason) = 0;

   protected:
    ~Owner() = default;
  };

  // All outlive it.
  Publisher(session::Peer& peer, Bridge& bridge, const Trace& trace, Owner& owner);
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
  // So many messages wait to be stored that no more should come.
  bool is_full() const {
    return unacknowledged_.size() >= bridge_.settings().max_unstored_messages;
  }

 private:
  struct Body;
  // A message whose acknowledgement waits: for itself, or for one before it.
  struct Unacknowledged {
    std::uint16_t packet_id = 0;
    Qos qos = Qos::at_least_once;
    std::uint8_t waits = 0;  // for what keeps it
  };

  bool exceeds_levels(std::string_view topic);
  bus::MessageView message_of(const Publish& packet);
  Published accept(bus::MessageView message, std::uint16_t packet_id);
  Published accept_once(const bus::MessageView& message, std::uint16_t packet_id);
  bool is_unacknowledged(std::uint16_t packet_id) const;
  void store(bus::MessageView message, std::uint16_t packet_id);
  std::uint8_t keep(bus::MessageView& message, std::uint64_t number);
  void on_stored(std::uint64_t number, const bus::Storing& storing);
  void on_retained(std::uint64_t number, kit::Retention retention);
  void settle(std::uint64_t number);
  void acknowledge(std::uint16_t packet_id, Qos qos);
  void route(bus::MessageView message);

  session::Peer& peer_;
  Bridge& bridge_;
  const Trace& trace_;
  Owner& owner_;
  bus::Port* port_ = nullptr;
  std::unique_ptr<Body> body_;
  absl::flat_hash_set<std::uint16_t> open_;  // of QoS 2, between PUBLISH and PUBREL
  std::deque<Unacknowledged> unacknowledged_;
  std::uint64_t first_unacknowledged_ = 0;  // its number
  base::Ref<const bus::Message> will_;
  bool pressure_ = false;
  base::Lifeline lifeline_;
};

}  // namespace spanwire::mqtt
