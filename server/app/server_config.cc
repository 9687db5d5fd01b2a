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

using config::Key;
using config::Schema;
using config::Type;

constexpr std::uint16_t nats_port = 4222;
constexpr std::uint16_t mqtt_port = 1883;
constexpr std::uint16_t http_broker_port = 1884;

std::vector<Key> listener_keys(std::string_view port_doc, std::string_view default_port) {
  return {
      {.name = "host",
       .type = Type::text,
       .doc = "address or name to listen on; 0.0.0.0 or :: is every address",
       .default_text = "0.0.0.0",
       .aliases = {"net"}},
      {.name = "port",
       .type = Type::integer,
       .doc = port_doc,
       .default_text = default_port,
       .min = -1,
       .max = 65535},
      {.name = "listen", .type = Type::listen, .doc = "host and port in one, instead of both"},
  };
}

Schema authorization_schema() {
  const Schema user = Schema::of({
      {.name = "user",
       .type = Type::text,
       .doc = "name",
       .aliases = {"username"},
       .required = true},
      {.name = "password",
       .type = Type::text,
       .doc = "password, or its bcrypt hash",
       .aliases = {"pass"}},
  });
  return Schema::of({
      {.name = "user",
       .type = Type::text,
       .doc = "the name of the one user",
       .aliases = {"username"}},
      {.name = "password",
       .type = Type::text,
       .doc = "that user's password, or its bcrypt hash",
       .aliases = {"pass"}},
      {.name = "token", .type = Type::text, .doc = "a token instead of users, or its bcrypt hash"},
      {.name = "users", .type = Type::block_list, .doc = "several users", .block = user},
      {.name = "timeout",
       .type = Type::duration,
       .doc = "how long a client may take to say who it is",
       .default_text = "2s",
       .min = 1,
       .plain_seconds = true},
  });
}

std::vector<Key> identity_keys() {
  return {
      {.name = "server_name",
       .type = Type::text,
       .doc = "the server's name in INFO and on monitoring pages; its id if not set"},
      {.name = "loops",
       .type = Type::integer,
       .doc = "threads that serve connections; 0 is one for each core",
       .default_text = "0",
       .min = 0,
       .max = static_cast<std::int64_t>(base::max_loops)},
      {.name = "http",
       .type = Type::listen,
       .doc = "where the monitoring pages are served; not at all if not set",
       .aliases = {"http_port", "monitor_port"}},
      {.name = "pid_file",
       .type = Type::text,
       .doc = "a file that gets the process id",
       .aliases = {"pidfile"}},
      {.name = "ports_file_dir",
       .type = Type::text,
       .doc = "a folder that gets a file with the ports that are listened on"},
      {.name = "plus_wildcard",
       .type = Type::boolean,
       .doc = "a token that is exactly + is a wildcard for NATS clients, as * is",
       .default_text = "false"},
  };
}

std::vector<Key> log_keys() {
  return {
      {.name = "debug", .type = Type::boolean, .doc = "log debug lines", .default_text = "false"},
      {.name = "trace",
       .type = Type::boolean,
       .doc = "log every protocol line",
       .default_text = "false"},
      {.name = "trace_verbose",
       .type = Type::boolean,
       .doc = "the same; there is no system account yet whose lines it would add",
       .default_text = "false"},
      {.name = "max_traced_msg_len",
       .type = Type::size,
       .doc = "show so many bytes of a traced payload; 0 is as many as fit into a line",
       .default_text = "0"},
      {.name = "logtime",
       .type = Type::boolean,
       .doc = "begin log lines with the time",
       .default_text = "true",
       .aliases = {"timestamp"}},
      {.name = "logtime_utc",
       .type = Type::boolean,
       .doc = "in UTC instead of local time",
       .default_text = "false"},
      {.name = "log_file",
       .type = Type::text,
       .doc = "write the log there instead of to standard error",
       .aliases = {"logfile"}},
  };
}

