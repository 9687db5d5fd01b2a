#include "jetstream/consumer_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "jetstream/go_time.h"
#include "jetstream/request_reader.h"
#include "jetstream/subjects.h"
#include "subject/subject.h"

namespace spanwire::jetstream {
namespace {

using std::chrono::milliseconds;
using Refused = std::optional<ApiError>;

constexpr base::Duration shortest_heartbeat = milliseconds(100);
constexpr base::Duration shortest_expires = milliseconds(1);

ApiError invalid(std::string_view text) {
  return api_error(Err::stream_invalid_config, text);
}

ApiError pedantic_error(std::string_view text) {
  return api_error(Err::pedantic, text);
}

// Below `least` a limit means `least`.
template <class Number>
Refused raise(Number& limit, Number least, std::string_view complaint, bool pedantic) {
  if (limit >= least) return std::nullopt;
  if (pedantic) return pedantic_error(complaint);
  limit = least;
  return std::nullopt;
}

Refused settle_negatives(ConsumerConfig& config, bool pedantic) {
  const auto negative = [&](auto& limit, std::string_view name) {
    using Number = std::remove_reference_t<decltype(limit)>;
    return raise(limit, Number{}, fmt::format("{} must not be negative", name), pedantic);
  };
  const std::int64_t none = -1;
  if (auto refused = raise(config.max_deliver, none, "max_deliver must be set to -1", pedantic)) {
    return refused;
  }
  if (config.max_deliver == 0) config.max_deliver = none;
  if (auto refused = negative(config.max_waiting, "max_waiting")) return refused;
  if (auto refused =
          raise(config.max_ack_pending, none, "max_ack_pending must be set to -1", pedantic)) {
    return refused;
  }
  if (auto refused = negative(config.max_batch, "max_batch")) return refused;
  if (auto refused = negative(config.max_expires, "max_expires")) return refused;
  if (auto refused = negative(config.max_bytes, "max_bytes")) return refused;
  if (auto refused = negative(config.idle_heartbeat, "idle_heartbeat")) return refused;
  return negative(config.inactive_threshold, "inactive_threshold");
}

// What the stream says for consumers that say nothing.
Refused settle_stream_limits(ConsumerConfig& config, const ConsumerLimits& limits, bool pedantic) {
  if (config.max_ack_pending == 0) {
    if (pedantic && limits.max_ack_pending > 0) {
      return pedantic_error("max_ack_pending must be set if it's configured in stream limits");
    }
    config.max_ack_pending = limits.max_ack_pending;
  }
  if (config.inactive_threshold.count() == 0) {
    if (pedantic && limits.inactive_threshold.count() > 0) {
      return pedantic_error("inactive_threshold must be set if it's configured in stream limits");
    }
    config.inactive_threshold = limits.inactive_threshold;
  }
  return std::nullopt;
}

std::int64_t default_pending(const ConsumerBounds& bounds) {
  std::int64_t pending = default_max_ack_pending;
  for (const std::int64_t bound : {bounds.server_max_ack_pending, bounds.account_max_ack_pending}) {
    if (bound > 0) pending = std::min(pending, bound);
  }
  return pending;
}

Refused settle_defaults(ConsumerConfig& config, const StreamConfig& stream,
                        const ConsumerBounds& bounds, bool pedantic) {
  if (auto refused = settle_negatives(config, pedantic)) return refused;
  if (config.is_pull() && config.max_waiting == 0) config.max_waiting = default_max_waiting;
  if (config.ack_wait.count() == 0 && config.ack_policy != AckPolicy::none) {
    config.ack_wait = default_ack_wait;
  }
  if (!config.backoff.empty()) {
    if (pedantic && config.ack_wait != config.backoff.front()) {
      return pedantic_error("first backoff value has to equal batch AckWait");
    }
    config.ack_wait = config.backoff.front();
  }
  if (auto refused = settle_stream_limits(config, stream.consumer_limits, pedantic)) {
    return refused;
  }
  if (config.max_ack_pending == 0 && config.ack_policy != AckPolicy::none) {
    config.max_ack_pending = default_pending(bounds);
  }
  if (config.is_pull() && config.max_batch == 0 && bounds.max_request_batch > 0) {
    if (pedantic) {
      return pedantic_error("max_request_batch must be set if it's JetStream limits are set");
    }
    config.max_batch = bounds.max_request_batch;
  }
  return std::nullopt;
}

Refused check_names(const ConsumerConfig& config) {
  if (!config.name.empty() && !is_valid_name(config.name)) {
    return invalid("consumer name can not contain '.', '*', '>', '\\', '/'");
  }
  if (config.is_durable() && !is_valid_name(config.durable)) {
    return invalid("consumer durable name can not contain '.', '*', '>', '\\', '/'");
  }
  if (config.replicas < 0) return api_error(Err::replicas_count_cannot_be_negative);
  return std::nullopt;
}

Refused check_waits(const ConsumerConfig& config) {
  const bool negative = std::any_of(config.backoff.begin(), config.backoff.end(),
                                    [](base::Duration wait) { return wait.count() < 0; });
  if (negative) return api_error(Err::consumer_back_off_negative);
  if (config.ack_wait.count() < 0) return api_error(Err::consumer_ack_wait_negative);
  const auto steps = static_cast<std::int64_t>(config.backoff.size());
  if (steps > 0 && config.max_deliver != -1 && steps > config.max_deliver) {
    return api_error(Err::consumer_max_deliver_backoff);
  }
  if (config.description.size() > max_description_bytes) {
    return api_error(Err::consumer_description_too_long, max_description_bytes);
  }
  return std::nullopt;
}

Refused check_push(const ConsumerConfig& config, const StreamConfig& stream) {
  const std::string& to = config.deliver_subject;
  subject::Tokens tokens(to);
  for (std::string_view token; tokens.next(token);) {
    if (token == "*" || token == ">") return api_error(Err::consumer_deliver_to_wildcards);
  }
  if (!is_valid_subject(to)) return api_error(Err::consumer_invalid_deliver_subject);
  const bool cycle = std::any_of(stream.subjects.begin(), stream.subjects.end(),
                                 [&](const std::string& one) { return is_subset(to, one); });
  if (cycle) return api_error(Err::consumer_deliver_cycle);
  if (config.max_waiting != 0) return api_error(Err::consumer_push_max_waiting);
  if (config.max_ack_pending > 0 && config.ack_policy == AckPolicy::none) {
    return api_error(Err::consumer_max_pending_ack_policy_required);
  }
  if (config.idle_heartbeat.count() > 0 && config.idle_heartbeat < shortest_heartbeat) {
    return api_error(Err::consumer_small_heartbeat);
  }
  return std::nullopt;
}

Refused check_pull(const ConsumerConfig& config, const StreamConfig& stream,
                   const ConsumerBounds& bounds) {
  if (config.ack_policy == AckPolicy::none && stream.retention == Retention::work_queue) {
    return api_error(Err::consumer_pull_requires_ack);
  }
  if (config.rate_limit_bps > 0) return api_error(Err::consumer_pull_with_rate_limit);
  if (config.idle_heartbeat.count() > 0) return api_error(Err::consumer_heartbeat_requires_push);
  if (config.flow_control) return api_error(Err::consumer_flow_control_requires_push);
  if (config.max_expires.count() != 0 && config.max_expires < shortest_expires) {
    return api_error(Err::consumer_max_request_expires_too_small);
  }
  if (bounds.max_request_batch > 0 && config.max_batch > bounds.max_request_batch) {
    return api_error(Err::consumer_max_request_batch_exceeded, bounds.max_request_batch);
  }
  return std::nullopt;
}

Refused check_bounds(const ConsumerConfig& config, const ConsumerLimits& limits,
                     const ConsumerBounds& bounds) {
  for (const std::int64_t bound :
       {bounds.server_max_ack_pending, bounds.account_max_ack_pending, limits.max_ack_pending}) {
    if (bound > 0 && config.max_ack_pending > bound) {
      return api_error(Err::consumer_max_pending_ack_excess, bound);
    }
  }
  const base::Duration longest = limits.inactive_threshold;
  if (longest.count() > 0 && config.inactive_threshold > longest) {
    return api_error(Err::consumer_inactive_threshold_excess, go_duration_text(longest));
  }
  if (!config.direct) return std::nullopt;
  if (config.is_pull()) return api_error(Err::consumer_direct_requires_push);
  if (config.is_durable()) return api_error(Err::consumer_direct_requires_ephemeral);
  return std::nullopt;
}

Refused check_filters(const ConsumerConfig& config) {
  if (!config.filter_subject.empty() && !config.filter_subjects.empty()) {
    return api_error(Err::consumer_duplicate_filter_subjects);
  }
  const std::vector<std::string> filters = config.filters();
  for (const std::string& filter : filters) {
    if (filter.empty()) return api_error(Err::consumer_empty_filter);
  }
  for (const std::string& filter : filters) {
    if (!is_valid_subject(filter)) return invalid("invalid subject");
    const bool covered = std::any_of(filters.begin(), filters.end(), [&](const std::string& other) {
      return &other != &filter && is_subset(filter, other);
    });
    if (covered) return api_error(Err::consumer_overlapping_subject_filters);
  }
  return std::nullopt;
}

ApiError start_is_set(std::string_view policy, std::string_view start) {
  return api_error(
      Err::consumer_invalid_policy,
      fmt::format("consumer delivery policy is deliver {}, but optional start {} is also set",
                  policy, start));
}

ApiError is_not_set(std::string_view policy, std::string_view what) {
  return api_error(Err::consumer_invalid_policy,
                   fmt::format("consumer delivery policy is deliver {}, but optional {} is not set",
                               policy, what));
}

Refused check_no_start(const ConsumerConfig& config, std::string_view policy) {
  if (config.opt_start_seq > 0) return start_is_set(policy, "sequence");
  if (config.opt_start_time) return start_is_set(policy, "time");
  return std::nullopt;
}

Refused check_start(const ConsumerConfig& config) {
  switch (config.deliver_policy) {
    case DeliverPolicy::all:
      return check_no_start(config, "all");
    case DeliverPolicy::last:
      return check_no_start(config, "last");
    case DeliverPolicy::only_new:
      return check_no_start(config, "new");
    case DeliverPolicy::last_per_subject:
      if (auto refused = check_no_start(config, "last per subject")) return refused;
      if (config.filters().empty()) return is_not_set("last per subject", "filter subject");
      return std::nullopt;
    case DeliverPolicy::by_start_sequence:
      if (config.opt_start_seq == 0) return is_not_set("by start sequence", "start sequence");
      if (config.opt_start_time) return start_is_set("by start sequence", "time");
      return std::nullopt;
    case DeliverPolicy::by_start_time:
      if (!config.opt_start_time) return is_not_set("by start time", "start time");
      if (config.opt_start_seq != 0) return start_is_set("by start time", "start sequence");
      return std::nullopt;
  }
  return std::nullopt;
}

enum class Sampling : std::uint8_t { good, no_number, too_large, negative };

// A number as Go's Atoi reads it, less one percent sign.
Sampling read_sampling(std::string_view text, int& percent) {
  if (text.ends_with('%')) text.remove_suffix(1);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (stop != end || error == std::errc::invalid_argument) return Sampling::no_number;
  if (error != std::errc()) return Sampling::too_large;
  if (number < 0) return Sampling::negative;
  percent = static_cast<int>(std::min<std::int64_t>(number, 100));
  return Sampling::good;
}

Refused check_sampling(const ConsumerConfig& config) {
  if (config.sample_freq.empty()) return std::nullopt;
  std::string_view text = config.sample_freq;
  if (text.ends_with('%')) text.remove_suffix(1);
  int percent = 0;
  switch (read_sampling(config.sample_freq, percent)) {
    case Sampling::good:
      return std::nullopt;
    case Sampling::negative:
      return api_error(Err::consumer_invalid_sampling, "must not be negative");
    case Sampling::no_number:
      return api_error(Err::consumer_invalid_sampling,
                       fmt::format("strconv.Atoi: parsing {}: invalid syntax", go_quoted(text)));
    case Sampling::too_large:
      break;
  }
  return api_error(Err::consumer_invalid_sampling,
                   fmt::format("strconv.Atoi: parsing {}: value out of range", go_quoted(text)));
}

Refused check_rest(const ConsumerConfig& config) {
  if (config.flow_control && config.idle_heartbeat.count() == 0) {
    return api_error(Err::consumer_with_flow_control_needs_heartbeats);
  }
  if (config.is_durable() && !config.name.empty() && config.name != config.durable) {
    return api_error(Err::consumer_create_durable_and_name_mismatch);
  }
  std::size_t metadata_bytes = 0;
  for (const auto& [key, value] : config.metadata) metadata_bytes += key.size() + value.size();
  if (metadata_bytes > max_metadata_bytes) {
    return api_error(Err::consumer_metadata_length, fmt::format("{}KB", max_metadata_bytes / 1024));
  }
  if (config.name.size() > max_name_bytes || config.durable.size() > max_name_bytes) {
    return api_error(Err::consumer_name_too_long, max_name_bytes);
  }
  return std::nullopt;
}

// No other consumer takes a message that this one takes.
bool is_unique(const ConsumerConfig& fresh, const std::vector<const ConsumerConfig*>& others) {
  const std::vector<std::string> filters = fresh.filters();
  return std::none_of(others.begin(), others.end(), [&](const ConsumerConfig* other) {
    if (other->direct || filters.empty()) return false;
    const std::vector<std::string> theirs = other->filters();
    if (theirs.empty()) return true;
    return std::any_of(filters.begin(), filters.end(), [&](const std::string& mine) {
      return std::any_of(theirs.begin(), theirs.end(),
                         [&](const std::string& one) { return subjects_collide(mine, one); });
    });
  });
}

ApiError not_updatable(std::string_view what) {
  return api_error(Err::consumer_create, fmt::format("{} can not be updated", what));
}

Refused check_deliver_update(const ConsumerConfig& old, const ConsumerConfig& fresh,
                             bool interest) {
  if (old.deliver_subject == fresh.deliver_subject) return std::nullopt;
  if (old.is_pull()) {
    return api_error(Err::consumer_create, "can not update pull consumer to push based");
  }
  if (fresh.is_pull()) {
    return api_error(Err::consumer_create, "can not update push consumer to pull based");
  }
  if (interest) return api_error(Err::consumer_name_exists);
  return std::nullopt;
}

}  // namespace

std::vector<std::string> ConsumerConfig::filters() const {
  if (filter_subject.empty()) return filter_subjects;
  return {filter_subject};
}

int ConsumerConfig::sample_percent() const {
  int percent = 0;
  if (!sample_freq.empty()) read_sampling(sample_freq, percent);
  return percent;
}

std::optional<ApiError> check_consumer_address(ConsumerRequest& request,
                                               const ConsumerAddress& address) {
  using Form = ConsumerAddress::Form;
  ConsumerConfig& config = request.config;
  const bool durable = address.form == Form::durable;
  if (durable && address.consumer.empty()) {
    return api_error(Err::consumer_durable_name_not_in_subject);
  }
  if (address.stream != request.stream) return api_error(Err::stream_mismatch);
  const std::string name(address.form == Form::ephemeral ? config.name : address.consumer);
  if (name.find_first_of("\\/") != std::string::npos) {
    return api_error(Err::consumer_name_contains_path_separators);
  }
  if (durable && !config.is_durable()) return api_error(Err::consumer_durable_name_not_set);
  if (address.form == Form::ephemeral && config.is_durable()) {
    return api_error(Err::consumer_ephemeral_with_durable_name);
  }
  if (config.is_durable() && name != config.durable) {
    return api_error(Err::consumer_durable_name_not_match_subject);
  }
  config.name = name;
  if (!address.filter.empty() && !config.filter_subjects.empty()) {
    return api_error(Err::consumer_multiple_filters_not_allowed);
  }
  if (!address.filter.empty() && config.filter_subject != address.filter) {
    return api_error(Err::consumer_create_filter_subject_mismatch);
  }
  if (config.replicas > 1) return api_error(Err::stream_replicas_not_supported);
  return std::nullopt;
}

std::optional<ApiError> check_consumer_config(ConsumerConfig& config, const StreamConfig& stream,
                                              const ConsumerBounds& bounds, bool pedantic) {
  if (auto refused = settle_defaults(config, stream, bounds, pedantic)) return refused;
  if (auto refused = check_names(config)) return refused;
  if (auto refused = check_waits(config)) return refused;
  if (config.is_pull()) {
    if (auto refused = check_pull(config, stream, bounds)) return refused;
  } else {
    if (auto refused = check_push(config, stream)) return refused;
  }
  if (auto refused = check_bounds(config, stream.consumer_limits, bounds)) return refused;
  if (auto refused = check_filters(config)) return refused;
  if (auto refused = check_start(config)) return refused;
  if (auto refused = check_sampling(config)) return refused;
  if (auto refused = check_rest(config)) return refused;
  if (!config.is_durable() && config.inactive_threshold.count() == 0) {
    config.inactive_threshold = default_inactive_threshold;
  }
  return std::nullopt;
}

std::optional<ApiError> check_work_queue(const ConsumerConfig& fresh, bool is_new,
                                         const StreamConfig& stream,
                                         const std::vector<const ConsumerConfig*>& others) {
  if (stream.retention != Retention::work_queue) return std::nullopt;
  if (is_new && !fresh.direct) {
    if (fresh.ack_policy != AckPolicy::each) {
      return api_error(Err::consumer_work_queue_requires_explicit_ack);
    }
    if (fresh.deliver_policy != DeliverPolicy::all) {
      return api_error(Err::consumer_work_queue_not_deliver_all);
    }
    const bool alone = std::all_of(others.begin(), others.end(),
                                   [](const ConsumerConfig* other) { return other->direct; });
    if (!alone && fresh.filters().empty()) {
      return api_error(Err::consumer_work_queue_multiple_unfiltered);
    }
  } else if (is_new) {
    return std::nullopt;
  }
  if (!is_unique(fresh, others)) return api_error(Err::consumer_work_queue_not_unique);
  return std::nullopt;
}

std::optional<ApiError> check_consumer_update(const ConsumerConfig& old,
                                              const ConsumerConfig& fresh, bool interest) {
  if (old.deliver_policy != fresh.deliver_policy) return not_updatable("deliver policy");
  if (old.mem_storage != fresh.mem_storage) return not_updatable("storage type");
  if (old.opt_start_seq != fresh.opt_start_seq) return not_updatable("start sequence");
  if (old.opt_start_time != fresh.opt_start_time) return not_updatable("start time");
  if (old.ack_policy != fresh.ack_policy) return not_updatable("ack policy");
  if (old.replay_policy != fresh.replay_policy) return not_updatable("replay policy");
  if (old.idle_heartbeat != fresh.idle_heartbeat) return not_updatable("heart beats");
  if (old.flow_control != fresh.flow_control) return not_updatable("flow control");
  if (auto refused = check_deliver_update(old, fresh, interest)) return refused;
  if (old.max_waiting != fresh.max_waiting) return not_updatable("max waiting");
  return std::nullopt;
}

bool same_consumer(const ConsumerConfig& a, const ConsumerConfig& b) {
  ConsumerConfig own_a = a;
  ConsumerConfig own_b = b;
  own_a.metadata = own_metadata(a.metadata);
  own_b.metadata = own_metadata(b.metadata);
  return own_a == own_b;
}

void set_required_level(ConsumerConfig& config) {
  // Pausing came with level 1.
  const bool pauses = config.pause_until && *config.pause_until != base::WallTime::min();
  set_required_level(config.metadata, pauses ? 1 : 0);
}

}  // namespace spanwire::jetstream
