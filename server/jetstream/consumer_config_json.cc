#include <fmt/format.h>

#include "jetstream/consumer_config.h"
#include "jetstream/json_text.h"
#include "jetstream/request_reader.h"

namespace spanwire::jetstream {
namespace {

constexpr Choice<DeliverPolicy> deliver_policies[] = {
    {"all", DeliverPolicy::all},
    {"undefined", DeliverPolicy::all},
    {"last", DeliverPolicy::last},
    {"last_per_subject", DeliverPolicy::last_per_subject},
    {"new", DeliverPolicy::only_new},
    {"by_start_sequence", DeliverPolicy::by_start_sequence},
    {"by_start_time", DeliverPolicy::by_start_time},
};
constexpr Choice<AckPolicy> ack_policies[] = {
    {"none", AckPolicy::none},
    {"all", AckPolicy::all},
    {"explicit", AckPolicy::each},
};
constexpr Choice<ReplayPolicy> replay_policies[] = {
    {"instant", ReplayPolicy::instant},
    {"original", ReplayPolicy::original},
};
constexpr Choice<ConsumerAction> actions[] = {
    {"create", ConsumerAction::create},
    {"update", ConsumerAction::update},
    {"", ConsumerAction::create_or_update},
};

void read_ack_policy(RequestReader& reader, json::Value value, ConsumerConfig& out) {
  if (value.string() == "flow_control") return reader.mark_unsupported();
  reader.read_choice<AckPolicy>(value, ack_policies, out.ack_policy);
}

void read_priority_policy(RequestReader& reader, json::Value value, ConsumerConfig&) {
  bool prioritized = false;
  constexpr Choice<bool> policies[] = {
      {"none", false}, {"overflow", true}, {"pinned_client", true}, {"prioritized", true}};
  reader.read_choice<bool>(value, policies, prioritized, "unknown priority policy");
  if (prioritized) reader.mark_unsupported();
}

constexpr Field<ConsumerConfig> consumer_fields[] = {
    field<&ConsumerConfig::durable>("durable_name", "string"),
    field<&ConsumerConfig::name>("name", "string"),
    field<&ConsumerConfig::description>("description", "string"),
    {"deliver_policy", "server.DeliverPolicy",
     [](RequestReader& reader, json::Value value, ConsumerConfig& out) {
       reader.read_choice<DeliverPolicy>(value, deliver_policies, out.deliver_policy);
     }},
    field<&ConsumerConfig::opt_start_seq>("opt_start_seq", "uint64"),
    field<&ConsumerConfig::opt_start_time>("opt_start_time", "time.Time"),
    {"ack_policy", "server.AckPolicy", read_ack_policy},
    field<&ConsumerConfig::ack_wait>("ack_wait", "time.Duration"),
    field<&ConsumerConfig::max_deliver>("max_deliver", "int"),
    field<&ConsumerConfig::backoff>("backoff", "[]time.Duration"),
    field<&ConsumerConfig::filter_subject>("filter_subject", "string"),
    field<&ConsumerConfig::filter_subjects>("filter_subjects", "[]string"),
    {"replay_policy", "server.ReplayPolicy",
     [](RequestReader& reader, json::Value value, ConsumerConfig& out) {
       reader.read_choice<ReplayPolicy>(value, replay_policies, out.replay_policy);
     }},
    field<&ConsumerConfig::rate_limit_bps>("rate_limit_bps", "uint64"),
    field<&ConsumerConfig::sample_freq>("sample_freq", "string"),
    field<&ConsumerConfig::max_waiting>("max_waiting", "int"),
    field<&ConsumerConfig::max_ack_pending>("max_ack_pending", "int"),
    field<&ConsumerConfig::flow_control>("flow_control", "bool"),
    field<&ConsumerConfig::headers_only>("headers_only", "bool"),
    field<&ConsumerConfig::max_batch>("max_batch", "int"),
    field<&ConsumerConfig::max_expires>("max_expires", "time.Duration"),
    field<&ConsumerConfig::max_bytes>("max_bytes", "int"),
    field<&ConsumerConfig::deliver_subject>("deliver_subject", "string"),
    field<&ConsumerConfig::deliver_group>("deliver_group", "string"),
    field<&ConsumerConfig::idle_heartbeat>("idle_heartbeat", "time.Duration"),
    field<&ConsumerConfig::inactive_threshold>("inactive_threshold", "time.Duration"),
    field<&ConsumerConfig::replicas>("num_replicas", "int"),
    field<&ConsumerConfig::mem_storage>("mem_storage", "bool"),
    field<&ConsumerConfig::direct>("direct", "bool"),
    unsupported_field<ConsumerConfig>("sourcing", "bool"),
    field<&ConsumerConfig::metadata>("metadata", "map[string]string"),
    field<&ConsumerConfig::pause_until>("pause_until", "time.Time"),
    unsupported_field<ConsumerConfig>("priority_groups", "[]string"),
    {"priority_policy", "server.PriorityPolicy", read_priority_policy},
    unsupported_field<ConsumerConfig>("priority_timeout", "time.Duration"),
};

constexpr Field<ConsumerRequest> request_fields[] = {
    field<&ConsumerRequest::stream>("stream_name", "string"),
    {"config", "server.ConsumerConfig",
     [](RequestReader& reader, json::Value value, ConsumerRequest& out) {
       reader.read_struct<ConsumerConfig>("ConsumerConfig", consumer_fields, value, out.config);
     }},
    {"action", "server.ConsumerAction",
     [](RequestReader& reader, json::Value value, ConsumerRequest& out) {
       reader.read_choice<ConsumerAction>(value, actions, out.action, "unknown consumer action");
     }},
    field<&ConsumerRequest::pedantic>("pedantic", "bool"),
};

// Up to how messages are chosen and acknowledged.
void write_delivery(json::Writer& writer, const ConsumerConfig& config) {
  writer.member("deliver_policy", text_of(deliver_policies, config.deliver_policy));
  write_unless_zero(writer, "opt_start_seq", config.opt_start_seq);
  write_unless_zero(writer, "opt_start_time", config.opt_start_time);
  writer.member("ack_policy", text_of(ack_policies, config.ack_policy));
  write_unless_zero(writer, "ack_wait", config.ack_wait);
  write_unless_zero(writer, "max_deliver", config.max_deliver);
  if (!config.backoff.empty()) {
    writer.key("backoff").begin_array();
    for (const base::Duration wait : config.backoff) {
      writer.value(static_cast<std::int64_t>(wait.count()));
    }
    writer.end_array();
  }
  write_unless_zero(writer, "filter_subject", config.filter_subject);
  write_unless_zero(writer, "filter_subjects", config.filter_subjects);
  writer.member("replay_policy", text_of(replay_policies, config.replay_policy));
}

void write_limits(json::Writer& writer, const ConsumerConfig& config) {
  write_unless_zero(writer, "rate_limit_bps", config.rate_limit_bps);
  write_unless_zero(writer, "sample_freq", config.sample_freq);
  write_unless_zero(writer, "max_waiting", config.max_waiting);
  write_unless_zero(writer, "max_ack_pending", config.max_ack_pending);
  write_unless_zero(writer, "flow_control", config.flow_control);
  write_unless_zero(writer, "headers_only", config.headers_only);
  write_unless_zero(writer, "max_batch", config.max_batch);
  write_unless_zero(writer, "max_expires", config.max_expires);
  write_unless_zero(writer, "max_bytes", config.max_bytes);
  write_unless_zero(writer, "deliver_subject", config.deliver_subject);
  write_unless_zero(writer, "deliver_group", config.deliver_group);
  write_unless_zero(writer, "idle_heartbeat", config.idle_heartbeat);
  write_unless_zero(writer, "inactive_threshold", config.inactive_threshold);
}

std::optional<ApiError> refuse_unsupported(const RequestReader& reader) {
  if (reader.unsupported().empty()) return std::nullopt;
  return api_error(Err::consumer_create,
                   fmt::format("consumer configuration field '{}' asks for what this server does "
                               "not support yet",
                               reader.unsupported()));
}

}  // namespace

tl::expected<ConsumerRequest, ApiError> parse_consumer_request(std::string_view body, bool strict) {
  ConsumerRequest request;
  RequestReader reader("CreateConsumerRequest", strict);
  const auto read = [&](RequestReader& one, json::Value root) {
    one.read_struct<ConsumerRequest>("CreateConsumerRequest", request_fields, root, request);
  };
  if (auto error = read_body(body, reader, read)) return tl::unexpected(*std::move(error));
  if (auto error = refuse_unsupported(reader)) return tl::unexpected(*std::move(error));
  return request;
}

tl::expected<ConsumerConfig, ApiError> parse_consumer_config(json::Value object, bool strict) {
  ConsumerConfig config;
  RequestReader reader("ConsumerConfig", strict);
  reader.read_struct<ConsumerConfig>("ConsumerConfig", consumer_fields, object, config);
  if (const auto wrong = reader.error()) {
    return tl::unexpected(api_error(Err::invalid_json, *wrong));
  }
  if (auto error = refuse_unsupported(reader)) return tl::unexpected(*std::move(error));
  return config;
}

void write_consumer_config(json::Writer& writer, const ConsumerConfig& config,
                           std::string_view version) {
  writer.begin_object();
  write_unless_zero(writer, "durable_name", config.durable);
  write_unless_zero(writer, "name", config.name);
  write_unless_zero(writer, "description", config.description);
  write_delivery(writer, config);
  write_limits(writer, config);
  writer.member("num_replicas", config.replicas);
  write_unless_zero(writer, "mem_storage", config.mem_storage);
  write_unless_zero(writer, "direct", config.direct);
  write_metadata(writer, config.metadata, version);
  write_unless_zero(writer, "pause_until", config.pause_until);
  writer.end_object();
}

}  // namespace spanwire::jetstream
