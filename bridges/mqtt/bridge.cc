#include "bridges/mqtt/bridge.h"

#include <fmt/format.h>

#include "bridges/mqtt/session.h"
#include "bridges/mqtt/text.h"
#include "logging/logging.h"
#include "subject/slash.h"

namespace spanwire::mqtt {

Bridge::Bridge(wire::Services& services, const Settings& settings, bus::WireKind kind,
               kit::RetainedStores& stores, std::shared_ptr<const Bridges> all)
    : services_(services),
      settings_(settings),
      kind_(kind),
      retained_(stores.open(services)),
      all_(std::move(all)),
      tracer_(logging::get("mqtt").is_on(logging::Level::trace)) {}

bool Bridge::trace(const wire::TraceFilters& filters) {
  tracer_.set(filters);
  return true;
}

std::vector<wire::Count> Bridge::counts() const {
  std::vector<wire::Count> counts = {
      {"sessions", stats_.sessions.get()},
      {"stale_connections", stats_.keep_alive_timeouts.get()},
      {"rejected_logins", stats_.logins_refused.get()},
      {"rejected_client_ids", stats_.client_ids_refused.get()},
      {"rejected_versions", stats_.versions_refused.get()},
      {"rejected_connections", stats_.connections_refused.get()},
      {"connect_timeouts", stats_.connect_timeouts.get()},
      {"taken_over", stats_.taken_over.get()},
      {"sessions_not_kept", stats_.sessions_not_kept.get()},
      {"wills", stats_.wills.get()},
      {"publishes_in", stats_.publishes_in.get()},
      {"publishes_out", stats_.publishes_out.get()},
      {"publishes_refused", stats_.publishes_refused.get()},
      {"dropped_pending", stats_.dropped_pending.get()},
      {"dropped_oversized", stats_.oversized.get()},
      {"dropped_no_topic", stats_.unspellable.get()},
      {"subscriptions_refused", stats_.subscriptions_refused.get()},
      {"granted_lower_qos", stats_.granted_lower_qos.get()},
      {"malformed_packets", stats_.malformed.get()},
      {"packets_too_large", stats_.packets_too_large.get()},
      {"topic_levels_exceeded", stats_.levels_exceeded.get()},
      {"open_messages_exceeded", stats_.open_exceeded.get()},
      {"publishes_not_stored", stats_.publishes_not_stored.get()},
      {"storing_failed", stats_.storing_failed.get()},
      {"storing_waits", stats_.storing_waits.get()},
  };
  append_counts(retained_.stats(), counts);
  return counts;
}

base::LoopId Bridge::home(const ClientKey& key) const {
  return services_.home(key.first, fmt::format("mqtt.client.{}", key.second));
}

ClientHolder Bridge::holder(std::uint64_t connection) const {
  return {services_.loop().id(), connection};
}

void Bridge::claim(const ClientKey& key, std::uint64_t connection, Session& session) {
  claimants_.emplace(connection, &session);
  Bridge* there = (*all_)[home(key)];
  services_.post(there->services_.loop().id(),
                 [there, key, claimant = holder(connection)] { there->take_claim(key, claimant); });
}

void Bridge::release(const ClientKey& key, std::uint64_t connection) {
  claimants_.erase(connection);
  Bridge* there = (*all_)[home(key)];
  services_.post(there->services_.loop().id(),
                 [there, key, holder = holder(connection)] { there->take_release(key, holder); });
}

void Bridge::take_claim(const ClientKey& key, const ClientHolder& claimant) {
  const auto displaced = client_ids_.claim(key, claimant);
  if (displaced) {
    tell_displaced(*displaced);
  } else {
    tell_granted(claimant);
  }
}

void Bridge::take_release(const ClientKey& key, const ClientHolder& holder) {
  if (const auto next = client_ids_.release(key, holder)) tell_granted(*next);
}

// A session that has ended meanwhile is not told; its release is on the way.
void Bridge::tell_granted(const ClientHolder& holder) {
  Bridge* there = (*all_)[holder.loop];
  services_.post(holder.loop, [there, connection = holder.connection] {
    const auto found = there->claimants_.find(connection);
    if (found != there->claimants_.end()) found->second->on_client_id();
  });
}

void Bridge::tell_displaced(const ClientHolder& holder) {
  Bridge* there = (*all_)[holder.loop];
  services_.post(holder.loop, [there, connection = holder.connection] {
    const auto found = there->claimants_.find(connection);
    if (found != there->claimants_.end()) found->second->on_taken_over();
  });
}

// A message that goes to many sessions is spelled once.
std::string_view Bridge::topic_field(std::string_view subject) {
  if (subject == last_subject_) return topic_field_;
  last_subject_ = subject;
  topic_field_.assign(2, '\0');
  const bool spelled = subject::subject_to_topic(subject, topic_field_) == subject::Spelling::ok &&
                       check_text(std::string_view(topic_field_).substr(2)) == Text::ok;
  if (!spelled) {
    topic_field_.clear();
    return {};
  }
  const std::size_t size = topic_field_.size() - 2;
  topic_field_[0] = static_cast<char>(size >> 8);
  topic_field_[1] = static_cast<char>(size & 0xff);
  return topic_field_;
}

wire::Wire make_wire(const Settings& settings, bus::WireKind kind,
                     std::shared_ptr<kit::RetainedStores> stores) {
  auto all = std::make_shared<Bridges>();
  return {
      .name = "mqtt",
      .start =
          [settings, kind, stores = std::move(stores), all](wire::Services& services) {
            all->resize(services.loops());
            auto bridge = std::make_unique<Bridge>(services, settings, kind, *stores, all);
            (*all)[services.loop().id()] = bridge.get();
            return bridge;
          },
      .open =
          [](session::Peer& peer, wire::Bridge& bridge) {
            return std::make_unique<Session>(peer, static_cast<Bridge&>(bridge));
          },
  };
}

}  // namespace spanwire::mqtt
