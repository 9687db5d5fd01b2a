// The commit journal: a ring in one file, into which a round's redo records go with one write and
// one sync, whatever the number of streams. The bytes are in docs/formats/journal.md.
//
// The ring has parts, at first four. When the writer leaves a part, the segments that have records
// in it are synced by helpers; when it comes round again, that must be over, and the header must
// say that the replay starts behind it. A ring that is too small for what is written gets a larger
// file (store/journal_growth.h) and goes on there, with parts behind those that it has.
//
// Belongs to the committer's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/counter.h"
#include "base/ref.h"
#include "base/result.h"
#include "store/committer.h"
#include "store/files.h"
#include "store/helpers.h"
#include "store/journal_format.h"
#include "store/journal_growth.h"
#include "store/journal_replay.h"

namespace spanwire::store {

// A number that no one can guess, from the system.
std::uint64_t draw_salt();

struct JournalSettings {
  // Of a new journal's file. A thousand streams with a small message each make a round of 200 KiB:
  // three quarters are 60 of these, in which the segments of the fourth are synced.
  std::uint64_t first_bytes = 16U << 20;
  std::uint64_t max_bytes = 256U << 20;
  std::size_t slice_bytes = 1U << 20;  // copied in a round as it grows: some 2 ms of a disk's work
  std::function<std::uint64_t()> salt = draw_salt;
};

struct JournalCounters {
  base::Counter bytes;          // written, without those that fill pages
  base::Counter segment_syncs;  // before a part of the ring was used again
  base::Counter growths;
  base::Counter waits;  // rounds that waited for such syncs
};

class Journal {
 public:
  // No ring is smaller.
  static constexpr std::uint64_t min_bytes = 64U << 10;
  static constexpr const char* path = journal_path;

  // Replays what the folder's journal holds, says so in the log, and starts the ring anew; makes
  // one if there is none.
  static base::Result<std::unique_ptr<Journal>> open(Files& files, Helpers& helpers,
                                                     JournalSettings settings);
  // What another process would replay stays to be replayed.
  ~Journal();

  // Room for records with their headers in the next block.
  std::size_t capacity() const;
  // Adds to the next block. Its bytes are `parts` behind one another.
  void add(const base::Ref<SegmentFile>& segment, std::uint64_t offset,
           const std::vector<std::string_view>& parts);
  bool empty() const { return block_.empty(); }
  // Writes the block, if there is one, and syncs it. After an error it is not known what is on the
  // disk, and nothing can be committed before mend() has succeeded.
  base::Status commit();
  // Forgets what was added and not committed.
  void drop();

  // The segment was synced with all that was journalled for it.
  static void forget(SegmentFile& segment) { segment.commit.parts = 0; }

  bool broken() const { return broken_; }
  // Syncs what the ring covers and starts a new file, in which nothing is left of what failed.
  base::Status mend();
  // Syncs what the ring covers, so that nothing is left to be replayed.
  base::Status settle();

  std::uint64_t file_bytes() const { return journal_ring_at + ring_bytes_; }
  const Replayed& replayed() const { return replayed_; }
  const JournalCounters& counters() const { return counters_; }

 private:
  static constexpr std::size_t quarters = 4;
  static constexpr std::size_t most_parts = 32;  // SegmentFile::Commit has a bit for each
  enum class Use : std::uint8_t {
    free,
    filling,
    syncing,   // left; its segments are being synced
    released,  // free as soon as the header on the disk says so
  };
  struct Sync {
    base::Ref<SegmentFile> segment;
    base::Status status;
  };
  struct Part {
    std::uint64_t begin = 0;  // in the ring
    std::uint64_t end = 0;
    std::uint32_t bit = 0;  // in SegmentFile::Commit::parts
    Use use = Use::free;
    std::uint64_t blocks = 0;  // that begin here
    std::vector<base::Ref<SegmentFile>> covered;
    RingPlace first{.position = 0, .number = 0};  // its first block; 0: none begins here
    std::vector<Sync> syncs;
    std::unique_ptr<Helpers::Batch> batch;  // before `syncs` in destruction: it waits
  };

  Journal(Files& files, Helpers& helpers, JournalSettings settings);

  // Opening.
  base::Status take_over();
  base::Status start_anew();
  base::Status install(std::unique_ptr<File> file, std::uint64_t bytes);
  void start_ring(std::uint64_t ring_bytes);
  void set_ring(std::uint64_t begin, std::uint64_t ring_bytes);

  // Writing.
  base::Status commit_block();
  base::Status write_header();
  base::Status sync_file();
  void header_is_durable();
  void cover(const RingPlace& place);

  // Room in the ring.
  std::size_t part_of(std::uint64_t position) const;
  std::size_t behind(std::size_t index) const;
  base::Status make_room(std::size_t bytes);
  void merge_parts();
  void leave(std::size_t index);
  void release_finished();
  base::Status release(std::size_t index);
  base::Status repair(const SegmentFile& segment);
  base::Status release_all();
  RingPlace start_behind(std::size_t index) const;

  // Growth.
  void grow_if_small(const Part& part);
  void begin_growth(std::uint64_t times);
  base::Status grow();

  Files& files_;
  Helpers& helpers_;
  const JournalSettings settings_;
  std::unique_ptr<File> file_;
  JournalHeader header_;
  std::size_t slot_ = 0;     // where the next header goes
  bool header_due_ = false;  // the start has moved on
  std::uint64_t ring_bytes_ = 0;
  std::uint64_t quarter_bytes_ = 0;

  std::vector<Part> parts_;  // by their place
  std::size_t current_ = 0;  // the part in which the last block begins
  RingPlace next_;
  BlockWriter block_;
  std::vector<base::Ref<SegmentFile>> added_;  // segments of the next block

  bool broken_ = false;
  bool told_ = false;  // in the log, that a segment cannot be synced

  std::unique_ptr<JournalGrowth> growth_;

  Replayed replayed_;
  JournalCounters counters_;
};

}  // namespace spanwire::store
