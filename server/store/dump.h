// What `spanwire store dump` prints: the records of a store for people, without changing it.
// Blocks; one thread.
#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "store/log.h"
#include "store/store_view.h"

namespace spanwire::store {

struct DumpSettings {
  Sequence from = 0;                 // of the log, what comes before this message is left out
  std::uint64_t limit = UINT64_MAX;  // records of a stream, and of the journal
  std::size_t payload_bytes = 64;    // of headers and payload, shown escaped
};

// Takes lines, each with its line feed.
using DumpOut = absl::FunctionRef<void(std::string_view line)>;

// The journal's header and its blocks that a start would replay.
base::Status dump_journal(const StoreView& view, const DumpSettings& settings, DumpOut out);
// A stream's segments and their records, with what the journal adds to them.
base::Status dump_stream(StoreView& view, std::uint64_t stream, const DumpSettings& settings,
                         DumpOut out);

}  // namespace spanwire::store
