// Backups of streams: asking for one, and for a stream to be made of one.
#include <fmt/format.h>

#include "jetstream/api_handlers.h"
#include "jetstream/api_level.h"
#include "jetstream/api_requests.h"
#include "jetstream/directory.h"
#include "jetstream/node.h"
#include "jetstream/server.h"
#include "jetstream/subjects.h"
#include "subject/subject.h"

namespace spanwire::jetstream {

void api_stream_snapshot(HomeCall call) {
  if (is_empty_request(call.request.body())) return respond(call, api_error(Err::bad_request));
  if (call.home == nullptr) return respond(call, api_error(Err::stream_not_found));
  BackupBody asked;
  const bool strict = call.branch.settings().strict;
  if (const auto error = read_backup(call.request.body(), strict, asked)) {
    return respond(call, *error);
  }
  if (!subject::is_literal(asked.deliver_subject) || !subject::is_safe(asked.deliver_subject)) {
    return respond(call, api_error(Err::snapshot_deliver_subject_invalid));
  }
  call.home->backups.begin(std::move(call.request), std::move(asked));
}

void api_stream_restore(Directory& directory, Request&& request) {
  Branch& branch = directory.branch();
  if (is_empty_request(request.body())) {
    return respond(branch, request, api_error(Err::bad_request));
  }
  auto asked = parse_restore_request(request.body(), branch.settings().strict);
  if (!asked) return respond(branch, request, asked.error());
  StreamConfig config = *std::move(asked);
  if (config.name.empty()) config.name = request.stream;
  std::optional<ApiError> error;
  if (config.name != request.stream) error = api_error(Err::stream_mismatch);
  if (!error && request.stream.find_first_of("\\/") != std::string_view::npos) {
    error = api_error(Err::stream_name_contains_path_separators);
  }
  if (!error) error = check_stream_config(config);
  if (!error && directory.find(config.name) != nullptr) {
    error = api_error(Err::stream_name_exists_restore_failed);
  }
  if (!error) error = directory.check_room(config);
  if (!error && branch.usage().restores >= max_backups) {
    error = api_error(Err::stream_restore, fmt::format("{} restores are under way", max_backups));
  }
  if (error) return respond(branch, request, *error);
  set_required_level(config);
  Node& node = directory.node();
  Tenant& tenant = directory.tenant();
  const base::LoopId home = node.services().home(tenant.account(), config.name);
  Node& there = node.server().node(home);
  node.services().post(
      home, [&there, &tenant, request = std::move(request), config = std::move(config)]() mutable {
        there.begin_restore(tenant, std::move(request), std::move(config));
      });
}

}  // namespace spanwire::jetstream
