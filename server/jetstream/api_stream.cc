// Making, changing and ending streams, and what is told of one.
#include <memory>

#include "base/assert.h"
#include "jetstream/advisory.h"
#include "jetstream/api_handlers.h"
#include "jetstream/api_requests.h"
#include "jetstream/consumer.h"
#include "jetstream/directory.h"
#include "jetstream/node.h"
#include "jetstream/server.h"
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

// Tells the directory; that leaves this loop together with the answer.
void report(Node& node, Tenant& tenant, StreamConfig config) {
  Node& there = node.server().node(tenant.directory);
  node.services().post(tenant.directory, [&there, &tenant, config = std::move(config)]() mutable {
    const std::string name = config.name;
    there.directory(tenant).settle(name, std::move(config));
  });
}

void report_gone(Node& node, Tenant& tenant, std::string name) {
  Node& there = node.server().node(tenant.directory);
  node.services().post(tenant.directory, [&there, &tenant, name = std::move(name)] {
    there.directory(tenant).settle_gone(name);
  });
}

void create_at_home(Node& node, Tenant& tenant, Request request, StreamConfig config,
                    base::WallTime created) {
  const std::string name = config.name;
  node.create(
      tenant, std::move(config), created,
      [&node, &tenant, name, request = std::move(request)](base::Result<Home*> made) mutable {
        Branch& branch = node.branch(tenant);
        if (!made) {
          respond(branch, request, api_error(Err::stream_store_failed, made.error().text));
          return report_gone(node, tenant, name);
        }
        Stream& stream = (*made)->stream;
        stream.after_commit([&node, &tenant, &stream, request = std::move(request)] {
          tell_stream(stream, request, true);
          report(node, tenant, stream.config());
          advise_stream(stream.branch(), stream.name(), "create");
        });
      });
}

// It is there already, and was asked for in the same words.
void create_again(HomeCall call) {
  if (call.home == nullptr) return respond(call, api_error(Err::stream_not_found));
  Stream& stream = call.home->stream;
  stream.after_commit(
      [&stream, request = std::move(call.request)] { tell_stream(stream, request, true); });
}

void update_at_home(Node& node, Tenant& tenant, Request request, StreamConfig config) {
  Home* home = node.find(tenant, config.name);
  BASE_ASSERT(home != nullptr);  // the directory keeps it until it has heard
  Stream& stream = home->stream;
  node.update(tenant, *home, std::move(config),
              [&node, &tenant, &stream, request = std::move(request)](base::Status status) mutable {
                if (!status) {
                  respond(stream.branch(), request,
                          api_error(Err::stream_update, status.error().text));
                  return report(node, tenant, stream.config());
                }
                stream.after_commit([&node, &tenant, &stream, request = std::move(request)] {
                  tell_stream(stream, request, false);
                  report(node, tenant, stream.config());
                  advise_stream(stream.branch(), stream.name(), "modify");
                });
              });
}

void delete_at_home(Node& node, Tenant& tenant, Request request) {
  Home* home = node.find(tenant, request.stream);
  BASE_ASSERT(home != nullptr);
  // Who was promised an answer has it first; nothing of the stream may be running when it goes.
  home->stream.after_commit([&node, &tenant, request = std::move(request)]() mutable {
    node.services().post(node.services().loop().id(), [&node, &tenant,
                                                       request = std::move(request)]() mutable {
      const std::string name(request.stream);
      for (const auto& [consumer, its] : node.find(tenant, name)->stream.consumers()) {
        advise_consumer(node.branch(tenant), name, consumer, "delete");
      }
      node.remove(tenant, name,
                  [&node, &tenant, name, request = std::move(request)](const base::Status& status) {
                    Branch& branch = node.branch(tenant);
                    if (status) {
                      respond(branch, request, success_of(request));
                    } else {
                      respond(branch, request, api_error(Err::stream_delete, status.error().text));
                    }
                    report_gone(node, tenant, name);
                    advise_stream(branch, name, "delete");
                  });
    });
  });
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
  StreamConfig config = std::move(asked->config);
  auto error = check_stream_create(config, request.stream);
  if (!error) error = directory.check_room(config);
  if (!error) error = check_stream_config(config, {}, asked->pedantic);
  if (error) return respond(branch, request, *error);
  set_required_level(config);
  Node& node = directory.node();
  Tenant& tenant = directory.tenant();
  if (const Directory::Entry* known = directory.find(config.name)) {
    if (!same_stream(config, known->config)) {
      return respond(branch, request, api_error(Err::stream_name_exists));
    }
    return directory.forward(*known, std::move(request), &create_again);
  }
  error = directory.check_room(config);
  if (!error && directory.overlaps(config)) error = api_error(Err::stream_subject_overlap);
  if (error) return respond(branch, request, *error);
  const base::WallTime created = branch.now();
  const Directory::Entry& entry = directory.add(config, created);
  Node& there = node.server().node(entry.home);
  node.services().post(entry.home, [&there, &tenant, request = std::move(request),
                                    config = std::move(config), created]() mutable {
    create_at_home(there, tenant, std::move(request), std::move(config), created);
  });
}

void api_stream_update(Directory& directory, Request&& request) {
  Branch& branch = directory.branch();
  auto asked = parse_stream_request(request.body(), branch.settings().strict);
  if (!asked) return respond(branch, request, asked.error());
  StreamConfig config = std::move(asked->config);
  if (const auto error = check_stream_config(config, {}, asked->pedantic)) {
    return respond(branch, request, *error);
  }
  if (config.name != request.stream) {
    return respond(branch, request, api_error(Err::stream_mismatch));
  }
  Directory::Entry* entry = directory.find(config.name);
  if (entry == nullptr) return respond(branch, request, api_error(Err::stream_not_found));
  set_required_level(config);
  auto error = check_stream_update(entry->config, config);
  if (!error && directory.overlaps(config)) error = api_error(Err::stream_subject_overlap);
  if (!error && config.max_bytes > entry->config.max_bytes) error = directory.check_room(config);
  if (error) return respond(branch, request, *error);
  directory.occupy(*entry);
  Node& node = directory.node();
  Node& there = node.server().node(entry->home);
  node.services().post(entry->home,
                       [&there, &tenant = directory.tenant(), request = std::move(request),
                        config = std::move(config)]() mutable {
                         update_at_home(there, tenant, std::move(request), std::move(config));
                       });
}

void api_stream_delete(Directory& directory, Request&& request) {
  Branch& branch = directory.branch();
  if (!is_empty_request(request.body())) {
    return respond(branch, request, api_error(Err::not_empty_request));
  }
  Directory::Entry* entry = directory.find(request.stream);
  if (entry == nullptr) return respond(branch, request, api_error(Err::stream_not_found));
  directory.occupy(*entry);
  Node& node = directory.node();
  Node& there = node.server().node(entry->home);
  node.services().post(
      entry->home, [&there, &tenant = directory.tenant(), request = std::move(request)]() mutable {
        delete_at_home(there, tenant, std::move(request));
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
  if (stream.config().sealed) return respond(call, api_error(Err::stream_sealed));
  if (stream.config().deny_purge) {
    return respond(call, api_error(Err::stream_purge_failed, "stream purge not permitted"));
  }
  stream.purge({.filter = asked.filter, .up_to = asked.seq, .keep = asked.keep},
               [call = std::move(call)](std::uint64_t purged) mutable {
                 Answer answer(call.request);
                 answer.writer().member("success", true).member("purged", purged);
                 std::string text = answer.text();
                 respond_committed(std::move(call), std::move(text));
               });
}

}  // namespace spanwire::jetstream
