#include "app/server_config.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

using namespace spanwire;

namespace {

// A configuration file for the length of a test.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text)
      : path_("server_config_test_" + std::to_string(::getpid()) + ".conf") {
    std::ofstream(path_) << text;
  }
  ~ConfigFile() { std::remove(path_.c_str()); }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;

  app::Options options() const {
    app::Options options;
    options.config_file = path_;
    return options;
  }

 private:
  std::string path_;
};

app::ServerConfig load(const app::Options& options) {
  config::Problems problems;
  auto config = app::load_config(options, problems);
  REQUIRE(config);
  return *config;
}

std::string error_of(const std::string& text) {
  const ConfigFile file(text);
  config::Problems problems;
  const auto config = app::load_config(file.options(), problems);
  REQUIRE_FALSE(config);
  REQUIRE_FALSE(problems.errors.empty());
  return problems.errors.front();
}

}  // namespace

TEST_CASE("server config: without a file and flags there is one listener, NATS on 4222") {
  const app::ServerConfig config = load({});
  CHECK(config.nats.host == "0.0.0.0");
  CHECK(config.nats.port == 4222);
  CHECK_FALSE(config.monitor);
  CHECK_FALSE(config.mqtt);
  CHECK_FALSE(config.http_broker);
  CHECK_FALSE(config.auth.required());
  CHECK(config.net.loops >= 1);
  CHECK_FALSE(config.max_connections_given);
}

TEST_CASE("server config: a block opens its listener, on its usual port unless it names one") {
  const ConfigFile file(
      "mqtt { host: 127.0.0.1 }\nhttp_broker { listen: \"[::1]:8080\" }\n"
      "http: \"localhost:8222\"");
  const app::ServerConfig config = load(file.options());
  REQUIRE(config.mqtt);
  CHECK(config.mqtt->host == "127.0.0.1");
  CHECK(config.mqtt->port == 1883);
  REQUIRE(config.http_broker);
  CHECK(config.http_broker->host == "::1");
  CHECK(config.http_broker->port == 8080);
  REQUIRE(config.monitor);
  CHECK(config.monitor->port == 8222);
}

TEST_CASE("server config: what is not given is what the bridges have by themselves") {
  const app::ServerConfig config = load({});
  const mqtt::Settings mqtt;
  CHECK(config.mqtt_settings.max_packet_size == mqtt.max_packet_size);
  CHECK(config.mqtt_settings.max_subscriptions == mqtt.max_subscriptions);
  CHECK(config.mqtt_settings.max_topic_levels == mqtt.max_topic_levels);
  CHECK(config.mqtt_settings.max_client_id == mqtt.max_client_id);
  CHECK(config.mqtt_settings.max_open_messages == mqtt.max_open_messages);
  CHECK(config.mqtt_settings.max_unstored_messages == mqtt.max_unstored_messages);
  CHECK(config.mqtt_settings.replay.held_messages == mqtt.replay.held_messages);
  CHECK(config.mqtt_settings.replay.held_bytes == mqtt.replay.held_bytes);
  CHECK(config.mqtt_settings.connect_timeout == mqtt.connect_timeout);
  const http_broker::Settings broker;
  CHECK(config.http_broker_settings.max_topic_characters == broker.max_topic_characters);
  CHECK(config.http_broker_settings.max_payload == broker.max_payload);
  CHECK(config.http_broker_settings.last_values.bytes == broker.last_values.bytes);
  CHECK(config.http_broker_settings.web.max_pending == broker.web.max_pending);
  CHECK(config.http_broker_settings.web.request_timeout == broker.web.request_timeout);
  CHECK(config.http_broker_settings.web.idle_timeout == broker.web.idle_timeout);
  const kit::RetainedLimits retained;
  CHECK(config.retained_limits.max_bytes == retained.max_bytes);
  CHECK(config.retained_limits.max_messages == retained.max_messages);
}

