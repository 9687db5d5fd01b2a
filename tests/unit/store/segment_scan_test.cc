#include "store/segment_scan.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "store/segment_header.h"
#include "tests/support/captured_log.h"
#include "tests/support/memory_files.h"

using namespace spanwire;
using namespace spanwire::store;

namespace {

constexpr std::uint64_t stream = 3;

// Writes segments as a log does, byte by byte what is asked for.
class Segments {
 public:
  explicit Segments(test::MemoryDisk& disk) : disk_(disk) { open_files(); }

  void begin(std::uint64_t number, std::uint64_t stands_for = 0) {
    SegmentHeader header{.stream = stream, .number = number, .salt = salt(number)};
    header.reserved[0] = static_cast<char>(stands_for);
    number_ = number;
    bytes_ = encode_segment_header(header);
  }
  // A batch of messages with these sequences; the first of a segment is a preamble with a note.
  void batch(std::vector<Sequence> sequences, Position durable = {}) {
    BatchWriter writer;
    writer.begin(salt(number_), bytes_.size());
    if (bytes_.size() == segment_header_bytes) {
      writer.mark({.last = sequences.empty() ? 0 : sequences.front() - 1,
                   .previous_salt = previous_salt_,
                   .previous_end = previous_end_});
      writer.note(1, "note " + std::to_string(number_));
    }
    for (const Sequence sequence : sequences) {
      const std::string payload = "payload " + std::to_string(sequence);
      writer.message({.sequence = sequence, .subject = "a.b", .payload = payload});
    }
    ends_.push_back({number_, bytes_.size() + writer.size()});
    bytes_ += writer.finish(durable);
  }
  void zeros(std::size_t count) { tail_ = count; }
  void write() {
    disk_.change(segment_path(stream, number_), bytes_ + std::string(tail_, '\0'));
    previous_salt_ = salt(number_);
    previous_end_ = bytes_.size();
    tail_ = 0;
  }

  std::string& bytes() { return bytes_; }
  Position end(std::size_t batch) const { return ends_[batch]; }

  struct Seen {
    std::vector<Sequence> sequences;
    std::vector<std::string> notes;
    std::uint64_t damaged = 0;
    std::vector<FoundSegment> segments;
    std::uint64_t read_bytes = 0;
  };
  Seen scan(const SegmentScan::Start& start = {}) {
    test::CapturedLog captured;
    open_files();
    SegmentScan scan(*files_, stream);
    REQUIRE(scan.open(start));
    Seen seen;
    Chunk chunk;
    while (true) {
      const auto more = scan.next(chunk);
      REQUIRE(more);
      if (!*more) break;
      for (const Run& run : chunk.runs) take(chunk, run, seen);
    }
    seen.damaged = scan.damaged();
    seen.segments = scan.segments();
    seen.read_bytes = scan.read_bytes();
    CHECK(captured.lines().size() == seen.damaged);
    return seen;
  }
  static std::uint64_t salt(std::uint64_t number) { return 1000 + number; }

 private:
  void open_files() {
    files_.reset();
    files_ = disk_.open();
    REQUIRE(files_->make_folder("streams"));
    REQUIRE(files_->make_folder("streams/3"));
  }
  static void take(const Chunk& chunk, const Run& run, Seen& seen) {
    Record record;
    for (std::size_t at = run.begin; at < run.end; at += record.size_bytes) {
      const std::string_view bytes = std::string_view(chunk.bytes).substr(at, run.end - at);
      decode_good_record(bytes, record);
      CHECK(decode_record(bytes, chunk.segment->salt, chunk.offset + at, record) == Decode::ok);
      if (record.kind == RecordKind::message) seen.sequences.push_back(record.message.sequence);
      if (record.kind == RecordKind::note && chunk.notes) seen.notes.emplace_back(record.note);
    }
  }

  test::MemoryDisk& disk_;
  std::unique_ptr<Files> files_;
  std::uint64_t number_ = 0;
  std::string bytes_;
  std::size_t tail_ = 0;
  std::uint64_t previous_salt_ = 0;
  std::uint64_t previous_end_ = 0;
  std::vector<Position> ends_;
};

std::vector<Sequence> up_to(Sequence last) {
  std::vector<Sequence> all;
  for (Sequence sequence = 1; sequence <= last; ++sequence) all.push_back(sequence);
  return all;
}

// Three batches of two messages in segment 1.
void one_segment(Segments& segments) {
  segments.begin(1);
  segments.batch({1, 2});
  segments.batch({3, 4}, segments.end(0));
  segments.batch({5, 6}, segments.end(0));
}

}  // namespace

