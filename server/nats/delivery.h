// A message as one subscription of a NATS client gets it, written into the client's outbox.
#pragma once

#include <string>

#include "bus/receiver.h"
#include "session/peer.h"

namespace spanwire::nats {

// MSG, or HMSG if `with_headers`; `sid` is the client's own name of the subscription. What comes
// before the reply is kept in the target's note, and then the sid is not even looked at. A counted
// message of bus::by_reference_bytes and more goes by reference.
void send_delivery(session::Peer& peer, const bus::Target& target, const std::string& sid,
                   const bus::MessageView& message, bool with_headers);

}  // namespace spanwire::nats
