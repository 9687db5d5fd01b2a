#include "app/server_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "config/parser.h"
#include "config/read_file.h"
#include "crypto/digest.h"
#include "crypto/encoding.h"

namespace spanwire::app {
namespace {

constexpr std::uint16_t nats_port = 4222;
constexpr std::uint16_t mqtt_port = 1883;
constexpr std::uint16_t http_broker_port = 1884;

// `listen` goes before host and port; -1 is any free port and 0 the usual one.
ListenerAddress address_from(const config::Values& values, std::uint16_t usual) {
  std::string host = values.text("host");
  std::int64_t port = values.integer("port");
  if (values.given("listen")) {
    const config::Listen& listen = values.listen("listen");
    if (!listen.host.empty()) host = listen.host;
    port = listen.port;
  }
  if (port == 0) port = usual;
  return {std::move(host), static_cast<std::uint16_t>(std::max<std::int64_t>(port, 0))};
}

auth::Settings auth_from(const config::Values& block) {
  auth::Settings settings;
  settings.token = block.text("token");
  if (block.given("user")) settings.users.push_back({block.text("user"), block.text("password")});
  for (const config::Values& user : block.blocks("users")) {
    settings.users.push_back({user.text("user"), user.text("password")});
  }
  return settings;
}

void fill_limits(ServerConfig& config, const config::Values& values) {
  nats::Settings& nats = config.nats_settings;
  nats.max_payload = static_cast<std::uint32_t>(values.integer("max_payload"));
  nats.max_control_line = static_cast<std::uint32_t>(values.integer("max_control_line"));
  nats.max_pending = static_cast<std::size_t>(values.integer("max_pending"));
  nats.max_subscriptions = static_cast<std::uint32_t>(values.integer("max_subscriptions"));
  nats.max_subscription_tokens =
      static_cast<std::uint32_t>(values.integer("max_subscription_tokens"));
  nats.ping_interval = values.duration("ping_interval");
  nats.ping_max = static_cast<std::uint32_t>(values.integer("ping_max"));
  nats.auth_timeout = values.block("authorization").duration("timeout");
  nats.plus_wildcard = values.boolean("plus_wildcard");

  net::ServerSettings& net = config.net;
  const std::int64_t loops = values.integer("loops");
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  net.loops =
      std::min<std::size_t>(loops != 0 ? static_cast<std::size_t>(loops) : cores, base::max_loops);
  net.max_connections = static_cast<std::size_t>(values.integer("max_connections"));
  config.max_connections_given = values.given("max_connections");
  net.max_buffered_bytes = static_cast<std::size_t>(values.integer("max_buffered"));
  net.shutdown_deadline = values.duration("shutdown_deadline");
  net.loop.write_deadline = values.duration("write_deadline");
  net.loop.coalesce = values.duration("coalesce");
  net.loop.router.lane_limit_bytes = static_cast<std::size_t>(values.integer("max_inbox"));
  net.loop.router.match_cache_bytes = static_cast<std::size_t>(values.integer("match_cache"));
}

void fill_mqtt(ServerConfig& config, const config::Values& values) {
  config.retained_limits.max_bytes = static_cast<std::size_t>(values.integer("max_retained"));
  config.retained_limits.max_messages =
      static_cast<std::size_t>(values.integer("max_retained_messages"));
  mqtt::Settings& mqtt = config.mqtt_settings;
  mqtt.max_pending = static_cast<std::size_t>(values.integer("max_pending"));
  const config::Values& block = values.block("mqtt");
  mqtt.max_packet_size = static_cast<std::size_t>(block.integer("max_packet_size"));
  mqtt.max_subscriptions = static_cast<std::uint32_t>(block.integer("max_subscriptions"));
  mqtt.max_topic_levels = static_cast<std::uint32_t>(block.integer("max_topic_levels"));
  mqtt.max_client_id = static_cast<std::size_t>(block.integer("max_client_id"));
  mqtt.max_open_messages = static_cast<std::size_t>(block.integer("max_open_messages"));
  mqtt.max_unstored_messages = static_cast<std::size_t>(block.integer("max_unstored_messages"));
  mqtt.replay.held_messages = static_cast<std::size_t>(block.integer("max_held_messages"));
  mqtt.replay.held_bytes = static_cast<std::size_t>(block.integer("max_held_bytes"));
  mqtt.connect_timeout = block.duration("connect_timeout");
  mqtt.system_topics = block.boolean("system_topics");
}

// The filters are NATS filters; the schema has no type for them, so they are checked here.
base::Status fill_http_broker(ServerConfig& config, const config::Values& block) {
  http_broker::Settings& broker = config.http_broker_settings;
  broker.max_topic_characters = static_cast<std::size_t>(block.integer("max_topic"));
  broker.max_payload = static_cast<std::size_t>(block.integer("max_payload"));
  broker.system_topics = block.boolean("system_topics");
  broker.last_values.bytes = static_cast<std::size_t>(block.integer("max_last_values"));
  broker.web.max_pending = static_cast<std::size_t>(block.integer("max_pending"));
  broker.web.request_timeout = block.duration("request_timeout");
  broker.web.idle_timeout = block.duration("idle_timeout");
  for (const std::string& text : block.list("last_values")) {
    const auto filter = subject::parse_nats_filter(text);
    if (!filter) {
      return base::fail(fmt::format("{}: \"{}\" is no subject filter: {}",
                                    block.where("last_values"), text, filter.error()));
    }
    broker.last_values.keep.push_back(*filter);
  }
  return {};
}

base::Result<ServerConfig> config_from(const config::Values& values) {
  ServerConfig config;
  config.server_name = values.text("server_name");
  config.nats = address_from(values, nats_port);
  if (values.given("http")) {
    const config::Listen& http = values.listen("http");
    if (http.port != 0) {
      config.monitor = {http.host, static_cast<std::uint16_t>(std::max(http.port, 0))};
    }
  }
  if (values.is_block("mqtt")) config.mqtt = address_from(values.block("mqtt"), mqtt_port);
  if (values.is_block("http_broker")) {
    config.http_broker = address_from(values.block("http_broker"), http_broker_port);
  }
  fill_limits(config, values);
  fill_mqtt(config, values);
  if (auto status = fill_http_broker(config, values.block("http_broker")); !status) {
    return tl::unexpected(status.error());
  }
  if (auto status = fill_jetstream(config.jetstream, values); !status) {
    return tl::unexpected(status.error());
  }
  config.auth = auth_from(values.block("authorization"));
  config.nats_settings.max_traced_bytes =
      static_cast<std::size_t>(values.integer("max_traced_msg_len"));
  config.levels = {values.boolean("debug"),
                   values.boolean("trace") || values.boolean("trace_verbose")};
  config.log = {values.text("log_file"), values.boolean("logtime"), values.boolean("logtime_utc")};
  config.pid_file = values.text("pid_file");
  config.ports_file_dir = values.text("ports_file_dir");
  return config;
}

std::uint16_t port_of_option(std::int64_t port) {
  return static_cast<std::uint16_t>(std::max<std::int64_t>(port, 0));
}

// The command line goes before the file.
void override(ServerConfig& config, const Options& options) {
  if (options.host) config.nats.host = *options.host;
  if (options.port && *options.port != 0) config.nats.port = port_of_option(*options.port);
  if (options.server_name) config.server_name = *options.server_name;
  if (options.http_port) {
    if (*options.http_port == 0) {
      config.monitor.reset();
    } else {
      config.monitor = {config.nats.host, port_of_option(*options.http_port)};
    }
  }
  if (options.jetstream) config.jetstream.enabled = *options.jetstream;
  if (options.store_dir) config.jetstream.store_dir = *options.store_dir;
  if (options.pid_file) config.pid_file = *options.pid_file;
  if (options.ports_file_dir) config.ports_file_dir = *options.ports_file_dir;
  if (options.log_file) config.log.file = *options.log_file;
  if (options.logtime) config.log.timestamps = *options.logtime;
  if (options.logtime_utc) config.log.utc = *options.logtime_utc;
  if (options.debug) config.levels.debug = *options.debug;
  if (options.trace) config.levels.trace = *options.trace;
  if (options.max_traced_msg_len) {
    config.nats_settings.max_traced_bytes =
        static_cast<std::size_t>(std::max<std::int64_t>(*options.max_traced_msg_len, 0));
  }
  if (options.trace_verbose && *options.trace_verbose) config.levels.trace = true;
  if (options.user || options.password) {
    config.auth.users = {{options.user.value_or(""), options.password.value_or("")}};
    config.auth.token.clear();
  }
  if (options.token) {
    config.auth.users.clear();
    config.auth.token = *options.token;
  }
}

base::Status check_together(const ServerConfig& config) {
  if (!config.auth.token.empty() && !config.auth.users.empty()) {
    return base::fail("authorization has a token and users: a server can have only one of them");
  }
  return {};
}

}  // namespace

base::Result<ServerConfig> load_config(const Options& options, config::Problems& problems) {
  const config::Schema schema = server_schema();
  ServerConfig config;
  if (options.config_file) {
    const auto tree = config::parse_file(*options.config_file, config::system_sources());
    if (!tree) {
      problems.errors.push_back(tree.error().text);
      return tl::unexpected(tree.error());
    }
    const auto values = config::check(*tree, schema, problems);
    if (!values) return tl::unexpected(values.error());
    auto filled = config_from(*values);
    if (!filled) {
      problems.errors.push_back(filled.error().text);
      return filled;
    }
    config = std::move(*filled);
    config.file = *options.config_file;
    const crypto::Sha256 digest = crypto::sha256(config::digest_text(*tree));
    config.digest = "sha256:" + crypto::to_hex(digest.view());
  } else {
    config = *config_from(config::Values(schema));
  }
  override(config, options);
  if (const auto status = check_together(config); !status) {
    problems.errors.push_back(status.error().text);
    return tl::unexpected(status.error());
  }
  return config;
}

}  // namespace spanwire::app
