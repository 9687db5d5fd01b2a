#include "jetstream/node.h"

#include "base/assert.h"
#include "jetstream/directory.h"
#include "jetstream/restore.h"
#include "jetstream/server.h"

namespace spanwire::jetstream {

Node::Node(Server& server, wire::Services& services) : server_(server), services_(services) {}

Node::~Node() {
  restores_.clear();
  for (auto& [tenant, quarter] : quarters_) {
    for (auto& [name, place] : quarter.homes) {
      if (place->ready) place->home->stop(false);
    }
  }
}

Node::Quarter& Node::quarter(Tenant& tenant) {
  Quarter& quarter = quarters_[&tenant];
  if (quarter.branch == nullptr) {
    // Names drawn on different loops differ; nothing else depends on the seed.
    const auto seed = static_cast<std::uint64_t>(services_.loop().wall_now().time_since_epoch() /
                                                 std::chrono::nanoseconds(1));
    quarter.branch =
        std::make_unique<Branch>(services_, server_.settings(), tenant.usage, stored_after_,
                                 tenant.principal, seed * base::max_loops + services_.loop().id());
  }
  return quarter;
}

Directory& Node::make_directory(Tenant& tenant) {
  Quarter& its = quarter(tenant);
  its.directory = std::make_unique<Directory>(*this, tenant);
  return *its.directory;
}

Directory& Node::directory(const Tenant& tenant) {
  const auto found = quarters_.find(&tenant);
  BASE_ASSERT(found != quarters_.end());
  BASE_ASSERT(found->second.directory != nullptr);
  return *found->second.directory;
}

Home* Node::find(const Tenant& tenant, std::string_view name) {
  const auto quarter = quarters_.find(&tenant);
  if (quarter == quarters_.end()) return nullptr;
  const auto found = quarter->second.homes.find(name);
  if (found == quarter->second.homes.end() || !found->second->ready) return nullptr;
  return found->second->home.get();
}

Home& Node::add_home(Tenant& tenant, StreamConfig config, base::WallTime created) {
  Quarter& its = quarter(tenant);
  const std::string name = config.name;
  auto place = std::make_unique<Place>();
  place->home = std::make_unique<Home>(*its.branch, std::move(config), created);
  const auto [at, fresh] = its.homes.emplace(name, std::move(place));
  BASE_ASSERT(fresh);
  return *at->second->home;
}

// The log has come, or not.
base::Status Node::open(Tenant& tenant, const std::string& name,
                        base::Result<std::unique_ptr<store::Log>> log) {
  Quarter& its = quarter(tenant);
  const auto found = its.homes.find(name);
  BASE_ASSERT(found != its.homes.end());
  if (!log) {
    its.homes.erase(found);
    return tl::unexpected(log.error());
  }
  Place& place = *found->second;
  place.ready = true;
  place.home->stream.start(*std::move(log));
  place.home->direct_get.listen();
  return {};
}

void Node::create(Tenant& tenant, StreamConfig config, base::WallTime created, Made done) {
  const std::string name = config.name;
  const bool memory = config.storage == store::Storage::memory;
  std::string settings;
  if (!memory) {
    settings = write_stored_settings({tenant.principal->account->name, created, config});
  }
  Stream& stream = add_home(tenant, std::move(config), created).stream;
  auto finish = [this, &tenant, name,
                 done = std::move(done)](base::Result<std::unique_ptr<store::Log>> log) mutable {
    const base::Status status = open(tenant, name, std::move(log));
    if (!status) return done(tl::unexpected(status.error()));
    done(find(tenant, name));
  };
  if (memory) return finish(store::make_memory_log(stream));
  BASE_ASSERT(server_.store() != nullptr);
  server_.store()->create(std::move(settings), stream, services_.loop(), std::move(finish));
}

void Node::recover(Tenant& tenant, const std::string& path, StreamConfig config,
                   base::WallTime created, base::Done<base::Status> done) {
  const std::string name = config.name;
  Stream& stream = add_home(tenant, std::move(config), created).stream;
  server_.store()->recover(path, stream, services_.loop(),
                           [this, &tenant, name, done = std::move(done)](
                               base::Result<std::unique_ptr<store::Log>> log) mutable {
                             done(open(tenant, name, std::move(log)));
                           });
}

void Node::update(Tenant& tenant, Home& home, StreamConfig config, base::Done<base::Status> done) {
  const auto apply = [](Home& its, StreamConfig fresh) {
    its.stream.update(std::move(fresh));
    its.direct_get.listen();
  };
  if (config.storage == store::Storage::memory) {
    apply(home, std::move(config));
    return done({});
  }
  std::string settings =
      write_stored_settings({tenant.principal->account->name, home.stream.created(), config});
  server_.store()->set(home.stream.log(), std::move(settings), services_.loop(),
                       [&home, apply, config = std::move(config),
                        done = std::move(done)](base::Status status) mutable {
                         if (status) apply(home, std::move(config));
                         done(std::move(status));
                       });
}

void Node::begin_restore(Tenant& tenant, Request request, StreamConfig config) {
  const std::uint64_t id = ++last_restore_;
  auto made = std::make_unique<Restore>(*this, tenant, id, std::move(request), std::move(config));
  Restore& restore = *made;
  restores_.emplace(id, std::move(made));
  restore.begin();
}

void Node::on_claimed(Tenant& tenant, std::uint64_t restore, StreamConfig config,
                      std::optional<ApiError> error) {
  const auto found = restores_.find(restore);
  if (found != restores_.end()) return found->second->on_claimed(std::move(error));
  if (!error) report_gone(*this, tenant, std::move(config.name));
}

void Node::adopt(Tenant& tenant, std::unique_ptr<Home> home, base::WallTime created) {
  auto place = std::make_unique<Place>();
  place->ready = true;
  place->home = std::move(home);
  Home& its = *place->home;
  const auto [at, fresh] = quarter(tenant).homes.emplace(its.stream.name(), std::move(place));
  BASE_ASSERT(fresh);  // the directory keeps the name for it
  its.stream.open_filled(created);
  its.direct_get.listen();
}

// Not inside what the restore has called.
void Node::forget(const Restore& restore) {
  services_.post(services_.loop().id(), [this, id = restore.id()] { restores_.erase(id); });
}

void Node::remove(const Tenant& tenant, std::string_view name, base::Done<base::Status> done) {
  auto& homes = quarters_.find(&tenant)->second.homes;
  const auto found = homes.find(name);
  BASE_ASSERT(found != homes.end());
  std::unique_ptr<Place> place = std::move(found->second);
  homes.erase(found);
  Home& home = *place->home;
  home.stop(true);
  if (home.stream.config().storage == store::Storage::memory) {
    place.reset();
    return done({});
  }
  closing_.push_back(std::move(place));
  server_.store()->remove(home.stream.take_log(), services_.loop(),
                          [this, &home, done = std::move(done)](base::Status status) mutable {
                            std::erase_if(closing_, [&home](const std::unique_ptr<Place>& its) {
                              return its->home.get() == &home;
                            });
                            done(std::move(status));
                          });
}

void Node::stop(base::Task done) {
  restores_.clear();
  auto all = std::make_shared<base::Task>(std::move(done));
  auto left = std::make_shared<std::size_t>(1);
  const auto one_less = [all, left] {
    if (--*left == 0) (*all)();
  };
  for (auto& [tenant, quarter] : quarters_) {
    if (quarter.directory != nullptr) quarter.directory->stop();
    for (auto& [name, place] : quarter.homes) {
      if (!std::exchange(place->ready, false)) continue;
      place->home->stop(false);
      ++*left;
      place->home->stream.log().close(one_less);
    }
  }
  one_less();
}

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

}  // namespace spanwire::jetstream
