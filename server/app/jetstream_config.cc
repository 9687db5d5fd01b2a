#include "app/jetstream_config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "jetstream/go_time.h"

namespace spanwire::app {
namespace {

using config::Key;
using config::Schema;
using config::Type;

Schema limits_schema() {
  return Schema::of({
      {.name = "max_ack_pending",
       .type = Type::integer,
       .doc = "messages that a consumer may have delivered and not had acknowledged; 0 is no limit",
       .default_text = "0",
       .min = -1},
      {.name = "max_request_batch",
       .type = Type::integer,
       .doc = "messages that one pull request may ask for; 0 is no limit",
       .default_text = "0",
       .min = -1},
      {.name = "duplicate_window",
       .type = Type::duration,
       .doc = "longest time for which a stream may remember message ids; 0 is no limit",
       .default_text = "0s",
       .min = 0},
  });
}

std::vector<Key> store_keys() {
  return {
      {.name = "enabled",
       .type = Type::boolean,
       .doc = "whether there is JetStream, now that there is a block for it",
       .default_text = "true",
       .aliases = {"enable"}},
      {.name = "store_dir",
       .type = Type::text,
       .doc = "the folder in which the folder `jetstream` holds the streams",
       .aliases = {"store", "storedir"}},
      {.name = "max_memory_store",
       .type = Type::size,
       .doc = "bytes of all memory streams; -1 is three quarters of the machine's memory",
       .default_text = "-1",
       .aliases = {"max_mem_store", "max_mem"},
       .min = -1,
       .quoted_size = true},
      {.name = "max_file_store",
       .type = Type::size,
       .doc = "bytes of all file streams; -1 is three quarters of what is free on the disk",
       .default_text = "-1",
       .aliases = {"max_file"},
       .min = -1,
       .quoted_size = true},
      {.name = "sync_interval",
       .type = Type::text,
       .doc = "`always`: a message is on the device before it is acknowledged; a time as 2m: it is "
              "written then, and on the device so much later",
       .default_text = "always",
       .aliases = {"sync"}},
      {.name = "domain", .type = Type::text, .doc = "the JetStream domain of this server"},
      {.name = "strict",
       .type = Type::boolean,
       .doc = "requests with unknown fields are errors",
       .default_text = "true"},
      {.name = "max_buffered_msgs",
       .type = Type::integer,
       .doc =
           "messages of one stream on their way to the disk; publishers of more are told to wait",
       .default_text = "10000",
       .min = 1},
      {.name = "max_buffered_size",
       .type = Type::size,
       .doc = "bytes of those messages",
       .default_text = "128MB",
       .min = 1 << 10,
       .quoted_size = true},
      {.name = "limits",
       .type = Type::block,
       .doc = "what any stream or consumer may ask for",
       .block = limits_schema()},
  };
}

std::string in_lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// `jetstream: true`, `jetstream: enabled`.
base::Result<bool> read_switch(const config::Values& values) {
  const config::Value& value = *values.raw("jetstream");
  if (value.kind == config::Kind::boolean) return value.boolean;
  const std::string word = in_lower_case(value.text);
  if (value.kind == config::Kind::text && (word == "enabled" || word == "enable")) return true;
  if (value.kind == config::Kind::text && (word == "disabled" || word == "disable")) return false;
  return base::fail(fmt::format("{}: jetstream: write enabled, disabled, or a block {{ }}",
                                values.where("jetstream")));
}

base::Result<base::Duration> read_sync(const config::Values& block) {
  const std::string text = in_lower_case(block.text("sync_interval"));
  if (text == "always") return base::Duration::zero();
  const auto interval = jetstream::parse_go_duration(text);
  if (interval && *interval > base::Duration::zero()) return *interval;
  return base::fail(fmt::format("{}: sync_interval: write always, or a time as 2m",
                                block.where("sync_interval")));
}

}  // namespace

std::vector<Key> jetstream_keys() {
  return {
      {.name = "jetstream",
       .type = Type::raw,
       .doc = "durable streams: `enabled`, or a block; none if not set",
       .block = Schema::of(store_keys())},
      {.name = "store_dir",
       .type = Type::text,
       .doc = "the same as in the block",
       .aliases = {"storedir"}},
  };
}

base::Status fill_jetstream(JetStreamConfig& config, const config::Values& values) {
  config.store_dir = values.text("store_dir");
  if (!values.given("jetstream")) return {};
  if (!values.is_block("jetstream")) {
    const auto enabled = read_switch(values);
    if (!enabled) return tl::unexpected(enabled.error());
    config.enabled = *enabled;
    return {};
  }
  const config::Values& block = values.block("jetstream");
  if (block.given("store_dir") && values.given("store_dir")) {
    return base::fail(
        fmt::format("{}: store_dir is set twice: leave one of them out", block.where("store_dir")));
  }
  const auto sync = read_sync(block);
  if (!sync) return tl::unexpected(sync.error());
  config.enabled = block.boolean("enabled");
  config.sync_interval = *sync;
  if (block.given("store_dir")) config.store_dir = block.text("store_dir");
  config.max_memory_store = block.integer("max_memory_store");
  config.max_file_store = block.integer("max_file_store");
  jetstream::Settings& settings = config.settings;
  settings.domain = block.text("domain");
  settings.strict = block.boolean("strict");
  settings.max_buffered_messages = static_cast<std::size_t>(block.integer("max_buffered_msgs"));
  settings.max_buffered_bytes = static_cast<std::size_t>(block.integer("max_buffered_size"));
  const config::Values& limits = block.block("limits");
  settings.max_ack_pending = limits.integer("max_ack_pending");
  settings.max_request_batch = limits.integer("max_request_batch");
  settings.max_duplicate_window = limits.duration("duplicate_window");
  return {};
}

std::string store_folder(const JetStreamConfig& config) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path above = config.store_dir.empty() ? fs::temp_directory_path(ignored) / "nats"
                                                  : fs::path(config.store_dir);
  return (above / "jetstream").string();
}

std::uint64_t default_memory_store() {
  const auto pages = static_cast<std::uint64_t>(std::max<long>(::sysconf(_SC_PHYS_PAGES), 0));
  const auto page_bytes = static_cast<std::uint64_t>(std::max<long>(::sysconf(_SC_PAGESIZE), 0));
  return pages * page_bytes / 4 * 3;
}

}  // namespace spanwire::app
