#include "monitor/healthz.h"

#include <fmt/format.h>

#include <algorithm>

#include "jetstream/directory.h"

namespace spanwire::monitor {
namespace {

constexpr int bad_request = 400;
constexpr int not_found = 404;
constexpr int unavailable = 503;

struct HealthQuery {
  bool server_only = false;  // nothing of accounts, streams and consumers
  bool details = false;
  std::string account, stream, consumer;  // empty: all
};

// What is wrong, and with what.
struct Problem {
  int status = unavailable;
  std::string_view type;
  std::string account, stream, consumer;
  std::string error;
};

// What one loop has found of what was asked.
struct Part {
  bool stream = false;
  bool consumer = false;
  std::vector<Problem> problems;
};

base::Result<HealthQuery> read_health_query(const http::Query& query) {
  HealthQuery out;
  bool enabled = false, enabled_only = false, server_only = false, meta_only = false;
  const std::pair<std::string_view, bool*> flags[] = {
      {"js-enabled", &enabled},         {"js-enabled-only", &enabled_only},
      {"js-server-only", &server_only}, {"js-meta-only", &meta_only},
      {"details", &out.details},
  };
  for (const auto& [name, flag] : flags) {
    const auto read = flag_parameter(query, name);
    if (!read) return tl::unexpected(read.error());
    *flag = *read;
  }
  out.server_only = enabled || enabled_only || server_only || meta_only;
  const auto text = [&query](std::string_view name) {
    return std::string(query.find(name).value_or(std::string_view()));
  };
  out.account = text("account");
  out.stream = text("stream");
  out.consumer = text("consumer");
  return out;
}

std::optional<Problem> mistake_of(const HealthQuery& query) {
  const auto mistake = [](std::string error) {
    return Problem{.status = bad_request, .type = "BAD_REQUEST", .error = std::move(error)};
  };
  if (!query.stream.empty() && query.account.empty()) {
    return mistake("\"account\" must not be empty when checking stream health");
  }
  if (!query.consumer.empty() && query.stream.empty()) {
    return mistake("\"stream\" must not be empty when checking consumer health");
  }
  return {};
}

Problem stream_problem(const std::string& account, const std::string& stream,
                       std::string_view what) {
  return {.type = "STREAM",
          .account = account,
          .stream = stream,
          .error = fmt::format("JetStream stream '{} > {}' {}", account, stream, what)};
}

// Streams whose directory is here and that could not be recovered.
void look_at_directory(jetstream::Node& node, jetstream::Tenant& tenant, const HealthQuery& query,
                       Part& part) {
  const std::string& account = tenant.principal->account->name;
  for (const auto& [name, entry] : node.directory(tenant).entries()) {
    if (!query.stream.empty() && name != query.stream) continue;
    part.stream = true;
    if (!entry.recovering && entry.failed.empty()) continue;
    part.problems.push_back(stream_problem(
        account, name, entry.recovering ? "is being recovered" : "could not be recovered"));
  }
}

// Streams that live here and whose log has failed.
void look_at_homes(jetstream::Node& node, const jetstream::Tenant& tenant, const HealthQuery& query,
                   Part& part) {
  const std::string& account = tenant.principal->account->name;
  node.for_each(tenant, [&](jetstream::Home& home) {
    const jetstream::Stream& stream = home.stream;
    if (!query.stream.empty() && stream.name() != query.stream) return;
    if (stream.find_consumer(query.consumer) != nullptr) part.consumer = true;
    const base::Error* failed = stream.log().failed();
    if (failed == nullptr) return;
    part.problems.push_back(
        stream_problem(account, stream.name(), fmt::format("has failed: {}", failed->text)));
  });
}

Part look(Bridge& bridge, jetstream::Server& server, const HealthQuery& query) {
  const base::LoopId loop = bridge.services().loop().id();
  jetstream::Node& node = server.node(loop);
  Part part;
  for (const auto& tenant : server.tenants()) {
    if (!query.account.empty() && tenant->principal->account->name != query.account) continue;
    if (tenant->directory == loop) look_at_directory(node, *tenant, query, part);
    look_at_homes(node, *tenant, query, part);
  }
  return part;
}

bool has_account(const jetstream::Server& server, const std::string& name) {
  const auto& tenants = server.tenants();
  return std::any_of(tenants.begin(), tenants.end(), [&name](const auto& tenant) {
    return tenant->principal->account->name == name;
  });
}

// All loops together; what was named and is not there is a problem too.
std::vector<Problem> problems_of(const HealthQuery& query, std::vector<Part>& parts) {
  Part total;
  for (Part& part : parts) {
    total.stream = total.stream || part.stream;
    total.consumer = total.consumer || part.consumer;
    std::move(part.problems.begin(), part.problems.end(), std::back_inserter(total.problems));
  }
  if (!query.stream.empty() && !total.stream) {
    return {{.status = not_found,
             .type = "STREAM",
             .account = query.account,
             .stream = query.stream,
             .error = fmt::format("JetStream stream \"{}\" not found on account \"{}\"",
                                  query.stream, query.account)}};
  }
  if (total.problems.empty() && !query.consumer.empty() && !total.consumer) {
    return {{.status = not_found,
             .type = "CONSUMER",
             .account = query.account,
             .stream = query.stream,
             .consumer = query.consumer,
             .error = fmt::format(
                 "JetStream consumer \"{}\" not found for stream \"{}\" on account \"{}\"",
                 query.consumer, query.stream, query.account)}};
  }
  return total.problems;
}

void write_problem(json::Writer& json, const Problem& problem) {
  json.begin_object().member("type", problem.type);
  if (!problem.account.empty()) json.member("account", problem.account);
  if (!problem.stream.empty()) json.member("stream", problem.stream);
  if (!problem.consumer.empty()) json.member("consumer", problem.consumer);
  json.member("error", problem.error).end_object();
}

void send_health(Page& page, const HealthQuery& query, const std::vector<Problem>& problems) {
  if (problems.empty()) return page.send(R"({"status":"ok"})");
  const int status = problems.front().status;
  std::string text;
  json::Writer json(text);
  const bool is_error = query.details || status == bad_request;
  json.begin_object().member("status", is_error ? "error" : "unavailable");
  if (query.details) {
    json.key("errors").begin_array();
    for (const Problem& problem : problems) write_problem(json, problem);
    json.end_array();
  } else {
    json.member("error", problems.front().error);
  }
  json.end_object();
  page.send(text, status);
}

}  // namespace

void healthz(Bridge& bridge, const web::Request& request, Page page) {
  const auto query = read_health_query(request.query);
  if (!query) return page.refuse(bad_request, query.error().text);
  if (auto mistake = mistake_of(*query)) return send_health(page, *query, {*std::move(mistake)});
  jetstream::Server* server = bridge.source().jetstream();
  if (server == nullptr || query->server_only) return send_health(page, *query, {});
  if (!query->account.empty() && !has_account(*server, query->account)) {
    return send_health(
        page, *query,
        {{.status = not_found,
          .type = "ACCOUNT",
          .account = query->account,
          .error = fmt::format("JetStream account \"{}\" not found", query->account)}});
  }
  bridge.ask_loops<Part>(
      [server, query = *query](Bridge& there, base::Done<Part> done) {
        done(look(there, *server, query));
      },
      [query = *query, page = std::move(page)](std::vector<Part> parts) mutable {
        send_health(page, query, problems_of(query, parts));
      });
}

}  // namespace spanwire::monitor
