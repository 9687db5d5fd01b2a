// Records: what stands in a segment behind its header (docs/formats/segment.md). One commit writes
// one batch: a batch header and the records of everything that was said since the commit before.
//
// The sum of a record starts from the segment's salt and the record's place in the file, so that
// neither another segment's bytes nor a record that a payload quotes ever pass for one.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "store/log.h"

namespace spanwire::store {

// A place in a stream's segments.
struct Position {
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

enum class RecordKind : std::uint8_t {
  batch = 1,    // opens a batch
  message = 2,  // a message, and with it perhaps the end of another
  erase = 3,    // the end of messages that follow one another
  through = 4,  // the end of all messages up to one
  note = 5,     // the owner's own words
  mark = 6,     // how far the stream had come when the segment began
};

// Sum, size and kind.
inline constexpr std::size_t record_head_bytes = 9;
inline constexpr std::size_t batch_record_bytes = record_head_bytes + 20;
// A message that fits its stream's limits is far smaller; a larger size is damage.
inline constexpr std::size_t max_record_bytes = 256U << 20;
// So that its size and every place in it fit 32 bits.
inline constexpr std::size_t max_batch_bytes = std::size_t{1} << 31;

// What a segment begins with: where the stream stood.
struct Mark {
  Sequence last = 0;      // the last that was given
  base::WallTime time{};  // of that message
  // The segment before, as it was written: its salt and where it ended. 0: there was none.
  std::uint64_t previous_salt = 0;
  std::uint64_t previous_end = 0;
};

// A record that was read; what belongs to other kinds is zero. Texts lie in the bytes it was read
// from.
struct Record {
  RecordKind kind{};
  std::uint32_t size_bytes = 0;

  Message message;               // message
  Sequence evicted = 0;          // message: ends with it; 0: none
  Sequence first = 0;            // erase
  Sequence last = 0;             // erase, through: up to and with this one
  Mark mark;                     // mark
  std::uint32_t owner_kind = 0;  // note
  std::string_view note;
  std::uint32_t batch_bytes = 0;  // batch: with this header
  Position durable;               // batch: known durable when it was written
};

enum class Decode : std::uint8_t { ok, need_more, bad };

// Reads the record that stands at `offset` of a segment; `bytes` begin there and may be more than
// it. Unless it returns ok, `out` is unspecified. Never asks for more than max_record_bytes.
Decode decode_record(std::string_view bytes, std::uint64_t salt, std::uint64_t offset, Record& out);

// The same for one that decode_record() has found to be good.
void decode_good_record(std::string_view bytes, Record& out);

// Whether these bytes, which stand at `offset` of a segment, are good records of a batch, one
// behind the other.
bool are_good_records(std::string_view bytes, std::uint64_t salt, std::uint64_t offset);

// A message's record alone: a start reads millions of them.
struct MessageRecord {
  std::uint32_t size_bytes = 0;
  Message message;
  Sequence evicted = 0;  // ends with it; 0: none
};

// What decode_good_record() tells of a message. False: the record is of another kind.
bool decode_good_message(std::string_view bytes, MessageRecord& out);

// How large the record is that these first bytes begin, as they say themselves; 0: too few bytes,
// or no record can be like that.
std::size_t record_size(std::string_view bytes);

// What a message takes in a segment, at least.
std::size_t message_record_bytes(const Message& message);

// The time of a message, from the first bytes of its record alone.
inline constexpr std::size_t message_time_bytes = record_head_bytes + 16;
base::WallTime message_time(std::string_view bytes);

// Collects what one commit writes to one segment.
class BatchWriter {
 public:
  // The batch will stand at `offset` of the segment with this salt.
  void begin(std::uint64_t salt, std::uint64_t offset);
  bool begun() const { return !bytes_.empty(); }
  // Nothing but the batch header so far.
  bool empty() const { return bytes_.size() <= batch_record_bytes; }
  std::size_t size() const { return bytes_.size(); }
  std::uint64_t end_offset() const { return offset_ + bytes_.size(); }

  // Returns where in the segment the record stands.
  std::uint64_t message(const Message& message);
  // Joins the record before it, where that is the message that takes the other's place or the end
  // of the message just before.
  void erase(Sequence sequence);
  void erase(Sequence first, Sequence last);
  void through(Sequence last);
  void note(std::uint32_t kind, std::string_view note);
  void mark(const Mark& mark);

  // What was written from this place of the segment on; empty: it is no place of this batch. The
  // last record's size and sum are not there yet.
  std::string_view written_at(std::uint64_t offset) const;
  void clear();

  // The batch, with the position known durable by now; the writer is as new.
  std::string finish(Position durable);

 private:
  void open(RecordKind kind, std::size_t body_bytes);
  void seal();

  std::string bytes_;
  std::size_t last_ = 0;  // where the last record begins; its sum and size are still missing
  RecordKind last_kind_{};
  Sequence last_sequence_ = 0;  // that the last record speaks of: a message's, or the last erased
  std::uint64_t salt_ = 0;
  std::uint64_t offset_ = 0;
  std::size_t usual_bytes_ = 0;  // as large as batches lately were
};

}  // namespace spanwire::store
