// What makes a start short, sidecars and the snapshot: how little is read with them, and that
// without them everything is the same.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "store/segment_header.h"
#include "store/sidecar.h"
#include "tests/unit/store/file_log_stage.h"

using namespace spanwire;
using namespace spanwire::store;
using test::FileLogStage;

namespace {

const std::string snapshot_path = "streams/1/snapshot";

// All that a log tells.
struct Contents {
  std::map<Sequence, std::pair<std::string, std::string>> messages;  // subject and payload
  std::map<std::string, std::pair<std::uint64_t, Sequence>> subjects;
  std::map<std::uint32_t, std::string> notes;
  std::vector<std::uint64_t> totals;
  friend bool operator==(const Contents&, const Contents&) = default;
};

Contents contents_of(FileLogStage& stage) {
  Contents contents;
  const Totals& totals = stage.log->totals();
  for (Sequence sequence = totals.first; sequence <= totals.last; ++sequence) {
    if (!stage.log->has(sequence)) continue;
    const std::string subject(stage.log->subject_of(sequence));
    contents.messages[sequence] = {subject, stage.read(sequence)};
    const SubjectTotals of = stage.log->of(subject);
    contents.subjects[subject] = {of.messages, of.last};
  }
  contents.notes = stage.owner.notes;
  contents.totals = {totals.messages,
                     totals.bytes,
                     totals.first,
                     totals.last,
                     totals.subjects,
                     static_cast<std::uint64_t>(totals.first_time.time_since_epoch().count()),
                     static_cast<std::uint64_t>(totals.last_time.time_since_epoch().count())};
  return contents;
}

// Some of everything: erasures in and across segments, purges, gaps, notes, compacted segments.
void write_much(FileLogStage& stage) {
  for (std::uint32_t i = 0; i < 1500; ++i) {
    stage.now += std::chrono::milliseconds(i % 7);
    const std::string subject = "s." + std::to_string(i * 7919 % 83);
    const Sequence older = stage.log->ahead_of(subject).last;
    const Sequence sequence = stage.append(subject, std::string(20 + i % 90, 'p'));
    if (i % 3 == 0 && older != 0) stage.log->erase(older);
    if (i % 11 == 0) stage.log->erase(1 + i * 31 % sequence);
    if (i % 97 == 0) stage.owner.notes[1 + i % 5] = "note " + std::to_string(i);
    if (i % 97 == 0) stage.log->note(1 + i % 5, stage.owner.notes[1 + i % 5]);
    if (i % 400 == 399) static_cast<void>(stage.log->erase_through(sequence - 300));
    if (i == 900) static_cast<void>(stage.log->erase_through(sequence + 5));
    stage.commit();
    if (i % 300 != 0) continue;
    stage.world.loop.set_now(stage.world.loop.now() + std::chrono::seconds(1));
    stage.world.loop.run_timers();
    stage.world.settle();
  }
}

std::vector<std::string> sidecars_of(FileLogStage& stage) {
  std::vector<std::string> found;
  const auto names = stage.world.disk.open()->list("streams/1");
  REQUIRE(names);
  for (const std::string& name : *names) {
    if (name.ends_with(".idx")) found.push_back("streams/1/" + name);
  }
  return found;
}

// Bytes that a start reads of segments, and of what is beside them.
struct Reads {
  std::uint64_t segments = 0;
  std::uint64_t beside = 0;
};
Reads reopen_counting(FileLogStage& stage) {
  stage.world.disk.forget_reads();
  REQUIRE(stage.reopen());
  Reads reads;
  for (const auto& [path, bytes] : stage.world.disk.reads()) {
    if (path.ends_with(".seg")) reads.segments += bytes;
    if (path.ends_with(".idx") || path == snapshot_path) reads.beside += bytes;
  }
  return reads;
}

}  // namespace

