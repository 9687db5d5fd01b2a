#include "bridges/http_broker/trace.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "bridges/http_broker/codec.h"
#include "logging/logging.h"
#include "subject/slash.h"

namespace spanwire::http_broker {
namespace {

void write(std::string_view label, std::string_view direction, std::string_view text) {
  static const logging::Logger log = logging::get("http_broker");
  log.write(logging::Level::trace, "{} - {} [{}]", label, direction, text);
}

// What the request is about, or nothing if it is about no topic. A GET may have wildcards.
std::string subject_of(const web::Request& request) {
  std::string topic;
  // As long as a topic may be anywhere: one that is too long for us is a subject all the same.
  if (!read_topic(request.rest, subject::max_topic_size_bytes, topic)) return {};
  const auto filter = subject::parse_topic_filter(topic);
  return filter ? filter->to_string() : std::string();
}

bool is_wanted(const wire::Tracer& tracer, const web::Request& request) {
  const std::uint64_t connection = request.client.peer().id();
  if (tracer.wants(connection)) return true;
  const std::string subject = subject_of(request);
  return !subject.empty() && tracer.wants(connection, subject);
}

// Of the query only what is ours: anything else may be a secret.
std::string request_text(const web::Request& request) {
  std::string text = fmt::format("{} {}", http::method_name(request.method), request.path);
  if (request.method == http::Method::post) {
    text += fmt::format(" {} bytes", request.body.size());
  }
  const auto options = read_options(request.query);
  if (options && options->retained) text += " retained";
  if (options && options->qos != 0) text += fmt::format(" qos {}", options->qos);
  return text;
}

std::string answer_text(const web::Given& given) {
  if (!given.reason.empty()) return fmt::format("{} {}", given.status, given.reason);
  return fmt::format("{} {} bytes", given.status, given.body_bytes);
}

}  // namespace

void trace_request(const wire::Tracer& tracer, const web::Request& request, web::Answer& answer) {
  if (!tracer.on() || !is_wanted(tracer, request)) return;
  const session::Peer& peer = request.client.peer();
  const std::string label = fmt::format("{} - cid:{}", peer.remote(), peer.id());
  write(label, "<<-", request_text(request));
  answer.set_watch([label](const web::Given& given) { write(label, "->>", answer_text(given)); });
}

}  // namespace spanwire::http_broker
