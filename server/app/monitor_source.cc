#include "app/monitor_source.h"

#include <chrono>
#include <thread>

#include "app/wires.h"

namespace spanwire::app {

monitor::NetCounts MonitorSource::net_counts(base::LoopId loop) const {
  const net::LoopCounts& counts = assembly_.net().loop(loop).counts();
  return {.accepted = counts.accepted.get(),
          .closed = counts.closed.get(),
          .slow_writers = counts.slow_writers.get(),
          .reads = counts.transfers.reads.get(),
          .writes = counts.transfers.writes.get()};
}

std::uint64_t MonitorSource::accepted_connections() const {
  return assembly_.net().total_connections();
}

std::uint64_t MonitorSource::refused_connections() const {
  return assembly_.net().refused_connections();
}

monitor::Facts monitor_facts(const ServerConfig& config, const std::vector<std::uint16_t>& ports,
                             const std::vector<wire::Wire>& wires) {
  monitor::Facts facts;
  facts.nats = config.nats_settings;
  facts.nats.host = config.nats.host;
  facts.nats.port = ports[0];
  facts.auth_required = config.auth.required();
  facts.max_connections = config.net.max_connections;
  facts.write_deadline = config.net.loop.write_deadline;
  for (const PlannedListener& planned : plan_listeners(config)) {
    facts.listeners.push_back(
        {std::string(wires[planned.wire].name), planned.address.host, ports[planned.wire]});
  }
  facts.start = std::chrono::system_clock::now();
  facts.config_digest = config.digest;
  facts.cores = std::thread::hardware_concurrency();
  return facts;
}

}  // namespace spanwire::app
