#include "monitor/varz.h"

#include <algorithm>

#include "monitor/jetstream_figures.h"

namespace spanwire::monitor {
namespace {

// What one loop has counted.
struct LoopFigures {
  std::uint64_t in_messages = 0, in_bytes = 0, out_messages = 0, out_bytes = 0;
  std::uint64_t handed_over = 0, refused_unsafe = 0, dropped_deferred = 0, dropped_queue = 0;
  std::uint64_t stalls = 0, lane_waits = 0;
  std::uint64_t watches = 0, watches_refused = 0, arrivals_told = 0;
  std::uint64_t turns = 0, early_flushes = 0, cut_flushes = 0, closed_for_memory = 0;
  std::uint64_t cached_subjects = 0, cached_bytes = 0, cache_builds = 0;
  std::uint64_t connections = 0, own_connections = 0, own_opened = 0;
  NetCounts net;
  // How long the stages of turns took.
  struct Stages {
    base::Distribution read, match, hand_over, inbox_age, flush;
  } stages;
  std::array<std::uint64_t, paths.size()> requests{};
  // By wire, in the order of the wires.
  std::vector<std::pair<std::string, std::vector<wire::Count>>> wires;
};

void read_router(const bus::Router& router, LoopFigures& figures) {
  const bus::RouterStats& stats = router.stats();
  figures.in_messages = stats.clients.in_messages.get();
  figures.in_bytes = stats.clients.in_bytes.get();
  figures.out_messages = stats.clients.out_messages.get();
  figures.out_bytes = stats.clients.out_bytes.get();
  figures.handed_over = stats.handed_over.get();
  figures.refused_unsafe = stats.refused_unsafe.get();
  figures.dropped_deferred = stats.dropped_deferred.get();
  figures.dropped_queue = stats.dropped_queue.get();
  figures.stalls = stats.stalls.get();
  figures.lane_waits = stats.lane_waits.get();
  figures.watches = stats.watches.get();
  figures.watches_refused = stats.watches_refused.get();
  figures.arrivals_told = stats.arrivals_told.get();
  figures.cached_subjects = router.cache().size();
  figures.cached_bytes = router.cache().size_bytes();
  figures.cache_builds = router.cache().builds();
  figures.stages.match = stats.match.read();
  figures.stages.hand_over = stats.hand_over.read();
  figures.stages.inbox_age = stats.inbox_age.read();
}

LoopFigures read_loop(Bridge& bridge) {
  LoopFigures figures;
  session::Turn& turn = bridge.turn();
  read_router(turn.router(), figures);
  figures.turns = turn.stats().turns.get();
  figures.early_flushes = turn.stats().early_flushes.get();
  figures.cut_flushes = turn.stats().cut_flushes.get();
  figures.closed_for_memory = turn.stats().closed_for_memory.get();
  figures.stages.read = turn.stats().read.read();
  figures.stages.flush = turn.stats().flush.read();
  figures.own_connections = bridge.own_connections();
  figures.own_opened = bridge.own_opened();
  figures.connections = turn.sessions() - figures.own_connections;
  figures.requests = bridge.requests();
  const base::LoopId loop = bridge.services().loop().id();
  figures.net = bridge.source().net_counts(loop);
  bridge.source().visit_bridges(loop, [&figures](std::string_view wire, wire::Bridge& each) {
    figures.wires.emplace_back(wire, each.counts());
  });
  return figures;
}

// Adds up the loops' figures; not the lists.
LoopFigures total_of(const std::vector<LoopFigures>& loops) {
  using Figure = std::uint64_t LoopFigures::*;
  constexpr Figure summed[] = {
      &LoopFigures::in_messages,     &LoopFigures::in_bytes,   &LoopFigures::out_messages,
      &LoopFigures::out_bytes,       &LoopFigures::stalls,     &LoopFigures::connections,
      &LoopFigures::own_connections, &LoopFigures::own_opened,
  };
  LoopFigures total;
  for (const LoopFigures& loop : loops) {
    for (const Figure figure : summed) total.*figure += loop.*figure;
    total.net.slow_writers += loop.net.slow_writers;
    total.stages.read.add(loop.stages.read);
    total.stages.match.add(loop.stages.match);
    total.stages.hand_over.add(loop.stages.hand_over);
    total.stages.inbox_age.add(loop.stages.inbox_age);
    total.stages.flush.add(loop.stages.flush);
    for (std::size_t i = 0; i < total.requests.size(); ++i) total.requests[i] += loop.requests[i];
    total.wires.resize(loop.wires.size());
    for (std::size_t i = 0; i < loop.wires.size(); ++i) {
      auto& [name, counts] = total.wires[i];
      name = loop.wires[i].first;
      counts.resize(loop.wires[i].second.size());
      for (std::size_t k = 0; k < counts.size(); ++k) {
        counts[k].name = loop.wires[i].second[k].name;
        counts[k].value += loop.wires[i].second[k].value;
      }
    }
  }
  return total;
}

// Every wire's count of that name: those that several wires have mean the same in all of them.
std::uint64_t wires_count(const LoopFigures& total, std::string_view name) {
  std::uint64_t sum = 0;
  for (const auto& [wire, counts] : total.wires) {
    for (const wire::Count& count : counts) {
      if (count.name == name) sum += count.value;
    }
  }
  return sum;
}

const Listener* find_listener(const Facts& facts, std::string_view wire) {
  const auto found =
      std::find_if(facts.listeners.begin(), facts.listeners.end(),
                   [wire](const Listener& listener) { return listener.wire == wire; });
  return found == facts.listeners.end() ? nullptr : &*found;
}

void write_settings(json::Writer& json, const Facts& facts, const jetstream::Server* jetstream) {
  const nats::Settings& nats = facts.nats;
  json.member("host", nats.host).member("port", nats.port);
  if (facts.auth_required) json.member("auth_required", true);
  json.member("max_connections", facts.max_connections);
  if (nats.max_subscriptions != 0) json.member("max_subscriptions", nats.max_subscriptions);
  json.member("ping_interval", nats.ping_interval.count()).member("ping_max", nats.ping_max);
  const Listener* http = find_listener(facts, "monitor");
  json.member("http_host", http == nullptr ? "" : http->host);
  json.member("http_port", http == nullptr ? 0 : http->port);
  json.member("http_base_path", "").member("https_port", 0);
  json.member("auth_timeout", std::chrono::duration<double>(nats.auth_timeout).count());
  json.member("max_control_line", nats.max_control_line);
  json.member("max_payload", nats.max_payload).member("max_pending", nats.max_pending);
  // Tools look for these; what is not configured is empty.
  for (const char* none : {"cluster", "gateway", "leaf"})
    json.key(none).begin_object().end_object();
  json.key("mqtt").begin_object();
  if (const Listener* mqtt = find_listener(facts, "mqtt"); mqtt != nullptr) {
    json.member("host", mqtt->host).member("port", mqtt->port);
  }
  json.end_object();
  json.key("websocket").begin_object().end_object();
  json.key("jetstream").begin_object();
  if (jetstream != nullptr) {
    write_jetstream_config(json, *jetstream);
    json.key("stats").begin_object();
    write_jetstream_stats(json, *jetstream);
    json.end_object().key("limits").begin_object().end_object();
  }
  json.end_object();
  json.member("write_deadline", facts.write_deadline.count());
}

void write_process(json::Writer& json, Bridge& bridge) {
  const Facts& facts = bridge.source().facts();
  const base::WallTime now = bridge.services().loop().wall_now();
  const Usage usage = bridge.source().usage();
  json.member("start", facts.start).member("now", now);
  json.member("uptime", uptime_text(now - facts.start)).member("mem", usage.resident_bytes);
  json.member("cores", facts.cores).member("gomaxprocs", bridge.services().loops());
  json.member("cpu", usage.cpu_percent);
}

void write_kinds(json::Writer& json, std::string_view name, std::uint64_t clients) {
  json.key(name).begin_object().member("clients", clients);
  json.member("routes", 0).member("gateways", 0).member("leafs", 0).end_object();
}

void write_totals(json::Writer& json, Bridge& bridge, const LoopFigures& total) {
  const std::uint64_t accepted = bridge.source().accepted_connections();
  const std::uint64_t slow = wires_count(total, "slow_consumers") + total.net.slow_writers;
  const std::uint64_t stale = wires_count(total, "stale_connections");
  std::size_t subscriptions = 0;
  for (const bus::Interest* interest : bridge.turn().router().hub().interests()) {
    subscriptions += interest->subscriptions();
  }
  json.member("connections", total.connections);
  json.member("total_connections", accepted - std::min(accepted, total.own_opened));
  json.member("routes", 0).member("remotes", 0).member("leafnodes", 0);
  json.member("in_msgs", total.in_messages).member("in_bytes", total.in_bytes);
  json.member("in_client_msgs", total.in_messages).member("in_client_bytes", total.in_bytes);
  json.member("out_msgs", total.out_messages).member("out_bytes", total.out_bytes);
  json.member("out_client_msgs", total.out_messages).member("out_client_bytes", total.out_bytes);
  json.member("slow_consumers", slow).member("stale_connections", stale);
  json.member("stalled_clients", total.stalls).member("subscriptions", subscriptions);
  json.key("http_req_stats").begin_object();
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (total.requests[i] != 0) json.member(paths[i], total.requests[i]);
  }
  json.end_object();
  json.member("config_load_time", bridge.source().facts().start);
  json.member("config_digest", bridge.source().facts().config_digest);
  write_kinds(json, "slow_consumer_stats", slow);
  write_kinds(json, "stale_connection_stats", stale);
}

void write_loop(json::Writer& json, const LoopFigures& loop) {
  json.begin_object().member("connections", loop.connections);
  json.member("monitor_connections", loop.own_connections);
  json.member("accepted", loop.net.accepted).member("closed", loop.net.closed);
  json.member("reads", loop.net.reads).member("writes", loop.net.writes);
  json.member("slow_writers", loop.net.slow_writers).member("turns", loop.turns);
  json.member("early_flushes", loop.early_flushes).member("cut_flushes", loop.cut_flushes);
  json.member("closed_for_memory", loop.closed_for_memory);
  json.member("in_msgs", loop.in_messages).member("in_bytes", loop.in_bytes);
  json.member("out_msgs", loop.out_messages).member("out_bytes", loop.out_bytes);
  json.member("handed_over", loop.handed_over).member("refused_unsafe", loop.refused_unsafe);
  json.member("dropped_deferred", loop.dropped_deferred);
  json.member("dropped_queue", loop.dropped_queue);
  json.member("stalls", loop.stalls).member("lane_waits", loop.lane_waits);
  json.member("watches", loop.watches).member("watches_refused", loop.watches_refused);
  json.member("arrivals_told", loop.arrivals_told);
  json.key("match_cache").begin_object().member("subjects", loop.cached_subjects);
  json.member("bytes", loop.cached_bytes).member("builds", loop.cache_builds).end_object();
  json.end_object();
}

// All loops together; the bounds are powers of two.
void write_stages(json::Writer& json, const LoopFigures::Stages& stages) {
  const auto write = [&json](std::string_view name, const base::Distribution& taken) {
    json.key(name).begin_object().member("count", taken.count());
    json.member("total_ns", taken.total_ns).member("p50_ns", taken.below_ns(500));
    json.member("p99_ns", taken.below_ns(990)).member("p999_ns", taken.below_ns(999));
    json.member("most_ns", taken.below_ns(1000)).end_object();
  };
  json.key("stages").begin_object();
  write("read", stages.read);
  write("match", stages.match);
  write("hand_over", stages.hand_over);
  write("inbox_age", stages.inbox_age);
  write("flush", stages.flush);
  json.end_object();
}

// What nats-server does not have.
void write_own(json::Writer& json, Bridge& bridge, const std::vector<LoopFigures>& loops,
               const LoopFigures& total) {
  json.key("spanwire").begin_object();
  json.member("version", bridge.services().identity().version);
  json.member("buffered_bytes", bridge.source().buffered_bytes());
  json.member("refused_connections", bridge.source().refused_connections());
  json.member("monitor_connections", total.own_connections);
  json.key("listeners").begin_array();
  for (const Listener& listener : bridge.source().facts().listeners) {
    json.begin_object().member("wire", listener.wire).member("host", listener.host);
    json.member("port", listener.port).end_object();
  }
  json.end_array();
  json.key("wires").begin_object();
  for (const auto& [wire, counts] : total.wires) {
    json.key(wire).begin_object();
    for (const wire::Count& count : counts) json.member(count.name, count.value);
    json.end_object();
  }
  json.end_object();
  write_stages(json, total.stages);
  json.key("loops").begin_array();
  for (const LoopFigures& loop : loops) write_loop(json, loop);
  json.end_array().end_object();
}

std::string varz_text(Bridge& bridge, const std::vector<LoopFigures>& loops) {
  const wire::ServerIdentity& identity = bridge.services().identity();
  const LoopFigures total = total_of(loops);
  std::string text;
  json::Writer json(text, page_style);
  json.begin_object();
  json.member("server_id", identity.id).member("server_name", identity.name);
  json.member("version", identity.nats_version).member("proto", 1);
  json.member("go", "none");  // as in INFO
  write_settings(json, bridge.source().facts(), bridge.source().jetstream());
  write_process(json, bridge);
  write_totals(json, bridge, total);
  write_own(json, bridge, loops, total);
  json.end_object();
  return text;
}

}  // namespace

void varz(Bridge& bridge, const web::Request& /*request*/, Page page) {
  bridge.ask_loops<LoopFigures>(
      [](Bridge& there, base::Done<LoopFigures> done) { done(read_loop(there)); },
      [&bridge, page = std::move(page)](const std::vector<LoopFigures>& loops) mutable {
        page.send(varz_text(bridge, loops));
      });
}

}  // namespace spanwire::monitor
