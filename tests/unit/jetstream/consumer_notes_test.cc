#include "jetstream/consumer_notes.h"

#include <doctest/doctest.h>

#include <string>

using namespace spanwire;
using jetstream::DeliveredNote;
using jetstream::NoteReader;
using jetstream::NoteWriter;
using jetstream::SettledNote;

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

TEST_CASE("notes: a note that is cut anywhere is none") {
  const std::string delivered =
      encode(DeliveredNote{300, 1'000'000, 77'777, 2, base::WallTime::max()});
  const std::string settled = encode(SettledNote{300, 1'000'000, 77'777});
  REQUIRE(jetstream::decode_delivered(delivered));
  REQUIRE(jetstream::decode_settled(settled));
  for (std::size_t size = 0; size < delivered.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(jetstream::decode_delivered(std::string_view(delivered).substr(0, size)));
  }
  for (std::size_t size = 0; size < settled.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(jetstream::decode_settled(std::string_view(settled).substr(0, size)));
  }
  CHECK_FALSE(jetstream::decode_consumer_gone(""));
}

TEST_CASE("notes: deliveries and settlements keep every number") {
  const auto delivered = jetstream::decode_delivered(
      encode(DeliveredNote{1, 2, 3, 4, base::WallTime(std::chrono::seconds(5))}));
  REQUIRE(delivered);
  CHECK(delivered->consumer == 1);
  CHECK(delivered->sequence == 2);
  CHECK(delivered->delivery == 3);
  CHECK(delivered->deliveries == 4);
  CHECK(delivered->at == base::WallTime(std::chrono::seconds(5)));
  CHECK(jetstream::decode_consumer_gone(jetstream::encode_consumer_gone(9)) == 9U);
}

TEST_CASE("notes: a text that says it is longer than the note is missing") {
  const std::string note = NoteWriter().number(100).take();
  NoteReader reader(note);
  CHECK(reader.text().empty());
  CHECK_FALSE(reader.ok());
  CHECK(reader.number() == 0);
}