TEST_CASE("segment scan: what was written comes back, and zeros behind it are the end") {
  test::MemoryDisk disk;
  Segments segments(disk);
  one_segment(segments);
  for (const std::size_t zeros : {std::size_t{0}, std::size_t{7}, std::size_t{3'000'000}}) {
    segments.zeros(zeros);
    segments.write();
    const auto seen = segments.scan();
    CHECK(seen.sequences == up_to(6));
    CHECK(seen.notes == std::vector<std::string>{"note 1"});
    CHECK(seen.damaged == 0);
    REQUIRE(seen.segments.size() == 1);
    CHECK(seen.segments[0].end == segments.bytes().size());
  }
}

TEST_CASE(
    "segment scan: cut at any byte, a batch that nothing calls durable counts wholly or not") {
  test::MemoryDisk disk;
  Segments segments(disk);
  one_segment(segments);
  const std::string whole = segments.bytes();
  for (std::size_t size = segments.end(1).offset; size < whole.size(); ++size) {
    segments.bytes() = whole.substr(0, size);
    segments.zeros(100);
    segments.write();
    const auto seen = segments.scan();
    CHECK(seen.sequences == up_to(4));
    CHECK(seen.damaged == 0);
    CHECK(seen.segments.at(0).end == segments.end(1).offset);
    // Cut, so that what comes next is never followed by what stood there.
    const std::string left = disk.content(segment_path(stream, 1));
    CHECK(left.find_first_not_of('\0', segments.end(1).offset) == std::string::npos);
  }
}

TEST_CASE("segment scan: any flipped bit in what is durable costs its record and is reported") {
  test::MemoryDisk disk;
  Segments segments(disk);
  one_segment(segments);
  const std::string whole = segments.bytes();
  for (std::size_t at = segments.end(0).offset; at < segments.end(1).offset; ++at) {
    segments.bytes() = whole;
    segments.bytes()[at] = static_cast<char>(segments.bytes()[at] ^ 4);
    segments.begin(1);
    one_segment(segments);
    segments.batch({7}, segments.end(2));
    segments.bytes()[at] = static_cast<char>(segments.bytes()[at] ^ 4);
    segments.write();
    const auto seen = segments.scan();
    CHECK(seen.damaged == 1);
    CHECK(seen.sequences.size() >= 6);
    CHECK(seen.sequences.back() == 7);
    CHECK(seen.segments.at(0).end == segments.bytes().size());
  }
}

TEST_CASE("segment scan: the same flip above what is durable is a torn end") {
  test::MemoryDisk disk;
  Segments segments(disk);
  one_segment(segments);
  segments.batch({7}, segments.end(0));
  segments.bytes()[segments.end(1).offset + 40] ^= 1;
  segments.write();
  const auto seen = segments.scan();
  CHECK(seen.sequences == up_to(4));
  CHECK(seen.damaged == 0);
  CHECK(disk.content(segment_path(stream, 1)).size() == segments.end(1).offset);
}

TEST_CASE("segment scan: a torn end takes later segments with it") {
  test::MemoryDisk disk;
  Segments segments(disk);
  one_segment(segments);
  segments.bytes()[segments.end(1).offset + 40] ^= 1;
  segments.write();
  segments.begin(2);
  segments.batch({7, 8}, segments.end(0));
  segments.write();
  const auto seen = segments.scan();
  CHECK(seen.sequences == up_to(4));
  CHECK(seen.segments.size() == 1);
  CHECK_FALSE(disk.has(segment_path(stream, 2)));
}

TEST_CASE("segment scan: a later segment's word makes the same damage") {
  test::MemoryDisk disk;
  Segments segments(disk);
  one_segment(segments);
  segments.bytes()[segments.end(1).offset + 40] ^= 1;
  segments.write();
  segments.begin(2);
  segments.batch({7, 8}, segments.end(0));
  segments.batch({9}, segments.end(2));
  segments.write();
  const auto seen = segments.scan();
  CHECK(seen.damaged == 1);
  CHECK(seen.sequences.back() == 9);
  CHECK(seen.segments.size() == 2);
}

TEST_CASE("segment scan: a segment that lacks the end that the next one names is reported") {
  test::MemoryDisk disk;
  Segments segments(disk);
  one_segment(segments);
  segments.write();
  std::string whole = disk.content(segment_path(stream, 1));
  segments.begin(2);
  segments.batch({7, 8}, segments.end(2));
  segments.write();
  CHECK(segments.scan().damaged == 0);
  whole.replace(segments.end(1).offset, whole.npos, 200, '\0');
  disk.change(segment_path(stream, 1), whole);
  const auto seen = segments.scan();
  CHECK(seen.damaged == 1);
  CHECK(seen.sequences == std::vector<Sequence>{1, 2, 3, 4, 7, 8});
}

