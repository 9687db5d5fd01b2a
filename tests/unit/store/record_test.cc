#include "store/record.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

using namespace spanwire;
using namespace spanwire::store;

namespace {

constexpr std::uint64_t salt = 0x1122334455667788;
constexpr std::uint64_t place = 4096;

base::WallTime at(std::int64_t nanoseconds) {
  return base::WallTime(base::Duration(nanoseconds));
}

Message message(Sequence sequence, std::string_view subject, std::string_view headers,
                std::string_view payload) {
  return {.sequence = sequence,
          .time = at(1'700'000'000'000'000'001),
          .subject = subject,
          .headers = headers,
          .payload = payload};
}

std::vector<Record> decode_all(std::string_view batch) {
  std::vector<Record> records;
  std::size_t offset = 0;
  while (offset < batch.size()) {
    Record record;
    REQUIRE(decode_record(batch.substr(offset), salt, place + offset, record) == Decode::ok);
    offset += record.size_bytes;
    records.push_back(record);
  }
  return records;
}

// One of each kind.
std::string sample() {
  BatchWriter writer;
  writer.begin(salt, place);
  writer.message(message(7, "orders.eu", "", "first"));
  writer.message(message(8, "orders.us", "NATS/1.0\r\nA: b\r\n\r\n", "second"));
  writer.erase(3);
  writer.erase(5);
  writer.erase(6);
  writer.through(4);
  writer.note(9, "what a consumer said");
  writer.mark({.last = 8, .time = at(55), .previous_salt = 3, .previous_end = 99});
  return writer.finish({.segment = 2, .offset = 777});
}

}  // namespace

TEST_CASE("record: a batch opens with its size and what is known durable") {
  const std::string batch = sample();
  const std::vector<Record> records = decode_all(batch);
  REQUIRE(records.size() == 7);
  CHECK(records[0].kind == RecordKind::batch);
  CHECK(records[0].size_bytes == batch_record_bytes);
  CHECK(records[0].batch_bytes == batch.size());
  CHECK(records[0].durable == Position{.segment = 2, .offset = 777});
}

TEST_CASE("record: each kind comes back as it was written") {
  const std::string batch = sample();
  const std::vector<Record> records = decode_all(batch);
  REQUIRE(records.size() == 7);
  const Message& first = records[1].message;
  CHECK(records[1].kind == RecordKind::message);
  CHECK(first.sequence == 7);
  CHECK(first.time == at(1'700'000'000'000'000'001));
  CHECK(first.subject == "orders.eu");
  CHECK(first.headers.empty());
  CHECK(first.payload == "first");
  CHECK(records[1].evicted == 0);
  CHECK(records[2].message.headers == "NATS/1.0\r\nA: b\r\n\r\n");
  CHECK(records[2].message.payload == "second");
  CHECK(records[2].evicted == 3);
  CHECK(records[3].kind == RecordKind::erase);
  CHECK(records[3].first == 5);
  CHECK(records[3].last == 6);
  CHECK(records[4].kind == RecordKind::through);
  CHECK(records[4].last == 4);
  CHECK(records[5].kind == RecordKind::note);
  CHECK(records[5].owner_kind == 9);
  CHECK(records[5].note == "what a consumer said");
  CHECK(records[6].kind == RecordKind::mark);
  CHECK(records[6].mark.last == 8);
  CHECK(records[6].mark.time == at(55));
  CHECK(records[6].mark.previous_salt == 3);
  CHECK(records[6].mark.previous_end == 99);
}

TEST_CASE("record: a message read alone is what every record's reader says, and others are none") {
  const std::string batch = sample();
  std::size_t at = 0;
  for (const Record& record : decode_all(batch)) {
    MessageRecord alone;
    const bool is_message = record.kind == RecordKind::message;
    CHECK(decode_good_message(std::string_view(batch).substr(at), alone) == is_message);
    at += record.size_bytes;
    if (!is_message) continue;
    CHECK(alone.size_bytes == record.size_bytes);
    CHECK(alone.evicted == record.evicted);
    CHECK(alone.message.sequence == record.message.sequence);
    CHECK(alone.message.time == record.message.time);
    CHECK(alone.message.subject == record.message.subject);
    CHECK(alone.message.headers == record.message.headers);
    CHECK(alone.message.payload == record.message.payload);
  }
}

TEST_CASE("record: a batch is good as a whole: no cut, no flipped bit, no other place") {
  std::string batch = sample();
  const auto are_good = [&](std::size_t size, std::uint64_t seed, std::uint64_t offset) {
    const std::string_view bytes = std::string_view(batch).substr(0, size);
    return are_good_records(bytes.substr(batch_record_bytes), seed, offset + batch_record_bytes);
  };
  CHECK(are_good(batch.size(), salt, place));
  CHECK_FALSE(are_good(batch.size(), salt + 1, place));
  CHECK_FALSE(are_good(batch.size(), salt, place + 1));
  std::set<std::size_t> ends = {batch_record_bytes};
  for (const Record& record : decode_all(batch)) {
    if (record.kind != RecordKind::batch) ends.insert(*ends.rbegin() + record.size_bytes);
  }
  for (std::size_t cut = batch_record_bytes; cut <= batch.size(); ++cut) {
    CHECK(are_good(cut, salt, place) == ends.contains(cut));
  }
  for (std::size_t bit = 8 * batch_record_bytes; bit < 8 * batch.size(); ++bit) {
    batch[bit / 8] = static_cast<char>(batch[bit / 8] ^ (1 << (bit % 8)));
    CHECK_FALSE(are_good(batch.size(), salt, place));
    batch[bit / 8] = static_cast<char>(batch[bit / 8] ^ (1 << (bit % 8)));
  }
  // Not one that begins another batch.
  CHECK_FALSE(are_good_records(batch, salt, place));
}

