// The names in a store's folder, and its version (docs/formats/store.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "store/files.h"

namespace spanwire::store {

inline constexpr std::uint32_t store_version = 1;
inline constexpr std::string_view version_words = "spanwire store ";
inline constexpr std::string_view streams_folder = "streams";
inline constexpr std::string_view settings_name = "settings";
inline constexpr std::string_view removed_suffix = ".removed";
inline constexpr std::uint64_t most_settings_bytes = 16U << 20;
// No owner's state is as large, and no segment's sidecar.
inline constexpr std::uint64_t most_snapshot_bytes = std::uint64_t{64} << 30;
inline constexpr std::uint64_t most_sidecar_bytes = std::uint64_t{4} << 30;

// A number that is all of a name, in front of `suffix`.
std::optional<std::uint64_t> file_number(std::string_view name, std::string_view suffix = {});

// 0: it does not say, as an empty folder. Fails on one of another program, and of a newer server.
base::Result<std::uint32_t> read_store_version(Files& files);

}  // namespace spanwire::store
