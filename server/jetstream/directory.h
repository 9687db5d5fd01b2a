// An account's directory: knows every stream of the account, reserves names and subjects, and
// answers the requests of the JetStream API or hands them to the streams' homes. On one loop.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/counter.h"
#include "base/done.h"
#include "base/ids.h"
#include "jetstream/api.h"
#include "jetstream/api_error.h"
#include "jetstream/branch.h"
#include "jetstream/stream_config.h"

namespace spanwire::jetstream {

class Node;
struct Tenant;

// Requests that wait, those for streams that are being made, changed or deleted included; more are
// dropped, as nats-server does with its own limit.
inline constexpr std::size_t max_waiting_requests = 10'000;

class Directory final : public Listener, public Served {
 public:
  Directory(Node& node, Tenant& tenant);
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  Node& node() { return node_; }
  Tenant& tenant() { return tenant_; }
  Branch& branch() { return branch_; }

  struct Entry {
    StreamConfig config;
    base::WallTime created{};
    base::LoopId home = 0;
    bool busy = false;  // it is being made, changed, deleted or recovered: requests wait
    bool recovering = false;
    std::string path;    // of one that was found in the store
    std::string failed;  // it could not be recovered: why
    std::deque<Request> waiting;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;
  const Entries& entries() const { return entries_; }
  Entry* find(std::string_view name);

  // Whether there is room for it: in the account and in the process.
  std::optional<ApiError> check_room(const StreamConfig& config) const;
  // Whether a stream other than `name` captures some subject that these match.
  bool overlaps(const StreamConfig& config) const;
  // Reserves the name and the subjects; the entry is busy.
  Entry& add(StreamConfig config, base::WallTime created);
  // The same for a stream that was found; before the loops run. Until all such have settled, every
  // request waits.
  Entry& expect(StreamConfig config, base::WallTime created, std::string path);
  // Makes it busy.
  void occupy(Entry& entry) { entry.busy = true; }
  // Ends listening.
  void stop();

  // For a stream that was restored, and is not one yet: as add(), if nothing is in the way.
  std::optional<ApiError> claim(StreamConfig config, base::WallTime created);

  // Runs `task` here, at the end of a turn, when nothing is being done with the stream of this
  // name. What a task begins with it, the next one waits for. Only while takes_errands().
  void when_free(std::string_view name, base::Task task);
  bool takes_errands() const { return !stopped_ && errands_.size() < max_waiting_requests; }

  // What a home reports: the stream is there, with this configuration; or it is gone.
  void settle(const std::string& name, StreamConfig config);
  void settle_gone(const std::string& name);
  void settle_failed(const std::string& name, std::string why);

  // Does the work of a request, or has it done at the stream's home.
  void dispatch(Request request);
  // Hands it to the home of its stream.
  void forward(const Entry& entry, Request request, void (*handle)(HomeCall call));

  // Requests that were dropped.
  std::uint64_t dropped() const { return dropped_.get(); }

  void on_heard(const bus::MessageView& message) override;
  bool serve() override;

 private:
  void listen();
  void release(Entry& entry);
  void end_recovery(Entry& entry);
  std::uint64_t reserved_by(const StreamConfig& config) const;
  void reserve(const StreamConfig& config, bool reserved);
  void advise_dropped();
  bool has_work() const { return !queue_.empty() || !errands_.empty(); }
  void run_errands();

  Node& node_;
  Tenant& tenant_;
  Branch& branch_;
  std::vector<base::SubId> subs_;
  Entries entries_;
  std::deque<Request> queue_;
  struct Errand {
    std::string stream;
    base::Task run;
  };
  std::vector<Errand> errands_;  // of when_free(), in order
  bool stopped_ = false;
  std::size_t waiting_ = 0;     // in the queue and with entries
  std::size_t recovering_ = 0;  // entries; until there is none, requests wait
  std::uint64_t dropped_since_ = 0;
  base::Counter dropped_;
};

}  // namespace spanwire::jetstream
