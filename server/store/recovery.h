// Fills a log, and its owner, from the segments that it left. A worker reads and checks; the log's
// loop takes what was found in slices (replay.h), while the next chunks are being read.
//
// With a snapshot that fits, a worker takes everything before it from sidecars; a segment that
// lacks a good one is read for it. Anything else that is wrong with them, and all segments are
// read.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/done.h"
#include "base/result.h"
#include "store/chunk_queue.h"
#include "store/file_log.h"
#include "store/replay.h"
#include "store/segment_scan.h"
#include "store/sidecar.h"
#include "store/snapshot.h"

namespace spanwire::store {

class Recovery : public std::enable_shared_from_this<Recovery> {
 public:
  using Recovered = base::Done<base::Result<std::unique_ptr<Log>>>;

  // Calls `done` on the log's loop.
  static void start(std::unique_ptr<FileLog> log, const SegmentScan::Start& start, Recovered done);

 private:
  // What a worker has come to.
  struct Outcome {
    base::Status status;
    bool ended = false;            // there is nothing more to read
    base::Ref<SegmentFile> fresh;  // where to go on, if not where the last one ended
  };

  Recovery(std::unique_ptr<FileLog> log, const SegmentScan::Start& start, Recovered done);

  // What is known of a segment that is not read.
  struct Known {
    std::uint64_t number = 0;
    std::uint64_t end = 0;
    std::uint64_t erase_bytes = 0;
    Sequence first = 0;
    Sequence last = 0;
    absl::flat_hash_set<std::uint64_t> ends_in;
    bool has_sidecar = false;  // a good one, of all of it
  };

  // On a worker.
  void open(Outcome& outcome);
  void read(Outcome& outcome);
  base::Status make_fresh(Outcome& outcome);
  std::size_t most_subjects() const;
  // Takes what the snapshot and the sidecars say, if they are there and fit.
  base::Status read_snapshot();
  bool read_sidecars();
  bool read_sidecar(std::size_t index, std::uint64_t end, ReadBuffer& buffer);
  bool take_sidecar(Sidecar sidecar, Known& known);

  // On the loop.
  using Work = void (Recovery::*)(Outcome&);
  using Then = void (Recovery::*)(Outcome);
  void run(Work work, Then then);
  void on_opened(Outcome outcome);
  void add_segments();
  void take_snapshot();
  void read_on();
  void on_read(Outcome outcome);
  void take_next();
  void end();
  void finish();
  void settle_segments();

  std::unique_ptr<FileLog> log_;
  const SegmentScan::Start start_;
  Recovered done_;
  const std::uint64_t fresh_salt_;
  SegmentScan scan_;  // used by workers, one at a time; on the loop between them
  std::optional<Replay> replay_;
  std::string snapshot_bytes_;
  std::optional<Snapshot> snapshot_;
  bool snapshot_taken_ = false;
  std::vector<Known> known_;

  ChunkQueue chunks_;
  bool reading_ = false;  // a worker is
  Outcome last_;          // of the workers
  std::optional<Chunk> current_;
};

}  // namespace spanwire::store
