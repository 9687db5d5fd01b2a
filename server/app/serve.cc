#include "app/serve.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>

#include "app/assembly.h"
#include "app/file_limit.h"
#include "app/monitor_source.h"
#include "app/pid_file.h"
#include "app/ports_file.h"
#include "app/streams.h"
#include "app/version.h"
#include "app/wires.h"
#include "crypto/nkey.h"
#include "logging/logging.h"
#include "monitor/bridge.h"
#include "net/helper_pool.h"

namespace spanwire::app {
namespace {

constexpr std::size_t helper_threads = 2;
constexpr std::size_t max_waiting_work = 1024;
// Monitoring has as many connections to itself when clients have taken all others.
constexpr std::size_t monitor_connections = 16;

const logging::Logger& logger() {
  static const logging::Logger log = logging::get("server");
  return log;
}

class PooledHelpers final : public Helpers {
 public:
  bool run(base::Task work, base::Loop& loop, base::Task done) override {
    return pool_.run(std::move(work), loop, std::move(done));
  }
  void stop() { pool_.stop(); }

 private:
  net::HelperPool pool_{helper_threads, max_waiting_work};
};

AssemblySettings assembly_settings(const ServerConfig& config) {
  AssemblySettings settings;
  settings.net = config.net;
  settings.auth = config.auth;
  settings.identity.id = crypto::make_server_id();
  settings.identity.name = config.server_name.empty() ? settings.identity.id : config.server_name;
  settings.identity.version = spanwire_version;
  settings.identity.nats_version = nats_version;
  return settings;
}

void log_start(const Program& program, const ServerConfig& config,
               const wire::ServerIdentity& identity) {
  const bool drop_in = program.name == "nats-server";
  logger().info("Starting {}", program.name);
  logger().info("  Version:  {}", drop_in ? identity.nats_version : identity.version);
  logger().info("  Name:     {}", identity.name);
  logger().info("  ID:       {}", identity.id);
  logger().info("  Loops:    {}", config.net.loops);
  if (!config.file.empty()) {
    logger().info("Using configuration file: {} ({})", config.file, config.digest);
  }
}

// What was asked for must fit in the limit of open files; the default takes what there is.
base::Status fit_connections(ServerConfig& config) {
  const std::uint64_t limit = raise_file_limit();
  auto status = check_file_limit(config.net.max_connections, limit);
  if (status || config.max_connections_given || limit <= own_files) return status;
  config.net.max_connections = limit - own_files;
  logger().warn("max_connections is {}: this process may have no more than {} open files",
                config.net.max_connections, limit);
  return {};
}

// Binds everything that is planned. Fills `groups` for the ports file and returns the ports, by
// wire.
base::Result<std::vector<std::uint16_t>> open_listeners(Assembly& assembly,
                                                        const ServerConfig& config,
                                                        std::vector<PortGroup>& groups) {
  std::vector<std::uint16_t> ports;
  const std::vector<std::string> local = local_addresses();
  for (const PlannedListener& planned : plan_listeners(config)) {
    const ListenerAddress& address = planned.address;
    const std::size_t extra = planned.group == "monitoring" ? monitor_connections : 0;
    const auto port = assembly.listen({planned.wire, {address.host, address.port, extra}});
    if (!port) {
      return base::fail(fmt::format("Error listening on port: {}:{}, \"{}\"", address.host,
                                    address.port, port.error().text));
    }
    ports.push_back(*port);
    const std::string host = address.host.empty() ? "0.0.0.0" : address.host;
    logger().info("{}{}:{}", planned.announcement,
                  host.find(':') == std::string::npos ? host : "[" + host + "]", *port);
    groups.push_back({planned.group, listener_urls(planned.scheme, host, *port, local)});
  }
  return ports;
}

void reopen_log(const ServerConfig& config) {
  if (config.log.file.empty()) {
    logger().info("File log re-open ignored, not a file logger");
  } else if (const auto status = logging::reopen(); status) {
    logger().info("File log re-opened");
  } else {
    logger().error("{}", status.error().text);
  }
}

void handle_signal(int signal, Assembly& assembly, const ServerConfig& config) {
  const char* names[] = {"interrupt", "terminated", "user defined signal 1"};
  switch (signal) {
    case SIGUSR1:
      logger().info("Trapped \"{}\" signal", names[2]);
      reopen_log(config);
      return;
    case SIGHUP:
      logger().error("a reload of the configuration is not supported yet: restart the server");
      return;
    case SIGUSR2:
      logger().error("lame duck mode is not supported yet: end the server with SIGTERM");
      return;
    default:
      logger().info("Trapped \"{}\" signal", signal == SIGINT ? names[0] : names[1]);
      logger().info("Initiating Shutdown...");
      assembly.net().stop();
  }
}

int fail_start(const std::string& text) {
  logger().fatal("{}", text);
  return 1;
}

}  // namespace

int serve(const Program& program, std::string_view argv0, ServerConfig config) {
  ::signal(SIGPIPE, SIG_IGN);
  if (const auto status = logging::configure(config.log); !status) {
    return fail_start(status.error().text);
  }
  logging::set_levels(config.levels);
  const auto fitted = fit_connections(config);
  PooledHelpers helpers;
  Assembly assembly(assembly_settings(config), helpers);
  log_start(program, config, assembly.identity());
  if (!fitted) return fail_start(fitted.error().text);
  if (!config.pid_file.empty()) {
    const auto status = write_pid_file(config.pid_file, ::getpid());
    if (!status) return fail_start(status.error().text);
  }

  std::vector<PortGroup> groups;
  const auto ports = open_listeners(assembly, config, groups);
  if (!ports) return fail_start(ports.error().text);
  MonitorSource source(assembly);
  std::vector<wire::Wire> wires = make_wires(config, ports->front());
  if (config.monitor) wires.push_back(monitor::make_wire(source));
  source.set_facts(monitor_facts(config, *ports, wires));
  std::unique_ptr<Streams> streams;
  if (config.jetstream.enabled) {
    auto opened = Streams::open(config.jetstream, assembly, helpers);
    if (!opened) return fail_start(fmt::format("Can't start JetStream: {}", opened.error().text));
    streams = *std::move(opened);
    streams->install();
    source.set_jetstream(streams->server());
  }
  assembly.install(std::move(wires));
  assembly.start();
  // Nobody is accepted before run().
  if (streams != nullptr) streams->wait_until_ready();

  std::string ports_file;
  if (!config.ports_file_dir.empty()) {
    ports_file = ports_file_path(config.ports_file_dir, argv0, ::getpid());
    if (const auto status = write_ports_file(ports_file, groups); !status) {
      logger().error("{}", status.error().text);
    }
  }
  logger().info("Server is ready");
  assembly.net().run({SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2},
                     [&](int signal) { handle_signal(signal, assembly, config); });
  assembly.shutdown([&streams] {
    if (streams != nullptr) streams->stop();
  });
  streams.reset();
  helpers.stop();
  if (!ports_file.empty()) static_cast<void>(remove_ports_file(ports_file));
  logger().info("Server Exiting..");
  return 0;
}

}  // namespace spanwire::app
