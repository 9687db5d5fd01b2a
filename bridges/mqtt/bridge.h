// What the MQTT sessions of a loop share.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/counter.h"
#include "bridges/kit/retained.h"
#include "bridges/mqtt/client_ids.h"
#include "bridges/mqtt/settings.h"
#include "wire/wire.h"

namespace spanwire::mqtt {

struct Stats {
  base::Counter sessions;             // now: clients that were let in and are connected
  base::Counter publishes_in;         // PUBLISH packets taken, those included that go nowhere
  base::Counter publishes_out;        // and sent
  base::Counter malformed;            // packets, each closed its connection
  base::Counter packets_too_large;    // of those, above the maximum size
  base::Counter logins_refused;       // CONNACK 4 and 5
  base::Counter client_ids_refused;   // CONNACK 2
  base::Counter versions_refused;     // CONNACK 1
  base::Counter connections_refused;  // CONNACK 3: one more than the server may have
  base::Counter connect_timeouts;
  base::Counter keep_alive_timeouts;
  base::Counter taken_over;         // closed for another connection with the same client id
  base::Counter sessions_not_kept;  // with clean session 0
  base::Counter wills;              // published
  base::Counter levels_exceeded;    // topics and filters
  base::Counter open_exceeded;      // connections closed for too many messages of QoS 2 under way
  base::Counter publishes_refused;  // no permission or a reserved topic: acknowledged, not routed
  base::Counter publishes_not_stored;   // a limit of what would keep them: acknowledged, routed
  base::Counter storing_failed;         // connections closed: a message may be stored or not
  base::Counter storing_waits;          // of a client's input, for messages to be stored
  base::Counter subscriptions_refused;  // SUBACK 0x80
  base::Counter granted_lower_qos;      // filters that asked for QoS 1 or 2
  base::Counter unspellable;            // not delivered: no topic maps to the subject
  base::Counter oversized;              // not delivered: larger than a packet can be
  base::Counter dropped_pending;        // not delivered: the client does not keep up
};

class Bridge;
class Session;

// The bridges of all loops, by loop: complete before the first loop runs.
using Bridges = std::vector<Bridge*>;

class Bridge final : public wire::Bridge {
 public:
  // `kind` is what this wire's messages carry as their origin.
  Bridge(wire::Services& services, const Settings& settings, bus::WireKind kind,
         kit::RetainedStores& stores, std::shared_ptr<const Bridges> all);

  wire::Services& services() { return services_; }
  const Settings& settings() const { return settings_; }
  bus::WireKind kind() const { return kind_; }
  kit::Retained& retained() { return retained_; }
  Stats& stats() { return stats_; }
  std::vector<wire::Count> counts() const override;
  const wire::Tracer& tracer() const { return tracer_; }
  bool trace(const wire::TraceFilters& filters) override;

  // Asks for the client id; the connection that holds it is closed first. Later calls
  // Session::on_client_id(), or closes the session if another one asks meanwhile.
  void claim(const ClientKey& key, std::uint64_t connection, Session& session);
  // For each claim, when the session ends.
  void release(const ClientKey& key, std::uint64_t connection);

  // The subject as PUBLISH has its topic, the two bytes of its size at the front; empty if no topic
  // maps to it. Valid until the next call.
  std::string_view topic_field(std::string_view subject);
  // Room to spell a subject in, for the use of one call.
  std::string& scratch() {
    scratch_.clear();
    return scratch_;
  }

 private:
  base::LoopId home(const ClientKey& key) const;
  void take_claim(const ClientKey& key, const ClientHolder& claimant);
  void take_release(const ClientKey& key, const ClientHolder& holder);
  void tell_granted(const ClientHolder& holder);
  void tell_displaced(const ClientHolder& holder);
  ClientHolder holder(std::uint64_t connection) const;

  wire::Services& services_;
  Settings settings_;
  bus::WireKind kind_;
  kit::Retained& retained_;
  std::shared_ptr<const Bridges> all_;
  Stats stats_;
  wire::Tracer tracer_;
  absl::flat_hash_map<std::uint64_t, Session*> claimants_;  // of this loop, by connection
  ClientIds client_ids_;                                    // whose home this loop is
  std::string last_subject_;                                // what topic_field_ was made of
  std::string topic_field_;
  std::string scratch_;
};

// The wire, for app/wires.cc. All wires share the retained messages.
wire::Wire make_wire(const Settings& settings, bus::WireKind kind,
                     std::shared_ptr<kit::RetainedStores> stores);

}  // namespace spanwire::mqtt
