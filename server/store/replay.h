// What a start does on the loop with the records that a worker has read and found good: it tells
// them to the log's index and to its owner, a slice at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "store/file_log.h"
#include "store/known_subjects.h"
#include "store/segment_scan.h"

namespace spanwire::store {

class Replay {
 public:
  // `subjects`: how many there may be.
  Replay(FileLog& log, std::size_t subjects) : log_(log), known_(subjects) {}

  // Also for what a worker takes from sidecars, before the first chunk.
  KnownSubjects& known() { return known_; }
  // What was told to the index counts for readers too.
  void commit();

  // What follows is of this segment, which the index has open.
  void go_on_in(std::uint64_t segment) { segment_ = segment; }
  // The segment of what came last; 0: nothing has come.
  std::uint64_t segment() const { return segment_; }
  // Takes a slice of the chunk: about a millisecond, the owner's part included. False: there is
  // more of it, for another turn.
  bool take(const Chunk& chunk);

 private:
  // Messages that stand behind one another, and the numbers of those subjects that are known.
  struct Group {
    std::array<MessageRecord, KnownSubjects::most_together> messages;
    std::array<SubjectId, KnownSubjects::most_together> subjects;
    std::size_t size = 0;
  };

  void begin_segment(const Chunk& chunk);
  void take_run(const Chunk& chunk, const Run& run);
  void gather(std::string_view bytes);
  void take_group(const Chunk& chunk);
  void take_message(const MessageRecord& record, SubjectId subject, std::uint64_t offset);
  // False: there is more of it to do, in another slice.
  bool take_other(const Chunk& chunk, const Record& record);
  bool take_erase(const Record& record);
  bool take_through(Sequence last);
  void erase(Sequence sequence);
  void spend(std::size_t cost) { budget_ -= std::min(budget_, cost); }

  FileLog& log_;
  KnownSubjects known_;
  std::uint64_t epoch_ = 0;  // of the index: the numbers in known_ hold within one
  Group group_;
  std::uint64_t segment_ = 0;
  LogSegment* open_ = nullptr;  // that segment, within take()
  std::size_t budget_ = 0;
  std::size_t run_ = 0;  // in the current chunk
  std::size_t at_ = 0;   // in its bytes
  Sequence resume_ = 0;  // in a long erasure
};

}  // namespace spanwire::store
