// What the monitoring pages see of the server that app put together.
#pragma once

#include "app/assembly.h"
#include "app/process_usage.h"
#include "app/server_config.h"
#include "monitor/source.h"

namespace spanwire::app {

class MonitorSource final : public monitor::Source {
 public:
  explicit MonitorSource(Assembly& assembly) : assembly_(assembly) {}
  // Before the loops start.
  void set_facts(monitor::Facts facts) { facts_ = std::move(facts); }
  void set_jetstream(jetstream::Server& server) { jetstream_ = &server; }

  jetstream::Server* jetstream() const override { return jetstream_; }
  session::Turn& turn(base::LoopId loop) override { return assembly_.net().loop(loop).turn(); }
  void visit_bridges(base::LoopId loop,
                     absl::FunctionRef<void(std::string_view wire, wire::Bridge&)> visit) override {
    assembly_.visit_bridges(loop, visit);
  }
  const monitor::Facts& facts() const override { return facts_; }
  monitor::NetCounts net_counts(base::LoopId loop) const override;
  std::uint64_t accepted_connections() const override;
  std::uint64_t refused_connections() const override;
  std::size_t buffered_bytes() const override { return assembly_.net().ledger().total(); }
  monitor::Usage usage() override { return usage_.read(); }

 private:
  Assembly& assembly_;
  jetstream::Server* jetstream_ = nullptr;
  monitor::Facts facts_;
  ProcessUsage usage_;
};

// What is so from now on; `ports` and `wires` are those of plan_listeners().
monitor::Facts monitor_facts(const ServerConfig& config, const std::vector<std::uint16_t>& ports,
                             const std::vector<wire::Wire>& wires);

}  // namespace spanwire::app
