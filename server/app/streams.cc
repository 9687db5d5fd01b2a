#include "app/streams.h"

#include <fmt/format.h>

#include <chrono>
#include <future>
#include <thread>

#include "jetstream/local_client.h"
#include "logging/logging.h"

namespace spanwire::app {
namespace {

const logging::Logger& logger() {
  static const logging::Logger log = logging::get("jetstream");
  return log;
}

constexpr auto look_again = std::chrono::milliseconds(1);
constexpr auto say_again = std::chrono::seconds(5);

std::string size_text(std::uint64_t bytes) {
  constexpr std::string_view units[] = {"B", "KB", "MB", "GB", "TB", "PB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1024 && unit + 1 < std::size(units); ++unit) size /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.2f} {}", size, units[unit]);
}

void warn_of_keeping(store::Keeping keeping, const std::string& folder) {
  if (keeping != store::Keeping::memory) return;
  logger().warn("{} is on a file system in memory: streams are gone when the machine goes down",
                folder);
}

base::Result<jetstream::Settings> settings_of(const JetStreamConfig& config,
                                              const store::Store& store,
                                              const wire::ServerIdentity& identity) {
  jetstream::Settings settings = config.settings;
  settings.store_dir = store_folder(config);
  settings.sync_interval = config.sync_interval;
  settings.max_memory_store = config.max_memory_store >= 0
                                  ? static_cast<std::uint64_t>(config.max_memory_store)
                                  : default_memory_store();
  if (config.max_file_store >= 0) {
    settings.max_file_store = static_cast<std::uint64_t>(config.max_file_store);
  } else {
    const auto space = store.space();
    if (!space) return tl::unexpected(space.error());
    settings.max_file_store = space->free_bytes / 4 * 3;
  }
  settings.server_name = identity.name;
  settings.server_id = identity.id;
  settings.nats_version = identity.nats_version;
  return settings;
}

void log_settings(const jetstream::Settings& settings) {
  logger().info("Starting JetStream");
  logger().info("  Max Memory:      {}", size_text(settings.max_memory_store));
  logger().info("  Max Storage:     {}", size_text(settings.max_file_store));
  logger().info("  Store Directory: \"{}\"", settings.store_dir);
  if (!settings.domain.empty()) logger().info("  Domain:          {}", settings.domain);
}

}  // namespace

// What may block of the store runs where the server's other blocking work does.
class Streams::StoreWorkers final : public store::Workers {
 public:
  explicit StoreWorkers(Helpers& helpers) : helpers_(helpers) {}
  bool run(base::Task work, base::Loop& loop, base::Task done) override {
    return helpers_.run(std::move(work), loop, std::move(done));
  }

 private:
  Helpers& helpers_;
};

base::Result<std::unique_ptr<Streams>> Streams::open(const JetStreamConfig& config,
                                                     Assembly& assembly, Helpers& helpers) {
  const std::string folder = store_folder(config);
  auto files = store::open_files(folder);
  if (!files) return tl::unexpected(files.error());
  auto workers = std::make_unique<StoreWorkers>(helpers);
  store::Settings store_settings;
  store_settings.sync_interval = config.sync_interval;
  auto store = store::Store::open(*std::move(files), store_settings, *workers);
  if (!store) return tl::unexpected(store.error());
  const store::Keeping keeping = (*store)->keeping();
  if (keeping == store::Keeping::volatile_overlay) {
    return base::fail(fmt::format(
        "{} is on an overlay that is mounted volatile, where syncing does nothing: put store_dir "
        "on a disk",
        folder));
  }
  auto settings = settings_of(config, **store, assembly.identity());
  if (!settings) return tl::unexpected(settings.error());
  log_settings(*settings);
  warn_of_keeping(keeping, folder);
  return std::unique_ptr<Streams>(
      new Streams(*std::move(settings), std::move(workers), *std::move(store), assembly));
}

Streams::Streams(jetstream::Settings settings, std::unique_ptr<StoreWorkers> workers,
                 std::unique_ptr<store::Store> store, Assembly& assembly)
    : assembly_(assembly),
      workers_(std::move(workers)),
      server_(std::move(settings), std::move(store), assembly.internal_principals()) {}

Streams::~Streams() = default;

void Streams::install() {
  for (std::size_t i = 0; i < assembly_.net().loops(); ++i) {
    server_.make_node(assembly_.services(i));
    assembly_.services(i).install_streams(
        [this](wire::Services& services, base::AccountId account) {
          return jetstream::open_local_client(server_, services, account);
        });
  }
  server_.start();
}

void Streams::wait_until_ready() const {
  auto say_at = std::chrono::steady_clock::now() + say_again;
  while (!server_.ready()) {
    std::this_thread::sleep_for(look_again);
    if (std::chrono::steady_clock::now() < say_at) continue;
    logger().info("Streams are being recovered");
    say_at += say_again;
  }
  if (server_.failed() != 0) {
    logger().error("{} streams could not be recovered: they refuse everything until deleted",
                   server_.failed());
  }
}

void Streams::stop() {
  std::promise<void> ended;
  server_.stop([&ended] { ended.set_value(); });
  ended.get_future().wait();
}

}  // namespace spanwire::app