TEST_CASE("record: a message costs at most 32 bytes beside its texts") {
  BatchWriter writer;
  const std::string subject(100, 's');
  const std::string headers(100, 'h');
  const std::string payload(10'000, 'p');
  for (const bool evicting : {false, true}) {
    const std::string_view shown = evicting ? std::string_view() : std::string_view(headers);
    const Message full = message(1'000'000, subject, shown, payload);
    writer.begin(salt, place);
    const std::uint64_t offset = writer.message(full);
    CHECK(offset == place + batch_record_bytes);
    CHECK(message_record_bytes(full) == writer.size() - batch_record_bytes);
    if (evicting) writer.erase(1);
    const std::size_t texts = full.subject.size() + full.body_size();
    CHECK(writer.finish({}).size() - batch_record_bytes - texts <= 32);
  }
}

TEST_CASE("record: an erasure joins the message before it once, and only if that is newer") {
  BatchWriter writer;
  writer.begin(salt, place);
  writer.message(message(10, "a", "", ""));
  writer.erase(4);
  writer.erase(6);
  writer.message(message(11, "a", "", ""));
  writer.erase(11);
  writer.erase(12);
  writer.erase(10);
  const std::string batch = writer.finish({});
  const std::vector<Record> records = decode_all(batch);
  REQUIRE(records.size() == 6);
  CHECK(records[1].evicted == 4);
  CHECK(records[2].first == 6);
  CHECK(records[2].last == 6);
  CHECK(records[3].evicted == 0);
  CHECK(records[4].first == 11);
  CHECK(records[4].last == 12);
  CHECK(records[5].first == 10);
  CHECK(records[5].last == 10);
}

TEST_CASE("record: an eviction from further back than 32 bits say is a record of its own") {
  BatchWriter writer;
  writer.begin(salt, place);
  writer.message(message(0x1'0000'0001, "a", "", ""));
  writer.erase(1);
  const std::string near_enough = writer.finish({});
  CHECK(decode_all(near_enough).size() == 3);
  writer.begin(salt, place);
  writer.message(message(0x1'0000'0000, "a", "", ""));
  writer.erase(1);
  const std::string folded = writer.finish({});
  REQUIRE(decode_all(folded).size() == 2);
  CHECK(decode_all(folded)[1].evicted == 1);
}

TEST_CASE("record: empty texts and large ones come back") {
  BatchWriter writer;
  const std::string large(300'000, 'x');
  for (const std::string& payload : {std::string(), large}) {
    writer.begin(salt, place);
    writer.message(message(1, "s", payload, payload));
    const std::string batch = writer.finish({});
    const std::vector<Record> records = decode_all(batch);
    REQUIRE(records.size() == 2);
    CHECK(records[1].message.headers == payload);
    CHECK(records[1].message.payload == payload);
  }
}

TEST_CASE("record: cut at any byte it is incomplete, never another record") {
  const std::string batch = sample();
  std::size_t offset = 0;
  for (const Record& whole : decode_all(batch)) {
    for (std::size_t size = 0; size < whole.size_bytes; ++size) {
      Record record;
      const std::string cut = batch.substr(offset, size);
      CHECK(decode_record(cut, salt, place + offset, record) == Decode::need_more);
    }
    offset += whole.size_bytes;
  }
}

TEST_CASE("record: no flipped bit goes unnoticed") {
  const std::string batch = sample();
  std::size_t offset = 0;
  for (const Record& whole : decode_all(batch)) {
    for (std::size_t bit = 0; bit < whole.size_bytes * 8; ++bit) {
      std::string damaged = batch.substr(offset, whole.size_bytes);
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      Record record;
      CHECK(decode_record(damaged, salt, place + offset, record) != Decode::ok);
    }
    offset += whole.size_bytes;
  }
}

TEST_CASE("record: it is valid with its segment's salt and in its place alone") {
  const std::string batch = sample();
  Record record;
  CHECK(decode_record(batch, salt, place, record) == Decode::ok);
  CHECK(decode_record(batch, salt ^ 1, place, record) == Decode::bad);
  CHECK(decode_record(batch, salt, place + 1, record) == Decode::bad);
}

TEST_CASE("record: zeros and sizes out of bounds are no record") {
  Record record;
  CHECK(decode_record(std::string(64, '\0'), salt, place, record) == Decode::bad);
  CHECK(decode_record(std::string(64, '\xff'), salt, place, record) == Decode::bad);
  CHECK(record_size(std::string(64, '\0')) == 0);
  CHECK(record_size(std::string(64, '\xff')) == 0);
  CHECK(record_size(sample().substr(0, 8)) == 0);
  CHECK(record_size(sample()) == batch_record_bytes);
}

TEST_CASE("record: a writer that has finished begins anew") {
  BatchWriter writer;
  writer.begin(salt, place);
  writer.message(message(1, "a", "", "b"));
  const std::string batch = writer.finish({});
  CHECK_FALSE(writer.begun());
  writer.begin(salt, place);
  CHECK(writer.empty());
  writer.message(message(1, "a", "", "b"));
  CHECK_FALSE(writer.empty());
  CHECK(writer.end_offset() == place + batch.size());
  CHECK(writer.finish({}) == batch);
}
