#include "tests/unit/store/file_log_stage.h"

using namespace spanwire;
using namespace spanwire::store;
using test::FileLogStage;

TEST_CASE("file log: after closing, the snapshot and what came after it is all that is read") {
  FileLogStage stage;
  stage.fill(2000);
  for (Sequence sequence = 100; sequence < 300; ++sequence) CHECK(stage.log->erase(sequence));
  stage.log->note(3, "three");
  stage.commit();
  const Totals totals = stage.log->totals();
  stage.log->close([] {});
  stage.world.settle();
  const std::uint64_t snapshot = stage.world.disk.content("streams/1/snapshot").size();
  for (int tail = 0; tail < 2; ++tail) {
    stage.world.disk.forget_reads();
    REQUIRE(stage.reopen());
    std::uint64_t read = 0;
    for (const auto& [path, bytes] : stage.world.disk.reads()) {
      if (path.ends_with(".seg") || path.ends_with("snapshot")) read += bytes;
    }
    // Of each segment its first bytes are looked at, of the open one what is reserved behind it.
    CHECK(read < snapshot + (stage.segments().size() + 2) * 256 + tail * 32768);
    CHECK(stage.owner.restored == "state");
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

TEST_CASE("file log: a snapshot that is missing, damaged, newer or stale is slow, never wrong") {
  FileLogStage stage;
  stage.fill(300);
  stage.log->note(3, "three");
  stage.commit();
  stage.log->close([] {});
  stage.world.settle();
  const std::string path = "streams/1/snapshot";
  const std::string whole = stage.world.disk.content(path);
  const auto full = [&] {
    REQUIRE(stage.reopen());
    CHECK(stage.owner.restored.empty());
    CHECK(stage.owner.messages.size() == 300);
    CHECK(stage.owner.notes[3] == "three");
    CHECK(stage.log->totals().messages == 300);
  };
  stage.world.disk.remove(path);
  full();
  for (std::size_t cut = 0; cut < whole.size(); cut += 97) {
    stage.world.disk.change(path, whole.substr(0, cut));
    full();
  }
  for (std::size_t at = 0; at < whole.size(); at += 97) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 8);
    stage.world.disk.change(path, flipped);
    full();
  }
  // Stale: a segment that it knows was written anew.
  stage.world.disk.change(path, whole);
  REQUIRE(stage.reopen());
  CHECK(stage.owner.restored == "state");
  for (Sequence sequence = 1; sequence < 60; ++sequence) CHECK(stage.log->erase(sequence));
  stage.commit();
  for (int i = 0; i < 5; ++i) {
    stage.world.loop.set_now(stage.world.loop.now() + std::chrono::seconds(1));
    stage.world.loop.run_timers();
    stage.world.settle();
  }
  REQUIRE(stage.reopen());
  CHECK(stage.owner.restored.empty());
  CHECK(stage.log->totals().messages == 241);
  CHECK(stage.read(60) == std::string(100, 'p'));
  CHECK(stage.read(59) == "gone");
}
