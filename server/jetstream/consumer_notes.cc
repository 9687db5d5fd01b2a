#include "jetstream/consumer_notes.h"

namespace spanwire::jetstream {

NoteWriter& NoteWriter::number(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
  bytes_ += static_cast<char>(value);
  return *this;
}

// Small ones are short, whatever their sign: the sign is the lowest bit.
NoteWriter& NoteWriter::difference(std::uint64_t from, std::uint64_t to) {
  const std::uint64_t ahead = to - from;
  const std::uint64_t sign = ahead >> 63 == 0 ? 0 : ~std::uint64_t{0};
  return number((ahead << 1) ^ sign);
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

std::uint64_t NoteReader::number_from(std::uint64_t from) {
  const std::uint64_t read = number();
  const std::uint64_t sign = (read & 1) == 0 ? 0 : ~std::uint64_t{0};
  return from + ((read >> 1) ^ sign);
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

std::optional<std::uint32_t> decode_consumer_gone(std::string_view note) {
  NoteReader reader(note);
  const std::uint64_t consumer = reader.number();
  if (!reader.ok()) return std::nullopt;
  return static_cast<std::uint32_t>(consumer);
}

void NoteGatherer::make_room(std::uint32_t kind, Write write) {
  constexpr std::size_t enough = 1024;
  if (kind_ != 0 && (kind_ != kind || note_.size() >= enough)) flush(write);
}

void NoteGatherer::add(const Delivered& delivered, Write write) {
  make_room(note_delivered, write);
  const bool goes_on = delivered.delivery == delivery_ + 1 && delivered.at == at_;
  if (kind_ != 0 && !goes_on) flush(write);
  if (kind_ == 0) {
    kind_ = note_delivered;
    note_.number(consumer_).time(delivered.at).number(delivered.delivery);
    sequence_ = 0;
  }
  note_.difference(sequence_, delivered.sequence).number(delivered.deliveries);
  sequence_ = delivered.sequence;
  delivery_ = delivered.delivery;
  at_ = delivered.at;
}

void NoteGatherer::add(const Settled& settled, Write write) {
  make_room(note_settled, write);
  if (kind_ == 0) {
    kind_ = note_settled;
    note_.number(consumer_);
    sequence_ = delivery_ = 0;
  }
  note_.difference(sequence_, settled.sequence).difference(delivery_, settled.delivery);
  sequence_ = settled.sequence;
  delivery_ = settled.delivery;
}

void NoteGatherer::flush(Write write) {
  if (const std::uint32_t kind = std::exchange(kind_, 0)) write(kind, note_.take());
}

void NoteGatherer::drop() {
  kind_ = 0;
  note_.take();
}

DeliveredNote::DeliveredNote(std::string_view note)
    : reader_(note), consumer_(static_cast<std::uint32_t>(reader_.number())) {
  last_.at = reader_.time();
  last_.delivery = reader_.number() - 1;
}

std::optional<Delivered> DeliveredNote::next() {
  if (reader_.at_end()) return std::nullopt;
  last_.sequence = reader_.number_from(last_.sequence);
  last_.deliveries = reader_.number();
  ++last_.delivery;
  if (!reader_.ok()) return std::nullopt;
  return last_;
}

SettledNote::SettledNote(std::string_view note)
    : reader_(note), consumer_(static_cast<std::uint32_t>(reader_.number())) {}

std::optional<Settled> SettledNote::next() {
  if (reader_.at_end()) return std::nullopt;
  last_.sequence = reader_.number_from(last_.sequence);
  last_.delivery = reader_.number_from(last_.delivery);
  if (!reader_.ok()) return std::nullopt;
  return last_;
}

}  // namespace spanwire::jetstream
