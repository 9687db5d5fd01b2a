// Reads a segment whose end is known, record by record. Blocks: it runs on a worker.
#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>

#include "base/result.h"
#include "store/committer.h"
#include "store/record.h"

namespace spanwire::store {

// Calls take(record, offset) for all that stands behind the header, up to `end`. Fails with what
// `take` returns, and if not all of that is good.
base::Status each_record(
    const SegmentFile& segment, std::uint64_t end,
    absl::FunctionRef<base::Status(const Record& record, std::uint64_t offset)> take);

}  // namespace spanwire::store