TEST_CASE("snapshot: after a crash at any moment a start reads sidecars, snapshot and the tail") {
  FileLogStage stage;
  std::size_t sealed_most = 0;
  for (int crashes = 0; crashes < 40; ++crashes) {
    stage.fill(37 + static_cast<std::size_t>(crashes) * 5);
    const Totals totals = stage.log->totals();
    std::uint64_t saved = 0;
    if (stage.world.disk.has(snapshot_path)) {
      saved += stage.world.disk.content(snapshot_path).size();
    }
    for (const std::string& path : sidecars_of(stage)) {
      saved += stage.world.disk.content(path).size();
    }
    const std::vector<std::string> segments = stage.segments();
    std::size_t tail = 0;  // of the last that has more than a header
    for (const std::string& path : segments) {
      const std::size_t size = stage.world.disk.content(path).find_last_not_of('\0') + 1;
      if (size > segment_header_bytes) tail = size;
    }
    const Reads reads = reopen_counting(stage);
    CHECK(stage.log->totals().messages == totals.messages);
    CHECK(stage.log->totals().last == totals.last);
    sealed_most = std::max(sealed_most, segments.size() - 1);
    if (stage.owner.restored.empty()) continue;  // the first segment was never full
    CHECK(reads.beside <= saved);
    // The first bytes of each are read before, and the last sector to its end; the last batch once
    // more, to write it again.
    CHECK(reads.segments <= tail + 1024 + 256 + segments.size() * 256);
  }
  CHECK(sealed_most > 20);
}

TEST_CASE("snapshot: after closing, what came behind it is all that is read") {
  FileLogStage stage;
  stage.fill(2000);
  for (Sequence sequence = 100; sequence < 300; ++sequence) CHECK(stage.log->erase(sequence));
  stage.log->note(3, "three");
  stage.owner.notes[3] = "three";
  stage.commit();
  const Totals totals = stage.log->totals();
  stage.log->close([] {});
  stage.world.settle();
  for (int tail = 0; tail < 2; ++tail) {
    const Reads reads = reopen_counting(stage);
    CHECK(reads.segments <
          (stage.segments().size() + 2) * 256 + static_cast<unsigned>(tail) * 4096);
    CHECK(stage.owner.restored == "state:\3three");
    CHECK(stage.owner.messages.size() == static_cast<std::size_t>(tail));
    CHECK(stage.log->totals().messages == totals.messages + static_cast<std::size_t>(tail));
    CHECK(stage.log->totals().first == 1);
    CHECK(stage.log->totals().subjects == totals.subjects + static_cast<std::size_t>(tail));
    CHECK(stage.log->of("a.3").messages == 180);
    CHECK(stage.log->of("a.3").last == 1994);
    CHECK(stage.read(99) == std::string(100, 'p'));
    CHECK(stage.read(100) == "gone");
    CHECK(stage.read(2000) == std::string(100, 'p'));
    if (tail == 0) CHECK(stage.append("b", "tail") == 2001);
    if (tail == 0) stage.commit();
  }
  CHECK(stage.read(2001) == "tail");
}

TEST_CASE("snapshot: one that is missing, damaged, newer or stale is slow, never wrong") {
  for (const bool closed : {true, false}) {
    FileLogStage stage;
    write_much(stage);
    if (closed) stage.log->close([] {});
    stage.world.settle();
    const std::string whole = stage.world.disk.content(snapshot_path);
    REQUIRE(stage.reopen());
    CHECK(!stage.owner.restored.empty());
    const Contents contents = contents_of(stage);
    const auto check_slow = [&] {
      REQUIRE(stage.reopen());
      CHECK(stage.owner.restored.empty());
      CHECK(contents_of(stage) == contents);
    };
    stage.world.disk.remove(snapshot_path);
    check_slow();
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
      stage.world.disk.change(snapshot_path, whole.substr(0, cut));
      check_slow();
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ 8);
      stage.world.disk.change(snapshot_path, flipped);
      check_slow();
    }
    stage.world.disk.change(snapshot_path, whole);
    REQUIRE(stage.reopen());
    CHECK(!stage.owner.restored.empty());
    CHECK(contents_of(stage) == contents);
  }
}

TEST_CASE("snapshot: stale when a segment behind it was compacted") {
  FileLogStage stage;
  stage.fill(200);
  const std::string old = stage.world.disk.content(snapshot_path);
  stage.fill(400);
  for (Sequence sequence = 1; sequence < 560; ++sequence) stage.log->erase(sequence);
  stage.commit();
  for (int i = 0; i < 5; ++i) {
    stage.world.loop.set_now(stage.world.loop.now() + std::chrono::seconds(1));
    stage.world.loop.run_timers();
    stage.world.settle();
  }
  stage.fill(20);  // what was dropped is removed now
  const Contents contents = contents_of(stage);
  REQUIRE(!old.empty());
  stage.world.disk.change(snapshot_path, old);
  REQUIRE(stage.reopen());
  CHECK(stage.owner.restored.empty());
  CHECK(contents_of(stage).messages == contents.messages);
}

