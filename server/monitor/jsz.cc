#include "monitor/jsz.h"

#include <algorithm>
#include <limits>
#include <map>

#include "jetstream/consumer_info.h"
#include "jetstream/stream_info.h"
#include "monitor/jetstream_figures.h"
#include "monitor/job.h"

namespace spanwire::monitor {
namespace {

// So many streams and consumers does a loop describe for one page.
constexpr std::size_t max_described = 20'000;
// Looking at a stream costs as much as so many units of a step; describing one, or a consumer, too.
constexpr std::size_t look_units = 2;
constexpr std::size_t describe_units = 20;
constexpr std::size_t default_limit = 1024;
// Where the description of a stream stands on the page.
constexpr std::size_t stream_level = 4;

struct JszQuery {
  bool accounts = false;
  bool streams = false;
  bool consumers = false;
  bool config = false;
  bool leader_only = false;
  std::string account;  // only this one is described
  std::size_t offset = 0;
  std::size_t limit = default_limit;
};

base::Result<JszQuery> read_jsz_query(const http::Query& query) {
  JszQuery out;
  bool ignored = false;  // all of it is so on one server
  const std::pair<std::string_view, bool*> flags[] = {
      {"accounts", &out.accounts},
      {"streams", &out.streams},
      {"consumers", &out.consumers},
      {"direct-consumers", &ignored},
      {"config", &out.config},
      {"leader-only", &out.leader_only},
      {"raft", &ignored},
      {"stream-leader-only", &ignored},
  };
  for (const auto& [name, flag] : flags) {
    const auto read = flag_parameter(query, name);
    if (!read) return tl::unexpected(read.error());
    *flag = *read;
  }
  const auto offset = number_parameter(query, "offset");
  const auto limit = number_parameter(query, "limit");
  for (const auto* read : {&offset, &limit}) {
    if (!*read) return tl::unexpected(read->error());
  }
  if (*offset > 0) out.offset = static_cast<std::size_t>(*offset);
  if (*limit > 0) out.limit = static_cast<std::size_t>(*limit);
  out.account = std::string(query.find("acc").value_or(std::string_view()));
  // Each of them is told within what it belongs to.
  out.streams = out.streams || out.consumers;
  out.accounts = out.accounts || out.streams || !out.account.empty();
  return out;
}

const std::string& name_of(const jetstream::Tenant& tenant) {
  return tenant.principal->account->name;
}

// The accounts that the page describes, in the order of their names.
std::vector<const jetstream::Tenant*> described_tenants(const jetstream::Server& server,
                                                        const JszQuery& query) {
  std::vector<const jetstream::Tenant*> all;
  if (!query.accounts) return all;
  for (const auto& tenant : server.tenants()) {
    if (query.account.empty() || name_of(*tenant) == query.account) all.push_back(tenant.get());
  }
  std::sort(all.begin(), all.end(),
            [](const auto* a, const auto* b) { return name_of(*a) < name_of(*b); });
  const std::size_t begin = query.account.empty() ? std::min(query.offset, all.size()) : 0;
  const std::size_t end = begin + std::min(query.limit, all.size() - begin);
  return {all.begin() + static_cast<std::ptrdiff_t>(begin),
          all.begin() + static_cast<std::ptrdiff_t>(end)};
}

// What one loop has for the page.
struct Part {
  std::uint64_t streams = 0, consumers = 0, messages = 0, bytes = 0, failed_logs = 0;
  std::uint64_t captured = 0, duplicates = 0, refused = 0, expired = 0, evicted = 0;
  std::uint64_t events_left_out = 0;
  store::Log::Footprint footprint;
  // By account and name: the text of a stream.
  std::map<const jetstream::Tenant*, std::map<std::string, std::string>> texts;
  std::size_t described = 0;
  bool is_cut = false;
};

void add(store::Log::Footprint& sum, const store::Log::Footprint& one) {
  sum.memory_bytes += one.memory_bytes;
  sum.disk_bytes += one.disk_bytes;
  sum.segments += one.segments;
  sum.damaged += one.damaged;
}

// Goes through the streams of a loop, and through the consumers of each, by their names: between
// two steps any of them may go.
class JszJob final : public Job {
 public:
  JszJob(Bridge& bridge, jetstream::Server& server, const JszQuery& query,
         std::vector<const jetstream::Tenant*> described, base::Done<Part> done)
      : node_(server.node(bridge.services().loop().id())),
        query_(query),
        described_(std::move(described)),
        now_(bridge.services().loop().wall_now()),
        done_(std::move(done)) {
    for (const auto& tenant : server.tenants()) {
      node_.for_each(*tenant, [this, &tenant](jetstream::Home& home) {
        streams_.emplace_back(tenant.get(), home.stream.name());
      });
    }
  }

  bool step() override {
    std::size_t units = step_units;
    for (; next_ < streams_.size(); ++next_) {
      if (units < describe_units) return false;
      if (!take(units)) return false;
    }
    done_(std::move(part_));
    return true;
  }

  void forget(const session::Peer& /*peer*/) override {}

