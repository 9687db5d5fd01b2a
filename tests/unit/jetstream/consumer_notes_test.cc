#include "jetstream/consumer_notes.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

using namespace spanwire;
using jetstream::Delivered;
using jetstream::DeliveredNote;
using jetstream::NoteReader;
using jetstream::NoteWriter;
using jetstream::Settled;
using jetstream::SettledNote;

namespace {

constexpr std::uint32_t consumer = 300;
const base::WallTime later(std::chrono::nanoseconds(9));

Delivered delivered(store::Sequence sequence, std::uint64_t delivery, std::uint64_t deliveries,
                    base::WallTime at = {}) {
  return {sequence, delivery, deliveries, at};
}

// What a log is told, and what is read back from it.
struct Gathered {
  template <class Event>
  void add(const Event& event) {
    gatherer.add(event, writer());
  }
  void flush() { gatherer.flush(writer()); }
  std::vector<std::uint32_t> kinds() const {
    std::vector<std::uint32_t> all;
    for (const auto& [kind, note] : notes) all.push_back(kind);
    return all;
  }
  std::string told() const {
    std::string all;
    for (const auto& [kind, bytes] : notes) {
      if (kind == jetstream::note_delivered) {
        DeliveredNote note(bytes);
        CHECK(note.consumer() == consumer);
        while (const auto it = note.next()) {
          all += fmt::format("delivered {} {} {} at {}, ", it->sequence, it->delivery,
                             it->deliveries, it->at.time_since_epoch().count());
        }
      } else {
        SettledNote note(bytes);
        CHECK(note.consumer() == consumer);
        while (const auto it = note.next()) {
          all += fmt::format("settled {} {}, ", it->sequence, it->delivery);
        }
      }
    }
    return all;
  }
  jetstream::NoteGatherer gatherer{consumer};
  std::vector<std::pair<std::uint32_t, std::string>> notes;

 private:
  std::function<void(std::uint32_t, std::string_view)> writer() {
    return [this](std::uint32_t kind, std::string_view note) { notes.emplace_back(kind, note); };
  }
};

}  // namespace

TEST_CASE("notes: what is written is read back") {
  const base::WallTime time(std::chrono::nanoseconds(1'700'000'000'123'456'789));
  const std::string bytes = NoteWriter()
                                .number(0)
                                .number(127)
                                .number(128)
                                .number(~std::uint64_t{0})
                                .time(time)
                                .text("")
                                .text("name")
                                .take();
  NoteReader reader(bytes);
  CHECK(reader.number() == 0);
  CHECK(reader.number() == 127);
  CHECK(reader.number() == 128);
  CHECK(reader.number() == ~std::uint64_t{0});
  CHECK(reader.time() == time);
  CHECK(reader.text().empty());
  CHECK(reader.text() == "name");
  CHECK(reader.at_end());
  CHECK(reader.ok());
}

TEST_CASE("notes: a difference is read back, whatever its size and sign") {
  for (const std::uint64_t from : {std::uint64_t{0}, std::uint64_t{1000}, ~std::uint64_t{0}}) {
    for (const std::uint64_t to :
         {std::uint64_t{0}, from, from + 1, from - 1, from + 1'000'000, ~std::uint64_t{0}}) {
      const std::string bytes = NoteWriter().difference(from, to).take();
      CHECK(NoteReader(bytes).number_from(from) == to);
    }
  }
  CHECK(NoteWriter().difference(1'000'000, 1'000'063).take().size() == 1);
  CHECK(NoteWriter().difference(1'000'000, 999'937).take().size() == 1);
}

TEST_CASE("notes: deliveries of one time and acknowledgements are gathered, in their order") {
  Gathered gathered;
  gathered.add(delivered(10, 1, 1));
  gathered.add(delivered(12, 2, 1));
  gathered.add(delivered(5, 3, 4));  // delivered again
  CHECK(gathered.notes.empty());
  gathered.add(Settled{12, 2});
  gathered.add(Settled{10, 1});
  gathered.add(delivered(13, 4, 1));
  gathered.add(delivered(14, 5, 1, later));
  gathered.add(delivered(15, 9, 1, later));  // other numbers were given between
  gathered.flush();
  CHECK(gathered.kinds() ==
        std::vector<std::uint32_t>{jetstream::note_delivered, jetstream::note_settled,
                                   jetstream::note_delivered, jetstream::note_delivered,
                                   jetstream::note_delivered});
  CHECK(gathered.told() ==
        "delivered 10 1 1 at 0, delivered 12 2 1 at 0, delivered 5 3 4 at 0, settled 12 2, "
        "settled 10 1, delivered 13 4 1 at 0, delivered 14 5 1 at 9, delivered 15 9 1 at 9, ");
}

TEST_CASE("notes: what follows one another takes two bytes each, and no note grows without end") {
  Gathered gathered;
  for (std::uint64_t i = 1; i <= 10'000; ++i) gathered.add(delivered(1'000'000 + i, i, 1));
  for (std::uint64_t i = 1; i <= 10'000; ++i) gathered.add(Settled{1'000'000 + i, i});
  gathered.flush();
  std::size_t bytes = 0;
  for (const auto& [kind, note] : gathered.notes) {
    CHECK(note.size() < 1100);
    bytes += note.size();
  }
  CHECK(bytes < 41'000);
  CHECK(gathered.told().ends_with("settled 1010000 10000, "));
}

TEST_CASE("notes: what was dropped is never written") {
  Gathered gathered;
  gathered.add(Settled{1, 1});
  gathered.gatherer.drop();
  CHECK(gathered.gatherer.empty());
  gathered.flush();
  CHECK(gathered.notes.empty());
  gathered.add(Settled{2, 2});
  gathered.flush();
  CHECK(gathered.told() == "settled 2 2, ");
}

TEST_CASE("notes: a note that is cut ends with the last entry that is whole") {
  Gathered gathered;
  gathered.add(delivered(1'000'000, 77'777, 2));
  gathered.add(Settled{1'000'000, 77'777});
  gathered.flush();
  REQUIRE(gathered.notes.size() == 2);
  const auto& [delivered_kind, delivered_note] = gathered.notes[0];
  const auto& [settled_kind, settled_note] = gathered.notes[1];
  for (std::size_t size = 0; size < delivered_note.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(DeliveredNote(std::string_view(delivered_note).substr(0, size)).next());
  }
  for (std::size_t size = 0; size < settled_note.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(SettledNote(std::string_view(settled_note).substr(0, size)).next());
  }
  CHECK_FALSE(jetstream::decode_consumer_gone(""));
  CHECK(jetstream::decode_consumer_gone(jetstream::encode_consumer_gone(9)) == 9U);
}

TEST_CASE("notes: a text that says it is longer than the note is missing") {
  const std::string note = NoteWriter().number(100).take();
  NoteReader reader(note);
  CHECK(reader.text().empty());
  CHECK_FALSE(reader.ok());
  CHECK(reader.number() == 0);
}
