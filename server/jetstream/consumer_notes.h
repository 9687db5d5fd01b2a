// What a stream's log keeps of its consumers: notes between the messages (docs/formats/notes.md).
#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "store/log.h"

namespace spanwire::jetstream {

// Kinds of notes.
inline constexpr std::uint32_t note_consumer =
    1;                                         // all of a consumer: made, changed, or said again
inline constexpr std::uint32_t note_gone = 2;  // a consumer was deleted
inline constexpr std::uint32_t note_delivered = 5;  // messages were delivered, once more
inline constexpr std::uint32_t note_settled = 6;    // messages were acknowledged or given up

// Appends varints and texts behind one another.
class NoteWriter {
 public:
  NoteWriter& number(std::uint64_t value);
  // To be added to another number, which is the same on both sides.
  NoteWriter& difference(std::uint64_t from, std::uint64_t to);
  NoteWriter& time(base::WallTime value);
  NoteWriter& text(std::string_view value);
  std::size_t size() const { return bytes_.size(); }
  std::string take() { return std::exchange(bytes_, {}); }

 private:
  std::string bytes_;
};

// Reads them back. What is missing reads as zero and empty, and makes ok() false: a note comes from
// a file.
class NoteReader {
 public:
  explicit NoteReader(std::string_view bytes) : rest_(bytes) {}
  std::uint64_t number();
  std::uint64_t number_from(std::uint64_t from);  // of difference(from, …)
  base::WallTime time();
  std::string_view text();
  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  std::string_view left() const { return rest_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

std::string encode_consumer_gone(std::uint32_t consumer);
// Nothing: it is none.
std::optional<std::uint32_t> decode_consumer_gone(std::string_view note);

// A message that was delivered; `delivery` is the consumer's number of that.
struct Delivered {
  store::Sequence sequence = 0;
  std::uint64_t delivery = 0;
  std::uint64_t deliveries = 0;  // of this message, this one included
  base::WallTime at{};
};
struct Settled {
  store::Sequence sequence = 0;
  std::uint64_t delivery = 0;
};

// Gathers what a consumer does into notes: deliveries that follow one another at one time, and
// acknowledgements that follow one another, each as what differs from the one before.
class NoteGatherer {
 public:
  using Write = absl::FunctionRef<void(std::uint32_t kind, std::string_view note)>;

  explicit NoteGatherer(std::uint32_t consumer) : consumer_(consumer) {}

  // Each may write the note that has been gathered before.
  void add(const Delivered& delivered, Write write);
  void add(const Settled& settled, Write write);
  bool empty() const { return kind_ == 0; }
  // Writes what is left. The order of notes of other consumers and of messages does not matter.
  void flush(Write write);
  void drop();

 private:
  void make_room(std::uint32_t kind, Write write);

  const std::uint32_t consumer_;
  std::uint32_t kind_ = 0;  // of what is gathered; 0: nothing is
  NoteWriter note_;
  store::Sequence sequence_ = 0;  // of the last one
  std::uint64_t delivery_ = 0;
  base::WallTime at_{};
};

// Reads such notes back; consumer() is to be asked first. A note ends where it is damaged.
class DeliveredNote {
 public:
  explicit DeliveredNote(std::string_view note);
  std::uint32_t consumer() const { return consumer_; }
  std::optional<Delivered> next();

 private:
  NoteReader reader_;
  std::uint32_t consumer_;
  Delivered last_;
};
class SettledNote {
 public:
  explicit SettledNote(std::string_view note);
  std::uint32_t consumer() const { return consumer_; }
  std::optional<Settled> next();

 private:
  NoteReader reader_;
  std::uint32_t consumer_;
  Settled last_;
};

}  // namespace spanwire::jetstream
