#include "app/wires.h"

#include "nats/bridge.h"

namespace spanwire::app {

std::vector<PlannedListener> plan_listeners(const ServerConfig& config) {
  std::vector<PlannedListener> plan;
  plan.push_back({0, config.nats, "Listening for client connections on ", "nats", "nats"});
  if (config.monitor) {
    plan.push_back(
        {plan.size(), *config.monitor, "Starting http monitor on ", "monitoring", "http"});
  }
  return plan;
}

std::vector<wire::Wire> make_wires(const ServerConfig& config, std::uint16_t nats_port) {
  nats::Settings nats_settings = config.nats_settings;
  nats_settings.host = config.nats.host;
  nats_settings.port = nats_port;
  std::vector<wire::Wire> wires;
  wires.push_back(nats::make_wire(nats_settings, 0));
  return wires;
}

}  // namespace spanwire::app
