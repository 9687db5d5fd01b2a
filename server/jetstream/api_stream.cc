// Making, changing and ending streams, and what is told of one.
#include <memory>

#include "jetstream/api_handlers.h"
#include "jetstream/api_requests.h"
#include "jetstream/directory.h"
#include "jetstream/node.h"
#include "jetstream/stream_changes.h"
#include "jetstream/stream_info.h"

namespace spanwire::jetstream {
namespace {

StreamInfoStyle style_of(Branch& branch) {
  return {.version = branch.settings().nats_version};
}

// Answers with what the stream is now.
void tell_stream(Stream& stream, const Request& request, bool made) {
  Branch& branch = stream.branch();
  Answer answer(request);
  StreamInfoStyle style = style_of(branch);
  style.domain = !made;
  write_stream_info(answer.writer(), stream, style);
  if (made) answer.writer().member("did_create", true);
  respond(branch, request, answer.text());
}

Changed answer_with_stream(Request request, bool made) {
  return [request = std::move(request), made](Branch& branch,
                                              const tl::expected<Stream*, ApiError>& changed) {
    if (!changed) return respond(branch, request, changed.error());
    tell_stream(**changed, request, made);
  };
}

void answer_info(HomeCall& call, const StreamDetails& details) {
  Answer answer(call.request);
  json::Writer& writer = answer.writer();
  const std::uint64_t total = details.subjects_total();
  writer.member("total", total)
      .member("offset", total == 0 ? 0 : details.offset())
      .member("limit", total == 0 ? 0 : max_subject_details);
  StreamInfoStyle style = style_of(call.branch);
  style.cluster = true;
  style.details = &details;
  write_stream_info(writer, call.home->stream, style);
  respond(call, answer.text());
}

// Goes on in later turns until all is gathered.
void gather_info(HomeCall call, std::shared_ptr<StreamDetails> details) {
  call.home = call.node.find(call.tenant, call.request.stream);
  if (call.home == nullptr) return respond(call, api_error(Err::stream_not_found));
  if (details->gather(call.home->stream)) return answer_info(call, *details);
  Node& node = call.node;
  node.services().post(node.services().loop().id(),
                       [call = std::move(call), details = std::move(details)]() mutable {
                         gather_info(std::move(call), std::move(details));
                       });
}

}  // namespace

void api_stream_create(Directory& directory, Request&& request) {
  Branch& branch = directory.branch();
  auto asked = parse_stream_request(request.body(), branch.settings().strict);
  if (!asked) return respond(branch, request, asked.error());
  const StreamTerms terms{.name = request.stream, .pedantic = asked->pedantic};
  create_stream(directory, std::move(asked->config), terms,
                answer_with_stream(std::move(request), true));
}

void api_stream_update(Directory& directory, Request&& request) {
  Branch& branch = directory.branch();
  auto asked = parse_stream_request(request.body(), branch.settings().strict);
  if (!asked) return respond(branch, request, asked.error());
  const StreamTerms terms{.name = request.stream, .pedantic = asked->pedantic};
  update_stream(directory, std::move(asked->config), terms,
                answer_with_stream(std::move(request), false));
}

void api_stream_delete(Directory& directory, Request&& request) {
  if (!is_empty_request(request.body())) {
    return respond(directory.branch(), request, api_error(Err::not_empty_request));
  }
  const std::string_view name = request.stream;
  remove_stream(directory, name,
                [request = std::move(request)](Branch& branch, std::optional<ApiError> error) {
                  if (error) return respond(branch, request, *error);
                  respond(branch, request, success_of(request));
                });
}

void api_stream_info(HomeCall call) {
  PageRequest asked;
  if (has_json(call.request.body())) {
    const bool strict = call.branch.settings().strict;
    if (const auto error = read_stream_info(call.request.body(), strict, asked)) {
      return respond(call, *error);
    }
  }
  if (call.home == nullptr) return respond(call, api_error(Err::stream_not_found));
  auto details = std::make_shared<StreamDetails>(
      asked.deleted_details, asked.subjects_filter,
      static_cast<std::uint64_t>(std::max<std::int64_t>(asked.offset, 0)));
  Stream& stream = call.home->stream;
  stream.after_commit([call = std::move(call), details = std::move(details)]() mutable {
    gather_info(std::move(call), std::move(details));
  });
}

void api_stream_purge(HomeCall call) {
  PurgeBody asked;
  if (has_json(call.request.body())) {
    const bool strict = call.branch.settings().strict;
    if (const auto error = read_purge(call.request.body(), strict, asked)) {
      return respond(call, *error);
    }
    if (asked.seq != 0 && asked.keep != 0) return respond(call, api_error(Err::bad_request));
  }
  if (call.home == nullptr) return respond(call, api_error(Err::stream_not_found));
  Stream& stream = call.home->stream;
  if (const auto error = check_purge(stream.config())) return respond(call, *error);
  stream.purge({.filter = asked.filter, .up_to = asked.seq, .keep = asked.keep},
               [call = std::move(call)](std::uint64_t purged) mutable {
                 Answer answer(call.request);
                 answer.writer().member("success", true).member("purged", purged);
                 std::string text = answer.text();
                 respond_committed(std::move(call), std::move(text));
               });
}

}  // namespace spanwire::jetstream
