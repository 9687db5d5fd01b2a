// Messages on their way to a client: PUBLISH with QoS 0.
#pragma once

#include "bridges/mqtt/bridge.h"
#include "bus/receiver.h"
#include "session/peer.h"

namespace spanwire::mqtt {

// Sends the message, or counts why not: its subject has no topic, it is too large for a packet, the
// client has too much pending. `note` is the match's, or null.
bool send_publish(session::Peer& peer, Bridge& bridge, const bus::MessageView& message,
                  bus::Note* note, bool retain);

}  // namespace spanwire::mqtt
