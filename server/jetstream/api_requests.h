// The bodies of the API's smaller requests.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "jetstream/api_error.h"

namespace spanwire::jetstream {

// Of lists and of STREAM.INFO; each has a part of these.
struct PageRequest {
  std::int64_t offset = 0;
  std::string subject;  // streams that capture such
  bool deleted_details = false;
  std::string subjects_filter;
  // Where the page begins, of so many.
  std::uint64_t start(std::uint64_t total) const {
    return offset < 0 ? 0 : std::min(static_cast<std::uint64_t>(offset), total);
  }
};

struct PurgeBody {
  std::uint64_t seq = 0;
  std::string filter;
  std::uint64_t keep = 0;
};

struct DeleteMessageBody {
  std::uint64_t seq = 0;
  bool no_erase = false;
};

struct PauseBody {
  std::optional<base::WallTime> pause_until;
};

struct ResetBody {
  std::uint64_t seq = 0;
};

struct BackupBody {
  std::string deliver_subject;
  bool no_consumers = false;
  std::int64_t chunk_size = 0;
  std::int64_t window_size = 0;
  bool check = false;
};

// What is wrong with the body; else `out` has what it says. With `strict`, an unknown field is an
// error.
std::optional<ApiError> read_stream_names(std::string_view body, bool strict, PageRequest& out);
std::optional<ApiError> read_stream_list(std::string_view body, bool strict, PageRequest& out);
std::optional<ApiError> read_consumers(std::string_view body, bool strict, PageRequest& out);
std::optional<ApiError> read_stream_info(std::string_view body, bool strict, PageRequest& out);
std::optional<ApiError> read_purge(std::string_view body, bool strict, PurgeBody& out);
std::optional<ApiError> read_delete_message(std::string_view body, bool strict,
                                            DeleteMessageBody& out);
std::optional<ApiError> read_pause(std::string_view body, bool strict, PauseBody& out);
std::optional<ApiError> read_backup(std::string_view body, bool strict, BackupBody& out);
std::optional<ApiError> read_reset(std::string_view body, ResetBody& out);

}  // namespace spanwire::jetstream