TEST_CASE("sidecar: those that are missing, damaged or stale change nothing but what is read") {
  FileLogStage stage;
  write_much(stage);
  REQUIRE(stage.reopen());
  stage.world.settle();
  const Contents contents = contents_of(stage);
  const std::vector<std::string> paths = sidecars_of(stage);
  REQUIRE(paths.size() > 3);
  const auto check = [&] {
    REQUIRE(stage.reopen());
    CHECK(!stage.owner.restored.empty());
    CHECK(contents_of(stage) == contents);
  };
  for (const std::string& path : paths) {
    const std::string whole = stage.world.disk.content(path);
    stage.world.disk.remove(path);
    check();
    stage.world.settle();
    CHECK(stage.world.disk.content(path) == whole);  // made anew
    for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 7) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ 8);
      stage.world.disk.change(path, flipped);
      check();
      stage.world.disk.change(path, whole.substr(0, at));
      check();
    }
    // Another segment's, whole as it is.
    stage.world.disk.change(path, stage.world.disk.content(paths[path == paths[0] ? 1 : 0]));
    check();
    stage.world.disk.change(path, whole);
  }
  for (const std::string& path : paths) stage.world.disk.remove(path);
  check();
}

TEST_CASE("sidecar: one of a segment that is gone is removed") {
  FileLogStage stage;
  stage.fill(300);
  stage.world.disk.change("streams/1/999.idx", "x");
  stage.world.disk.change("streams/1/1.idx.new", "x");
  REQUIRE(stage.reopen());
  CHECK(!stage.world.disk.has("streams/1/999.idx"));
  CHECK(!stage.world.disk.has("streams/1/1.idx.new"));
  CHECK(stage.world.disk.has("streams/1/1.idx"));
  CHECK(stage.log->erase_through(300));
  for (int i = 0; i < 200; ++i) stage.fill(1);
  stage.world.settle();
  CHECK(!stage.world.disk.has("streams/1/1.seg"));
  CHECK(!stage.world.disk.has("streams/1/1.idx"));
}

TEST_CASE("sidecar: what is read from one is what the segment says") {
  FileLogStage stage;
  stage.fill(400);
  const std::string bytes = stage.world.disk.content("streams/1/2.idx");
  const auto sidecar = decode_sidecar(bytes);
  REQUIRE(sidecar);
  CHECK(sidecar->number == 2);
  CHECK(sidecar->end == stage.world.disk.content("streams/1/2.seg").size());
  CHECK(sidecar->erased.empty());
  CHECK(sidecar->subjects.size() == 10);
  REQUIRE(sidecar->messages != nullptr);
  CHECK(sidecar->messages->last() == sidecar->last);
  CHECK(sidecar->messages->live() == sidecar->last - sidecar->messages->first() + 1);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    CHECK(!decode_sidecar(std::string_view(bytes).substr(0, cut)));
  }
  std::string newer = bytes;
  newer[12] = 2;
  CHECK(!decode_sidecar(newer));
}

TEST_CASE("sidecar: each subject stands in it once, and each message has its own") {
  store::Settings settings;
  settings.segment_bytes = 4U << 20;
  FileLogStage stage(settings);
  const auto subject_of = [](std::size_t i) {
    return "kv." + std::to_string(i % 2000) + std::string(i % 40, 'x');
  };
  for (std::size_t i = 0; i < 5000; ++i) stage.append(subject_of(i), "value");
  stage.commit();
  stage.log->close([] {});
  stage.world.settle();
  const std::string bytes = stage.world.disk.content("streams/1/1.idx");
  const auto sidecar = decode_sidecar(bytes);
  REQUIRE(sidecar);
  CHECK(sidecar->subjects.size() == 2000);
  REQUIRE(sidecar->messages != nullptr);
  REQUIRE(sidecar->messages->size() == 5000);
  for (std::size_t i = 0; i < 5000; ++i) {
    CHECK(sidecar->subjects[sidecar->messages->subject(i)] == subject_of(i));
  }
}