 private:
  bool take(std::size_t& units);
  void count(const jetstream::Stream& stream);
  void begin(jetstream::Stream& stream);
  bool describe_consumers(jetstream::Stream& stream, std::size_t& units);

  jetstream::Node& node_;
  const JszQuery query_;
  const std::vector<const jetstream::Tenant*> described_;
  const base::WallTime now_;
  base::Done<Part> done_;
  std::vector<std::pair<const jetstream::Tenant*, std::string>> streams_;
  std::size_t next_ = 0;
  std::optional<json::Writer> writer_;  // of the stream that is being described
  std::string text_;
  std::string after_;  // the consumer that was described last
  bool has_consumers_ = false;
  Part part_;
};

// The next stream. False: there is more of it, in the next step.
bool JszJob::take(std::size_t& units) {
  const auto& [tenant, name] = streams_[next_];
  jetstream::Home* home = node_.find(*tenant, name);
  if (home == nullptr) {
    writer_.reset();
    return true;
  }
  if (!writer_) {
    units -= look_units;
    count(home->stream);
    const auto wanted = std::find(described_.begin(), described_.end(), tenant);
    if (!query_.streams || wanted == described_.end()) return true;
    if (part_.described >= max_described) {
      part_.is_cut = true;
      return true;
    }
    units -= describe_units - look_units;
    begin(home->stream);
  }
  if (query_.consumers && !describe_consumers(home->stream, units)) return false;
  writer_->end_object();
  writer_.reset();
  part_.texts[tenant].emplace(name, std::exchange(text_, {}));
  return true;
}

void JszJob::count(const jetstream::Stream& stream) {
  const store::Totals& totals = stream.log().totals();
  ++part_.streams;
  part_.consumers += stream.consumers().size();
  part_.messages += totals.messages;
  part_.bytes += totals.bytes;
  if (stream.log().failed() != nullptr) ++part_.failed_logs;
  add(part_.footprint, stream.log().footprint());
  const jetstream::Stream::Counts& counts = stream.counts();
  part_.captured += counts.captured.get();
  part_.duplicates += counts.duplicates.get();
  part_.refused += counts.refused.get();
  part_.expired += counts.expired.get();
  part_.evicted += counts.evicted.get();
  part_.events_left_out += counts.events_left_out.get();
}

void JszJob::begin(jetstream::Stream& stream) {
  text_.clear();
  after_.clear();
  has_consumers_ = false;
  ++part_.described;
  json::Style style = page_style;
  style.level = stream_level;
  json::Writer& writer = writer_.emplace(text_, style);
  writer.begin_object().member("name", stream.name()).member("created", stream.created());
  writer.key("cluster").begin_object();
  writer.member("leader", stream.branch().settings().server_name).end_object();
  if (query_.config) {
    writer.key("config");
    jetstream::write_stream_config(writer, stream.config());
  }
  jetstream::write_stream_state(writer, stream);
}

// False: there are more, in the next step.
bool JszJob::describe_consumers(jetstream::Stream& stream, std::size_t& units) {
  const auto& consumers = stream.consumers();
  auto next = has_consumers_ ? consumers.upper_bound(after_) : consumers.begin();
  for (; next != consumers.end(); ++next) {
    if (part_.described >= max_described) {
      part_.is_cut = true;
      break;
    }
    if (units < describe_units) return false;
    units -= describe_units;
    ++part_.described;
    if (!std::exchange(has_consumers_, true)) writer_->key("consumer_detail").begin_array();
    after_ = next->first;
    next->second->when_counted([](bool) {});  // what takes longer than a slice is for the next page
    writer_->begin_object();
    jetstream::write_consumer_info(
        *writer_, *next->second, stream, now_, {},
        query_.config ? jetstream::ShowConfig::yes : jetstream::ShowConfig::no);
    writer_->end_object();
  }
  if (has_consumers_) writer_->end_array();
  return true;
}

Part total_of(std::vector<Part>& parts) {
  Part total;
  for (Part& part : parts) {
    total.streams += part.streams;
    total.consumers += part.consumers;
    total.messages += part.messages;
    total.bytes += part.bytes;
    total.failed_logs += part.failed_logs;
    total.described += part.described;
    total.is_cut = total.is_cut || part.is_cut;
    total.captured += part.captured;
    total.duplicates += part.duplicates;
    total.refused += part.refused;
    total.expired += part.expired;
    total.evicted += part.evicted;
    total.events_left_out += part.events_left_out;
    add(total.footprint, part.footprint);
    for (auto& [tenant, texts] : part.texts) total.texts[tenant].merge(texts);
  }
  return total;
}

void write_account(json::Writer& json, const jetstream::Tenant& tenant, const Part& total) {
  // Accounts have no limits of their own: nats-server shows this number then.
  constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();
  const jetstream::Usage& usage = tenant.usage;
  json.begin_object().member("name", name_of(tenant)).member("id", name_of(tenant));
  json.member("memory", usage.memory_bytes.load()).member("storage", usage.file_bytes.load());
  json.member("reserved_memory", unlimited).member("reserved_storage", unlimited);
  json.member("accounts", 0).member("ha_assets", 0);
  write_api_figures(json, {.total = usage.api_calls.load(), .errors = usage.api_errors.load()});
  const auto texts = total.texts.find(&tenant);
  if (texts != total.texts.end()) {
    json.key("stream_detail").begin_array();
    for (const auto& [name, text] : texts->second) json.raw(text);
    json.end_array();
  }
  json.end_object();
}

void write_committer(json::Writer& json, const store::CommitCounters& counters) {
  const base::Distribution rounds = counters.round_time.read();
  json.key("committer").begin_object().member("rounds", counters.rounds.get());
  json.member("writes", counters.writes.get()).member("bytes", counters.bytes.get());
  json.member("journal_syncs", counters.journal_syncs.get());
  json.member("file_syncs", counters.file_syncs.get());
  json.member("failures", counters.failures.get());
  json.member("round_p50_ns", rounds.below_ns(500));
  json.member("round_p99_ns", rounds.below_ns(990)).end_object();
}

void write_stored_after(json::Writer& json, const base::Distribution& times) {
  json.key("stored_after").begin_object();
  json.member("messages", times.count()).member("total_ns", times.total_ns);
  json.member("p50_ns", times.below_ns(500)).member("p99_ns", times.below_ns(990)).end_object();
}

// What nats-server does not have.
void write_own(json::Writer& json, const jetstream::Server& server, const Part& total) {
  json.key("spanwire").begin_object();
  json.member("log_memory_bytes", total.footprint.memory_bytes);
  json.member("log_disk_bytes", total.footprint.disk_bytes);
  json.member("segments", total.footprint.segments);
  json.member("damaged_records", total.footprint.damaged);
  json.member("failed_logs", total.failed_logs);
  json.member("unrecovered_streams", server.failed());
  json.member("captured", total.captured).member("duplicates", total.duplicates);
  json.member("refused", total.refused);
  json.member("expired", total.expired).member("evicted", total.evicted);
  json.member("events_left_out", total.events_left_out);
  if (total.is_cut) json.member("details_are_cut", true);
  write_stored_after(json, server.stored_after());
  const store::CommitCounters* counters =
      server.store() == nullptr ? nullptr : server.store()->commit_counters();
  if (counters != nullptr) write_committer(json, *counters);
  json.end_object();
}

std::string jsz_text(const jetstream::Server& server, const std::string& server_id,
                     base::WallTime now, const std::vector<const jetstream::Tenant*>& described,
                     const Part& total) {
  std::string text;
  json::Writer json(text, page_style);
  json.begin_object();
  write_jetstream_stats(json, server);
  json.member("server_id", server_id).member("now", now);
  write_jetstream_config(json, server);
  json.key("limits").begin_object().end_object();
  json.member("streams", total.streams).member("consumers", total.consumers);
  json.member("messages", total.messages).member("bytes", total.bytes);
  if (!described.empty()) {
    json.key("account_details").begin_array();
    for (const jetstream::Tenant* tenant : described) write_account(json, *tenant, total);
    json.end_array();
  }
  json.member("total", server.tenants().size());
  write_own(json, server, total);
  json.end_object();
  return text;
}

std::string disabled_text(const std::string& server_id, base::WallTime now) {
  std::string text;
  json::Writer json(text, page_style);
  json.begin_object().member("memory", 0).member("storage", 0);
  json.member("reserved_memory", 0).member("reserved_storage", 0);
  json.member("accounts", 0).member("ha_assets", 0);
  write_api_figures(json, {});
  json.member("server_id", server_id).member("now", now).member("disabled", true);
  json.key("config").begin_object().member("max_memory", 0).member("max_storage", 0).end_object();
  json.member("streams", 0).member("consumers", 0).member("messages", 0).member("bytes", 0);
  json.member("total", 0).end_object();
  return text;
}

}  // namespace

void jsz(Bridge& bridge, const web::Request& request, Page page) {
  const auto query = read_jsz_query(request.query);
  if (!query) return page.refuse(400, query.error().text);
  jetstream::Server* server = bridge.source().jetstream();
  if (server == nullptr) {
    if (query->leader_only) return page.refuse(400, "filtered response: not leader");
    return page.send(
        disabled_text(bridge.services().identity().id, bridge.services().loop().wall_now()));
  }
  auto described = described_tenants(*server, *query);
  bridge.ask_loops<Part>(
      [server, query = *query, described](Bridge& there, base::Done<Part> done) {
        there.run(std::make_unique<JszJob>(there, *server, query, described, std::move(done)));
      },
      [&bridge, server, described, page = std::move(page)](std::vector<Part> parts) mutable {
        auto total = std::make_shared<Part>(total_of(parts));
        bridge.render(
            std::move(page), total->described,
            [server, described = std::move(described), total, id = bridge.services().identity().id,
             now = bridge.services().loop().wall_now()] {
              return jsz_text(*server, id, now, described, *total);
            });
      });
}

}  // namespace spanwire::monitor
