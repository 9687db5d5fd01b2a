#include "streams/api_requests.h"

#include <fmt/format.h>

#include <algorithm>

#include "bus/headers.h"
#include "json/writer.h"

namespace spanwire::streams {
namespace {

// An ordered consumer that nobody pulls from is gone after that; a feed whose credit was out for
// as long makes another one.
constexpr base::Duration ordered_inactive_threshold = std::chrono::minutes(5);

std::int64_t nanoseconds(base::Duration duration) {
  return static_cast<std::int64_t>(duration.count());
}

void write_texts(json::Writer& writer, std::string_view name,
                 const std::vector<std::string>& texts) {
  writer.key(name).begin_array();
  for (const std::string& text : texts) writer.value(text);
  writer.end_array();
}

void write_filters(json::Writer& writer, const FeedSpec& spec) {
  if (spec.filters.size() > 1) return write_texts(writer, "filter_subjects", spec.filters);
  if (!spec.filters.empty()) {
    writer.member("filter_subject", spec.filters.front());
  } else if (spec.from == FeedSpec::From::last_of_each_subject) {
    writer.member("filter_subject", ">");  // such a consumer must have a filter
  }
}

void write_start(json::Writer& writer, FeedSpec::From from, Sequence sequence) {
  switch (from) {
    case FeedSpec::From::first:
      writer.member("deliver_policy", "all");
      return;
    case FeedSpec::From::last_of_each_subject:
      writer.member("deliver_policy", "last_per_subject");
      return;
    case FeedSpec::From::new_messages:
      writer.member("deliver_policy", "new");
      return;
    case FeedSpec::From::sequence:
      writer.member("deliver_policy", "by_start_sequence")
          .member("opt_start_seq", std::max<Sequence>(sequence, 1));
      return;
  }
}

}  // namespace

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && std::all_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f && std::string_view(".*>/\\").find(c) == std::string::npos;
  });
}

std::string stream_request(const StreamSpec& spec, std::int32_t replicas) {
  std::string out;
  json::Writer writer(out);
  const bool queue = spec.retention == StreamSpec::Retention::work_queue;
  const bool refuses = spec.discard == StreamSpec::Discard::new_messages;
  writer.begin_object().member("name", spec.name).member("description", spec.description);
  write_texts(writer, "subjects", spec.subjects);
  writer.member("retention", queue ? "workqueue" : "limits")
      .member("max_consumers", -1)
      .member("max_msgs", spec.max_messages)
      .member("max_bytes", spec.max_bytes)
      .member("max_age", nanoseconds(spec.max_age))
      .member("max_msgs_per_subject", spec.max_messages_per_subject)
      .member("max_msg_size", spec.max_message_bytes)
      .member("discard", refuses ? "new" : "old")
      .member("storage", spec.in_memory ? "memory" : "file")
      .member("num_replicas", replicas)
      .member("duplicate_window", nanoseconds(spec.duplicate_window))
      .member("allow_direct", true)
      .member("allow_rollup_hdrs", spec.allow_rollup)
      .member("allow_msg_ttl", spec.allow_message_ttl)
      .member("deny_delete", spec.deny_delete)
      .end_object();
  return out;
}

std::string consumer_request(const ConsumerRequest& request) {
  const FeedSpec& spec = request.spec;
  const bool durable = !spec.durable.empty();
  std::string out;
  json::Writer writer(out);
  writer.begin_object().member("stream_name", request.stream).key("config").begin_object();
  writer.member("name", request.name);
  write_start(writer, request.from, request.sequence);
  write_filters(writer, spec);
  if (durable) {
    writer.member("durable_name", request.name)
        .member("ack_policy", "explicit")
        .member("ack_wait", nanoseconds(spec.ack_wait))
        .member("max_deliver", spec.max_deliver)
        .member("max_ack_pending", spec.max_ack_pending);
  } else {
    writer.member("ack_policy", "none")
        .member("mem_storage", true)
        .member("num_replicas", 1)
        .member("inactive_threshold", nanoseconds(ordered_inactive_threshold));
  }
  writer.end_object().end_object();
  return out;
}

std::string read_request(const Which& which) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  if (which.kind == Which::Kind::last) {
    writer.member("last_by_subj", which.subject);
  } else {
    writer.member("seq", std::max<Sequence>(which.sequence, 1));
  }
  if (which.kind == Which::Kind::next) {
    writer.member("next_by_subj", which.subject.empty() ? ">" : which.subject);
  }
  writer.end_object();
  return out;
}

std::string purge_request(const Purging& what) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  if (!what.filter.empty()) writer.member("filter", what.filter);
  if (what.below != 0) writer.member("seq", what.below);
  if (what.keep != 0) writer.member("keep", what.keep);
  writer.end_object();
  return out;
}

std::string pull_request(const Pull& pull) {
  return fmt::format(R"({{"batch":{},"expires":{},"idle_heartbeat":{}}})", pull.batch,
                     pull.expires.count(), pull.heartbeat.count());
}

bool append_headers(const Appending& message, std::string& out) {
  out = message.headers;
  if (!message.id.empty() && !bus::append_header(out, "Nats-Msg-Id", message.id)) return false;
  const auto expect = [&out](std::string_view name, const std::optional<Sequence>& sequence) {
    return !sequence || bus::append_header(out, name, fmt::format("{}", *sequence));
  };
  return expect("Nats-Expected-Last-Sequence", message.expect.last) &&
         expect("Nats-Expected-Last-Subject-Sequence", message.expect.last_of_subject);
}

std::string ack_payload(Verdict verdict, base::Duration delay) {
  switch (verdict) {
    case Verdict::done:
      return "+ACK";
    case Verdict::again:
      if (delay <= base::Duration::zero()) return "-NAK";
      return fmt::format(R"(-NAK {{"delay":{}}})", delay.count());
    case Verdict::never:
      return "+TERM";
    case Verdict::in_progress:
      return "+WPI";
  }
  return {};
}

}  // namespace spanwire::streams
