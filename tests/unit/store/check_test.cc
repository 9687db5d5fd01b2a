// What `spanwire store check` and `dump` say of a store, well and damaged in each way.
#include "store/check.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "store/dump.h"
#include "store/journal.h"
#include "store/segment_header.h"
#include "store/sidecar.h"
#include "store/store_folder.h"
#include "store/whole_file.h"
#include "tests/unit/store/file_log_stage.h"

using namespace spanwire;
using namespace spanwire::store;
using test::FileLogStage;

namespace {

struct Report final : CheckListener {
  void on_journal(const JournalCheck& check) override {
    journal = check;
    all.insert(all.end(), check.findings.begin(), check.findings.end());
  }
  void on_stream(const StreamCheck& check) override {
    streams.push_back(check);
    all.insert(all.end(), check.findings.begin(), check.findings.end());
  }
  void on_leftover(const Finding& finding) override { all.push_back(finding); }
  void on_segment(std::string_view path) override { read.emplace_back(path); }

  std::size_t count(Weight weight) const {
    return static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [&](const Finding& found) { return found.weight == weight; }));
  }
  // The first of this weight; empty: there is none.
  Finding first(Weight weight) const {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Finding& f) { return f.weight == weight; });
    return found == all.end() ? Finding() : *found;
  }

  JournalCheck journal;
  std::vector<StreamCheck> streams;
  std::vector<Finding> all;
  std::vector<std::string> read;
  std::string failure;
};

Report check(test::MemoryDisk& disk) {
  const auto files = disk.open();
  Report report;
  const std::uint64_t changes = disk.changes();
  if (const auto checked = check_store(*files, report); !checked) {
    report.failure = checked.error().text;
  }
  CHECK(disk.changes() == changes);
  return report;
}

std::string dump(test::MemoryDisk& disk, const DumpSettings& settings = {}) {
  const auto files = disk.open();
  auto view = StoreView::open(*files);
  REQUIRE(view);
  std::string text;
  const auto out = [&](std::string_view line) { text += line; };
  REQUIRE(dump_journal(**view, settings, out));
  for (const std::uint64_t stream : (*view)->streams()) {
    REQUIRE(dump_stream(**view, stream, settings, out));
  }
  return text;
}

// Four segments with 300 messages, of which some are erased, closed in good order.
struct Closed : FileLogStage {
  Closed() {
    log->note(1, "first");
    owner.notes[1] = "first";
    fill(300);
    for (Sequence sequence = 100; sequence <= 120; ++sequence) REQUIRE(log->erase(sequence));
    commit();
    REQUIRE(segments().size() >= 3);
    close();
  }
  void close() {
    log->close([] {});
    world.settle();
    log.reset();
    world.close();
  }
  test::MemoryDisk& disk() { return world.disk; }
  void flip(const std::string& path, std::size_t at) {
    std::string bytes = disk().content(path);
    REQUIRE(at < bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    disk().change(path, bytes);
  }
};

}  // namespace

TEST_CASE("store check: a store that was closed is well, and starts quickly") {
  Closed stage;
  const Report report = check(stage.disk());
  CHECK(report.failure.empty());
  CHECK(report.count(Weight::damage) == 0);
  CHECK(report.count(Weight::unreadable) == 0);
  CHECK(report.first(Weight::slow_start).text == "");
  REQUIRE(report.streams.size() == 1);
  const StreamCheck& stream = report.streams[0];
  CHECK(stream.settings == "s");
  CHECK(stream.messages == 279);
  CHECK(stream.first == 1);
  CHECK(stream.last == 300);
  CHECK(stream.segments == stage.segments().size());
  CHECK(report.read.size() == stream.segments);
  CHECK(stream.live_bytes < stream.log_bytes);
  CHECK(stream.live_bytes > 279 * 100);
}

TEST_CASE("store check: any byte of a segment's records that is flipped is damage") {
  Closed stage;
  const std::string path = stage.segments().front();
  const std::string good = stage.disk().content(path);
  for (std::size_t at = segment_header_bytes; at < good.size(); at += 997) {
    stage.flip(path, at);
    const Report report = check(stage.disk());
    CHECK(report.count(Weight::damage) > 0);
    CHECK(report.first(Weight::damage).path == path);
    stage.disk().change(path, good);
  }
  CHECK(check(stage.disk()).count(Weight::damage) == 0);
}

TEST_CASE("store check: what the snapshot knows to be durable is damaged, also at the end") {
  Closed stage;
  std::string path;
  for (const std::string& segment : stage.segments()) {
    if (stage.disk().content(segment).size() > 1000) path = segment;
  }
  const std::string good = stage.disk().content(path);
  stage.flip(path, good.find_last_not_of('\0') - 2);
  CHECK(check(stage.disk()).count(Weight::damage) > 0);
  stage.disk().change(path, good.substr(0, good.find_last_not_of('\0') - 50));
  CHECK(check(stage.disk()).count(Weight::damage) > 0);
}

