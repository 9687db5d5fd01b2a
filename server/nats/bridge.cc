#include "nats/bridge.h"

#include "logging/logging.h"
#include "nats/session.h"

namespace spanwire::nats {

Bridge::Bridge(wire::Services& services, const Settings& settings, bus::WireKind kind)
    : services_(services),
      settings_(settings),
      kind_(kind),
      tracer_(logging::get("nats").is_on(logging::Level::trace)) {
  const wire::ServerIdentity& identity = services.identity();
  info_.server_id = identity.id;
  info_.server_name = identity.name;
  info_.version = identity.nats_version;
  info_.spanwire = identity.version;
  info_.go = "none";  // clients require the field; this server is not written in Go
  info_.host = settings.host;
  info_.port = settings.port;
  info_.jetstream = settings.jetstream;
  info_.domain = settings.domain;
  info_.api_lvl = settings.api_level;
  info_.auth_required = !services.anonymous();
  info_.max_payload = static_cast<std::int32_t>(settings.max_payload);
}

std::vector<wire::Count> Bridge::counts() const {
  return {{"slow_consumers", stats_.slow_consumers.get()},
          {"stale_connections", stats_.stale_connections.get()},
          {"no_responders", stats_.no_responders.get()},
          {"rejected_logins", stats_.rejected.get()}};
}

bool Bridge::trace(const wire::TraceFilters& filters) {
  tracer_.set(filters);
  return true;
}

bool Bridge::may_complain() {
  const base::Time now = services_.loop().now();
  if (last_complaint_ && now - *last_complaint_ < std::chrono::seconds(1)) return false;
  last_complaint_ = now;
  return true;
}

wire::Wire make_wire(const Settings& settings, bus::WireKind kind) {
  return {
      .name = "nats",
      .start =
          [settings, kind](wire::Services& services) {
            return std::make_unique<Bridge>(services, settings, kind);
          },
      .open =
          [](session::Peer& peer, wire::Bridge& bridge) {
            return std::make_unique<Session>(peer, static_cast<Bridge&>(bridge));
          },
  };
}

}  // namespace spanwire::nats
