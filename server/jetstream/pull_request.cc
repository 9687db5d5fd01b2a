#include "jetstream/pull_request.h"

#include <algorithm>
#include <charconv>

#include "jetstream/go_json.h"
#include "jetstream/request_reader.h"
#include "json/document.h"

namespace spanwire::jetstream {
namespace {

constexpr std::string_view spaces = " \t\n\v\f\r";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(spaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

constexpr Field<PullRequest> own_fields[] = {
    field<&PullRequest::expires>("expires", "time.Duration"),
    field<&PullRequest::batch>("batch", "int"),
    field<&PullRequest::max_bytes>("max_bytes", "int"),
    field<&PullRequest::no_wait>("no_wait", "bool"),
    field<&PullRequest::idle_heartbeat>("idle_heartbeat", "time.Duration"),
};
constexpr Field<PullRequest> group_fields[] = {
    field<&PullRequest::group>("group", "string"),
    field<&PullRequest::min_pending>("min_pending", "int64"),
    field<&PullRequest::min_ack_pending>("min_ack_pending", "int64"),
    field<&PullRequest::id>("id", "string"),
    field<&PullRequest::priority>("priority", "int"),
};

tl::unexpected<std::string> bad(std::string_view why) {
  return tl::unexpected("Bad Request - " + std::string(why));
}

tl::expected<PullRequest, std::string> parse_json(std::string_view text) {
  if (const auto wrong = check_json(text)) return bad(*wrong);
  const auto document = json::Document::parse(text);
  if (!document) return bad(document.error().text);
  PullRequest request{.batch = 0};
  RequestReader reader("JSApiConsumerGetNextRequest", false);
  reader.read_members(document->root(), [&](json::Value member) {
    return reader.read_field<PullRequest>(own_fields, member, request) ||
           reader.read_field<PullRequest>(group_fields, member, request, "PriorityGroup");
  });
  if (const auto wrong = reader.error()) return bad(*wrong);
  // Half of `expires`, so that nothing overflows.
  const bool beats = request.idle_heartbeat.count() > 0;
  if (beats && request.idle_heartbeat > request.expires / 2) {
    return bad("heartbeat value too large");
  }
  request.batch = std::max<std::int64_t>(request.batch, 0);
  return request;
}

}  // namespace

tl::expected<PullRequest, std::string> parse_pull_request(std::string_view body) {
  std::string_view text = trim(body);
  if (text.starts_with('{')) return parse_json(text);
  PullRequest request;
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t batch = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, batch);
  if (error == std::errc() && stop == end) request.batch = std::max<std::int64_t>(batch, 0);
  return request;
}

std::string_view refused_priority(const PullRequest& request) {
  if (request.min_pending != 0 || request.min_ack_pending != 0) {
    return "Bad Request - Not a Overflow Priority consumer";
  }
  if (!request.id.empty()) return "Bad Request - Not a Pinned Client Priority consumer";
  if (request.priority < 0 || request.priority > 9) {
    return "Bad Request - Priority must be between 0 and 9";
  }
  return {};
}

}  // namespace spanwire::jetstream
