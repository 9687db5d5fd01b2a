#include "store/record.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/little_endian.h"

namespace spanwire::store {

namespace {

constexpr std::size_t size_at = 4;
constexpr std::size_t kind_at = 8;
// Flags beside the kind, of messages only.
constexpr unsigned kind_mask = 0x0f;
constexpr unsigned has_headers = 0x10;
constexpr unsigned has_evicted = 0x20;

constexpr std::size_t time_at = record_head_bytes + 8;  // of a message
constexpr std::size_t erase_record_bytes = record_head_bytes + 16;
constexpr std::size_t evicted_bytes = 4;
// One that does not outgrow this is allocated once.
constexpr std::size_t most_usual_bytes = std::size_t{1} << 20;

std::uint32_t place_sum(std::uint64_t salt, std::uint64_t offset) {
  char place[16];
  base::put_little_endian(base::put_little_endian(place, salt), offset);
  return base::crc32c(std::string_view(place, sizeof place));
}

std::uint64_t to_number(base::WallTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

base::WallTime to_time(std::uint64_t number) {
  return base::WallTime(base::Duration(static_cast<std::int64_t>(number)));
}

std::size_t varint_bytes(std::size_t value) {
  std::size_t bytes = 1;
  for (; value >= 0x80; value >>= 7) ++bytes;
  return bytes;
}

char* put_varint(char* out, std::size_t value) {
  for (; value >= 0x80; value >>= 7) *out++ = static_cast<char>(value | 0x80);
  *out++ = static_cast<char>(value);
  return out;
}

// Takes numbers and texts off the front of a record's body. After the first that is not all there
// everything reads as zero, and ok() is false.
class BodyReader {
 public:
  explicit BodyReader(std::string_view body) : body_(body) {}

  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && body_.empty(); }

  std::uint64_t fixed64() { return fixed<std::uint64_t>(); }
  std::uint32_t fixed32() { return fixed<std::uint32_t>(); }

  std::size_t varint() {
    std::size_t value = 0;
    for (unsigned shift = 0; shift < 35 && !body_.empty(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(body_.front());
      body_.remove_prefix(1);
      value |= static_cast<std::size_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }

  std::string_view text(std::size_t size) {
    if (!ok_ || body_.size() < size) return ok_ = false, std::string_view();
    const std::string_view taken = body_.substr(0, size);
    body_.remove_prefix(size);
    return taken;
  }
  std::string_view rest(std::size_t but) {
    if (!ok_ || body_.size() < but) return ok_ = false, std::string_view();
    return text(body_.size() - but);
  }

 private:
  template <class Number>
  Number fixed() {
    const std::string_view bytes = text(sizeof(Number));
    return ok_ ? base::read_little_endian<Number>(bytes, 0) : 0;
  }

  std::string_view body_;
  bool ok_ = true;
};

bool read_message(BodyReader& body, unsigned flags, Message& message, Sequence& evicted) {
  message.sequence = body.fixed64();
  message.time = to_time(body.fixed64());
  const std::size_t subject_bytes = body.varint();
  const std::size_t headers_bytes = (flags & has_headers) != 0 ? body.varint() : 0;
  message.subject = body.text(subject_bytes);
  message.headers = body.text(headers_bytes);
  message.payload = body.rest((flags & has_evicted) != 0 ? evicted_bytes : 0);
  if ((flags & has_evicted) != 0) {
    const std::uint32_t distance = body.fixed32();
    evicted = message.sequence > distance ? message.sequence - distance : 0;
  } else {
    evicted = 0;
  }
  return message.sequence != 0 && body.at_end();
}

bool read_body(BodyReader body, unsigned flags, Record& out) {
  switch (out.kind) {
    case RecordKind::batch:
      out.batch_bytes = body.fixed32();
      out.durable.segment = body.fixed64();
      out.durable.offset = body.fixed64();
      if (out.batch_bytes < out.size_bytes || out.batch_bytes > max_batch_bytes) return false;
      break;
    case RecordKind::message:
      return read_message(body, flags, out.message, out.evicted);
    case RecordKind::erase: {
      out.first = body.fixed64();
      const std::uint64_t count = body.fixed64();
      out.last = out.first + count - 1;
      if (count == 0 || out.first == 0 || out.last < out.first) return false;
      break;
    }
    case RecordKind::through:
      out.last = body.fixed64();
      break;
    case RecordKind::note:
      out.owner_kind = body.fixed32();
      out.note = body.rest(0);
      break;
    case RecordKind::mark:
      out.mark.last = body.fixed64();
      out.mark.time = to_time(body.fixed64());
      out.mark.previous_salt = body.fixed64();
      out.mark.previous_end = body.fixed64();
      break;
    default:
      return false;
  }
  return body.at_end();
}

RecordKind kind_of(std::string_view bytes) {
  return static_cast<RecordKind>(static_cast<std::uint8_t>(bytes[kind_at]) & kind_mask);
}

unsigned flags_of(std::string_view bytes) {
  return static_cast<std::uint8_t>(bytes[kind_at]) & ~kind_mask;
}

bool read_record(std::string_view record, Record& out) {
  out = Record{.kind = kind_of(record), .size_bytes = static_cast<std::uint32_t>(record.size())};
  return read_body(BodyReader(record.substr(record_head_bytes)), flags_of(record), out);
}

bool read_message_record(std::string_view record, MessageRecord& out) {
  out.size_bytes = static_cast<std::uint32_t>(record.size());
  BodyReader body(record.substr(record_head_bytes));
  return read_message(body, flags_of(record), out.message, out.evicted);
}

// Of what a batch holds.
bool is_kind(RecordKind kind) {
  return kind > RecordKind::batch && kind <= RecordKind::mark;
}

bool is_well_formed(std::string_view record) {
  if (kind_of(record) == RecordKind::message) {
    MessageRecord message;
    return read_message_record(record, message);
  }
  Record other;
  return read_record(record, other);
}

std::uint32_t sum_in(std::string_view record) {
  return base::read_little_endian<std::uint32_t>(record, 0);
}

// Three records, of which the last ones may be missing. They are summed side by side.
using Records = std::array<std::string_view, 3>;

bool have_their_sums(const Records& records, std::size_t count, std::uint64_t salt,
                     std::uint64_t offset) {
  std::array<std::string_view, 3> texts;
  std::array<std::uint32_t, 3> sums{};
  for (std::size_t i = 0; i < count; ++i) {
    texts[i] = records[i].substr(size_at);
    sums[i] = place_sum(salt, offset);
    offset += records[i].size();
  }
  base::crc32c_of_three(texts, sums);
  for (std::size_t i = 0; i < count; ++i) {
    if (sums[i] != sum_in(records[i])) return false;
  }
  return true;
}

}  // namespace

std::size_t record_size(std::string_view bytes) {
  if (bytes.size() < record_head_bytes) return 0;
  const auto size = base::read_little_endian<std::uint32_t>(bytes, size_at);
  return size < record_head_bytes || size > max_record_bytes ? 0 : size;
}

Decode decode_record(std::string_view bytes, std::uint64_t salt, std::uint64_t offset,
                     Record& out) {
  if (bytes.size() < record_head_bytes) return Decode::need_more;
  const std::size_t size = record_size(bytes);
  if (size == 0) return Decode::bad;
  if (!is_kind(kind_of(bytes)) && kind_of(bytes) != RecordKind::batch) return Decode::bad;
  if (bytes.size() < size) return Decode::need_more;
  const std::string_view record = bytes.substr(0, size);
  if (base::crc32c(record.substr(size_at), place_sum(salt, offset)) != sum_in(record)) {
    return Decode::bad;
  }
  return read_record(record, out) ? Decode::ok : Decode::bad;
}

bool are_good_records(std::string_view bytes, std::uint64_t salt, std::uint64_t offset) {
  while (!bytes.empty()) {
    Records records;
    std::size_t count = 0;
    const std::uint64_t begin = offset;
    for (; count < records.size() && !bytes.empty(); ++count) {
      const std::size_t size = record_size(bytes);
      if (size == 0 || size > bytes.size() || !is_kind(kind_of(bytes))) return false;
      records[count] = bytes.substr(0, size);
      bytes.remove_prefix(size);
      offset += size;
    }
    if (!have_their_sums(records, count, salt, begin)) return false;
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_well_formed(records[i])) return false;
    }
  }
  return true;
}

bool decode_good_message(std::string_view bytes, MessageRecord& out) {
  const std::size_t size = record_size(bytes);
  BASE_ASSERT(size != 0 && size <= bytes.size());
  if (kind_of(bytes) != RecordKind::message) return false;
  BASE_ASSERT(read_message_record(bytes.substr(0, size), out));
  return true;
}

void decode_good_record(std::string_view bytes, Record& out) {
  const std::size_t size = record_size(bytes);
  BASE_ASSERT(size != 0 && size <= bytes.size());
  BASE_ASSERT(read_record(bytes.substr(0, size), out));
}

std::size_t message_record_bytes(const Message& message) {
  return message_time_bytes + varint_bytes(message.subject.size()) + message.subject.size() +
         (message.headers.empty() ? 0 : varint_bytes(message.headers.size())) + message.body_size();
}

base::WallTime message_time(std::string_view bytes) {
  if (bytes.size() < message_time_bytes) return {};
  return to_time(base::read_little_endian<std::uint64_t>(bytes, time_at));
}

void BatchWriter::begin(std::uint64_t salt, std::uint64_t offset) {
  BASE_ASSERT(!begun());
  salt_ = salt;
  offset_ = offset;
  bytes_.reserve(usual_bytes_);
  open(RecordKind::batch, batch_record_bytes - record_head_bytes);
}

// Seals the record before, and makes room for the next, whose body the caller writes.
void BatchWriter::open(RecordKind kind, std::size_t body_bytes) {
  BASE_ASSERT(begun() || kind == RecordKind::batch);
  BASE_ASSERT(body_bytes <= max_record_bytes - record_head_bytes);
  if (begun() && last_ != 0) seal();
  last_ = bytes_.size();
  last_kind_ = kind;
  bytes_.resize(last_ + record_head_bytes + body_bytes);
  BASE_ASSERT(bytes_.size() <= max_batch_bytes);
  bytes_[last_ + kind_at] = static_cast<char>(kind);
}

void BatchWriter::seal() {
  const std::size_t size = bytes_.size() - last_;
  base::put_little_endian(&bytes_[last_ + size_at], static_cast<std::uint32_t>(size));
  const std::string_view summed = std::string_view(bytes_).substr(last_ + size_at);
  base::put_little_endian(&bytes_[last_], base::crc32c(summed, place_sum(salt_, offset_ + last_)));
}

std::uint64_t BatchWriter::message(const Message& message) {
  open(RecordKind::message, message_record_bytes(message) - record_head_bytes);
  char* out = &bytes_[last_ + record_head_bytes];
  out = base::put_little_endian(out, message.sequence);
  out = base::put_little_endian(out, to_number(message.time));
  out = put_varint(out, message.subject.size());
  if (!message.headers.empty()) {
    out = put_varint(out, message.headers.size());
    bytes_[last_ + kind_at] = static_cast<char>(static_cast<unsigned>(last_kind_) | has_headers);
  }
  out = base::put_text(out, message.subject);
  out = base::put_text(out, message.headers);
  base::put_text(out, message.payload);
  last_sequence_ = message.sequence;
  return offset_ + last_;
}

void BatchWriter::erase(Sequence sequence) {
  if (last_kind_ == RecordKind::erase && sequence == last_sequence_ + 1) {
    const std::size_t count_at = last_ + record_head_bytes + 8;
    const auto count = base::read_little_endian<std::uint64_t>(bytes_, count_at);
    base::put_little_endian(&bytes_[count_at], count + 1);
    last_sequence_ = sequence;
    return;
  }
  if (last_kind_ == RecordKind::message && sequence < last_sequence_ &&
      last_sequence_ - sequence <= UINT32_MAX) {
    const auto head = static_cast<std::uint8_t>(bytes_[last_ + kind_at]);
    if ((head & has_evicted) == 0) {
      bytes_[last_ + kind_at] = static_cast<char>(head | has_evicted);
      base::append_little_endian(bytes_, static_cast<std::uint32_t>(last_sequence_ - sequence));
      return;
    }
  }
  erase(sequence, sequence);
}

void BatchWriter::erase(Sequence first, Sequence last) {
  open(RecordKind::erase, erase_record_bytes - record_head_bytes);
  char* out = &bytes_[last_ + record_head_bytes];
  base::put_little_endian(base::put_little_endian(out, first), last - first + 1);
  last_sequence_ = last;
}

void BatchWriter::through(Sequence last) {
  open(RecordKind::through, 8);
  base::put_little_endian(&bytes_[last_ + record_head_bytes], last);
}

void BatchWriter::note(std::uint32_t kind, std::string_view note) {
  open(RecordKind::note, 4 + note.size());
  base::put_text(base::put_little_endian(&bytes_[last_ + record_head_bytes], kind), note);
}

void BatchWriter::mark(const Mark& mark) {
  open(RecordKind::mark, 32);
  char* out = &bytes_[last_ + record_head_bytes];
  out = base::put_little_endian(out, mark.last);
  out = base::put_little_endian(out, to_number(mark.time));
  out = base::put_little_endian(out, mark.previous_salt);
  base::put_little_endian(out, mark.previous_end);
}

std::string_view BatchWriter::written_at(std::uint64_t offset) const {
  if (offset < offset_ || offset - offset_ >= bytes_.size()) return {};
  return std::string_view(bytes_).substr(offset - offset_);
}

void BatchWriter::clear() {
  bytes_.clear();
  last_ = 0;
  last_kind_ = RecordKind{};
}

std::string BatchWriter::finish(Position durable) {
  BASE_ASSERT(begun());
  if (last_ != 0) seal();
  char* out = &bytes_[record_head_bytes];
  out = base::put_little_endian(out, static_cast<std::uint32_t>(bytes_.size()));
  base::put_little_endian(base::put_little_endian(out, durable.segment), durable.offset);
  usual_bytes_ = std::min(bytes_.size() + bytes_.size() / 4, most_usual_bytes);
  std::string batch = std::exchange(bytes_, std::string());
  // The header's sum is last: it covers what was not known before.
  base::put_little_endian(&batch[size_at], static_cast<std::uint32_t>(batch_record_bytes));
  const std::string_view header = std::string_view(batch).substr(size_at, batch_record_bytes - 4);
  base::put_little_endian(batch.data(), base::crc32c(header, place_sum(salt_, offset_)));
  clear();
  // It is kept for a while, as it is.
  if (batch.capacity() / 2 > batch.size()) batch.shrink_to_fit();
  return batch;
}

}  // namespace spanwire::store
