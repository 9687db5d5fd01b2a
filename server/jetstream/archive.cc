#include "jetstream/archive.h"

#include <utility>

#include "base/crc32c.h"
#include "base/little_endian.h"

namespace spanwire::jetstream {
namespace {

// The framing format: a kind and a size of three bytes, then the body.
constexpr std::string_view identifier = {"\xff\x06\x00\x00sNaPpY", 10};
constexpr std::uint8_t kind_data = 0x01;
constexpr std::size_t frame_head_bytes = 4;
constexpr std::size_t sum_bytes = 4;
constexpr std::size_t frame_bytes = 64U << 10;  // of records: what the format allows

// What the records begin with.
constexpr std::string_view opening = {"SPWBAK\r\n\x01\x00\x00\x00", 12};
constexpr std::size_t magic_bytes = 8;
constexpr std::size_t most_number_bytes = 10;
// Given back to memory when so much was read.
constexpr std::size_t stale_bytes = 256U << 10;

constexpr std::string_view foreign = "not a backup of Spanwire";
constexpr std::string_view damaged = "the backup is damaged";

// The framing format keeps sums turned, so that a sum over data with sums in it is not a pattern.
std::uint32_t masked_sum(std::string_view bytes) {
  const std::uint32_t sum = base::crc32c(bytes);
  return ((sum >> 15) | (sum << 17)) + 0xa282ead8U;
}

void drop_read(std::string& bytes, std::size_t& read) {
  if (read < bytes.size() && read < stale_bytes) return;
  bytes.erase(0, read);
  read = 0;
}

}  // namespace

ArchiveWriter::ArchiveWriter() : plain_(opening), frames_(identifier) {}

void ArchiveWriter::head(const ArchivedHead& head) {
  NoteWriter body;
  body.text(head.stream).time(head.created);
  record(Archived::head, std::move(body));
}

void ArchiveWriter::consumer(std::string_view note) {
  NoteWriter body;
  body.text(note);
  record(Archived::consumer, std::move(body));
}

void ArchiveWriter::message(const store::Message& message) {
  NoteWriter body;
  body.number(message.sequence).time(message.time);
  body.text(message.subject).text(message.headers).text(message.payload);
  record(Archived::message, std::move(body));
}

void ArchiveWriter::id(const ArchivedId& id) {
  NoteWriter body;
  body.text(id.id).number(id.sequence).time(id.time);
  record(Archived::id, std::move(body));
}

void ArchiveWriter::end(const ArchivedEnd& end) {
  NoteWriter body;
  body.number(records_).number(end.last).time(end.last_time).text(end.last_msg_id);
  record(Archived::end, std::move(body));
  if (!plain_.empty()) frame(plain_);
  plain_.clear();
}

void ArchiveWriter::record(Archived kind, NoteWriter body) {
  ++records_;
  const std::string bytes = body.take();
  NoteWriter size;
  size.number(bytes.size() + 1);
  plain_ += size.take();
  plain_ += static_cast<char>(kind);
  plain_ += bytes;
  std::size_t framed = 0;
  for (; plain_.size() - framed >= frame_bytes; framed += frame_bytes) {
    frame(std::string_view(plain_).substr(framed, frame_bytes));
  }
  plain_.erase(0, framed);
}

void ArchiveWriter::frame(std::string_view bytes) {
  drop_read(frames_, taken_);
  const auto size = static_cast<std::uint32_t>(bytes.size() + sum_bytes);
  base::append_little_endian(frames_, size << 8 | kind_data);
  base::append_little_endian(frames_, masked_sum(bytes));
  frames_ += bytes;
}

std::string_view ArchiveWriter::take(std::size_t bytes) {
  const std::string_view taken = std::string_view(frames_).substr(taken_, bytes);
  taken_ += taken.size();
  return taken;
}

ArchiveReader::Next ArchiveReader::fail(std::string_view why) {
  if (error_.empty()) error_ = why;
  return Next::bad;
}

bool ArchiveReader::complete() const {
  return ended_ && at_ == plain_.size() && in_ == input_.size();
}

// Records may lie over several frames.
ArchiveReader::Next ArchiveReader::next() {
  if (!error_.empty()) return Next::bad;
  drop_read(plain_, at_);
  drop_read(input_, in_);
  for (;;) {
    const std::string_view rest = std::string_view(plain_).substr(at_);
    if (!opened_ && rest.size() >= opening.size()) {
      if (rest.substr(0, magic_bytes) != opening.substr(0, magic_bytes)) return fail(foreign);
      if (rest.substr(0, opening.size()) != opening) {
        return fail("the backup was made by a newer server");
      }
      opened_ = true;
      at_ += opening.size();
      continue;
    }
    NoteReader reader(rest);
    const std::uint64_t size = reader.number();
    if (opened_ && !reader.ok() && rest.size() >= most_number_bytes) return fail(damaged);
    if (opened_ && reader.ok()) {
      if (size == 0 || size > max_archived_bytes) return fail(damaged);
      if (reader.left().size() >= size) {
        if (!decode(reader.left().substr(0, size))) return fail(damaged);
        at_ += rest.size() - reader.left().size() + size;
        return Next::record;
      }
    }
    switch (next_frame()) {
      case Framed::frame:
        break;
      case Framed::need_more:
        return Next::need_more;
      case Framed::bad:
        return fail(damaged);
    }
  }
}

ArchiveReader::Framed ArchiveReader::next_frame() {
  const std::string_view rest = std::string_view(input_).substr(in_);
  if (!identified_) {
    const std::string_view begin = rest.substr(0, identifier.size());
    if (begin != identifier.substr(0, begin.size())) {
      error_ = foreign;
      return Framed::bad;
    }
    if (rest.size() < identifier.size()) return Framed::need_more;
    identified_ = true;
    in_ += identifier.size();
    return next_frame();
  }
  if (rest.size() < frame_head_bytes) return Framed::need_more;
  const auto head = base::read_little_endian<std::uint32_t>(rest, 0);
  const std::size_t size = head >> 8;
  if (size < sum_bytes || size > frame_bytes + sum_bytes) return Framed::bad;
  if (rest.size() - frame_head_bytes < size) return Framed::need_more;
  in_ += frame_head_bytes + size;
  return read_frame(static_cast<std::uint8_t>(head), rest.substr(frame_head_bytes, size));
}

ArchiveReader::Framed ArchiveReader::read_frame(std::uint8_t kind, std::string_view body) {
  if (kind != kind_data) {
    if (!opened_) error_ = foreign;
    return Framed::bad;
  }
  const std::string_view bytes = body.substr(sum_bytes);
  if (base::read_little_endian<std::uint32_t>(body, 0) != masked_sum(bytes)) return Framed::bad;
  plain_ += bytes;
  return Framed::frame;
}

bool ArchiveReader::decode(std::string_view body) {
  record_ = {};
  record_.kind = static_cast<Archived>(body.front());
  const bool is_first = records_ == 0;
  if (ended_ || is_first != (record_.kind == Archived::head)) return false;
  NoteReader reader(body.substr(1));
  if (!decode_kind(reader) || !reader.ok() || !reader.at_end()) return false;
  ++records_;
  return true;
}

bool ArchiveReader::decode_kind(NoteReader& reader) {
  switch (record_.kind) {
    case Archived::head:
      record_.head.stream = reader.text();
      record_.head.created = reader.time();
      return true;
    case Archived::consumer:
      record_.note = reader.text();
      return true;
    case Archived::message: {
      store::Message& message = record_.message;
      message.sequence = reader.number();
      message.time = reader.time();
      message.subject = reader.text();
      message.headers = reader.text();
      message.payload = reader.text();
      return message.sequence > std::exchange(last_, message.sequence);
    }
    case Archived::id:
      record_.id.id = reader.text();
      record_.id.sequence = reader.number();
      record_.id.time = reader.time();
      return true;
    case Archived::end:
      ended_ = true;
      if (reader.number() != records_) return false;
      record_.end.last = reader.number();
      record_.end.last_time = reader.time();
      record_.end.last_msg_id = reader.text();
      return record_.end.last >= last_;
  }
  return false;
}

}  // namespace spanwire::jetstream
