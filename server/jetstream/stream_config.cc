#include "jetstream/stream_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "jetstream/go_time.h"
#include "jetstream/request_reader.h"
#include "jetstream/subjects.h"
#include "subject/transform.h"

namespace spanwire::jetstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Refused = std::optional<ApiError>;

constexpr std::int64_t max_replicas = 5;
constexpr base::Duration default_duplicate_window = minutes(2);
constexpr base::Duration shortest_age = milliseconds(100);
constexpr std::string_view everything = ">";

ApiError invalid(std::string_view text) {
  return api_error(Err::stream_invalid_config, text);
}

Refused check_texts(const StreamConfig& config) {
  if (!is_valid_name(config.name)) {
    return invalid("stream name is required and can not contain '.', '*', '>', '\\', '/'");
  }
  if (config.name.size() > max_name_bytes) {
    return invalid(fmt::format("stream name is too long, maximum allowed is {}", max_name_bytes));
  }
  if (config.description.size() > max_description_bytes) {
    return invalid(fmt::format("stream description is too long, maximum allowed is {}",
                               max_description_bytes));
  }
  std::size_t metadata_bytes = 0;
  for (const auto& [key, value] : config.metadata) metadata_bytes += key.size() + value.size();
  if (metadata_bytes > max_metadata_bytes) {
    return invalid(
        fmt::format("stream metadata exceeds maximum size of {} bytes", max_metadata_bytes));
  }
  return std::nullopt;
}

Refused settle_replicas(StreamConfig& config) {
  if (config.replicas == 0) config.replicas = 1;
  if (config.replicas > max_replicas) {
    return invalid(fmt::format("maximum replicas is {}", max_replicas));
  }
  if (config.replicas < 0) return api_error(Err::replicas_count_cannot_be_negative);
  return std::nullopt;
}

// A limit that is zero is none.
template <class Number>
Refused settle_limit(Number& limit, std::string_view name, bool pedantic) {
  if (limit > 0) return std::nullopt;
  if (pedantic && limit < -1) {
    return api_error(Err::pedantic, fmt::format("{} must be set to -1", name));
  }
  limit = -1;
  return std::nullopt;
}

Refused settle_limits(StreamConfig& config, bool pedantic) {
  if (auto refused = settle_limit(config.max_msgs, "max_msgs", pedantic)) return refused;
  if (auto refused = settle_limit(config.max_msgs_per_subject, "max_msgs_per_subject", pedantic)) {
    return refused;
  }
  if (auto refused = settle_limit(config.max_bytes, "max_bytes", pedantic)) return refused;
  if (auto refused = settle_limit(config.max_msg_size, "max_msg_size", pedantic)) return refused;
  if (auto refused = settle_limit(config.max_consumers, "max_consumers", pedantic)) return refused;
  if (config.max_age.count() < 0) return invalid("max age can not be negative");
  if (config.max_age.count() != 0 && config.max_age < shortest_age) {
    return invalid("max age needs to be >= 100ms");
  }
  return std::nullopt;
}

Refused default_window(StreamConfig& config, const StreamBounds& bounds, bool pedantic) {
  if (config.duplicate_window.count() != 0) return std::nullopt;
  base::Duration window = default_duplicate_window;
  const base::Duration bound = bounds.max_duplicate_window;
  if (bound.count() > 0 && window > bound) {
    if (pedantic) {
      return api_error(Err::pedantic, "duplicate window limits are higher than current limits");
    }
    window = bound;
  }
  if (config.max_age.count() != 0 && config.max_age < window) {
    if (pedantic) {
      return api_error(Err::pedantic, "duplicate window cannot be bigger than max age");
    }
    window = config.max_age;
  }
  config.duplicate_window = window;
  return std::nullopt;
}

Refused settle_window(StreamConfig& config, const StreamBounds& bounds, bool pedantic) {
  if (auto refused = default_window(config, bounds, pedantic)) return refused;
  const base::Duration window = config.duplicate_window;
  if (window.count() < 0) return invalid("duplicates window can not be negative");
  if (config.max_age.count() != 0 && window > config.max_age) {
    return invalid("duplicates window can not be larger then max age");
  }
  const base::Duration bound = bounds.max_duplicate_window;
  if (bound.count() > 0 && window > bound) {
    return invalid(fmt::format("duplicates window can not be larger then server limit of {}",
                               go_duration_text(bound)));
  }
  if (window.count() > 0 && window < shortest_age) {
    return invalid("duplicates window needs to be >= 100ms");
  }
  return std::nullopt;
}