std::vector<Key> client_limit_keys() {
  return {
      {.name = "max_payload",
       .type = Type::size,
       .doc = "bytes of headers and payload of one message",
       .default_text = "1MB",
       .min = 1,
       .max = 64 << 20},
      {.name = "max_control_line",
       .type = Type::size,
       .doc = "bytes of one line of the NATS protocol",
       .default_text = "4KB",
       .min = 1,
       .max = 64 << 10},
      {.name = "max_pending",
       .type = Type::size,
       .doc = "bytes that may wait for one client before it is closed as a slow consumer",
       .default_text = "64MB",
       .min = 1},
      {.name = "max_connections",
       .type = Type::integer,
       .doc = "connections of all listeners together",
       .default_text = "65536",
       .aliases = {"max_conn"},
       .min = 1},
      {.name = "max_subscriptions",
       .type = Type::integer,
       .doc = "subscriptions of one NATS client; 0 is no limit",
       .default_text = "0",
       .aliases = {"max_subs"},
       .min = 0,
       .max = 0xffff'ffff},
      {.name = "max_subscription_tokens",
       .type = Type::integer,
       .doc = "tokens of the subject of one NATS subscription; 0 is no limit",
       .default_text = "0",
       .aliases = {"max_sub_tokens"},
       .min = 0,
       .max = 255},
      {.name = "write_deadline",
       .type = Type::duration,
       .doc = "how long a client may take nothing of what is sent to it",
       .default_text = "10s",
       .min = 1'000'000},
      {.name = "coalesce",
       .type = Type::duration,
       .doc = "how long a loop that was at rest waits for more when something comes, such as 50us: "
              "less work where clients write each message singly, and so much more latency",
       .default_text = "0s",
       .min = 0,
       .max = 1'000'000},
      {.name = "ping_interval",
       .type = Type::duration,
       .doc = "how often NATS clients are pinged",
       .default_text = "2m",
       .min = 1'000'000},
      {.name = "ping_max",
       .type = Type::integer,
       .doc = "PINGs without an answer before a client is stale",
       .default_text = "2",
       .aliases = {"ping_max_out"},
       .min = 1,
       .max = 1'000'000},
      {.name = "authorization",
       .type = Type::block,
       .doc = "who may connect; everybody if not set",
       .block = authorization_schema()},
  };
}

std::vector<Key> memory_keys() {
  return {
      {.name = "max_buffered",
       .type = Type::size,
       .doc = "bytes that may wait for all clients together before the worst one is closed",
       .default_text = "4GB",
       .min = 1 << 20},
      {.name = "max_inbox",
       .type = Type::size,
       .doc = "bytes that one loop may have handed over to another that has not taken them",
       .default_text = "64MB",
       .min = 1 << 20},
      {.name = "match_cache",
       .type = Type::size,
       .doc = "bytes of remembered subjects on each loop",
       .default_text = "64MB",
       .min = 1 << 20},
      {.name = "shutdown_deadline",
       .type = Type::duration,
       .doc = "how long a graceful end may take before what is left is dropped",
       .default_text = "10s",
       .min = 1'000'000},
  };
}

std::vector<Key> retained_keys() {
  return {
      {.name = "max_retained",
       .type = Type::size,
       .doc = "bytes of one account's retained messages",
       .default_text = "256MB",
       .min = 1 << 10},
      {.name = "max_retained_messages",
       .type = Type::integer,
       .doc = "retained messages of one account",
       .default_text = "1000000",
       .min = 0},
  };
}

std::vector<Key> mqtt_limit_keys() {
  return {
      {.name = "max_packet_size",
       .type = Type::size,
       .doc = "bytes of one PUBLISH packet",
       .default_text = "2000000",
       .min = 1 << 10,
       .max = 64 << 20},
      {.name = "max_subscriptions",
       .type = Type::integer,
       .doc = "subscriptions of one MQTT client",
       .default_text = "100000",
       .min = 1,
       .max = 0xffff'ffff},
      {.name = "max_topic_levels",
       .type = Type::integer,
       .doc = "levels of a topic or filter",
       .default_text = "200",
       .min = 1,
       .max = 2000},
      {.name = "max_client_id",
       .type = Type::size,
       .doc = "bytes of a client id",
       .default_text = "1024",
       .min = 23,
       .max = 65535},
      {.name = "max_open_messages",
       .type = Type::integer,
       .doc = "messages of QoS 2 that one client may leave between PUBLISH and PUBREL",
       .default_text = "1000",
       .min = 1,
       .max = 65535},
      {.name = "max_open_bytes",
       .type = Type::size,
       .doc = "bytes of those messages; a single one may not be larger either",
       .default_text = "16MB",
       .min = 1 << 10},
      {.name = "max_held_messages",
       .type = Type::integer,
       .doc = "messages held back for one client while its retained ones are looked up",
       .default_text = "4096",
       .min = 0,
       .max = 1'000'000},
      {.name = "max_held_bytes",
       .type = Type::size,
       .doc = "bytes of those messages",
       .default_text = "4MB",
       .min = 0},
      {.name = "connect_timeout",
       .type = Type::duration,
       .doc = "how long a connection may stay without a CONNECT",
       .default_text = "5s",
       .min = 1'000'000,
       .plain_seconds = true},
      {.name = "system_topics",
       .type = Type::boolean,
       .doc = "let MQTT clients use topics below $SYS, $JS, $MQTT, $KV, $O and $SPW",
       .default_text = "false"},
  };
}

std::vector<Key> http_broker_limit_keys() {
  return {
      {.name = "max_topic",
       .type = Type::integer,
       .doc = "characters of a topic",
       .default_text = "128",
       .min = 1,
       .max = 4096},
      {.name = "max_payload",
       .type = Type::size,
       .doc = "bytes of the body of one POST",
       .default_text = "64KB",
       .min = 1,
       .max = 64 << 20},
      {.name = "max_last_values",
       .type = Type::size,
       .doc = "bytes of the latest messages that GET can show, of all loops together",
       .default_text = "64MB",
       .min = 1 << 10},
      {.name = "last_values",
       .type = Type::text_list,
       .doc = "subject filters of what GET can show; everything but $ and inboxes if not set"},
      {.name = "max_pending",
       .type = Type::size,
       .doc = "bytes of answers that may wait for one client before no more of it is read",
       .default_text = "1MB",
       .min = 1 << 10},
      {.name = "request_timeout",
       .type = Type::duration,
       .doc = "how long a request may take from its first byte to its last",
       .default_text = "60s",
       .min = 1'000'000,
       .plain_seconds = true},
      {.name = "idle_timeout",
       .type = Type::duration,
       .doc = "how long a connection may stay between two requests",
       .default_text = "75s",
       .min = 1'000'000,
       .plain_seconds = true},
      {.name = "system_topics",
       .type = Type::boolean,
       .doc = "let HTTP clients use topics below $SYS, $JS, $MQTT, $KV, $O and $SPW",
       .default_text = "false"},
  };
}

void append(std::vector<Key>& keys, std::vector<Key> more) {
  std::move(more.begin(), more.end(), std::back_inserter(keys));
}

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
  mqtt.max_open_bytes = static_cast<std::size_t>(block.integer("max_open_bytes"));
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

config::Schema server_schema() {
  std::vector<Key> mqtt_keys = listener_keys("port for MQTT clients; -1 is any free one", "1883");
  append(mqtt_keys, mqtt_limit_keys());
  std::vector<Key> http_broker_keys =
      listener_keys("port for HTTP clients; -1 is any free one", "1884");
  append(http_broker_keys, http_broker_limit_keys());
  std::vector<Key> keys = listener_keys("port for NATS clients; -1 is any free one", "4222");
  append(keys, identity_keys());
  append(keys, log_keys());
  append(keys, client_limit_keys());
  append(keys, memory_keys());
  append(keys, retained_keys());
  keys.push_back({.name = "mqtt",
                  .type = Type::block,
                  .doc = "the MQTT listener; none if not set",
                  .block = Schema::of(std::move(mqtt_keys))});
  keys.push_back({.name = "http_broker",
                  .type = Type::block,
                  .doc = "the HTTP broker's listener; none if not set",
                  .block = Schema::of(std::move(http_broker_keys))});
  return Schema::of(std::move(keys), &config::reference_keys());
}

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
