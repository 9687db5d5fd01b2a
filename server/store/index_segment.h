// What is known of the messages of one segment without reading them: eight bytes each. Positions
// count from 0 in the order of sequences. Where sequences follow one another a position is their
// distance from the first; where many are missing (compacted away) the low halves of the sequences
// are kept beside, two bytes each.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "store/log.h"
#include "store/subject_tree.h"

namespace spanwire::store {

class SavedReader;

class IndexSegment {
 public:
  // Offsets are below this: two bits of their word say what has become of the message.
  static constexpr std::uint32_t max_offset = 1U << 30;
  // So that no step over one segment takes long.
  static constexpr std::size_t max_messages = 1U << 18;

  // `number` is the log's name for the segment.
  explicit IndexSegment(std::uint64_t number) : number_(number) {}

  // Sequences and offsets grow. `counted` is what the message counts for in the stream's bytes.
  void append(Sequence sequence, std::uint32_t offset, std::uint32_t counted, SubjectId subject,
              base::WallTime time);
  // So many are going to be appended.
  void reserve(std::size_t messages) { entries_.reserve(messages); }
  // Takes the last one back.
  void pop();
  // Nothing more is appended: gives spare memory back.
  void seal();

  std::uint64_t number() const { return number_; }
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  Sequence first() const { return first_; }
  Sequence last() const { return last_; }

  // The position of the first message from `sequence` on; size() if there is none.
  std::size_t lower_bound(Sequence sequence) const;
  // size() if there is none with this sequence.
  std::size_t find(Sequence sequence) const;
  Sequence sequence(std::size_t position) const;

  SubjectId subject(std::size_t position) const { return entries_[position].subject; }
  std::uint32_t offset(std::size_t position) const {
    return entries_[position].place & (max_offset - 1);
  }
  std::uint32_t counted(std::size_t position) const;
  // Erased ahead; and erased for all, which only follows the first.
  bool leaving(std::size_t position) const { return (entries_[position].place & leaving_bit) != 0; }
  bool gone(std::size_t position) const { return (entries_[position].place & gone_bit) != 0; }
  void set_leaving(std::size_t position) {
    entries_[position].place |= leaving_bit;
    ++leaving_;
  }
  void clear_leaving(std::size_t position) {
    if (leaving(position)) --leaving_;
    entries_[position].place &= ~leaving_bit;
  }
  void set_gone(std::size_t position);
  // A segment that was loaded has other numbers for its subjects.
  void set_subject(std::size_t position, SubjectId subject) {
    entries_[position].subject = subject;
  }

  // Of messages that are not gone, uncommitted ones as well.
  std::size_t live() const { return live_; }
  // Those of them that are not leaving.
  std::size_t staying() const { return live_ - leaving_; }
  std::uint64_t live_bytes() const { return live_bytes_; }
  std::uint64_t bytes() const { return bytes_; }

  // The first position from `from` up to `end` that is neither gone nor of another subject (with
  // no_subject: of any); `end` if there is none.
  std::size_t next_live(std::size_t from, std::size_t end, SubjectId subject) const;
  // The same for subjects that skip(subject) does not refuse.
  template <class Skip>
  std::size_t next_live_unless(std::size_t from, std::size_t end, Skip skip) const {
    const Entry* entry = entries_.data() + from;
    const Entry* const stop = entries_.data() + end;
    while (entry < stop && ((entry->place & gone_bit) != 0 || skip(entry->subject))) ++entry;
    return static_cast<std::size_t>(entry - entries_.data());
  }
  // The same as next_live() backwards from before `from`; size() if there is none down to `end`.
  std::size_t last_live(std::size_t from, std::size_t end, SubjectId subject) const;
  // The same for messages that are not leaving.
  std::size_t next_ahead(std::size_t from, SubjectId subject) const;
  std::size_t last_ahead(std::size_t from, SubjectId subject) const;

  // Messages before the first of these positions are older than `time`, those from the second on
  // are not; no message is read for it, so many lie between.
  struct Between {
    std::size_t from = 0;
    std::size_t to = 0;
  };
  Between since(base::WallTime time) const;
  base::WallTime last_time() const { return last_time_; }

  std::size_t memory_bytes() const;

  // For sidecars. Nothing in it is uncommitted; null: that is no segment.
  void save(std::string& out) const;
  static std::unique_ptr<IndexSegment> load(SavedReader& in);

 private:
  static constexpr std::uint32_t gone_bit = 1U << 31;
  static constexpr std::uint32_t leaving_bit = 1U << 30;
  static constexpr std::size_t time_step = 256;  // messages to a kept time

  struct Entry {
    std::uint32_t place;
    SubjectId subject;
  };
  // From this position on, until the next of these, messages count for so many bytes less than lie
  // between their offset and the next one.
  struct Overhead {
    std::uint32_t position;
    std::int32_t bytes;
  };
  // The messages from this position on have these sequences above their low 16 bits.
  struct Block {
    Sequence high;
    std::uint32_t position;
  };

  template <std::uint32_t dead_bit>
  std::size_t next_without(std::size_t from, std::size_t end, SubjectId subject) const;
  template <std::uint32_t dead_bit>
  std::size_t last_without(std::size_t from, std::size_t end, SubjectId subject) const;
  bool dense() const { return blocks_.empty(); }
  std::size_t saved_bytes() const;
  bool well_formed() const;
  void count_live();
  void make_sparse();
  void add_low(Sequence sequence, std::size_t position);
  void close_gap(Sequence sequence, std::uint32_t offset);

  std::uint64_t number_;
  Sequence first_ = 0;
  Sequence last_ = 0;
  std::vector<Entry> entries_;
  std::vector<std::uint16_t> lows_;  // sparse: of each position
  std::vector<Block> blocks_;        // sparse
  std::vector<Overhead> overheads_;
  std::vector<base::WallTime> times_;
  base::WallTime last_time_{};
  std::uint32_t last_counted_ = 0;
  std::size_t live_ = 0;
  std::size_t leaving_ = 0;  // of them
  std::uint64_t live_bytes_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace spanwire::store
