// A stream's log in files: batches are encoded on the home loop and handed to the committer, which
// writes them; the loop itself touches no file but to read what lies in memory anyway.
//
// - file_log.cc: writing. Each commit() is a round: one write a touched segment. Rounds take effect
//   in their order, when the committer has answered.
// - file_log_read.cc: reading. The newest batches, then blocks that were read, then the file.
// - file_log_compact.cc: giving space back.
// - file_log_save.cc: sidecars and snapshots, which make the next start short.
// - recovery.h fills a log from its segments.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/done.h"
#include "base/lifeline.h"
#include "store/indexed_log.h"
#include "store/read_blocks.h"
#include "store/record.h"
#include "store/segment_set.h"
#include "store/tail_cache.h"

namespace spanwire::store {

class FileLog final : public IndexedLog {
 public:
  FileLog(const LogServices& services, base::Loop& loop, Owner& owner, std::uint64_t stream,
          std::uint64_t seed);
  ~FileLog() override;

  std::uint64_t stream() const { return stream_; }
  // Of a new stream: its first segment, whose name is durable. What is committed waits for its
  // header: until what this gives is called, with the outcome of the segment's sync.
  base::Done<base::Status> begin(base::Ref<SegmentFile> segment);

  Storage storage() const override { return Storage::file; }
  Sequence append(const Appending& message) override;
  bool erase(Sequence sequence) override;
  bool erase_through(Sequence sequence, std::size_t budget) override;
  void note(std::uint32_t kind, std::string_view note) override;
  Ticket commit() override;
  const base::Error* failed() const override { return failed_ ? &*failed_ : nullptr; }

  std::size_t uncommitted_bytes() const override { return in_flight_bytes_ + said_bytes(); }

  Read read(Sequence sequence, Message& out) override;
  void fetch(Sequence sequence, base::Task ready) override;

  Footprint footprint() const override;
  void close(base::Done<> done) override;

 private:
  friend class Recovery;
  friend class Replay;

  // A snapshot's file; null: there is none.
  struct Snapped {
    base::Ref<const Bytes> bytes;
    base::Ref<SegmentFile> segment;  // which must be durable up to its position
  };
  // What one commit() handed to the committer.
  struct Round {
    Ticket ticket = 0;
    std::size_t writes = 0;  // not answered yet
    std::size_t bytes = 0;
    base::Status status;
    Position end;
    Position sealed;   // the end of the segment before, if this round began another
    Snapped snapshot;  // of its end
  };

  // Writing.
  // What was said since the last commit.
  std::size_t said_bytes() const { return batch_.size() - std::min(batch_.size(), unsaid_bytes_); }
  void begin_batch();
  void end_in(Sequence sequence);
  void write_batch(Round& round);
  void submit(Write write);
  void header_synced(const base::Status& status);
  void roll(Round& round);
  void begin_segment();
  void repeat_notes();
  bool should_roll();
  void on_written(std::uint64_t round, const base::Status& status);
  void sync_later();
  void apply_rounds();
  void apply(const Round& round);
  void fail(const base::Error& error);
  void tell_later(Ticket ticket);
  void tidy();
  std::uint64_t open_live_bytes() const;
  void clear_index();

  // Saving.
  struct Saving;
  bool snapshot_is_due() const;
  Snapped take_snapshot();
  void save_next();
  bool save(const std::shared_ptr<Saving>& saving);
  void saved(const Saving& saving);
  LogSegment* next_without_sidecar();
  void finish_close();
  void closed();

  // Compacting.
  struct Sealed;
  struct CompactionRun;
  void look_for_dead_soon();
  std::vector<Sealed> sealed_segments();
  std::pair<std::size_t, std::size_t> choose(const std::vector<Sealed>& sealed) const;
  void compact_one();
  bool fill(CompactionRun& run, const std::vector<Sealed>& sources);
  void set_compacting(const CompactionRun& run, bool value);
  void take_ends(CompactionRun& run);
  void give_ends_back(const CompactionRun& run);
  void finish(CompactionRun& run);
  bool replace_in_index(const CompactionRun& run, std::unique_ptr<IndexSegment> fresh);
  void mark_dead();

  // Reading.
  base::WallTime time_of(Sequence sequence);
  Read decode(std::string_view bytes, const LogSegment& segment, std::uint64_t offset,
              Message& out) const;
  Read read_file(const LogSegment& segment, std::uint64_t offset, Message& out);
  Read damaged(Sequence sequence, const LogSegment& segment, std::uint64_t offset);

  LogServices services_;
  base::Loop& loop_;
  Owner& owner_;
  const std::uint64_t stream_;
  SegmentSet segments_;
  TailCache tail_;
  ReadBlocks blocks_;

  BatchWriter batch_;
  std::size_t unsaid_bytes_ = batch_record_bytes;  // of the batch: what the log itself put there
  bool repeat_due_ = false;  // the batch is a segment's first, and lacks the owner's notes
  Sequence last_ = 0;        // the last that was given, ahead, and its time
  base::WallTime last_time_{};
  Ticket ticket_ = 0;
  std::optional<std::vector<Write>> held_;  // while the first segment's header is not durable
  std::deque<Round> rounds_;
  std::uint64_t first_round_ = 0;  // the number of rounds_.front()
  std::size_t in_flight_bytes_ = 0;
  Position durable_;
  Position committed_end_;
  std::optional<base::Error> failed_;

  absl::flat_hash_set<Sequence> damaged_;  // reported
  std::uint64_t damaged_count_ = 0;
  absl::flat_hash_set<Sequence> unreadable_;  // fetch() failed: not tried again for ever
  std::shared_ptr<CompactionRun> compacting_;
  bool looking_ = false;
  bool sync_due_ = false;

  Snapped snapshot_;                              // to be written
  bool snapshot_due_ = false;                     // the last start was without one
  std::uint64_t unsnapped_bytes_ = 0;             // said since the last one was taken
  std::uint64_t state_bytes_ = 0;                 // of the owner, by then
  std::vector<base::Ref<SegmentFile>> unsynced_;  // sealed, and perhaps not yet durable
  bool saving_ = false;
  bool closing_ = false;
  base::Done<> closed_;
  base::Lifeline lifeline_;
};

}  // namespace spanwire::store
