#include "monitor/jetstream_figures.h"

#include <cstdint>

#include "jetstream/api_level.h"

namespace spanwire::monitor {
namespace {

// How often nats-server syncs if nothing is said: its page has a number where every message is
// synced, too.
constexpr std::int64_t default_sync_interval = 120'000'000'000;

}  // namespace

void write_jetstream_config(json::Writer& json, const jetstream::Server& server) {
  const jetstream::Settings& settings = server.settings();
  const bool always = settings.sync_interval == base::Duration{};
  json.key("config").begin_object();
  json.member("max_memory", settings.max_memory_store);
  json.member("max_storage", settings.max_file_store);
  if (!settings.store_dir.empty()) json.member("store_dir", settings.store_dir);
  json.member("sync_interval", always ? default_sync_interval : settings.sync_interval.count());
  if (always) json.member("sync_always", true);
  if (!settings.domain.empty()) json.member("domain", settings.domain);
  if (settings.strict) json.member("strict", true);
  json.end_object();
}

void write_jetstream_stats(json::Writer& json, const jetstream::Server& server) {
  std::uint64_t memory = 0, storage = 0, reserved_memory = 0, reserved_storage = 0;
  ApiFigures api{.level = jetstream::api_level};
  for (const auto& tenant : server.tenants()) {
    const jetstream::Usage& usage = tenant->usage;
    memory += usage.memory_bytes.load();
    storage += usage.file_bytes.load();
    reserved_memory += usage.reserved_memory_bytes.load();
    reserved_storage += usage.reserved_file_bytes.load();
    api.total += usage.api_calls.load();
    api.errors += usage.api_errors.load();
    api.inflight += usage.api_inflight.load();
  }
  json.member("memory", memory).member("storage", storage);
  json.member("reserved_memory", reserved_memory).member("reserved_storage", reserved_storage);
  json.member("accounts", server.tenants().size()).member("ha_assets", 0);
  write_api_figures(json, api);
}

void write_api_figures(json::Writer& json, const ApiFigures& figures) {
  json.key("api").begin_object().member("level", figures.level);
  json.member("total", figures.total).member("errors", figures.errors);
  if (figures.inflight != 0) json.member("inflight", figures.inflight);
  json.end_object();
}

}  // namespace spanwire::monitor
