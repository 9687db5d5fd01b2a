#include "jetstream/directory.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "jetstream/advisory.h"
#include "jetstream/api_handlers.h"
#include "jetstream/node.h"
#include "jetstream/server.h"
#include "jetstream/subjects.h"
#include "subject/filter.h"

namespace spanwire::jetstream {
namespace {

constexpr std::size_t requests_a_slice = 100;
// What they take may depend on how many streams there are.
constexpr base::Duration slice_time = std::chrono::milliseconds(1);

// What consumers and direct gets hear is not here: those subjects are the streams' own, so that a
// stream that is missing is nobody.
constexpr std::string_view heard[] = {
    "INFO",
    "STREAM.>",
    "CONSUMER.CREATE.>",
    "CONSUMER.DURABLE.CREATE.>",
    "CONSUMER.NAMES.>",
    "CONSUMER.LIST.>",
    "CONSUMER.INFO.>",
    "CONSUMER.DELETE.>",
    "CONSUMER.PAUSE.>",
    "CONSUMER.RESET.>",
    "CONSUMER.UNPIN.>",
    "CONSUMER.LEADER.>",
};

}  // namespace

Directory::Directory(Node& node, Tenant& tenant)
    : node_(node), tenant_(tenant), branch_(node.branch(tenant)) {
  listen();
}

Directory::~Directory() {
  stop();
}

void Directory::listen() {
  std::vector<std::string> prefixes = {"$JS.API."};
  const std::string& domain = branch_.settings().domain;
  if (!domain.empty()) prefixes.push_back(fmt::format("$JS.{}.API.", domain));
  for (const std::string& prefix : prefixes) {
    for (const std::string_view pattern : heard) {
      const auto filter = subject::parse_nats_filter(fmt::format("{}{}", prefix, pattern));
      BASE_ASSERT(filter);
      subs_.push_back(branch_.seat().listen(*filter, *this));
    }
  }
}

void Directory::stop() {
  stopped_ = true;
  for (const base::SubId sub : subs_) branch_.seat().end(sub);
  subs_.clear();
  branch_.forget(*this);
}

Directory::Entry* Directory::find(std::string_view name) {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

std::uint64_t Directory::reserved_by(const StreamConfig& config) const {
  const auto found = entries_.find(config.name);
  if (found == entries_.end() || found->second.config.storage != config.storage) return 0;
  const std::int64_t bytes = found->second.config.max_bytes;
  return bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

std::optional<ApiError> Directory::check_room(const StreamConfig& config) const {
  const bool memory = config.storage == store::Storage::memory;
  const Usage& usage = tenant_.usage;
  const Settings& settings = branch_.settings();
  const std::uint64_t own = memory ? usage.reserved_memory_bytes : usage.reserved_file_bytes;
  const std::uint64_t reserved =
      own - reserved_by(config) + node_.server().reserved_by_others(tenant_, config.storage);
  const std::uint64_t limit = memory ? settings.max_memory_store : settings.max_file_store;
  // A stream without a limit needs some room at least.
  const std::uint64_t wanted =
      config.max_bytes < 0 ? 1 : static_cast<std::uint64_t>(config.max_bytes);
  const bool no_store = !memory && node_.server().store() == nullptr;
  if (!no_store && reserved <= limit && wanted <= limit - reserved) return std::nullopt;
  return api_error(memory ? Err::memory_resources_exceeded : Err::storage_resources_exceeded);
}

bool Directory::overlaps(const StreamConfig& config) const {
  for (const auto& [name, entry] : entries_) {
    if (name == config.name) continue;
    for (const std::string& theirs : entry.config.subjects) {
      for (const std::string& ours : config.subjects) {
        if (subjects_collide(ours, theirs)) return true;
      }
    }
  }
  return false;
}

void Directory::reserve(const StreamConfig& config, bool reserved) {
  if (config.max_bytes <= 0) return;
  const auto bytes = static_cast<std::uint64_t>(config.max_bytes);
  Usage& usage = tenant_.usage;
  std::atomic<std::uint64_t>& counted = config.storage == store::Storage::memory
                                            ? usage.reserved_memory_bytes
                                            : usage.reserved_file_bytes;
  if (reserved) {
    counted += bytes;
  } else {
    counted -= bytes;
  }
}

Directory::Entry& Directory::add(StreamConfig config, base::WallTime created) {
  reserve(config, true);
  Entry entry;
  entry.created = created;
  entry.home = node_.services().home(tenant_.account(), config.name);
  entry.busy = true;
  entry.config = std::move(config);
  const std::string name = entry.config.name;
  const auto [at, fresh] = entries_.emplace(name, std::move(entry));
  BASE_ASSERT(fresh);
  tenant_.usage.streams = entries_.size();
  return at->second;
}

std::optional<ApiError> Directory::claim(StreamConfig config, base::WallTime created) {
  if (find(config.name) != nullptr) return api_error(Err::stream_name_exists_restore_failed);
  if (const auto error = check_room(config)) return error;
  if (overlaps(config)) return api_error(Err::stream_subject_overlap);
  add(std::move(config), created);
  return std::nullopt;
}

Directory::Entry& Directory::expect(StreamConfig config, base::WallTime created, std::string path) {
  Entry& entry = add(std::move(config), created);
  entry.path = std::move(path);
  entry.recovering = true;
  ++recovering_;
  return entry;
}

void Directory::end_recovery(Entry& entry) {
  if (!std::exchange(entry.recovering, false)) return;
  if (--recovering_ == 0 && has_work()) branch_.mark(*this);
}

void Directory::settle(const std::string& name, StreamConfig config) {
  Entry* entry = find(name);
  BASE_ASSERT(entry != nullptr);
  reserve(entry->config, false);
  reserve(config, true);
  entry->config = std::move(config);
  end_recovery(*entry);
  release(*entry);
}

void Directory::settle_failed(const std::string& name, std::string why) {
  Entry* entry = find(name);
  BASE_ASSERT(entry != nullptr);
  entry->failed = std::move(why);
  end_recovery(*entry);
  release(*entry);
}

void Directory::settle_gone(const std::string& name) {
  const auto found = entries_.find(name);
  BASE_ASSERT(found != entries_.end());
  reserve(found->second.config, false);
  std::deque<Request> waiting = std::move(found->second.waiting);
  end_recovery(found->second);
  entries_.erase(found);
  tenant_.usage.streams = entries_.size();
  queue_.insert(queue_.begin(), std::make_move_iterator(waiting.begin()),
                std::make_move_iterator(waiting.end()));
  if (has_work()) branch_.mark(*this);
}

// What waited for it comes before what has come since.
void Directory::release(Entry& entry) {
  entry.busy = false;
  queue_.insert(queue_.begin(), std::make_move_iterator(entry.waiting.begin()),
                std::make_move_iterator(entry.waiting.end()));
  entry.waiting.clear();
  if (has_work()) branch_.mark(*this);
}

void Directory::on_heard(const bus::MessageView& message) {
  branch_.mark(*this);
  if (waiting_ >= max_waiting_requests) {
    dropped_.add();
    ++dropped_since_;
    return;
  }
  auto request = parse_request(message.keep(), branch_.settings().domain);
  if (!request) return;  // nats-server does not answer either
  ++waiting_;
  tenant_.usage.api_inflight = waiting_;
  queue_.push_back(*std::move(request));
}

bool Directory::serve() {
  if (dropped_since_ != 0) advise_dropped();
  if (recovering_ != 0) return false;
  const base::Loop& loop = branch_.loop();
  const base::Time end = loop.exact_now() + slice_time;
  for (std::size_t i = 0; i < requests_a_slice && !queue_.empty(); ++i) {
    if (i != 0 && loop.exact_now() > end) break;
    Request request = std::move(queue_.front());
    queue_.pop_front();
    dispatch(std::move(request));
  }
  tenant_.usage.api_inflight = waiting_;
  run_errands();
  return !queue_.empty();
}

void Directory::when_free(std::string_view name, base::Task task) {
  BASE_ASSERT(takes_errands());
  errands_.push_back({std::string(name), std::move(task)});
  branch_.mark(*this);
}

void Directory::run_errands() {
  for (Errand& errand : std::exchange(errands_, {})) {
    const Entry* entry = find(errand.stream);
    if (entry != nullptr && entry->busy) {
      errands_.push_back(std::move(errand));
    } else {
      errand.run();
    }
  }
}

void Directory::dispatch(Request request) {
  Entry* entry = request.stream.empty() ? nullptr : find(request.stream);
  if (entry != nullptr && entry->busy) {
    entry->waiting.push_back(std::move(request));
    return;
  }
  --waiting_;
  if (!supports_required_level(request)) {
    return respond(branch_, request, api_error(Err::required_api_level));
  }
  const bool deletes = request.operation->at_directory == &api_stream_delete;
  if (entry != nullptr && !entry->failed.empty() && !deletes) {
    return respond(branch_, request, api_error(Err::stream_offline_reason, entry->failed));
  }
  if (const auto handle_here = request.operation->at_directory; handle_here != nullptr) {
    return handle_here(*this, std::move(request));
  }
  const auto handle = request.operation->at_home;
  if (entry != nullptr) return forward(*entry, std::move(request), handle);
  handle(HomeCall{node_, tenant_, branch_, nullptr, std::move(request)});
}

void Directory::forward(const Entry& entry, Request request, void (*handle)(HomeCall call)) {
  Node& there = node_.server().node(entry.home);
  node_.services().post(
      entry.home, [&there, &tenant = tenant_, handle, request = std::move(request)]() mutable {
        Home* home = there.find(tenant, request.stream);
        handle(HomeCall{there, tenant, there.branch(tenant), home, std::move(request)});
      });
}

void Directory::advise_dropped() {
  Advisory event(branch_, "advisory.v1.api_limit_reached");
  event.member("server", branch_.settings().server_name)
      .member("dropped", std::exchange(dropped_since_, 0));
  branch_.advise("$JS.EVENT.ADVISORY.API.LIMIT_REACHED", event.text());
}

}  // namespace spanwire::jetstream
