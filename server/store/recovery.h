// Fills a log, and its owner, from the segments that it left. Workers read and check; the log's
// loop takes what was found in slices, while the next part is being read.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/done.h"
#include "base/result.h"
#include "store/file_log.h"
#include "store/segment_scan.h"
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

  // On a worker: takes what the snapshot says, if it is there and fits.
  base::Status read_snapshot();
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

  std::shared_ptr<Found> current_;  // being taken
  std::shared_ptr<Found> next_;     // was read meanwhile
  std::size_t run_ = 0;             // in the current chunk
  std::size_t at_ = 0;              // in its bytes
  std::uint64_t reading_ = 0;       // number of its segment
  Sequence resume_ = 0;             // in a long erasure
};

}  // namespace spanwire::store