Refused check_discard_per_subject(const StreamConfig& config) {
  if (!config.discard_new_per_subject) return std::nullopt;
  if (config.discard != Discard::new_messages) {
    return invalid("discard new per subject requires discard new policy to be set");
  }
  if (config.max_msgs_per_subject <= 0) {
    return invalid("discard new per subject requires max msgs per subject > 0");
  }
  return std::nullopt;
}

// Markers need messages with a time to live and rollups.
Refused settle_markers(StreamConfig& config, bool pedantic) {
  const base::Duration ttl = config.subject_delete_marker_ttl;
  if (ttl.count() == 0) return std::nullopt;
  if (ttl.count() < 0) return invalid("subject delete marker TTL must not be negative");
  if (ttl < seconds(1)) return invalid("subject delete marker TTL must be at least 1 second");
  if (!config.allow_msg_ttl) {
    if (pedantic) {
      return invalid("subject delete marker cannot be set if message TTLs are disabled");
    }
    config.allow_msg_ttl = true;
  }
  if (!config.allow_rollup) {
    if (pedantic) return invalid("subject delete marker cannot be set if roll-ups are disabled");
    config.allow_rollup = true;
    config.deny_purge = false;
  }
  return std::nullopt;
}

// A stream that would answer what it stores must not store what the server itself answers.
Refused check_acknowledged_subject(const std::string& subject) {
  for (const std::string_view space : {"$JS.>", "$JSC.>", "$NRG.>"}) {
    if (subjects_collide(subject, space) && !is_subset(subject, "$JS.EVENT.>")) {
      return invalid("subjects that overlap with jetstream api require no-ack to be true");
    }
  }
  if (subjects_collide(subject, "$SYS.>") && !is_subset(subject, "$SYS.ACCOUNT.>")) {
    return invalid("subjects that overlap with system api require no-ack to be true");
  }
  return std::nullopt;
}

Refused check_subject(const StreamConfig& config, const std::string& subject) {
  if (!is_valid_subject(subject)) return invalid("invalid subject");
  if (subject == everything && !config.no_ack) {
    return invalid("capturing all subjects requires no-ack to be true");
  }
  if (subject == everything && config.replicas != 1) {
    return invalid("capturing all subjects requires replicas of 1");
  }
  return config.no_ack ? std::nullopt : check_acknowledged_subject(subject);
}

Refused settle_subjects(StreamConfig& config) {
  if (config.subjects.empty()) {
    config.subjects.push_back(config.name);
    return std::nullopt;
  }
  for (auto subject = config.subjects.begin(); subject != config.subjects.end(); ++subject) {
    if (auto refused = check_subject(config, *subject)) return refused;
    const auto other =
        std::find_if(subject + 1, config.subjects.end(),
                     [&](const std::string& one) { return subjects_collide(one, *subject); });
    if (other != config.subjects.end()) {
      return invalid(
          fmt::format("subject {} overlaps with {}", go_quoted(*subject), go_quoted(*other)));
    }
  }
  return std::nullopt;
}

Refused check_account(const StreamConfig& config, const StreamBounds& bounds) {
  if (bounds.max_bytes_required && config.max_bytes <= 0) {
    return api_error(Err::stream_max_bytes_required);
  }
  if (bounds.max_stream_bytes > 0 && config.max_bytes > bounds.max_stream_bytes) {
    return api_error(Err::stream_max_stream_bytes_exceeded);
  }
  return std::nullopt;
}

tl::expected<subject::Transform, std::string> parse_transform(std::string_view source,
                                                              std::string_view destination) {
  return subject::Transform::parse(source.empty() ? everything : source, destination);
}

Refused check_transform(const StreamConfig& config) {
  if (!config.subject_transform) return std::nullopt;
  const auto& [source, destination] = *config.subject_transform;
  if (!source.empty() && !is_valid_subject(source)) {
    return api_error(Err::stream_transform_invalid_source,
                     fmt::format("invalid subject {}", source));
  }
  if (destination.empty()) return std::nullopt;  // nothing is transformed
  const auto transform = parse_transform(source, destination);
  if (transform) return std::nullopt;
  return api_error(Err::stream_transform_invalid_destination, transform.error());
}

// Republishing everything as everything means what the only subject is transformed to.
Refused settle_implicit_republish(StreamConfig& config, bool pedantic) {
  RepublishConfig& republish = *config.republish;
  const bool implicit = republish.source == everything && republish.destination == everything &&
                        config.subject_transform && config.subjects.size() == 1 &&
                        config.subject_transform->source == config.subjects.front() &&
                        !config.subject_transform->destination.empty();
  if (!implicit) return std::nullopt;
  if (pedantic) {
    return api_error(Err::pedantic, "implicit republish based on subject transform");
  }
  republish.source = config.subject_transform->destination;
  republish.destination = republish.source;
  return std::nullopt;
}

