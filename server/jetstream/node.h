// JetStream on one loop: for each account that has something here its branch, the streams that live
// here and, on one of the loops, its directory.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/done.h"
#include "base/result.h"
#include "jetstream/branch.h"
#include "jetstream/direct_get.h"
#include "jetstream/stream.h"
#include "store/log.h"
#include "wire/services.h"

namespace spanwire::jetstream {

class Directory;
class Server;
struct Tenant;

// A stream where it lives, and those who read from it for others.
struct Home {
  Home(Branch& branch, StreamConfig config, base::WallTime created)
      : stream(branch, std::move(config), created), direct_get(stream) {}
  Stream stream;
  DirectGet direct_get;
};

// Made before its loop runs, then used on it; destroyed after it has ended.
class Node {
 public:
  Node(Server& server, wire::Services& services);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  Server& server() { return server_; }
  wire::Services& services() { return services_; }
  Branch& branch(Tenant& tenant) { return *quarter(tenant).branch; }
  // Of an account whose directory is on this loop.
  Directory& make_directory(Tenant& tenant);
  Directory& directory(const Tenant& tenant);

  // The stream of that name, if it lives here and is ready.
  Home* find(const Tenant& tenant, std::string_view name);
  // Each home of the account's streams here.
  template <class Visit>
  void for_each(const Tenant& tenant, Visit visit) {
    const auto found = quarters_.find(&tenant);
    if (found == quarters_.end()) return;
    for (auto& [name, place] : found->second.homes) {
      if (place->ready) visit(*place->home);
    }
  }

  // Makes a stream of that configuration, which was checked; nobody has its name. For one in memory
  // `done` is called inside. The settings are durable when it is called.
  using Made = base::Done<base::Result<Home*>>;
  void create(Tenant& tenant, StreamConfig config, base::WallTime created, Made done);
  // One that the store has found.
  void recover(Tenant& tenant, const std::string& path, StreamConfig config, base::WallTime created,
               base::Done<base::Status> done);
  // Takes over a configuration that was checked as an update of the stream's.
  void update(Tenant& tenant, Home& home, StreamConfig config, base::Done<base::Status> done);
  // Ends a stream and destroys what it kept. Not inside anything that the stream has called.
  void remove(const Tenant& tenant, std::string_view name, base::Done<base::Status> done);
  // Ends all streams and closes their logs.
  void stop(base::Task done);

 private:
  struct Place {
    std::unique_ptr<Home> home;
    bool ready = false;  // the stream has its log
  };
  struct Quarter {
    std::unique_ptr<Branch> branch;
    std::map<std::string, std::unique_ptr<Place>, std::less<>> homes;
    std::unique_ptr<Directory> directory;
  };
  Quarter& quarter(Tenant& tenant);
  Home& add_home(Tenant& tenant, StreamConfig config, base::WallTime created);
  base::Status open(Tenant& tenant, const std::string& name,
                    base::Result<std::unique_ptr<store::Log>> log);

  Server& server_;
  wire::Services& services_;
  absl::flat_hash_map<const Tenant*, Quarter> quarters_;
  std::vector<std::unique_ptr<Place>> closing_;  // their logs are not closed yet
};

}  // namespace spanwire::jetstream