TEST_CASE("store check: the torn end of what was never acknowledged is no damage") {
  FileLogStage stage;
  stage.fill(5);
  stage.log.reset();
  stage.world.close();
  const std::string path = stage.segments().front();
  std::string bytes = stage.world.disk.content(path);
  bytes.resize(bytes.find_last_not_of('\0') - 50);
  stage.world.disk.change(path, bytes);
  const Report report = check(stage.world.disk);
  CHECK(report.count(Weight::damage) == 0);
  REQUIRE(report.streams.size() == 1);
  CHECK(report.streams[0].messages == 4);
  CHECK(report.first(Weight::note).text != "");
  CHECK(stage.world.disk.content(path) == bytes);
}

TEST_CASE("store check: a header that cannot be read, of another segment or too new") {
  Closed stage;
  const std::vector<std::string> paths = stage.segments();
  const std::string good = stage.disk().content(paths[0]);
  stage.flip(paths[0], 20);
  CHECK(check(stage.disk()).first(Weight::damage).path == paths[0]);
  stage.disk().change(paths[0], stage.disk().content(paths[1]));
  CHECK(check(stage.disk()).first(Weight::damage).text.find("another segment") !=
        std::string::npos);
  std::string newer = good;
  newer[8] = 9;
  stage.disk().change(paths[0], newer);
  CHECK(check(stage.disk()).first(Weight::unreadable).text.find("newer server") !=
        std::string::npos);
}

TEST_CASE("store check: a segment with another salt has no good record") {
  Closed stage;
  const std::string path = stage.segments().front();
  std::string bytes = stage.disk().content(path);
  auto header = decode_segment_header(bytes);
  REQUIRE(header);
  header->salt ^= 1;
  bytes.replace(0, segment_header_bytes, encode_segment_header(*header));
  stage.disk().change(path, bytes);
  CHECK(check(stage.disk()).count(Weight::damage) > 0);
}

TEST_CASE("store check: the segment that the snapshot is about must be there, as it was") {
  Closed stage;
  const std::string last = stage.segments().back();
  const std::string good = stage.disk().content(last);
  auto header = decode_segment_header(good);
  REQUIRE(header);
  header->salt ^= 1;
  std::string other = good;
  other.replace(0, segment_header_bytes, encode_segment_header(*header));
  stage.disk().change(last, other);
  CHECK(check(stage.disk()).count(Weight::damage) > 0);
  stage.disk().remove(last);
  const Report report = check(stage.disk());
  CHECK(report.count(Weight::damage) > 0);
  CHECK(report.first(Weight::damage).path == last);
}

TEST_CASE("store check: snapshot and sidecars that are missing or damaged make a start slow") {
  Closed stage;
  const std::string snapshot = "streams/1/snapshot";
  const std::string sidecar = sidecar_path(1, 1);
  for (const std::string& path : {snapshot, sidecar}) {
    const std::string good = stage.disk().content(path);
    stage.flip(path, good.size() / 2);
    Report report = check(stage.disk());
    CHECK(report.first(Weight::slow_start).path == path);
    CHECK(report.count(Weight::damage) == 0);
    stage.disk().remove(path);
    report = check(stage.disk());
    CHECK(report.first(Weight::slow_start).path == path);
    CHECK(report.count(Weight::damage) == 0);
    stage.disk().change(path, good);
  }
}

TEST_CASE("store check: a whole sidecar that does not say what its segment says is damage") {
  Closed stage;
  const std::string path = sidecar_path(1, 1);
  const std::string good = stage.disk().content(path);
  const auto words = without_sum(good);
  REQUIRE(words);
  std::string changed(*words);
  changed[8 + 8 + 24] = static_cast<char>(changed[8 + 8 + 24] + 1);  // the last sequence
  stage.disk().change(path, with_sum(changed));
  CHECK(check(stage.disk()).first(Weight::damage).path == path);
}

TEST_CASE("store check: settings that are damaged, and folders of interrupted work") {
  Closed stage;
  stage.flip("streams/1/settings", 4);
  stage.disk().change("streams/1/notes.txt", "mine");
  stage.disk().change("streams/1/9.idx.new", "half");
  const auto files = stage.disk().open();
  REQUIRE(files->make_folder("streams/2"));
  REQUIRE(files->make_folder("streams/3.removed"));
  const Report report = check(stage.disk());
  REQUIRE(report.streams.size() == 1);
  CHECK(!report.streams[0].settings);
  CHECK(report.count(Weight::damage) == 1);
  CHECK(report.first(Weight::damage).path == "streams/1/settings");
  std::vector<std::string> notes;
  for (const Finding& finding : report.all) {
    if (finding.weight == Weight::note) notes.push_back(finding.path);
  }
  std::sort(notes.begin(), notes.end());
  CHECK(notes == std::vector<std::string>{"journal", "streams/1/9.idx.new", "streams/1/notes.txt",
                                          "streams/2", "streams/3.removed"});
}

TEST_CASE("store check: what is no store, or a newer one, is refused") {
  test::MemoryDisk disk;
  CHECK(check(disk).failure.find("'version' is missing") != std::string::npos);
  disk.change("version", "another program\n");
  CHECK(check(disk).failure.find("not that of a store") != std::string::npos);
  disk.change("version", "spanwire store 2\n");
  CHECK(check(disk).failure.find("newer server") != std::string::npos);
  disk.change("version", "spanwire store 1\n");
  CHECK(check(disk).failure.empty());
}

