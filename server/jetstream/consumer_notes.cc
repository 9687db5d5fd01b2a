#include "jetstream/consumer_notes.h"

namespace spanwire::jetstream {

NoteWriter& NoteWriter::number(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
  bytes_ += static_cast<char>(value);
  return *this;
}

NoteWriter& NoteWriter::time(base::WallTime value) {
  return number(static_cast<std::uint64_t>(value.time_since_epoch().count()));
}

NoteWriter& NoteWriter::text(std::string_view value) {
  number(value.size());
  bytes_ += value;
  return *this;
}

std::uint64_t NoteReader::number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
  ok_ = false;
  return 0;
}

base::WallTime NoteReader::time() {
  return base::WallTime(base::Duration(static_cast<std::int64_t>(number())));
}

std::string_view NoteReader::text() {
  const std::uint64_t size = number();
  if (size > rest_.size()) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const std::string_view text = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return text;
}

std::string encode_consumer_gone(std::uint32_t consumer) {
  return NoteWriter().number(consumer).take();
}

std::string encode(const DeliveredNote& note) {
  return NoteWriter()
      .number(note.consumer)
      .number(note.sequence)
      .number(note.delivery)
      .number(note.deliveries)
      .time(note.at)
      .take();
}

std::string encode(const SettledNote& note) {
  return NoteWriter().number(note.consumer).number(note.sequence).number(note.delivery).take();
}

std::optional<std::uint32_t> decode_consumer_gone(std::string_view note) {
  NoteReader reader(note);
  const std::uint64_t consumer = reader.number();
  if (!reader.ok()) return std::nullopt;
  return static_cast<std::uint32_t>(consumer);
}

std::optional<DeliveredNote> decode_delivered(std::string_view note) {
  NoteReader reader(note);
  DeliveredNote out;
  out.consumer = static_cast<std::uint32_t>(reader.number());
  out.sequence = reader.number();
  out.delivery = reader.number();
  out.deliveries = reader.number();
  out.at = reader.time();
  if (!reader.ok()) return std::nullopt;
  return out;
}

std::optional<SettledNote> decode_settled(std::string_view note) {
  NoteReader reader(note);
  SettledNote out;
  out.consumer = static_cast<std::uint32_t>(reader.number());
  out.sequence = reader.number();
  out.delivery = reader.number();
  if (!reader.ok()) return std::nullopt;
  return out;
}

}  // namespace spanwire::jetstream
