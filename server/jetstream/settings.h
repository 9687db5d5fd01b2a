// What an operator decides about JetStream, and what an account has used of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace spanwire::jetstream {

struct Settings {
  std::string store_dir;
  std::uint64_t max_memory_store = 0;  // bytes of all memory streams together
  std::uint64_t max_file_store = 0;    // of all file streams
  base::Duration sync_interval{};      // zero: a message is on the device when it is acknowledged
  std::string domain;
  bool strict = true;                          // unknown fields of requests are errors
  std::size_t max_buffered_messages = 10'000;  // said to a stream and not yet committed; more: 429
  std::size_t max_buffered_bytes = 128U << 20;
  std::int64_t max_ack_pending = 0;       // of any consumer; 0: no limit
  std::int64_t max_request_batch = 0;     // of any pull request; 0: no limit
  base::Duration max_duplicate_window{};  // of any stream; zero: no limit
  std::string server_name;
  std::string server_id;
  std::string nats_version;
};

// Counted by the loops that hold the account's streams, read by any.
struct Usage {
  std::atomic<std::uint64_t> memory_bytes{0};
  std::atomic<std::uint64_t> file_bytes{0};
  std::atomic<std::uint64_t> reserved_memory_bytes{0};  // by the max_bytes of streams
  std::atomic<std::uint64_t> reserved_file_bytes{0};
  std::atomic<std::uint64_t> streams{0};
  std::atomic<std::uint64_t> consumers{0};
  std::atomic<std::uint64_t> api_calls{0};
  std::atomic<std::uint64_t> api_errors{0};
  std::atomic<std::uint64_t> api_inflight{0};
  std::atomic<std::uint64_t> backups{0};   // that are being made
  std::atomic<std::uint64_t> restores{0};  // that are under way
};

}  // namespace spanwire::jetstream