TEST_CASE("store check: the journal's replay is tried in memory, and its damage told") {
  test::StoreWorld world(test::small_segments(), true);
  REQUIRE(world.open());
  test::RememberingOwner owner;
  auto log = world.create(owner);
  owner.log = log.get();
  for (int i = 0; i < 5; ++i) {
    log->append({.subject = "a", .payload = "text"});
    log->commit();
    world.settle();
  }
  log.reset();
  world.close();
  // As a power cut leaves it: the journal has what the segment lacks.
  const std::string segment = segment_path(1, 1);
  const std::string whole = world.disk.content(segment);
  world.disk.change(segment, whole.substr(0, segment_header_bytes));
  Report report = check(world.disk);
  CHECK(report.failure == "");
  CHECK(report.journal.replayed_blocks > 4);
  REQUIRE(report.streams.size() == 1);
  CHECK(report.streams[0].messages == 5);
  CHECK(report.count(Weight::damage) == 0);
  CHECK(dump(world.disk).find("streams/1/1.seg at 64") != std::string::npos);
  // A block is flipped: those behind it tell that it was whole once.
  std::string journal = world.disk.content("journal");
  const std::string good = journal;
  journal[journal_ring_at + journal_page_bytes + 40] ^= 1;
  world.disk.change("journal", journal);
  report = check(world.disk);
  CHECK(report.first(Weight::damage).path == "journal");
  CHECK(report.journal.replayed_blocks == 1);
  // Neither header is whole.
  journal = good;
  journal[20] ^= 1;
  journal[journal_page_bytes + 20] ^= 1;
  world.disk.change("journal", journal);
  CHECK(check(world.disk).first(Weight::damage).path == "journal");
}

TEST_CASE("store check: one of each format version is well") {
  const char* fixtures = std::getenv("SPANWIRE_FIXTURES");
  REQUIRE_MESSAGE(fixtures != nullptr, "SPANWIRE_FIXTURES is not set: run it with meson test");
  for (const std::string version : {"1", "2"}) {
    test::MemoryDisk disk;
    const auto from = std::filesystem::path(fixtures) / "store" / version;
    REQUIRE(disk.open()->make_folder("streams"));
    REQUIRE(disk.open()->make_folder("streams/1"));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(from)) {
      if (entry.is_directory()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      disk.change(std::filesystem::relative(entry.path(), from).string(),
                  std::string(std::istreambuf_iterator<char>(in), {}));
    }
    const Report report = check(disk);
    REQUIRE(report.streams.size() == 1);
    CHECK(report.count(Weight::damage) == 0);
    CHECK(report.count(Weight::unreadable) == 0);
    CHECK(report.streams[0].messages == 166);
    CHECK(report.streams[0].first == 10);
    CHECK(report.streams[0].last == 301);
    CHECK((report.count(Weight::slow_start) != 0) == (version == "1"));
  }
}

TEST_CASE("store dump: each record is a line, with texts escaped and cut") {
  FileLogStage stage;
  stage.log->append({.subject = "a.b",
                     .headers = "NATS/1.0\r\n\r\n",
                     .payload = "first\n\x1b[2J",
                     .time = stage.now});
  stage.log->append({.subject = "a.c", .payload = std::string(1000, 'x'), .time = stage.now});
  stage.log->append({.subject = "a.d", .payload = "three", .time = stage.now});
  stage.log->note(3, "words");
  stage.commit();
  REQUIRE(stage.log->erase(1));
  REQUIRE(stage.log->erase(2));
  stage.commit();
  stage.log.reset();
  stage.world.close();
  const std::string text = dump(stage.world.disk);
  CHECK(text.find("streams/1/1.seg: salt ") != std::string::npos);
  CHECK(text.find("  message  1 1970-01-12T13:46:40.000000000Z a.b, headers 12, payload 10 "
                  "\"NATS/1.0\\r\\n\\r\\n\" \"first\\n\\x1b[2J\"\n") != std::string::npos);
  CHECK(text.find("note     kind 3, 5 bytes") != std::string::npos);
  CHECK(text.find("erase    1 to 2") != std::string::npos);
  CHECK(text.find(std::string(100, 'x')) == std::string::npos);

  const std::string later = dump(stage.world.disk, {.from = 3});
  CHECK(later.find("message  2 ") == std::string::npos);
  CHECK(later.find("message  3 ") != std::string::npos);
  const std::string one = dump(stage.world.disk, {.from = 2, .limit = 1});
  CHECK(one.find("message  2 ") != std::string::npos);
  CHECK(one.find("message  3 ") == std::string::npos);
}

TEST_CASE("store dump: damage is a line of its own, and what is good goes on behind it") {
  Closed stage;
  stage.flip(stage.segments().front(), 2000);
  const std::string text = dump(stage.disk());
  CHECK(text.find("DAMAGED") != std::string::npos);
  CHECK(text.find("message  300 ") != std::string::npos);
}