TEST_CASE("segment scan: only the notes from the newest preamble on still hold") {
  test::MemoryDisk disk;
  Segments segments(disk);
  for (std::uint64_t number = 1; number <= 3; ++number) {
    segments.begin(number);
    segments.batch({number});
    segments.write();
  }
  CHECK(segments.scan().notes == std::vector<std::string>{"note 3"});
  // Without it, what the segment before said holds.
  segments.bytes()[segment_header_bytes + batch_record_bytes + 5] ^= 1;
  segments.write();
  const auto seen = segments.scan();
  CHECK(seen.notes == std::vector<std::string>{"note 2"});
  CHECK(seen.sequences == up_to(2));
  CHECK_FALSE(disk.has(segment_path(stream, 3)));
}

TEST_CASE("segment scan: what a compacted segment stands for is removed") {
  test::MemoryDisk disk;
  Segments segments(disk);
  for (std::uint64_t number = 1; number <= 4; ++number) {
    segments.begin(number, number == 3 ? 2 : 0);
    segments.batch({number});
    segments.write();
  }
  const auto seen = segments.scan();
  CHECK(seen.sequences == std::vector<Sequence>{1, 3, 4});
  CHECK_FALSE(disk.has(segment_path(stream, 2)));
}

TEST_CASE("segment scan: a segment made ahead, whole or not, is no part of the stream") {
  test::MemoryDisk disk;
  Segments segments(disk);
  one_segment(segments);
  segments.write();
  const std::string header =
      encode_segment_header({.stream = stream, .number = 2, .salt = Segments::salt(2)});
  for (const std::string& made : {header + std::string(4096, '\0'), std::string(),
                                  std::string(64, '\0'), header.substr(0, 20)}) {
    disk.change(segment_path(stream, 2), made);
    const auto seen = segments.scan();
    CHECK(seen.sequences == up_to(6));
    CHECK(seen.segments.size() == 1);
    CHECK(seen.damaged == 0);
    CHECK_FALSE(disk.has(segment_path(stream, 2)));
  }
}

TEST_CASE("segment scan: a header that is damaged is left aside, one of a newer version refused") {
  test::MemoryDisk disk;
  Segments segments(disk);
  one_segment(segments);
  segments.write();
  segments.begin(2);
  segments.batch({7});
  segments.bytes()[20] ^= 1;
  segments.write();
  const auto seen = segments.scan();
  CHECK(seen.damaged == 1);
  CHECK(seen.sequences == up_to(6));
  CHECK(disk.has(segment_path(stream, 2)));

  segments.bytes()[8] = 2;
  segments.write();
  const auto files = disk.open();
  SegmentScan scan(*files, stream);
  const base::Status opened = scan.open({});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().text.find("newer") != std::string::npos);
}

TEST_CASE("segment scan: with a limit nothing behind it counts, however good it looks") {
  test::MemoryDisk disk;
  Segments segments(disk);
  one_segment(segments);
  segments.write();
  segments.begin(2);
  segments.batch({7});
  segments.write();
  const auto seen = segments.scan({.limit = segments.end(1)});
  CHECK(seen.sequences == up_to(4));
  CHECK(seen.segments.size() == 1);
  CHECK(disk.content(segment_path(stream, 1)).size() == segments.end(1).offset);
  CHECK_FALSE(disk.has(segment_path(stream, 2)));
}

TEST_CASE("segment scan: behind the end that the next segment names nothing counts") {
  test::MemoryDisk disk;
  Segments segments(disk);
  segments.begin(1);
  segments.batch({1, 2});
  segments.write();
  const std::size_t agreed = segments.bytes().size();
  segments.begin(2);
  segments.batch({3});
  segments.write();
  segments.begin(1);
  segments.batch({1, 2});
  segments.batch({3, 4});
  segments.write();
  CHECK(segments.bytes().size() > agreed);
  CHECK(segments.scan().sequences == up_to(3));
}

TEST_CASE("segment scan: from a position on, only what stands behind it is read") {
  test::MemoryDisk disk;
  Segments segments(disk);
  segments.begin(1);
  segments.batch({1});
  for (Sequence sequence = 2; sequence <= 20'000; ++sequence) segments.batch({sequence});
  segments.write();
  segments.begin(2);
  segments.batch({20'001, 20'002});
  segments.batch({20'003});
  segments.write();
  const auto seen = segments.scan({.durable = segments.end(20'000), .from = segments.end(20'000)});
  CHECK(seen.sequences == std::vector<Sequence>{20'003});
  CHECK(seen.read_bytes < 30'000);
}

TEST_CASE("segment scan: a batch larger than what is read at once") {
  test::MemoryDisk disk;
  Segments segments(disk);
  segments.begin(1);
  std::vector<Sequence> many;
  for (Sequence sequence = 1; sequence <= 100'000; ++sequence) many.push_back(sequence);
  segments.batch({});
  segments.batch(many);
  segments.write();
  CHECK(segments.scan().sequences == many);
}
