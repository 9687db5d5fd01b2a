#include "tests/unit/store/file_log_stage.h"

using namespace spanwire;
using namespace spanwire::store;
using test::FileLogStage;
using test::RememberingOwner;
using test::small_segments;

TEST_CASE("file log: a commit is told when the disk has it, in the order of tickets") {
  FileLogStage stage;
  stage.append("a", "one");
  const Ticket first = stage.log->commit();
  stage.append("a", "two");
  const Ticket second = stage.log->commit();
  const Ticket nothing = stage.log->commit();
  CHECK(second == first + 1);
  CHECK(nothing == second + 1);
  CHECK(stage.owner.committed == 0);
  CHECK(stage.log->totals().last == 0);
  CHECK(stage.log->ahead().last == 2);
  CHECK(stage.log->uncommitted_bytes() != 0);
  stage.world.settle();
  CHECK(stage.owner.committed == nothing);
  CHECK(stage.log->totals().last == 2);
  CHECK(stage.log->uncommitted_bytes() == 0);
  const Ticket later = stage.log->commit();
  CHECK(stage.owner.committed == nothing);
  stage.world.settle();
  CHECK(stage.owner.committed == later);
}

TEST_CASE("file log: everything comes back after a restart") {
  FileLogStage stage;
  stage.append("a", "one");
  stage.append("b", "two");
  stage.log->note(7, "seven");
  stage.commit();
  stage.append("a", "three");
  CHECK(stage.log->erase(1));
  stage.commit();
  REQUIRE(stage.reopen());
  CHECK(stage.log->totals().messages == 2);
  CHECK(stage.log->totals().first == 2);
  CHECK(stage.log->totals().last == 3);
  CHECK(stage.log->totals().first_time == stage.now);
  CHECK(stage.read(1) == "gone");
  CHECK(stage.read(2) == "two");
  CHECK(stage.read(3) == "three");
  CHECK(stage.owner.messages == std::map<Sequence, std::string>{{2, "two"}, {3, "three"}});
  CHECK(stage.owner.notes[7] == "seven");
  CHECK(stage.append("a", "four") == 4);
  stage.commit();
  REQUIRE(stage.reopen());
  CHECK(stage.read(4) == "four");
}

TEST_CASE("file log: segments follow one another, and each repeats the notes") {
  FileLogStage stage;
  stage.log->note(1, "kept");
  stage.owner.notes[1] = "kept";
  stage.fill(1000);
  CHECK(stage.segments().size() > 5);
  CHECK(stage.owner.repeated > 5);
  stage.world.disk.remove("streams/1/snapshot");
  REQUIRE(stage.reopen());
  CHECK(stage.log->totals().messages == 1000);
  CHECK(stage.owner.messages.size() == 1000);
  CHECK(stage.owner.notes == std::map<std::uint32_t, std::string>{{1, "kept"}});
  CHECK(stage.log->of("a.3").messages == 100);
  CHECK(stage.log->of("a.3").last == 994);
}

TEST_CASE("file log: the last sequence stays given, whatever was erased") {
  FileLogStage stage;
  stage.fill(300);
  CHECK(stage.log->erase_through(300));
  stage.commit();
  stage.fill(1);
  CHECK(stage.log->erase(301));
  stage.commit();
  stage.world.settle();
  REQUIRE(stage.reopen());
  CHECK(stage.log->totals().messages == 0);
  CHECK(stage.log->totals().last == 301);
  CHECK(stage.log->totals().first == 302);
  CHECK(stage.append("a", "x") == 302);
}

TEST_CASE("file log: erasing through a sequence to come makes the next one larger") {
  FileLogStage stage;
  stage.fill(3);
  CHECK(stage.log->erase_through(1000));
  stage.commit();
  REQUIRE(stage.reopen());
  CHECK(stage.append("a", "x") == 1001);
  stage.commit();
  REQUIRE(stage.reopen());
  CHECK(stage.log->totals().first == 1001);
}

TEST_CASE("file log: segments without messages go, and stay gone") {
  FileLogStage stage;
  stage.fill(500);
  const std::size_t before = stage.segments().size();
  CHECK(stage.log->erase_through(400));
  stage.commit();
  stage.fill(2);
  CHECK(stage.segments().size() < before - 2);
  REQUIRE(stage.reopen());
  CHECK(stage.log->totals().first == 401);
  CHECK(stage.log->totals().last == 502);
  CHECK(stage.read(401) == std::string(100, 'p'));
}

