// Reads a stream's segments as recovery does: all that is good, in the order in which it was said,
// and the place where it ends (docs/formats/segment.md). Blocks: it runs on a worker.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ref.h"
#include "base/result.h"
#include "store/committer.h"
#include "store/files.h"
#include "store/read_buffer.h"
#include "store/record.h"

namespace spanwire::store {

// Records that are good, one behind the other, in a chunk's bytes.
struct Run {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// A part of a segment.
struct Chunk {
  base::Ref<SegmentFile> segment;
  std::uint64_t offset = 0;
  ReadBuffer bytes;
  std::vector<Run> runs;
  bool notes = false;  // those in it still hold
};

// A segment that was found.
struct FoundSegment {
  base::Ref<SegmentFile> file;
  std::uint64_t stands_for = 0;  // the first number of those that it was made from
  bool compacted = false;        // not as it was written at first
  bool has_sidecar = false;
  std::uint64_t end = 0;  // where its last batch ends; of one that is not read, its size
  Mark mark;              // zeros: it has none
};

class SegmentScan {
 public:
  struct Start {
    // What is known durable beside what the segments say.
    Position durable;
    // Reading begins here: everything before is known.
    Position from;
    // Nothing from here on counts, whatever stands there; of a log that could not write.
    Position limit{.segment = UINT64_MAX, .offset = UINT64_MAX};
  };

  SegmentScan(Files& files, std::uint64_t stream) : files_(files), stream_(stream) {}

  // Opens all segments, and removes what interruptions have left behind.
  base::Status open(const Start& start);
  // After open(): only what stands behind this position is read; everything before it is known. The
  // segments before it end there, in their order.
  void begin_at(Position position, const std::vector<std::uint64_t>& ends);
  // After open(): where the last batch of a segment that is not the last ends, if all is well.
  std::uint64_t known_end(std::size_t index) const;
  // What memory the chunk has is used again. False: that was all. Then the end is cut, so that what
  // is written there from now on stands alone, and segments() are those that stay, each with its
  // end.
  base::Result<bool> next(Chunk& out);

  const std::vector<FoundSegment>& segments() const { return segments_; }
  // The largest number that a file still has; known when all was read.
  std::uint64_t last_number() const { return last_number_; }
  std::uint64_t damaged() const { return damaged_; }
  std::uint64_t read_bytes() const { return read_bytes_; }

 private:
  enum class Step : std::uint8_t { taken, need_more, bad };

  struct Listed {
    std::vector<std::uint64_t> segments;
    std::vector<std::uint64_t> sidecars;
  };
  base::Result<Listed> list();
  base::Status open_segment(std::uint64_t number, bool is_last);
  base::Status find_sidecars(const std::vector<std::uint64_t>& sidecars);
  base::Status remove(std::uint64_t number);
  // Where a segment ended, by the word of the one behind it; 0: there is no word.
  std::uint64_t end_by_mark(std::size_t index) const;
  base::Status drop_replaced();
  base::Status find_notes();
  base::Result<bool> is_whole(std::size_t index);
  base::Result<std::string> read_first_batch(const SegmentFile& segment);

  base::Status begin_segment();
  base::Status end_segment();
  base::Status fill(std::uint64_t bytes);
  std::string_view rest() const;  // what the buffer has from offset_ on
  Step take(std::vector<Run>& runs);
  Step take_batch(std::string_view bytes, const Record& header);
  Step take_record(std::string_view bytes);
  void emit(Chunk& out);

  // offset_ is the end of what can be taken: decides what that means, and goes on behind it.
  base::Status pass_bad();
  base::Result<bool> only_zeros_follow();
  base::Status look_ahead();
  base::Status skip_damage();
  base::Status end_damaged();
  base::Status cut();
  base::Status finish();
  base::Status make_durable(const FoundSegment& segment);
  void report(std::uint64_t bytes);
  Position position() const { return {segments_[current_].file->number, offset_}; }

  Files& files_;
  const std::uint64_t stream_;
  Start start_;
  std::vector<FoundSegment> segments_;
  std::size_t current_ = 0;  // in segments_
  std::uint64_t notes_from_ = 0;
  bool notes_known_ = false;
  Position durable_;  // the furthest that was named
  bool done_ = false;

  // Of the segment that is being read.
  bool begun_ = false;
  std::uint64_t size_ = 0;
  std::uint64_t data_end_ = 0;  // from here on there are only zeros
  std::uint64_t offset_ = 0;    // everything before was taken
  std::uint64_t buffer_offset_ = 0;
  ReadBuffer buffer_;
  bool within_batch_ = false;  // whose beginning was damaged

  std::uint64_t last_number_ = 0;
  std::uint64_t left_aside_ = 0;  // the number of the last that cannot be read
  std::uint64_t damaged_ = 0;
  std::uint64_t read_bytes_ = 0;
};

}  // namespace spanwire::store
