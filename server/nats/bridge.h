// What the NATS sessions of a loop share.
#pragma once

#include <optional>

#include "base/counter.h"
#include "nats/info.h"
#include "nats/settings.h"
#include "wire/wire.h"

namespace spanwire::nats {

struct Stats {
  base::Counter slow_consumers;
  base::Counter stale_connections;
  base::Counter no_responders;  // 503 answers
  base::Counter rejected;       // logins that failed
};

class Bridge final : public wire::Bridge {
 public:
  // `kind` is what this wire's messages carry as their origin.
  Bridge(wire::Services& services, const Settings& settings, bus::WireKind kind);

  wire::Services& services() { return services_; }
  const Settings& settings() const { return settings_; }
  bus::WireKind kind() const { return kind_; }
  // INFO as every client gets it, but for what is its own.
  const Info& info() const { return info_; }
  Stats& stats() { return stats_; }
  const wire::Tracer& tracer() const { return tracer_; }
  // True at most once a second: for lines that a crowd of clients would repeat.
  bool may_complain();
  std::vector<wire::Count> counts() const override;
  bool trace(const wire::TraceFilters& filters) override;

 private:
  wire::Services& services_;
  Settings settings_;
  bus::WireKind kind_;
  Info info_;
  Stats stats_;
  wire::Tracer tracer_;
  std::optional<base::Time> last_complaint_;
};

// The wire, for app/wires.cc.
wire::Wire make_wire(const Settings& settings, bus::WireKind kind);

}  // namespace spanwire::nats
