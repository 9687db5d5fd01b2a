// The settings of JetStream: `jetstream { … }`, `store_dir`, and what the machine gives.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/schema.h"
#include "jetstream/settings.h"

namespace spanwire::app {

struct JetStreamConfig {
  bool enabled = false;
  std::string store_dir;  // the folder above `jetstream/`; empty: the system's for temporary files
  std::int64_t max_memory_store = -1;  // bytes; -1: three quarters of the machine's memory
  std::int64_t max_file_store = -1;    // -1: three quarters of what is free in store_dir
  base::Duration sync_interval{};      // zero: a message is on the device when it is acknowledged
  jetstream::Settings settings;        // the rest, as it stands in the file
};

// `jetstream` and `store_dir`.
std::vector<config::Key> jetstream_keys();
base::Status fill_jetstream(JetStreamConfig& config, const config::Values& values);

// <store_dir>/jetstream.
std::string store_folder(const JetStreamConfig& config);
// Three quarters of what this machine has.
std::uint64_t default_memory_store();

}  // namespace spanwire::app