TEST_CASE("server config: the limits of MQTT, HTTP and retained messages can be set") {
  const ConfigFile file(
      "max_retained: 2MB\nmax_retained_messages: 3\n"
      "mqtt { max_open_messages: 4, max_unstored_messages: 5, max_held_messages: 6,"
      " max_held_bytes: 7KB, connect_timeout: 8s }\n"
      "http_broker { max_topic: 9, max_pending: 10KB, request_timeout: 11s, idle_timeout: 12s }");
  const app::ServerConfig config = load(file.options());
  CHECK(config.retained_limits.max_bytes == 2U << 20);
  CHECK(config.retained_limits.max_messages == 3);
  const mqtt::Settings& mqtt = config.mqtt_settings;
  CHECK(mqtt.max_open_messages == 4);
  CHECK(mqtt.max_unstored_messages == 5);
  CHECK(mqtt.replay.held_messages == 6);
  CHECK(mqtt.replay.held_bytes == 7U << 10);
  CHECK(mqtt.connect_timeout == std::chrono::seconds(8));
  const http_broker::Settings& broker = config.http_broker_settings;
  CHECK(broker.max_topic_characters == 9);
  CHECK(broker.web.max_pending == 10U << 10);
  CHECK(broker.web.request_timeout == std::chrono::seconds(11));
  CHECK(broker.web.idle_timeout == std::chrono::seconds(12));
}

TEST_CASE("server config: -1 is any free port, 0 the usual one") {
  const ConfigFile file("port: -1\nmqtt { port: 0 }");
  const app::ServerConfig config = load(file.options());
  CHECK(config.nats.port == 0);
  REQUIRE(config.mqtt);
  CHECK(config.mqtt->port == 1883);
}

TEST_CASE("server config: the command line goes before the file") {
  const ConfigFile file(
      "port: 1000\nhost: 10.0.0.1\nserver_name: file\nhttp: 8222\n"
      "authorization { token: t }");
  app::Options options = file.options();
  options.port = 2000;
  options.host = "127.0.0.1";
  options.server_name = "line";
  options.http_port = 0;
  options.user = "ada";
  options.password = "secret";
  const app::ServerConfig config = load(options);
  CHECK(config.nats.port == 2000);
  CHECK(config.nats.host == "127.0.0.1");
  CHECK(config.server_name == "line");
  CHECK_FALSE(config.monitor);
  CHECK(config.auth.token.empty());
  REQUIRE(config.auth.users.size() == 1);
  CHECK(config.auth.users[0].name == "ada");
}

TEST_CASE("server config: an unknown key is an error with file, line and column") {
  const std::string error = error_of("port: 4222\nnonsense: 1\n");
  CHECK(error.find(".conf:2:1") != std::string::npos);
  CHECK(error.find("nonsense") != std::string::npos);
}

TEST_CASE("server config: a key of nats-server that is not honoured is refused as such") {
  const std::string error = error_of("leafnodes { port: 7422 }");
  CHECK(error.find("leafnodes") != std::string::npos);
  CHECK(error.find("not support") != std::string::npos);
}

TEST_CASE("server config: a key that only a variable refers to is no error") {
  const ConfigFile file("MY_PORT: 5000\nport: $MY_PORT");
  CHECK(load(file.options()).nats.port == 5000);
}

TEST_CASE("server config: a token and users exclude each other") {
  CHECK(error_of("authorization { token: t, user: a, password: b }").find("only one") !=
        std::string::npos);
}

TEST_CASE("server config: limits reach the parts that keep them") {
  const ConfigFile file(
      "max_payload: 2KB\nmax_pending: 3MB\nloops: 3\nmax_connections: 7\n"
      "write_deadline: 3s\nmax_inbox: 2MB\nplus_wildcard: true\n"
      "authorization { timeout: 0.5 }");
  const app::ServerConfig config = load(file.options());
  CHECK(config.nats_settings.max_payload == 2048);
  CHECK(config.nats_settings.max_pending == 3U << 20);
  CHECK(config.nats_settings.plus_wildcard);
  CHECK(config.nats_settings.auth_timeout == std::chrono::milliseconds(500));
  CHECK(config.net.loops == 3);
  CHECK(config.net.max_connections == 7);
  CHECK(config.max_connections_given);
  CHECK(config.net.loop.write_deadline == std::chrono::seconds(3));
  CHECK(config.net.loop.router.lane_limit_bytes == 2U << 20);
}

