// What a journal holds, written into the segments again: the first step of opening a store.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "store/files.h"
#include "store/journal_format.h"

namespace spanwire::store {

struct Replayed {
  std::uint64_t blocks = 0;
  std::uint64_t records = 0;  // whose segment is there
  std::uint64_t bytes = 0;    // that these have written
  std::uint64_t skipped = 0;  // whose segment is gone, or another one now
};

// The header that counts, and where it stands (0 or 1).
struct CurrentHeader {
  JournalHeader header;
  std::size_t slot = 0;
};
// nullopt: neither is whole. Fails if they cannot be read, or one is of a newer version.
base::Result<std::optional<CurrentHeader>> read_journal_header(const File& journal);

// One segment of the store.
struct SegmentName {
  std::uint64_t stream = 0;
  std::uint64_t number = 0;
};

// Writes every whole block from the header's start on into the segments that are there with the
// record's salt, and syncs them: into all, or into one alone. Once more gives the same, also after
// an interruption: the journal itself is not touched.
base::Result<Replayed> replay_journal(Files& files, const File& journal,
                                      const JournalHeader& header,
                                      std::optional<SegmentName> only = std::nullopt);

}  // namespace spanwire::store
