// Reading, for file_log.h.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "logging/logging.h"
#include "store/file_log.h"
#include "store/segment_header.h"

namespace spanwire::store {

namespace {

// So many damaged records are known by their sequence, and so reported and counted once each.
constexpr std::size_t most_known_damaged = 10'000;
// When the workers have too much to do.
constexpr base::Duration fetch_again_after = std::chrono::milliseconds(5);

const logging::Logger& log() {
  static const logging::Logger logger = logging::get("store");
  return logger;
}

}  // namespace

Read FileLog::read(Sequence sequence, Message& out) {
  const auto place = index_.find(sequence);
  if (!place) return Read::gone;
  const LogSegment* segment = segments_.find(place->segment);
  BASE_ASSERT(segment != nullptr);
  const std::string_view kept = tail_.find({place->segment, place->offset});
  const Read read = kept.empty() ? read_file(*segment, place->offset, out)
                                 : decode(kept, *segment, place->offset, out);
  if (read == Read::found && out.sequence == sequence) return Read::found;
  if (read == Read::later && !unreadable_.contains(sequence)) return Read::later;
  return damaged(sequence, *segment, place->offset);
}

Read FileLog::decode(std::string_view bytes, const LogSegment& segment, std::uint64_t offset,
                     Message& out) const {
  Record record;
  const Decode decoded = decode_record(bytes, segment.file->salt, offset, record);
  if (decoded == Decode::need_more) return Read::later;
  if (decoded == Decode::bad || record.kind != RecordKind::message) return Read::damaged;
  out = record.message;
  return Read::found;
}

Read FileLog::read_file(const LogSegment& segment, std::uint64_t offset, Message& out) {
  std::string_view bytes = blocks_.find(*segment.file, offset);
  if (const Read read = decode(bytes, segment, offset, out); read != Read::later) return read;
  // What is behind the committed end may still change.
  const std::uint64_t most = segment.readable - offset;
  std::uint64_t wanted = std::max(record_size(bytes), blocks_.bytes_to_read(*segment.file, offset));
  for (int round = 0; round < 2; ++round) {
    wanted = std::min(wanted, most);
    std::string into(wanted, '\0');
    std::size_t got = 0;
    const ReadNow now = segment.file->file->read_now(offset, into, got);
    if (now == ReadNow::failed) return Read::damaged;
    if (now == ReadNow::would_block) return Read::later;
    into.resize(got);
    bytes = blocks_.put(segment.file, offset, std::move(into));
    if (const Read read = decode(bytes, segment, offset, out); read != Read::later) return read;
    if (got < wanted) return Read::later;
    if (wanted == most) return Read::damaged;  // it claims to go on where nothing is
    wanted = std::max<std::uint64_t>(record_size(bytes), wanted);
  }
  return Read::damaged;
}

Read FileLog::damaged(Sequence sequence, const LogSegment& segment, std::uint64_t offset) {
  if (damaged_.size() < most_known_damaged && damaged_.insert(sequence).second) {
    ++damaged_count_;
    log().error("{} is damaged: message {} at {} cannot be read",
                segment_path(stream_, segment.number()), sequence, offset);
  }
  return Read::damaged;
}

void FileLog::fetch(Sequence sequence, base::Task ready) {
  struct Fetched {
    std::string bytes;
    bool whole = false;
  };
  const auto place = index_.find(sequence);
  if (!place) return loop_.post(lifeline_.bind(std::move(ready)));
  const LogSegment* segment = segments_.find(place->segment);
  const std::uint64_t most = segment->readable - place->offset;
  const std::uint64_t wanted =
      std::min<std::uint64_t>(most, blocks_.bytes_to_read(*segment->file, place->offset));
  auto fetched = std::make_shared<Fetched>();
  auto work = [fetched, file = segment->file, offset = place->offset, most, wanted] {
    std::uint64_t bytes = wanted;
    for (int round = 0; round < 2; ++round) {
      fetched->bytes.resize(bytes);
      const auto got = file->file->read_at(offset, fetched->bytes);
      if (!got || *got < bytes) return;
      const std::size_t size = record_size(fetched->bytes);
      fetched->whole = size <= bytes;
      if (fetched->whole || size > most) return;
      bytes = size;
    }
  };
  // Shared, so that it can be tried again when the workers have too much to do.
  auto waiting = std::make_shared<base::Task>(std::move(ready));
  auto done = [this, fetched, waiting, sequence, file = segment->file, offset = place->offset] {
    if (fetched->whole) {
      blocks_.put(file, offset, std::move(fetched->bytes));
    } else if (unreadable_.size() < most_known_damaged) {
      unreadable_.insert(sequence);
    }
    (*waiting)();
  };
  if (services_.workers.run(std::move(work), loop_, lifeline_.bind(std::move(done)))) return;
  loop_.start_timer(fetch_again_after, lifeline_.bind([this, sequence, waiting] {
    fetch(sequence, [waiting] { (*waiting)(); });
  }));
}

// Of a message that is there, ahead or committed. Its record's first bytes are nearly always in
// memory; otherwise this waits for the disk, once for each time that another message becomes first.
base::WallTime FileLog::time_of(Sequence sequence) {
  const auto place = index_.find_ahead(sequence);
  BASE_ASSERT(place);
  const bool is_open = place->segment == segments_.open().number();
  std::string_view bytes = batch_.written_at(is_open ? place->offset : 0);
  if (bytes.empty()) bytes = tail_.find({place->segment, place->offset});
  char head[message_time_bytes];
  const LogSegment* segment = segments_.find(place->segment);
  if (bytes.size() < sizeof head) bytes = blocks_.find(*segment->file, place->offset);
  if (bytes.size() < sizeof head) {
    const auto got = segment->file->file->read_at(place->offset, head);
    bytes = std::string_view(head, got.value_or(0));
  }
  return message_time(bytes);
}

}  // namespace spanwire::store