TEST_CASE("server config: what is traced, by the file and by the command line") {
  CHECK_FALSE(load({}).levels.trace);
  CHECK(load({}).nats_settings.max_traced_bytes == 0);
  CHECK(load(ConfigFile("trace: true").options()).levels.trace);
  CHECK_FALSE(load(ConfigFile("trace_verbose: false").options()).levels.trace);
  const ConfigFile file("trace_verbose: true\nmax_traced_msg_len: 8");
  CHECK(load(file.options()).levels.trace);
  CHECK_FALSE(load(file.options()).levels.debug);
  CHECK(load(file.options()).nats_settings.max_traced_bytes == 8);
  app::Options options = file.options();
  options.trace = false;
  options.max_traced_msg_len = -1;
  CHECK_FALSE(load(options).levels.trace);
  CHECK(load(options).nats_settings.max_traced_bytes == 0);
}

TEST_CASE("server config: JetStream is off until it is asked for") {
  CHECK_FALSE(load({}).jetstream.enabled);
  const ConfigFile word("jetstream: enabled\n");
  CHECK(load(word.options()).jetstream.enabled);
  const ConfigFile boolean("jetstream: false\n");
  CHECK_FALSE(load(boolean.options()).jetstream.enabled);
  const ConfigFile block("jetstream { }\n");
  CHECK(load(block.options()).jetstream.enabled);
  const ConfigFile off("jetstream { enabled: false }\n");
  CHECK_FALSE(load(off.options()).jetstream.enabled);
  app::Options flag;
  flag.jetstream = true;
  CHECK(load(flag).jetstream.enabled);
  CHECK(error_of("jetstream: maybe\n").find("write enabled, disabled, or a block") !=
        std::string::npos);
}

TEST_CASE("server config: the settings of JetStream, by nats-server's names") {
  const ConfigFile file(
      "jetstream {\n"
      "  store_dir: /data\n  max_mem: 1GB\n  max_file: \"10G\"\n  domain: hub\n"
      "  sync_interval: \"2m\"\n  strict: false\n  max_buffered_msgs: 5\n  max_buffered_size: 1MB\n"
      "  limits { max_ack_pending: 7, max_request_batch: 8, duplicate_window: \"1m\" }\n"
      "}\n");
  const app::JetStreamConfig config = load(file.options()).jetstream;
  CHECK(app::store_folder(config) == "/data/jetstream");
  CHECK(config.max_memory_store == 1 << 30);
  CHECK(config.max_file_store == std::int64_t{10} << 30);
  CHECK(config.sync_interval == std::chrono::minutes(2));
  CHECK(config.settings.domain == "hub");
  CHECK_FALSE(config.settings.strict);
  CHECK(config.settings.max_buffered_messages == 5);
  CHECK(config.settings.max_buffered_bytes == 1 << 20);
  CHECK(config.settings.max_ack_pending == 7);
  CHECK(config.settings.max_request_batch == 8);
  CHECK(config.settings.max_duplicate_window == std::chrono::minutes(1));
}

TEST_CASE(
    "server config: a message is on the disk when it is acknowledged, unless told otherwise") {
  const ConfigFile usual("jetstream { }\n");
  CHECK(load(usual.options()).jetstream.sync_interval == base::Duration::zero());
  const ConfigFile always("jetstream { sync: always }\n");
  CHECK(load(always.options()).jetstream.sync_interval == base::Duration::zero());
  CHECK(error_of("jetstream { sync_interval: sometimes }\n").find("write always, or a time") !=
        std::string::npos);
}

TEST_CASE("server config: the store's folder is named once") {
  CHECK(error_of("store_dir: /a\njetstream { store_dir: /b }\n").find("store_dir is set twice") !=
        std::string::npos);
  const ConfigFile top("store_dir: /a\njetstream: true\n");
  CHECK(app::store_folder(load(top.options()).jetstream) == "/a/jetstream");
}
