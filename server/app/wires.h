// The list of wires: the one place that knows every protocol.
#pragma once

#include <string>
#include <vector>

#include "app/assembly.h"
#include "app/ports_file.h"
#include "app/server_config.h"

namespace spanwire::app {

// A listener that the configuration asks for, of the wire at `wire` in make_wires().
struct PlannedListener {
  std::size_t wire = 0;
  ListenerAddress address;
  std::string announcement;  // "Listening for client connections on "
  std::string group;         // of the ports file
  std::string scheme;        // of its URLs there
};

// In the order of the wires, NATS first, monitoring last.
std::vector<PlannedListener> plan_listeners(const ServerConfig& config);

// One wire for each planned listener, at the same index, but none for monitoring: it is made where
// there is something to watch. `nats_port` is the real one.
std::vector<wire::Wire> make_wires(const ServerConfig& config, std::uint16_t nats_port);

}  // namespace spanwire::app
