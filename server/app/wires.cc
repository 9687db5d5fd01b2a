#include "app/wires.h"

#include "bridges/http_broker/bridge.h"
#include "bridges/kit/retained.h"
#include "bridges/mqtt/bridge.h"
#include "jetstream/api_level.h"
#include "nats/bridge.h"

namespace spanwire::app {

std::vector<PlannedListener> plan_listeners(const ServerConfig& config) {
  std::vector<PlannedListener> plan;
  plan.push_back({0, config.nats, "Listening for client connections on ", "nats", "nats"});
  if (config.mqtt) {
    plan.push_back(
        {plan.size(), *config.mqtt, "Listening for MQTT clients on mqtt://", "mqtt", "mqtt"});
  }
  if (config.http_broker) {
    plan.push_back({plan.size(), *config.http_broker,
                    "Listening for HTTP broker clients on http://", "http_broker", "http"});
  }
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
  nats_settings.jetstream = config.jetstream.enabled;
  nats_settings.domain = config.jetstream.settings.domain;
  nats_settings.api_level = jetstream::api_level;
  std::vector<wire::Wire> wires;
  // A wire's kind is its index. They share the retained messages.
  const auto next_kind = [&wires] { return static_cast<bus::WireKind>(wires.size()); };
  const auto retained = std::make_shared<kit::RetainedStores>(config.retained_limits);
  wires.push_back(nats::make_wire(nats_settings, next_kind()));
  if (config.mqtt) {
    wires.push_back(mqtt::make_wire(config.mqtt_settings, next_kind(), retained));
  }
  if (config.http_broker) {
    wires.push_back(http_broker::make_wire(config.http_broker_settings, next_kind(), retained));
  }
  return wires;
}

}  // namespace spanwire::app
