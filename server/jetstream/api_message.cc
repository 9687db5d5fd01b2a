// Single messages of a stream; and what this server refuses.
#include "crypto/encoding.h"
#include "jetstream/api_handlers.h"
#include "jetstream/api_requests.h"
#include "jetstream/direct_get.h"
#include "jetstream/directory.h"
#include "jetstream/node.h"

namespace spanwire::jetstream {
namespace {

bool is_sensible(const MessageRequest& asked) {
  if (asked.batch > 0 || asked.max_bytes > 0) return false;
  const bool seq = asked.seq > 0;
  const bool last = !asked.last_by_subject.empty();
  const bool next = !asked.next_by_subject.empty();
  const bool time = asked.start_time.has_value();
  if (!seq && !last && !next && !time) return false;
  return !(seq && last) && !(seq && time) && !(time && last) && !(last && next);
}

void answer_message(HomeCall& call, const store::Message& message, bool headers) {
  Answer answer(call.request);
  json::Writer& writer = answer.writer();
  writer.key("message").begin_object();
  writer.member("subject", message.subject).member("seq", message.sequence);
  if (headers && !message.headers.empty()) {
    writer.member("hdrs", crypto::to_base64(message.headers));
  }
  if (!message.payload.empty()) writer.member("data", crypto::to_base64(message.payload));
  writer.member("time", message.time).end_object();
  respond(call, answer.text());
}

}  // namespace

void api_message_get(HomeCall call) {
  if (is_empty_request(call.request.body())) return respond(call, api_error(Err::bad_request));
  MessageRequest asked;
  const bool strict = call.branch.settings().strict;
  if (const auto error = parse_message_request(call.request.body(), strict, asked)) {
    return respond(call, *error);
  }
  if (!is_sensible(asked)) return respond(call, api_error(Err::bad_request));
  if (call.home == nullptr) return respond(call, api_error(Err::stream_not_found));
  Home& home = *call.home;
  const bool headers = !asked.no_headers;
  home.stream.after_commit([call = std::move(call), asked = std::move(asked), headers,
                            &home]() mutable {
    home.direct_get.get(std::move(asked),
                        [call = std::move(call), headers](const store::Message* message) mutable {
                          if (message == nullptr)
                            return respond(call, api_error(Err::no_message_found));
                          answer_message(call, *message, headers);
                        });
  });
}

void api_message_delete(HomeCall call) {
  if (is_empty_request(call.request.body())) return respond(call, api_error(Err::bad_request));
  DeleteMessageBody asked;
  const bool strict = call.branch.settings().strict;
  if (const auto error = read_delete_message(call.request.body(), strict, asked)) {
    return respond(call, *error);
  }
  if (call.home == nullptr) return respond(call, api_error(Err::stream_not_found));
  Stream& stream = call.home->stream;
  if (stream.config().sealed) return respond(call, api_error(Err::stream_sealed));
  if (stream.config().deny_delete) {
    return respond(call, api_error(Err::stream_msg_delete_failed, "message delete not permitted"));
  }
  if (const auto error = stream.delete_message(asked.seq)) return respond(call, *error);
  std::string answer = success_of(call.request);
  respond_committed(std::move(call), std::move(answer));
}

void api_needs_cluster(Directory& directory, Request&& request) {
  respond(directory.branch(), request, api_error(Err::cluster_required));
}

}  // namespace spanwire::jetstream
