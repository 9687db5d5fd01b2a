// What a client and the server send each other, as the log shows it: one line a packet, without
// payloads and passwords. Who traces what is decided elsewhere (wire/tracer.h).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "bridges/mqtt/codec.h"
#include "bus/message.h"
#include "session/peer.h"
#include "wire/tracer.h"

namespace spanwire::mqtt {

// `CONNECT client "x" keepalive 60`, with what else it says.
std::string packet_text(const Connect& packet);
std::string packet_text(const UnsupportedConnect& packet);
std::string packet_text(const Connack& packet);
// `PUBLISH a/b 5 bytes qos 0`; of a packet that has not all come, the payload's whole size.
std::string publish_text(const Publish& packet, std::size_t payload_size_bytes);
std::string packet_text(const Publish& packet);
std::string packet_text(const Puback& packet);
std::string packet_text(const Pubrec& packet);
std::string packet_text(const Pubrel& packet);
std::string packet_text(const Pubcomp& packet);
std::string packet_text(const Subscribe& packet);
std::string packet_text(const Suback& packet);
std::string packet_text(const Unsubscribe& packet);
std::string packet_text(const Unsuback& packet);
std::string packet_text(const Pingreq& packet);
std::string packet_text(const Pingresp& packet);
std::string packet_text(const Disconnect& packet);

// The trace of one connection. All but on() is only called while that is true.
class Trace {
 public:
  // Both outlive it.
  Trace(const session::Peer& peer, const wire::Tracer& tracer) : peer_(peer), tracer_(tracer) {}

  bool on() const { return tracer_.on(); }

  void received(const ClientPacket& packet) const;
  void received(const PublishHead& head) const;
  // What is about no topic.
  void sent(std::string_view text) const;
  // A message; `subject` is what it came with, `packet` how the client gets it.
  void delivered(std::string_view subject, const Publish& packet) const;
  // A will that is published, unless it may not be and has no subject.
  void will(const bus::MessageView& message) const;

 private:
  bool wants_topic(std::string_view topic) const;
  bool wants_filter(std::string_view filter) const;
  bool wants_packet(const Publish& packet) const;
  bool wants_packet(const Subscribe& packet) const;
  bool wants_packet(const Unsubscribe& packet) const;
  template <class Packet>
  bool wants_packet(const Packet& packet) const;
  void write(std::string_view direction, std::string_view text) const;

  const session::Peer& peer_;
  const wire::Tracer& tracer_;
};

}  // namespace spanwire::mqtt
