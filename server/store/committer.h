// Makes what the logs of all loops have written durable, a round at a time: each log's bytes go to
// its segment with one write, and one sync of the commit journal covers them all (docs/formats/).
// What arrives during a round is the next one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/counter.h"
#include "base/done.h"
#include "base/histogram.h"
#include "base/loop.h"
#include "base/ref.h"
#include "base/result.h"
#include "store/files.h"

namespace spanwire::store {

// Text that is written and read by several threads at once, and so never changes.
struct Bytes : base::RefCounted<Bytes> {
  explicit Bytes(std::string bytes) : text(std::move(bytes)) {}
  const std::string text;
};

// An open segment, as the journal names it. `stream` and `number` name it in the whole store,
// `salt` was drawn when it was made: a record of the journal for another salt is not for this file.
// Before the first write of it is submitted its header (store/segment_header.h) and its name are
// durable, else the journal would be replayed into nothing.
struct SegmentFile : base::RefCounted<SegmentFile> {
  std::uint64_t stream = 0;
  std::uint64_t number = 0;
  std::uint64_t salt = 0;
  std::unique_ptr<File> file;

  // The committer's own, on its thread.
  struct Commit {
    std::string failure;      // not empty: nothing more is written
    bool unsynced = false;    // something was written that neither a sync nor the journal covers
    std::uint32_t parts = 0;  // parts of the ring with records for it, a bit each
    std::uint64_t round = 0;  // the last one with a write of it...
    std::size_t group = 0;    // ...and its place in that
  };
  Commit commit;
};

// One log's part of a round. Without bytes: what was written of the segment becomes durable.
struct Write {
  base::Ref<SegmentFile> segment;
  std::uint64_t offset = 0;
  base::Ref<const Bytes> bytes;
  bool sync = true;  // false: done when written, durable with the next sync of the segment
  base::Loop* loop = nullptr;  // where `done` is called
  base::Done<base::Status> done;
};

// Read by any thread.
struct CommitCounters {
  base::Counter rounds;
  base::Counter writes;
  base::Counter bytes;          // of these writes
  base::Counter journal_syncs;  // rounds with something in the journal
  base::Counter file_syncs;     // segments that were synced in place
  base::Counter failures;       // writes that got an error
  base::Histogram round_time;   // from its first write to before its Dones are posted
};

class Committer {
 public:
  virtual ~Committer() = default;
  // From any loop. Writes to one segment are carried out in the order of the calls.
  virtual void submit(Write write) = 0;
  // From any loop, on which `done` is called: of what was submitted before, no start writes
  // anything into the segments again. Without a journal none ever does.
  virtual void settle(base::Loop& loop, base::Done<base::Status> done) {
    loop.post([done = std::move(done)]() mutable { done(base::Status()); });
  }
  // Null: it does not count.
  virtual const CommitCounters* commit_counters() const { return nullptr; }
};

}  // namespace spanwire::store
