// JetStream on one loop: for each account that has something here its branch, the streams that live
// here and, on one of the loops, its directory.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/done.h"
#include "base/histogram.h"
#include "base/result.h"
#include "jetstream/api.h"
#include "jetstream/backup.h"
#include "jetstream/branch.h"
#include "jetstream/direct_get.h"
#include "jetstream/stream.h"
#include "store/log.h"
#include "wire/services.h"

namespace spanwire::jetstream {

class Directory;
class Restore;
class Server;
struct Tenant;

// A stream where it lives, and those who read from it for others.
struct Home {
  Home(Branch& branch, StreamConfig config, base::WallTime created)
      : stream(branch, std::move(config), created), direct_get(stream), backups(stream) {}
  // Ends all that it does.
  void stop(bool deleted) {
    backups.stop();
    stream.stop(deleted);  // who waits for its commit may ask for messages then
    direct_get.stop();
  }
  Stream stream;
  DirectGet direct_get;
  Backups backups;
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
  // Of all accounts' messages that were acknowledged on this loop. From any thread.
  base::Distribution stored_after() const { return stored_after_.read(); }
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
  // Restores a stream from a backup: tells the asker where to send it. `config` was checked.
  void begin_restore(Tenant& tenant, Request request, StreamConfig config);
  // What the directory says to a restore whose backup is complete: nothing, if the name is its own.
  void on_claimed(Tenant& tenant, std::uint64_t restore, StreamConfig config,
                  std::optional<ApiError> error);
  // For restores: the stream is one as others from now on; and: it is over.
  void adopt(Tenant& tenant, std::unique_ptr<Home> home, base::WallTime created);
  void forget(const Restore& restore);
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
  base::Histogram stored_after_;
  absl::flat_hash_map<const Tenant*, Quarter> quarters_;
  std::vector<std::unique_ptr<Place>> closing_;  // their logs are not closed yet
  std::map<std::uint64_t, std::unique_ptr<Restore>> restores_;
  std::uint64_t last_restore_ = 0;
};

// Tell the account's directory what has become of a stream on this loop; that leaves it together
// with what was answered before.
void report(Node& node, Tenant& tenant, StreamConfig config);
void report_gone(Node& node, Tenant& tenant, std::string name);

}  // namespace spanwire::jetstream
