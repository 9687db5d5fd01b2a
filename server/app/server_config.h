// Every setting of the server: the schema of its configuration file, and what file and command
// line together ask for.
#pragma once

#include <optional>
#include <string>

#include "app/jetstream_config.h"
#include "app/options.h"
#include "auth/authenticator.h"
#include "base/result.h"
#include "bridges/http_broker/settings.h"
#include "bridges/kit/retained.h"
#include "bridges/mqtt/settings.h"
#include "config/schema.h"
#include "logging/logging.h"
#include "nats/settings.h"
#include "net/server.h"

namespace spanwire::app {

// Where one listener stands. A port of 0 means any free one.
struct ListenerAddress {
  std::string host;
  std::uint16_t port = 0;
};

struct ServerConfig {
  std::string server_name;  // empty: the server's id
  ListenerAddress nats;
  std::optional<ListenerAddress> monitor;
  std::optional<ListenerAddress> mqtt;
  std::optional<ListenerAddress> http_broker;

  net::ServerSettings net;
  bool max_connections_given = false;  // by the file; else it is fitted to the limit of open files
  nats::Settings nats_settings;
  mqtt::Settings mqtt_settings;
  http_broker::Settings http_broker_settings;
  kit::RetainedLimits retained_limits;
  JetStreamConfig jetstream;
  auth::Settings auth;

  logging::Settings log;
  logging::Levels levels;
  std::string pid_file;
  std::string ports_file_dir;
  std::string file;    // the configuration file, or empty
  std::string digest;  // of its content, as `-t` and /varz show it; empty without a file
};

// All keys, for checking and for the reference page of docs/.
config::Schema server_schema();

// Reads the configuration file that the options name, if they name one; what the command line says
// goes before the file. Every error and warning goes into `problems`, and the first error is the
// result's.
base::Result<ServerConfig> load_config(const Options& options, config::Problems& problems);

}  // namespace spanwire::app
