// A backup of a stream as bytes (docs/formats/backup.md): records in frames, each with its sum. The
// frames are chunks of the Snappy framing format, because clients read a backup that passes as
// such.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "jetstream/consumer_notes.h"
#include "store/log.h"

namespace spanwire::jetstream {

// A message with its texts is far smaller; what says that it is larger is no record.
inline constexpr std::size_t max_archived_bytes = 80U << 20;

enum class Archived : std::uint8_t {
  head = 1,      // first: whose backup it is
  consumer = 2,  // a consumer note
  message = 3,
  id = 4,   // of the duplicate window, of a message that is gone
  end = 5,  // last: what must have come before
};

struct ArchivedHead {
  std::string_view stream;
  base::WallTime created{};
};
struct ArchivedId {
  std::string_view id;
  store::Sequence sequence = 0;
  base::WallTime time{};
};
struct ArchivedEnd {
  store::Sequence last = 0;  // that was given
  base::WallTime last_time{};
  std::string_view last_msg_id;
};

// Collects records; frames come out.
class ArchiveWriter {
 public:
  ArchiveWriter();
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;

  void head(const ArchivedHead& head);
  void consumer(std::string_view note);
  void message(const store::Message& message);
  void id(const ArchivedId& id);
  // Nothing may follow.
  void end(const ArchivedEnd& end);

  // Bytes that can be taken.
  std::size_t ready() const { return frames_.size() - taken_; }
  // So many of them at most; valid until the next call.
  std::string_view take(std::size_t bytes);

 private:
  void record(Archived kind, NoteWriter body);
  void frame(std::string_view bytes);

  std::string plain_;  // not in a frame yet
  std::string frames_;
  std::size_t taken_ = 0;
  std::uint64_t records_ = 0;
};

// Takes bytes in any pieces; records come out, until the end or what is no backup.
class ArchiveReader {
 public:
  enum class Next : std::uint8_t { record, need_more, bad };

  void feed(std::string_view bytes) { input_ += bytes; }
  Next next();
  // What is wrong, once next() has said so.
  std::string_view error() const { return error_; }
  // The end has come, and nothing behind it.
  bool complete() const;

  // The record; what belongs to other kinds is empty. Valid until the next call.
  struct Record {
    Archived kind{};
    ArchivedHead head;
    std::string_view note;
    store::Message message;
    ArchivedId id;
    ArchivedEnd end;
  };
  const Record& record() const { return record_; }

 private:
  enum class Framed : std::uint8_t { frame, need_more, bad };
  Framed next_frame();
  Framed read_frame(std::uint8_t kind, std::string_view body);
  bool decode(std::string_view body);
  bool decode_kind(NoteReader& reader);
  Next fail(std::string_view why);

  std::string input_;  // frames, not read yet from in_ on
  std::size_t in_ = 0;
  std::string plain_;  // records, not read yet from at_ on
  std::size_t at_ = 0;
  bool identified_ = false;
  bool opened_ = false;
  bool ended_ = false;
  std::uint64_t records_ = 0;
  store::Sequence last_ = 0;  // of the messages
  std::string_view error_;
  Record record_;
};

}  // namespace spanwire::jetstream
