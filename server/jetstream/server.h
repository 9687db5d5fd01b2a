// JetStream of the process: who may use it, where streams are kept, and its part on each loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "account/account.h"
#include "base/clock.h"
#include "base/done.h"
#include "base/ids.h"
#include "base/result.h"
#include "jetstream/node.h"
#include "jetstream/settings.h"
#include "jetstream/stream_config.h"
#include "store/store.h"
#include "wire/services.h"

namespace spanwire::jetstream {

// An account that may use JetStream. Never changes, but for what is counted.
struct Tenant {
  Tenant(base::Ref<const account::Principal> its, base::LoopId loop)
      : principal(std::move(its)), directory(loop) {}
  base::AccountId account() const { return principal->account->id; }

  const base::Ref<const account::Principal> principal;  // JetStream's own: it may do everything
  const base::LoopId directory;                         // the loop of the account's directory
  Usage usage;
};

// Lives on the main thread from before the loops start until after they have stopped, and no longer
// than the services of its nodes.
class Server {
 public:
  // Without a store there are streams in memory only. The principals are JetStream's own, one for
  // each account that may use it, without permissions: everything is allowed.
  Server(Settings settings, std::unique_ptr<store::Store> store,
         std::vector<base::Ref<const account::Principal>> principals);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Once for each loop, in their order, before they run. The node is used on that loop only.
  Node& make_node(wire::Services& services);
  // After that, still before the loops run: makes the directories, and begins to recover what the
  // store has found; that goes on when the loops run.
  void start();
  // Every stream that was found is there, or has failed. From any thread.
  bool ready() const { return recovering_.load(std::memory_order_acquire) == 0; }
  // Streams that could not be recovered: they refuse every request.
  std::size_t failed() const { return failed_.load(std::memory_order_relaxed); }
  // Ends all streams: commits what they were told and closes their logs; then calls `done` on some
  // loop. Once, from any thread, while the loops run; nothing publishes any more.
  void stop(base::Task done);

  const Settings& settings() const { return settings_; }
  store::Store* store() const { return store_.get(); }  // null: there is none
  Node& node(base::LoopId loop) const { return *nodes_[loop]; }
  // From the turns that took messages to their acknowledgements, since the start. From any thread,
  // while the loops run.
  base::Distribution stored_after() const;
  const std::vector<std::unique_ptr<Tenant>>& tenants() const { return tenants_; }
  // What all accounts have reserved by max_bytes, without this one.
  std::uint64_t reserved_by_others(const Tenant& tenant, store::Storage storage) const;

  // For nodes: a stream that was found is there, or is not.
  void recovered(bool well);
  // For directories: one that could not be recovered was deleted.
  void forget_failed();

 private:
  void recover(const store::StoredStream& found);
  Tenant* find(std::string_view account) const;

  const Settings settings_;
  std::unique_ptr<store::Store> store_;
  std::vector<base::Ref<const account::Principal>> principals_;
  std::vector<std::unique_ptr<Tenant>> tenants_;
  std::vector<std::unique_ptr<Node>> nodes_;  // by loop; after what they refer to
  std::atomic<std::size_t> recovering_{0};
  std::atomic<std::size_t> failed_{0};
};

// What store::Store keeps of a stream beside its log.
struct StoredSettings {
  std::string account;  // its name
  base::WallTime created;
  StreamConfig config;
};
std::string write_stored_settings(const StoredSettings& settings);
base::Result<StoredSettings> parse_stored_settings(std::string_view text);

}  // namespace spanwire::jetstream
