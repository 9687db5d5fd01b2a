// Fills a log, and its owner, from the segments that it left. Workers read and check; the log's
// loop takes what was found in slices, while the next part is being read.
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
#include "store/file_log.h"
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
  // What a worker has made.
  struct Found {
    base::Status status;
    bool more = false;
    Chunk chunk;
    std::uint64_t salt = 0;        // for a new segment
    base::Ref<SegmentFile> fresh;  // with the last: where to go on, if not where it ended
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

  // On a worker: takes what the snapshot and the sidecars say, if they are there and fit.
  base::Status read_snapshot();
  bool read_sidecars();
  bool read_sidecar(std::size_t index, std::uint64_t end);
  bool take_sidecar(Sidecar sidecar, Known& known);
  void take_snapshot();
  void read_next();
  void work(Found& found);
  void on_read(std::shared_ptr<Found> found);
  void take(std::shared_ptr<Found> found);
  void add_segments();
  void begin_segment(const Chunk& chunk);
  void apply_slice();
  // False: there is more of it to do, in another slice.
  bool apply(const Record& record, std::uint64_t offset, std::size_t& budget);
  void apply_message(const Record& record, std::uint64_t offset, std::size_t& budget);
  bool apply_erase(const Record& record, std::size_t& budget);
  bool apply_through(Sequence last, std::size_t& budget);
  void erase(Sequence sequence, std::size_t& budget);
  void finish(Found& last);
  void settle_segments();

  std::unique_ptr<FileLog> log_;
  const SegmentScan::Start start_;
  Recovered done_;
  SegmentScan scan_;  // used by workers, one at a time; on the loop between them
  bool opened_ = false;
  std::string snapshot_bytes_;
  std::optional<Snapshot> snapshot_;
  bool snapshot_taken_ = false;
  std::vector<Known> known_;

  std::shared_ptr<Found> current_;  // being taken
  std::shared_ptr<Found> next_;     // was read meanwhile
  std::size_t run_ = 0;             // in the current chunk
  std::size_t at_ = 0;              // in its bytes
  std::uint64_t reading_ = 0;       // number of its segment
  Sequence resume_ = 0;             // in a long erasure
};

}  // namespace spanwire::store