TEST_CASE("file log: a bucket that is overwritten stays within four times what lives, and 4 MiB") {
  FileLogStage stage{Settings{}};
  // One key that is never written again keeps the first segments from dying by themselves.
  stage.append("kv.never", "kept");
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < 300'000; ++i) {
    const std::string subject = "kv." + std::to_string(i * 7919 % 1000);
    const Sequence older = stage.log->ahead_of(subject).last;
    stage.append(subject, std::string(100, 'v'));
    if (older != 0) CHECK(stage.log->erase(older));
    if (i % 100 != 0) continue;
    stage.commit();
    stage.world.loop.set_now(stage.world.loop.now() + std::chrono::milliseconds(20));
    stage.world.loop.run_timers();
    most = std::max(most, stage.world.disk.used_bytes());
  }
  stage.commit();
  const std::uint64_t live = stage.log->totals().bytes;
  CHECK(most < 4 * live + (4U << 20));
  CHECK(stage.log->totals().messages == 1001);
  CHECK(stage.read(1) == "kept");
  REQUIRE(stage.reopen());
  CHECK(stage.log->totals().messages == 1001);
  CHECK(stage.log->totals().bytes == live);
  CHECK(stage.log->of("kv.5").messages == 1);
  CHECK(stage.read(1) == "kept");
}

TEST_CASE("file log: what lives is found after compaction, and what was erased stays so") {
  FileLogStage stage;
  stage.fill(1000);
  for (Sequence sequence = 1; sequence <= 1000; ++sequence) {
    if (sequence % 5 != 0) CHECK(stage.log->erase(sequence));
    if (sequence % 100 == 0) stage.commit();
  }
  const std::uint64_t before = stage.world.disk.used_bytes();
  for (int i = 0; i < 20; ++i) {
    stage.world.loop.set_now(stage.world.loop.now() + std::chrono::seconds(1));
    stage.world.loop.run_timers();
    stage.world.settle();
  }
  CHECK(stage.world.disk.used_bytes() < before / 2);
  for (int round = 0; round < 2; ++round) {
    CHECK(stage.log->totals().messages == 200);
    for (Sequence sequence = 1; sequence <= 1000; ++sequence) {
      CHECK(stage.read(sequence) == (sequence % 5 == 0 ? std::string(100, 'p') : "gone"));
    }
    CHECK(stage.log->footprint().damaged == 0);
    REQUIRE(stage.reopen());
  }
}

