#include <fmt/format.h>

#include "jetstream/json_text.h"
#include "jetstream/request_reader.h"
#include "jetstream/stream_config.h"

namespace spanwire::jetstream {
namespace {

constexpr Choice<Retention> retentions[] = {
    {"limits", Retention::limits},
    {"interest", Retention::interest},
    {"workqueue", Retention::work_queue},
};
constexpr Choice<Discard> discards[] = {
    {"old", Discard::old_messages},
    {"new", Discard::new_messages},
};
constexpr Choice<store::Storage> storages[] = {
    {"file", store::Storage::file},
    {"memory", store::Storage::memory},
};

// Alone among the names these may have capitals.
void read_discard(RequestReader& reader, json::Value value, Discard& out) {
  const auto text = value.string();
  for (const Choice<Discard>& choice : discards) {
    if (text && RequestReader::is_name(*text, choice.text)) {
      out = choice.value;
      return;
    }
  }
  reader.read_choice<Discard>(value, {}, out);
}

void read_compression(RequestReader& reader, json::Value value, Compression& out) {
  const auto text = value.string();
  if (!text && value.kind() != json::Kind::null) {
    reader.mismatch(value);
    reader.stop(*reader.error());
  } else if (text == "s2") {
    out = Compression::s2;
  } else if (text == "none") {
    out = Compression::none;
  } else {
    reader.stop("unknown compression algorithm");
  }
}

// `default` and nothing are the mode that there is.
void read_persist_mode(RequestReader& reader, json::Value value, StreamConfig&) {
  bool async = false;
  constexpr Choice<bool> modes[] = {{"default", false}, {"", false}, {"async", true}};
  reader.read_choice<bool>(value, modes, async);
  if (async) reader.mark_unsupported();
}

// Whatever is inside, a mirror or a source is one.
void read_origin(RequestReader& reader, json::Value value, StreamConfig&) {
  const bool none = value.kind() == json::Kind::null ||
                    (value.kind() == json::Kind::array && value.begin() == value.end());
  if (!none) reader.mark_unsupported();
}

constexpr Field<SubjectTransformConfig> transform_fields[] = {
    field<&SubjectTransformConfig::source>("src", "string"),
    field<&SubjectTransformConfig::destination>("dest", "string"),
};

constexpr Field<RepublishConfig> republish_fields[] = {
    field<&RepublishConfig::source>("src", "string"),
    field<&RepublishConfig::destination>("dest", "string"),
    field<&RepublishConfig::headers_only>("headers_only", "bool"),
};

constexpr Field<ConsumerLimits> consumer_limits_fields[] = {
    field<&ConsumerLimits::inactive_threshold>("inactive_threshold", "time.Duration"),
    field<&ConsumerLimits::max_ack_pending>("max_ack_pending", "int"),
};

template <class Struct>
void read_optional(RequestReader& reader, json::Value value, std::string_view go_struct,
                   std::span<const Field<Struct>> fields, std::optional<Struct>& out) {
  if (value.kind() == json::Kind::null) return out.reset();
  if (!out) out.emplace();
  reader.read_struct(go_struct, fields, value, *out);
}

constexpr Field<StreamConfig> stream_fields[] = {
    field<&StreamConfig::name>("name", "string"),
    field<&StreamConfig::description>("description", "string"),
    field<&StreamConfig::subjects>("subjects", "[]string"),
    {"retention", "server.RetentionPolicy",
     [](RequestReader& reader, json::Value value, StreamConfig& out) {
       reader.read_choice<Retention>(value, retentions, out.retention);
     }},
    field<&StreamConfig::max_consumers>("max_consumers", "int"),
    field<&StreamConfig::max_msgs>("max_msgs", "int64"),
    field<&StreamConfig::max_bytes>("max_bytes", "int64"),
    field<&StreamConfig::max_age>("max_age", "time.Duration"),
    field<&StreamConfig::max_msgs_per_subject>("max_msgs_per_subject", "int64"),
    field<&StreamConfig::max_msg_size>("max_msg_size", "int32"),
    {"discard", "server.DiscardPolicy",
     [](RequestReader& reader, json::Value value, StreamConfig& out) {
       read_discard(reader, value, out.discard);
     }},
    {"storage", "server.StorageType",
     [](RequestReader& reader, json::Value value, StreamConfig& out) {
       reader.read_choice<store::Storage>(value, storages, out.storage);
     }},
    field<&StreamConfig::replicas>("num_replicas", "int"),
    field<&StreamConfig::no_ack>("no_ack", "bool"),
    field<&StreamConfig::duplicate_window>("duplicate_window", "time.Duration"),
    unsupported_field<StreamConfig>("placement", "server.Placement"),
    {"mirror", "server.StreamSource", read_origin},
    {"sources", "[]*server.StreamSource", read_origin},
    {"compression", "string",
     [](RequestReader& reader, json::Value value, StreamConfig& out) {
       read_compression(reader, value, out.compression);
     }},
    field<&StreamConfig::first_seq>("first_seq", "uint64"),
    {"subject_transform", "server.SubjectTransformConfig",
     [](RequestReader& reader, json::Value value, StreamConfig& out) {
       read_optional<SubjectTransformConfig>(reader, value, "SubjectTransformConfig",
                                             transform_fields, out.subject_transform);
     }},
    {"republish", "server.RePublish",
     [](RequestReader& reader, json::Value value, StreamConfig& out) {
       read_optional<RepublishConfig>(reader, value, "RePublish", republish_fields, out.republish);
     }},
    field<&StreamConfig::allow_direct>("allow_direct", "bool"),
    field<&StreamConfig::mirror_direct>("mirror_direct", "bool"),
    field<&StreamConfig::discard_new_per_subject>("discard_new_per_subject", "bool"),
    field<&StreamConfig::sealed>("sealed", "bool"),
    field<&StreamConfig::deny_delete>("deny_delete", "bool"),
    field<&StreamConfig::deny_purge>("deny_purge", "bool"),
    field<&StreamConfig::allow_rollup>("allow_rollup_hdrs", "bool"),
    {"consumer_limits", "server.StreamConsumerLimits",
     [](RequestReader& reader, json::Value value, StreamConfig& out) {
       reader.read_struct<ConsumerLimits>("StreamConsumerLimits", consumer_limits_fields, value,
                                          out.consumer_limits);
     }},
    field<&StreamConfig::allow_msg_ttl>("allow_msg_ttl", "bool"),
    field<&StreamConfig::subject_delete_marker_ttl>("subject_delete_marker_ttl", "time.Duration"),
    unsupported_field<StreamConfig>("allow_msg_counter", "bool"),
    unsupported_field<StreamConfig>("allow_atomic", "bool"),
    unsupported_field<StreamConfig>("allow_msg_schedules", "bool"),
    {"persist_mode", "server.PersistModeType", read_persist_mode},
    unsupported_field<StreamConfig>("allow_batched", "bool"),
    field<&StreamConfig::metadata>("metadata", "map[string]string"),
};

void write_transforms(json::Writer& writer, const StreamConfig& config) {
  if (const auto& transform = config.subject_transform) {
    writer.key("subject_transform").begin_object();
    writer.member("src", transform->source).member("dest", transform->destination).end_object();
  }
  if (const auto& republish = config.republish) {
    writer.key("republish").begin_object();
    write_unless_zero(writer, "src", republish->source);
    writer.member("dest", republish->destination);
    write_unless_zero(writer, "headers_only", republish->headers_only);
    writer.end_object();
  }
}

void write_consumer_limits(json::Writer& writer, const ConsumerLimits& limits) {
  writer.key("consumer_limits").begin_object();
  write_unless_zero(writer, "inactive_threshold", limits.inactive_threshold);
  write_unless_zero(writer, "max_ack_pending", limits.max_ack_pending);
  writer.end_object();
}

// What bounds the messages, up to how they are kept.
void write_limits(json::Writer& writer, const StreamConfig& config) {
  writer.member("retention", text_of(retentions, config.retention))
      .member("max_consumers", config.max_consumers)
      .member("max_msgs", config.max_msgs)
      .member("max_bytes", config.max_bytes);
  write_duration(writer, "max_age", config.max_age);
  writer.member("max_msgs_per_subject", config.max_msgs_per_subject);
  write_unless_zero(writer, "max_msg_size", config.max_msg_size);
  writer.member("discard", text_of(discards, config.discard))
      .member("storage", text_of(storages, config.storage))
      .member("num_replicas", config.replicas);
  write_unless_zero(writer, "no_ack", config.no_ack);
  write_unless_zero(writer, "duplicate_window", config.duplicate_window);
  writer.member("compression", config.compression == Compression::s2 ? "s2" : "none");
  write_unless_zero(writer, "first_seq", config.first_seq);
}

void write_permissions(json::Writer& writer, const StreamConfig& config) {
  writer.member("allow_direct", config.allow_direct).member("mirror_direct", config.mirror_direct);
  write_unless_zero(writer, "discard_new_per_subject", config.discard_new_per_subject);
  writer.member("sealed", config.sealed)
      .member("deny_delete", config.deny_delete)
      .member("deny_purge", config.deny_purge)
      .member("allow_rollup_hdrs", config.allow_rollup);
  write_consumer_limits(writer, config.consumer_limits);
  writer.member("allow_msg_ttl", config.allow_msg_ttl);
  write_unless_zero(writer, "subject_delete_marker_ttl", config.subject_delete_marker_ttl);
}

std::optional<ApiError> refuse_unsupported(const RequestReader& reader) {
  if (reader.unsupported().empty()) return std::nullopt;
  return api_error(Err::stream_invalid_config,
                   fmt::format("stream configuration field '{}' asks for what this server does "
                               "not support yet",
                               reader.unsupported()));
}

}  // namespace

tl::expected<StreamRequest, ApiError> parse_stream_request(std::string_view body, bool strict) {
  StreamRequest request;
  RequestReader reader("StreamConfigRequest", strict);
  constexpr Field<StreamRequest> pedantic[] = {field<&StreamRequest::pedantic>("pedantic", "bool")};
  const auto member = [&](json::Value value) {
    return reader.read_field<StreamConfig>(stream_fields, value, request.config, "StreamConfig") ||
           reader.read_field<StreamRequest>(pedantic, value, request);
  };
  const auto read = [&](RequestReader& one, json::Value root) { one.read_members(root, member); };
  if (auto error = read_body(body, reader, read)) return tl::unexpected(*std::move(error));
  if (auto error = refuse_unsupported(reader)) return tl::unexpected(*std::move(error));
  return request;
}

tl::expected<StreamConfig, ApiError> parse_restore_request(std::string_view body, bool strict) {
  constexpr Field<StreamConfig> fields[] = {
      {"config", "server.StreamConfig",
       [](RequestReader& reader, json::Value value, StreamConfig& out) {
         reader.read_struct<StreamConfig>("StreamConfig", stream_fields, value, out);
       }},
      {"state", "server.StreamState", [](RequestReader&, json::Value, StreamConfig&) {}}};
  StreamConfig config;
  RequestReader reader("JSApiStreamRestoreRequest", strict);
  const auto read = [&](RequestReader& one, json::Value root) {
    one.read_struct<StreamConfig>("JSApiStreamRestoreRequest", fields, root, config);
  };
  if (auto error = read_body(body, reader, read)) return tl::unexpected(*std::move(error));
  if (auto error = refuse_unsupported(reader)) return tl::unexpected(*std::move(error));
  return config;
}

tl::expected<StreamConfig, ApiError> parse_stream_config(json::Value object, bool strict) {
  StreamConfig config;
  RequestReader reader("StreamConfig", strict);
  reader.read_members(object, [&](json::Value value) {
    return reader.read_field<StreamConfig>(stream_fields, value, config);
  });
  if (const auto wrong = reader.error()) {
    return tl::unexpected(api_error(Err::invalid_json, *wrong));
  }
  if (auto error = refuse_unsupported(reader)) return tl::unexpected(*std::move(error));
  return config;
}

void write_stream_config(json::Writer& writer, const StreamConfig& config,
                         std::string_view version) {
  writer.begin_object().member("name", config.name);
  write_unless_zero(writer, "description", config.description);
  write_unless_zero(writer, "subjects", config.subjects);
  write_limits(writer, config);
  write_transforms(writer, config);
  write_permissions(writer, config);
  write_metadata(writer, config.metadata, version);
  writer.end_object();
}

}  // namespace spanwire::jetstream
