// Packets on their way to a client. Messages are PUBLISH with QoS 0.
#pragma once

#include "bridges/mqtt/bridge.h"
#include "bridges/mqtt/codec.h"
#include "bridges/mqtt/trace.h"
#include "bus/receiver.h"
#include "session/peer.h"

namespace spanwire::mqtt {

// Sends the message, or counts why not: its subject has no topic, it is too large for a packet, the
// client has too much pending. `note` is the match's, or null.
bool send_publish(session::Peer& peer, Bridge& bridge, const bus::MessageView& message,
                  bus::Note* note, bool retain);

// A packet that answers one.
template <class Packet>
void send_answer(session::Peer& peer, const Trace& trace, const Packet& packet) {
  const std::size_t size = encoded_size_bytes(packet);
  encode(packet, {peer.reserve(size), size});
  peer.commit(size);
  if (trace.on()) [[unlikely]] {
    trace.sent(packet_text(packet));
  }
}

}  // namespace spanwire::mqtt
