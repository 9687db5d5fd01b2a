// What a stream's log keeps of its consumers: notes between the messages (docs/formats/notes.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "store/log.h"

namespace spanwire::jetstream {

// Kinds of notes.
inline constexpr std::uint32_t note_consumer =
    1;                                         // all of a consumer: made, changed, or said again
inline constexpr std::uint32_t note_gone = 2;  // a consumer was deleted
inline constexpr std::uint32_t note_delivered = 3;  // a message was delivered, once more
inline constexpr std::uint32_t note_settled = 4;    // a message was acknowledged or given up

// Appends varints and texts behind one another.
class NoteWriter {
 public:
  NoteWriter& number(std::uint64_t value);
  NoteWriter& time(base::WallTime value);
  NoteWriter& text(std::string_view value);
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads them back. What is missing reads as zero and empty, and makes ok() false: a note comes from
// a file.
class NoteReader {
 public:
  explicit NoteReader(std::string_view bytes) : rest_(bytes) {}
  std::uint64_t number();
  base::WallTime time();
  std::string_view text();
  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  std::string_view left() const { return rest_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

struct DeliveredNote {
  std::uint32_t consumer = 0;
  store::Sequence sequence = 0;
  std::uint64_t delivery = 0;    // the consumer's number
  std::uint64_t deliveries = 0;  // of this message, this one included
  base::WallTime at{};
};
struct SettledNote {
  std::uint32_t consumer = 0;
  store::Sequence sequence = 0;
  std::uint64_t delivery = 0;
};

std::string encode_consumer_gone(std::uint32_t consumer);
std::string encode(const DeliveredNote& note);
std::string encode(const SettledNote& note);
// Nothing: it is none.
std::optional<std::uint32_t> decode_consumer_gone(std::string_view note);
std::optional<DeliveredNote> decode_delivered(std::string_view note);
std::optional<SettledNote> decode_settled(std::string_view note);

}  // namespace spanwire::jetstream