Refused settle_republish(StreamConfig& config, bool pedantic) {
  if (!config.republish) return std::nullopt;
  RepublishConfig& republish = *config.republish;
  if (republish.source.empty()) {
    if (pedantic) return api_error(Err::pedantic, "republish source can not be empty");
    republish.source = std::string(everything);
  }
  if (auto refused = settle_implicit_republish(config, pedantic)) return refused;
  for (const std::string& subject : config.subjects) {
    if (subjects_collide(republish.destination, subject)) {
      return invalid("stream configuration for republish destination forms a cycle");
    }
  }
  if (republish.destination.empty()) return std::nullopt;  // nothing is republished
  if (parse_transform(republish.source, republish.destination)) return std::nullopt;
  return invalid(
      fmt::format("stream configuration for republish with transform from '{}' to '{}' not valid",
                  republish.source, republish.destination));
}

}  // namespace

std::optional<ApiError> check_stream_create(const StreamConfig& config, std::string_view name) {
  if (config.name != name) return api_error(Err::stream_mismatch);
  if (name.find_first_of("\\/") != std::string_view::npos) {
    return api_error(Err::stream_name_contains_path_separators);
  }
  if (config.sealed) return invalid("stream configuration for create can not be sealed");
  if (config.mirror_direct) return invalid("stream has no mirror but does have mirror direct");
  return std::nullopt;
}

std::optional<ApiError> check_stream_config(StreamConfig& config, const StreamBounds& bounds,
                                            bool pedantic) {
  if (auto refused = check_texts(config)) return refused;
  if (auto refused = settle_replicas(config)) return refused;
  if (auto refused = settle_limits(config, pedantic)) return refused;
  if (auto refused = settle_window(config, bounds, pedantic)) return refused;
  if (config.deny_purge && config.allow_rollup) {
    return invalid("roll-ups require the purge permission");
  }
  if (auto refused = check_discard_per_subject(config)) return refused;
  if (auto refused = settle_markers(config, pedantic)) return refused;
  if (auto refused = settle_subjects(config)) return refused;
  if (auto refused = check_account(config, bounds)) return refused;
  if (auto refused = check_transform(config)) return refused;
  if (auto refused = settle_republish(config, pedantic)) return refused;
  if (config.replicas > 1) return api_error(Err::stream_replicas_not_supported);
  return std::nullopt;
}

std::optional<ApiError> check_stream_update(const StreamConfig& old, StreamConfig& fresh) {
  if (fresh.name != old.name) return invalid("stream configuration name must match original");
  if (fresh.storage != old.storage) {
    return invalid("stream configuration update can not change storage type");
  }
  const bool work_queue =
      fresh.retention == Retention::work_queue || old.retention == Retention::work_queue;
  if (fresh.retention != old.retention && work_queue) {
    return invalid("stream configuration update can not change retention policy to/from workqueue");
  }
  if (old.sealed && !fresh.sealed) {
    return invalid("stream configuration update can not unseal a sealed stream");
  }
  if (old.deny_delete && !fresh.deny_delete) {
    return invalid("stream configuration update can not cancel deny message deletes");
  }
  if (old.deny_purge && !fresh.deny_purge) {
    return invalid("stream configuration update can not cancel deny purge");
  }
  if (old.allow_msg_ttl && !fresh.allow_msg_ttl) {
    return invalid("message TTL status can not be disabled");
  }
  if (fresh.sealed) {
    fresh.max_age = base::Duration(0);
    fresh.discard = Discard::new_messages;
    fresh.deny_delete = true;
    fresh.deny_purge = true;
    fresh.allow_rollup = false;
  }
  return std::nullopt;
}

bool same_stream(const StreamConfig& a, const StreamConfig& b) {
  StreamConfig own_a = a;
  StreamConfig own_b = b;
  own_a.metadata = own_metadata(a.metadata);
  own_b.metadata = own_metadata(b.metadata);
  return own_a == own_b;
}

void set_required_level(StreamConfig& config) {
  // Messages' own times to live came with level 1.
  const bool lives = config.allow_msg_ttl || config.subject_delete_marker_ttl.count() > 0;
  set_required_level(config.metadata, lives ? 1 : 0);
}

}  // namespace spanwire::jetstream
