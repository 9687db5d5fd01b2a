// Every setting of the server, as config/schema.h wants it declared.
#include "app/jetstream_config.h"
#include "app/server_config.h"

namespace spanwire::app {
namespace {

using config::Key;
using config::Schema;
using config::Type;

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
      {.name = "max_unstored_messages",
       .type = Type::integer,
       .doc = "messages of one client that wait for the streams that store them; then nothing more"
              " is read from it",
       .default_text = "1000",
       .min = 1,
       .max = 1'000'000},
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
  append(keys, jetstream_keys());
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

}  // namespace spanwire::app
