// Writes neighbouring segments anew, without what is dead in them. Blocks: it runs on a worker.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/ref.h"
#include "base/result.h"
#include "store/committer.h"
#include "store/files.h"
#include "store/index_segment.h"
#include "store/record.h"
#include "store/segment_set.h"

namespace spanwire::store {

// What a log knows when it asks for it; what becomes of the messages meanwhile is the log's affair.
struct CompactionJob {
  struct Source {
    base::Ref<SegmentFile> file;
    std::uint64_t end = 0;
  };
  struct Live {
    Sequence sequence = 0;
    std::uint32_t counted = 0;
    SubjectId subject = 0;
  };
  struct Range {
    Sequence first = 0;
    Sequence last = 0;
  };

  std::uint64_t stands_for = 0;
  std::uint64_t salt = 0;
  std::vector<Source> sources;  // neighbours; the result has the last one's number
  std::vector<Live> live;       // all messages that stay, in order
  std::vector<Range> needed;    // what erases these stays: their records are in other segments
  std::shared_ptr<LogJobs> jobs;
};

struct Compacted {
  base::Ref<SegmentFile> file;
  std::uint64_t end = 0;
  std::uint64_t erases_bytes = 0;  // of records that end messages elsewhere
  std::unique_ptr<IndexSegment> index;
};

// The new file has taken the place of the last source when it returns, durably. Fails, and leaves
// everything as it was, if a message that should stay cannot be read.
base::Result<Compacted> compact(Files& files, const CompactionJob& job);

}  // namespace spanwire::store
