#include "jetstream/api.h"

#include <fmt/format.h>

#include <array>

#include "bus/headers.h"
#include "jetstream/advisory.h"
#include "jetstream/api_handlers.h"
#include "jetstream/api_level.h"
#include "jetstream/node.h"
#include "json/document.h"
#include "subject/subject.h"

namespace spanwire::jetstream {
namespace {

constexpr std::string_view paged = "\"total\":0,\"offset\":0,\"limit\":0";
constexpr std::string_view paged_names = "\"total\":0,\"offset\":0,\"limit\":0,\"streams\":null";
constexpr std::string_view paged_streams = "\"total\":0,\"offset\":0,\"limit\":0,\"streams\":[]";
constexpr std::string_view paged_consumers =
    "\"total\":0,\"offset\":0,\"limit\":0,\"consumers\":[]";
constexpr std::string_view not_paused = "\"paused\":false,\"pause_until\":\"0001-01-01T00:00:00Z\"";

constexpr Operation operations[] = {
    {"INFO", "account_info_response", {}, &api_account_info, nullptr},
    {"STREAM.CREATE.$", "stream_create_response", {}, &api_stream_create, nullptr},
    {"STREAM.UPDATE.$", "stream_update_response", {}, &api_stream_update, nullptr},
    {"STREAM.NAMES", "stream_names_response", paged_names, &api_stream_names, nullptr},
    {"STREAM.LIST", "stream_list_response", paged_streams, &api_stream_list, nullptr},
    {"STREAM.INFO.$", "stream_info_response", paged, nullptr, &api_stream_info},
    {"STREAM.DELETE.$", "stream_delete_response", {}, &api_stream_delete, nullptr},
    {"STREAM.PURGE.$", "stream_purge_response", "\"purged\":0", nullptr, &api_stream_purge},
    {"STREAM.MSG.GET.$", "stream_msg_get_response", {}, nullptr, &api_message_get},
    {"STREAM.MSG.DELETE.$", "stream_msg_delete_response", {}, nullptr, &api_message_delete},
    {"STREAM.SNAPSHOT.$", "stream_snapshot_response", {}, nullptr, &api_stream_snapshot},
    {"STREAM.RESTORE.$", "stream_restore_response", "\"deliver_subject\":\"\"", &api_stream_restore,
     nullptr},
    {"STREAM.PEER.REMOVE.$", "stream_remove_peer_response", {}, &api_needs_cluster, nullptr},
    {"STREAM.LEADER.STEPDOWN.$",
     "stream_leader_stepdown_response",
     {},
     &api_needs_cluster,
     nullptr},
    {"CONSUMER.CREATE.$", "consumer_create_response", {}, nullptr, &api_consumer_create},
    {"CONSUMER.CREATE.$.%", "consumer_create_response", {}, nullptr, &api_consumer_create},
    {"CONSUMER.CREATE.$.%.>", "consumer_create_response", {}, nullptr, &api_consumer_create},
    {"CONSUMER.DURABLE.CREATE.$.%", "consumer_create_response", {}, nullptr, &api_consumer_create},
    {"CONSUMER.NAMES.$", "consumer_names_response", paged_consumers, nullptr, &api_consumer_names},
    {"CONSUMER.LIST.$", "consumer_list_response", paged_consumers, nullptr, &api_consumer_list},
    {"CONSUMER.INFO.$.%", "consumer_info_response", {}, nullptr, &api_consumer_info},
    {"CONSUMER.DELETE.$.%", "consumer_delete_response", {}, nullptr, &api_consumer_delete},
    {"CONSUMER.PAUSE.$.%", "consumer_pause_response", not_paused, nullptr, &api_consumer_pause},
    {"CONSUMER.RESET.$.%", "consumer_reset_response", "\"reset_seq\":0", nullptr,
     &api_consumer_reset},
    {"CONSUMER.UNPIN.$.%", "consumer_unpin_response", {}, nullptr, &api_consumer_unpin},
    {"CONSUMER.LEADER.STEPDOWN.$.%",
     "consumer_leader_stepdown_response",
     {},
     &api_needs_cluster,
     nullptr},
};

// Whether `subject` has the form of the pattern; fills in what it names.
bool fits(std::string_view pattern, std::string_view subject, Request& out) {
  subject::Tokens forms(pattern);
  subject::Tokens tokens(subject);
  std::string_view form;
  std::string_view token;
  while (forms.next(form)) {
    if (!tokens.next(token)) return false;
    if (form == "$") {
      out.stream = token;
    } else if (form == "%") {
      out.consumer = token;
    } else if (form == ">") {
      out.filter = subject.substr(static_cast<std::size_t>(token.data() - subject.data()));
      return true;
    } else if (form != token) {
      return false;
    }
  }
  return !tokens.next(token);
}

std::string_view after_prefix(std::string_view subject, std::string_view domain) {
  constexpr std::string_view plain = "$JS.API.";
  if (subject.starts_with(plain)) return subject.substr(plain.size());
  const std::string with_domain = fmt::format("$JS.{}.API.", domain);
  return subject.starts_with(with_domain) ? subject.substr(with_domain.size()) : std::string_view();
}

void audit(Branch& branch, const Request& request, const std::string& answer) {
  constexpr std::string_view subject = "$JS.EVENT.ADVISORY.API";
  if (!branch.seat().interested(subject)) return;
  const bus::MessageView asked = request.message->view();
  Advisory event(branch, "advisory.v1.api_audit");
  event.member("server", branch.settings().server_name);
  write_client(branch, event.writer());
  event.member("subject", asked.subject)
      .optional("request", asked.payload)
      .member("response", answer);
  branch.advise(subject, event.text());
}

void send(Branch& branch, const Request& request, const std::string& answer) {
  branch.usage().api_calls.fetch_add(1, std::memory_order_relaxed);
  if (!request.reply().empty()) {
    branch.seat().publish({.route = request.reply(), .payload = answer});
  }
  audit(branch, request, answer);
}

}  // namespace

std::optional<Request> parse_request(base::Ref<const bus::Message> message,
                                     std::string_view domain) {
  Request request;
  const std::string_view subject = after_prefix(message->view().subject, domain);
  request.message = std::move(message);
  for (const Operation& operation : operations) {
    request.stream = request.consumer = request.filter = {};
    if (!fits(operation.pattern, subject, request)) continue;
    request.operation = &operation;
    return request;
  }
  return std::nullopt;
}

bool supports_required_level(const Request& request) {
  const auto header = bus::find_header(request.message->view().headers, "Nats-Required-Api-Level");
  return !header || supports_level(*header);
}

Answer::Answer(const Request& request) : writer_(text_) {
  writer_.begin_object().member(
      "type", fmt::format("io.nats.jetstream.api.v1.{}", request.operation->type));
}

void respond(Branch& branch, const Request& request, const std::string& answer) {
  send(branch, request, answer);
}

void respond(Branch& branch, const Request& request, const ApiError& error) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object()
      .member("type", fmt::format("io.nats.jetstream.api.v1.{}", request.operation->type))
      .key("error");
  write_api_error(writer, error);
  writer.end_object();
  if (const std::string_view more = request.operation->error_members; !more.empty()) {
    text.pop_back();
    text += fmt::format(",{}}}", more);
  }
  branch.usage().api_errors.fetch_add(1, std::memory_order_relaxed);
  send(branch, request, text);
}

std::string success_of(const Request& request) {
  Answer answer(request);
  answer.writer().member("success", true);
  return answer.text();
}

void respond_committed(HomeCall call, std::string answer) {
  Stream& stream = call.home->stream;
  stream.when_committed(
      [call = std::move(call), answer = std::move(answer), &stream](bool committed) mutable {
        if (committed) return respond(call, answer);
        const base::Error* why = stream.log().failed();
        respond(call, api_error(Err::stream_store_failed,
                                why == nullptr ? "not committed" : std::string_view(why->text)));
      });
}

bool is_empty_request(std::string_view body) {
  if (body.empty() || body == "{}") return true;
  const auto document = json::Document::parse(body);
  if (!document || document->root().kind() != json::Kind::object) return false;
  return document->root().begin() == document->root().end();
}

bool has_json(std::string_view body) {
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (body[first] == '{' || body[first] == '[');
}

}  // namespace spanwire::jetstream