TEST_CASE("file log: a message beyond memory is fetched, large ones too") {
  FileLogStage stage;
  stage.append("a", "first");
  stage.append("a", std::string(300'000, 'l'));
  stage.append("a", "last");
  stage.commit();
  REQUIRE(stage.reopen());
  stage.world.disk.set_cold(true);
  Message message;
  CHECK(stage.log->read(2, message) == Read::later);
  CHECK(stage.read(2) == std::string(300'000, 'l'));
  CHECK(stage.read(1) == "first");
  CHECK(stage.read(3) == "last");
}

TEST_CASE("file log: who reads in order asks the disk once a block") {
  FileLogStage stage{Settings{}};
  stage.fill(5000);
  REQUIRE(stage.reopen());
  stage.world.disk.set_cold(true);
  stage.world.disk.forget_reads();
  int fetches = 0;
  for (Sequence sequence = 1; sequence <= 5000; ++sequence) {
    Message message;
    if (stage.log->read(sequence, message) == Read::found) continue;
    ++fetches;
    REQUIRE(stage.read(sequence) == std::string(100, 'p'));
  }
  CHECK(fetches < 15);
}

TEST_CASE("file log: a message that is damaged on the disk is reported once; others are read") {
  FileLogStage stage;
  stage.append("a", "one");
  stage.append("a", "DAMAGE ME");
  stage.append("a", "three");
  stage.commit();
  REQUIRE(stage.reopen());
  std::string content = stage.world.disk.content(stage.segments()[0]);
  content[content.find("DAMAGE ME")] = 'd';
  stage.world.disk.change(stage.segments()[0], content);
  test::CapturedLog captured;
  CHECK(stage.read(2) == "damaged");
  CHECK(stage.read(2) == "damaged");
  CHECK(captured.lines().size() == 1);
  CHECK(stage.log->footprint().damaged == 1);
  CHECK(stage.read(1) == "one");
  CHECK(stage.read(3) == "three");
}

TEST_CASE("file log: a failed write fails all that waits, and what is committed stays") {
  for (const test::Call call : {test::Call::write, test::Call::sync}) {
    FileLogStage stage;
    stage.fill(3);
    test::CapturedLog captured;
    stage.world.disk.decide([call](test::Call asked, std::string_view) {
      return asked == call ? test::Outcome::fails : test::Outcome::fine;
    });
    stage.append("a", "lost");
    stage.log->commit();
    stage.append("a", "lost too");
    const Ticket last = stage.log->commit();
    stage.world.settle();
    CHECK(stage.owner.committed == last);
    CHECK_FALSE(stage.owner.failure.empty());
    REQUIRE(stage.log->failed() != nullptr);
    CHECK(captured.lines().size() == 1);
    CHECK(stage.log->ahead().last == 3);
    CHECK(stage.log->append({.subject = "a"}) == 0);
    CHECK_FALSE(stage.log->erase(1));
    const Ticket refused = stage.log->commit();
    stage.world.settle();
    CHECK(stage.owner.committed == refused);
    CHECK(stage.read(3) == std::string(100, 'p'));

    // Opened again in the same process it goes on in a new segment.
    stage.world.disk.decide({});
    stage.log.reset();
    stage.owner = RememberingOwner();
    auto recovered = stage.world.recover(stage.owner);
    REQUIRE(recovered);
    stage.log = std::move(*recovered);
    stage.owner.log = stage.log.get();
    CHECK(stage.log->totals().last == 3);
    CHECK(stage.append("a", "again") == 4);
    stage.commit();
    CHECK(stage.segments().size() == 2);
    REQUIRE(stage.reopen());
    CHECK(stage.log->totals().last == 4);
    CHECK(stage.read(4) == "again");
  }
}

TEST_CASE("file log: when the workers have too much to do, things wait and come to pass") {
  FileLogStage stage;
  stage.fill(3);
  stage.world.disk.set_cold(true);
  REQUIRE(stage.reopen());
  stage.world.workers.limit = 0;
  bool ready = false;
  stage.log->fetch(2, [&ready] { ready = true; });
  stage.world.settle();
  CHECK_FALSE(ready);
  stage.world.workers.limit = 10;
  stage.world.loop.set_now(stage.world.loop.now() + std::chrono::seconds(1));
  stage.world.loop.run_timers();
  stage.world.settle();
  CHECK(ready);
}

TEST_CASE("file log: nothing is called after the log is gone") {
  FileLogStage stage;
  stage.append("a", "one");
  stage.log->commit();
  bool ready = false;
  stage.log->fetch(1, [&ready] { ready = true; });
  stage.log.reset();
  stage.world.settle();
  CHECK(stage.owner.committed == 0);
  CHECK_FALSE(ready);
}

TEST_CASE("file log: with an interval commits are told when written, and synced as late") {
  Settings settings = small_segments();
  settings.sync_interval = std::chrono::seconds(2);
  FileLogStage stage{settings};
  int syncs = 0;
  stage.world.disk.decide([&syncs](test::Call call, std::string_view path) {
    if (call == test::Call::sync && path == "streams/1/1.seg") ++syncs;
    return test::Outcome::fine;
  });
  stage.fill(3);
  CHECK(stage.owner.committed == 3);
  CHECK(syncs == 0);
  stage.world.loop.set_now(stage.world.loop.now() + std::chrono::seconds(2));
  stage.world.loop.run_timers();
  stage.world.settle();
  CHECK(syncs == 1);
  stage.world.loop.set_now(stage.world.loop.now() + std::chrono::seconds(9));
  stage.world.loop.run_timers();
  stage.world.settle();
  CHECK(syncs == 1);
}

TEST_CASE("file log: closing commits what was said") {
  FileLogStage stage;
  stage.append("a", "one");
  bool closed = false;
  stage.log->close([&closed] { closed = true; });
  CHECK_FALSE(closed);
  stage.world.settle();
  CHECK(closed);
  REQUIRE(stage.reopen());
  CHECK(stage.read(1) == "one");
}
