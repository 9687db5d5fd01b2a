#include "jetstream/stream_changes.h"

#include <string>
#include <utility>

#include "base/assert.h"
#include "jetstream/advisory.h"
#include "jetstream/consumer.h"
#include "jetstream/directory.h"
#include "jetstream/node.h"
#include "jetstream/server.h"

namespace spanwire::jetstream {
namespace {

void create_at_home(Node& node, Tenant& tenant, StreamConfig config, base::WallTime created,
                    Changed done) {
  const std::string name = config.name;
  node.create(tenant, std::move(config), created,
              [&node, &tenant, name, done = std::move(done)](base::Result<Home*> made) mutable {
                if (!made) {
                  const ApiError error = api_error(Err::stream_store_failed, made.error().text);
                  done(node.branch(tenant), tl::unexpected(error));
                  return report_gone(node, tenant, name);
                }
                Stream& stream = (*made)->stream;
                stream.after_commit([&node, &tenant, &stream, done = std::move(done)]() mutable {
                  done(stream.branch(), &stream);
                  report(node, tenant, stream.config());
                  advise_stream(stream.branch(), stream.name(), "create");
                });
              });
}

// It is there already, and was asked for in the same words.
void find_at_home(Node& node, Tenant& tenant, const std::string& name, Changed done) {
  Home* home = node.find(tenant, name);
  if (home == nullptr) {
    return done(node.branch(tenant), tl::unexpected(api_error(Err::stream_not_found)));
  }
  Stream& stream = home->stream;
  stream.after_commit(
      [&stream, done = std::move(done)]() mutable { done(stream.branch(), &stream); });
}

// Consumers that ask for more than new limits of the stream allow.
std::optional<ApiError> check_consumers(const Stream& stream, const StreamConfig& fresh) {
  const ConsumerLimits& old = stream.config().consumer_limits;
  const ConsumerLimits& limits = fresh.consumer_limits;
  const bool inactive = limits.inactive_threshold > base::Duration::zero();
  const bool pending = limits.max_ack_pending > 0;
  if ((!inactive || limits.inactive_threshold == old.inactive_threshold) &&
      (!pending || limits.max_ack_pending == old.max_ack_pending)) {
    return std::nullopt;
  }
  std::string names;
  for (const auto& [name, consumer] : stream.consumers()) {
    const ConsumerConfig& its = consumer->config();
    if ((inactive && its.inactive_threshold > limits.inactive_threshold) ||
        (pending && its.max_ack_pending > limits.max_ack_pending)) {
      names += (names.empty() ? "" : ", ") + name;
    }
  }
  if (names.empty()) return std::nullopt;
  return api_error(Err::stream_update, "change to limits violates consumers: " + names);
}

void update_at_home(Node& node, Tenant& tenant, StreamConfig config, Changed done) {
  Home* home = node.find(tenant, config.name);
  BASE_ASSERT(home != nullptr);  // the directory keeps it until it has heard
  Stream& stream = home->stream;
  if (const auto error = check_consumers(stream, config)) {
    done(stream.branch(), tl::unexpected(*error));
    return report(node, tenant, stream.config());
  }
  node.update(tenant, *home, std::move(config),
              [&node, &tenant, &stream, done = std::move(done)](base::Status status) mutable {
                if (!status) {
                  const ApiError error = api_error(Err::stream_update, status.error().text);
                  done(stream.branch(), tl::unexpected(error));
                  return report(node, tenant, stream.config());
                }
                stream.after_limits([&node, &tenant, &stream, done = std::move(done)]() mutable {
                  done(stream.branch(), &stream);
                  report(node, tenant, stream.config());
                  advise_stream(stream.branch(), stream.name(), "modify");
                });
              });
}

void end_at_home(Node& node, Tenant& tenant, const std::string& name, Removed done) {
  for (const auto& [consumer, its] : node.find(tenant, name)->stream.consumers()) {
    advise_consumer(node.branch(tenant), name, consumer, "delete");
  }
  node.remove(tenant, name,
              [&node, &tenant, name, done = std::move(done)](const base::Status& status) mutable {
                Branch& branch = node.branch(tenant);
                std::optional<ApiError> error;
                if (!status) error = api_error(Err::stream_delete, status.error().text);
                done(branch, std::move(error));
                report_gone(node, tenant, name);
                advise_stream(branch, name, "delete");
              });
}

void remove_at_home(Node& node, Tenant& tenant, std::string name, Removed done) {
  Home* home = node.find(tenant, name);
  BASE_ASSERT(home != nullptr);
  // Who was promised an answer has it first; nothing of the stream may be running when it goes.
  home->stream.after_commit(
      [&node, &tenant, name = std::move(name), done = std::move(done)]() mutable {
        node.services().post(node.services().loop().id(), [&node, &tenant, name = std::move(name),
                                                           done = std::move(done)]() mutable {
          end_at_home(node, tenant, name, std::move(done));
        });
      });
}

// One that could not be recovered has no home.
void remove_failed(Directory& directory, const Directory::Entry& entry, Removed done) {
  Server& server = directory.node().server();
  server.store()->remove(entry.path, directory.branch().loop(),
                         [&directory, &server, name = entry.config.name, why = entry.failed,
                          done = std::move(done)](const base::Status& status) mutable {
                           Branch& branch = directory.branch();
                           if (!status) {
                             done(branch, api_error(Err::stream_delete, status.error().text));
                             return directory.settle_failed(name, std::move(why));
                           }
                           server.forget_failed();
                           done(branch, std::nullopt);
                           directory.settle_gone(name);
                           advise_stream(branch, name, "delete");
                         });
}

StreamBounds bounds_of(const Branch& branch) {
  return {.max_duplicate_window = branch.settings().max_duplicate_window};
}

}  // namespace

void create_stream(Directory& directory, StreamConfig config, const StreamTerms& terms,
                   Changed done) {
  Branch& branch = directory.branch();
  auto error = check_stream_create(config, terms.name);
  if (!error) error = directory.check_room(config);
  if (!error) error = check_stream_config(config, bounds_of(branch), terms.pedantic);
  if (error) return done(branch, tl::unexpected(*error));
  set_required_level(config);
  Node& node = directory.node();
  Tenant& tenant = directory.tenant();
  if (const Directory::Entry* known = directory.find(config.name)) {
    if (!same_stream(config, known->config)) {
      return done(branch, tl::unexpected(api_error(Err::stream_name_exists)));
    }
    Node& there = node.server().node(known->home);
    return node.services().post(
        known->home, [&there, &tenant, name = config.name, done = std::move(done)]() mutable {
          find_at_home(there, tenant, name, std::move(done));
        });
  }
  error = directory.check_room(config);
  if (!error && directory.overlaps(config)) error = api_error(Err::stream_subject_overlap);
  if (error) return done(branch, tl::unexpected(*error));
  const base::WallTime created = branch.now();
  const Directory::Entry& entry = directory.add(config, created);
  Node& there = node.server().node(entry.home);
  node.services().post(entry.home, [&there, &tenant, config = std::move(config), created,
                                    done = std::move(done)]() mutable {
    create_at_home(there, tenant, std::move(config), created, std::move(done));
  });
}

void update_stream(Directory& directory, StreamConfig config, const StreamTerms& terms,
                   Changed done) {
  Branch& branch = directory.branch();
  auto error = check_stream_config(config, bounds_of(branch), terms.pedantic);
  if (!error && config.name != terms.name) error = api_error(Err::stream_mismatch);
  Directory::Entry* entry = directory.find(config.name);
  if (!error && entry == nullptr) error = api_error(Err::stream_not_found);
  if (error) return done(branch, tl::unexpected(*error));
  set_required_level(config);
  error = check_stream_update(entry->config, config);
  if (!error && config.max_bytes > entry->config.max_bytes) error = directory.check_room(config);
  if (!error && directory.overlaps(config)) error = api_error(Err::stream_subject_overlap);
  if (error) return done(branch, tl::unexpected(*error));
  directory.occupy(*entry);
  Node& node = directory.node();
  Node& there = node.server().node(entry->home);
  node.services().post(entry->home, [&there, &tenant = directory.tenant(),
                                     config = std::move(config), done = std::move(done)]() mutable {
    update_at_home(there, tenant, std::move(config), std::move(done));
  });
}

void remove_stream(Directory& directory, std::string_view name, Removed done) {
  Directory::Entry* entry = directory.find(name);
  if (entry == nullptr) return done(directory.branch(), api_error(Err::stream_not_found));
  directory.occupy(*entry);
  if (!entry->failed.empty()) return remove_failed(directory, *entry, std::move(done));
  Node& node = directory.node();
  Node& there = node.server().node(entry->home);
  node.services().post(entry->home, [&there, &tenant = directory.tenant(), name = std::string(name),
                                     done = std::move(done)]() mutable {
    remove_at_home(there, tenant, std::move(name), std::move(done));
  });
}

std::optional<ApiError> check_purge(const StreamConfig& config) {
  if (config.sealed) return api_error(Err::stream_sealed);
  if (config.deny_purge) {
    return api_error(Err::stream_purge_failed, "stream purge not permitted");
  }
  return std::nullopt;
}

}  // namespace spanwire::jetstream
