#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "store/segment_header.h"
#include "tests/support/captured_log.h"
#include "tests/support/store_world.h"

using namespace spanwire;
using namespace spanwire::store;

namespace {

// Remembers what it was told, and repeats the notes that it has said.
struct Owner final : Log::Owner {
  void on_committed(Ticket ticket, const base::Status& status) override {
    committed = ticket;
    if (!status) failure = status.error().text;
  }
  void restore(std::string_view words) override { restored = words; }
  void replay_message(const Message& message) override {
    messages[message.sequence] = std::string(message.payload);
  }
  void replay_erased(Sequence sequence) override { messages.erase(sequence); }
  void replay_note(std::uint32_t kind, std::string_view note) override {
    notes[kind] = std::string(note);
  }
  void repeat_notes() override {
    ++repeated;
    for (const auto& [kind, note] : notes) log->note(kind, note);
  }
  std::string state() const override { return "state"; }

  Log* log = nullptr;
  Ticket committed = 0;
  std::string failure;
  std::string restored;
  std::map<Sequence, std::string> messages;
  std::map<std::uint32_t, std::string> notes;
  int repeated = 0;
};

Settings small() {
  Settings settings;
  settings.segment_first_bytes = 4096;
  settings.segment_bytes = 16384;
  return settings;
}

struct Stage {
  explicit Stage(Settings settings = small()) : world(settings) {
    REQUIRE(world.open());
    log = world.create(owner);
    owner.log = log.get();
  }
  Sequence append(std::string_view subject, std::string_view payload) {
    return log->append({.subject = subject, .payload = payload, .time = now});
  }
  void commit() {
    log->commit();
    world.settle();
  }
  // Appends and commits; one message a round.
  void fill(std::size_t count, std::size_t payload_bytes = 100) {
    for (std::size_t i = 0; i < count; ++i) {
      append("a." + std::to_string(i % 10), std::string(payload_bytes, 'p'));
      commit();
    }
  }
  std::string read(Sequence sequence) {
    Message message;
    Read read = log->read(sequence, message);
    if (read == Read::later) {
      log->fetch(sequence, [] {});
      world.settle();
      read = log->read(sequence, message);
    }
    if (read == Read::gone) return "gone";
    if (read == Read::damaged) return "damaged";
    return read == Read::found ? std::string(message.payload) : "later";
  }
  // As a process that ends and starts again does.
  base::Status reopen() {
    log.reset();
    world.close();
    if (const base::Status opened = world.open(); !opened) return opened;
    owner = Owner();
    auto recovered = world.recover(owner);
    if (!recovered) return tl::unexpected(recovered.error());
    log = std::move(*recovered);
    owner.log = log.get();
    return {};
  }
  std::vector<std::string> segments() {
    const auto names = world.disk.open()->list("streams/1");
    REQUIRE(names);
    std::vector<std::string> found;
    for (const std::string& name : *names) {
      if (name.ends_with(".seg")) found.push_back("streams/1/" + name);
    }
    return found;
  }

  test::StoreWorld world;
  Owner owner;
  std::unique_ptr<Log> log;
  base::WallTime now = base::WallTime(std::chrono::seconds(1'000'000));
};

}  // namespace

TEST_CASE("file log: a commit is told when the disk has it, in the order of tickets") {
  Stage stage;
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
  Stage stage;
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
  Stage stage;
  stage.log->note(1, "kept");
  stage.owner.notes[1] = "kept";
  stage.fill(1000);
  CHECK(stage.segments().size() > 5);
  CHECK(stage.owner.repeated > 5);
  REQUIRE(stage.reopen());
  CHECK(stage.log->totals().messages == 1000);
  CHECK(stage.owner.messages.size() == 1000);
  CHECK(stage.owner.notes == std::map<std::uint32_t, std::string>{{1, "kept"}});
  CHECK(stage.log->of("a.3").messages == 100);
  CHECK(stage.log->of("a.3").last == 994);
}

TEST_CASE("file log: the last sequence stays given, whatever was erased") {
  Stage stage;
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
  Stage stage;
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
  Stage stage;
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
  Stage stage{Settings{}};
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
  Stage stage;
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
  Stage stage;
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
  Stage stage{Settings{}};
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
  Stage stage;
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
    Stage stage;
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
    stage.owner = Owner();
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
  Stage stage;
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
  Stage stage;
  stage.append("a", "one");
  stage.log->commit();
  bool ready = false;
  stage.log->fetch(1, [&ready] { ready = true; });
  stage.log.reset();
  stage.world.settle();
  CHECK(stage.owner.committed == 0);
  CHECK_FALSE(ready);
}

TEST_CASE("file log: closing commits what was said") {
  Stage stage;
  stage.append("a", "one");
  bool closed = false;
  stage.log->close([&closed] { closed = true; });
  CHECK_FALSE(closed);
  stage.world.settle();
  CHECK(closed);
  REQUIRE(stage.reopen());
  CHECK(stage.read(1) == "one");
}

TEST_CASE("file log: after closing, the snapshot and what came after it is all that is read") {
  Stage stage;
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
  Stage stage;
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

TEST_CASE("store: a second process is refused, and a newer version") {
  test::StoreWorld world;
  world.disk.open();
  REQUIRE(world.open());
  world.close();
  CHECK(world.disk.content("version") == "spanwire store 1\n");
  world.disk.change("version", "spanwire store 2\n");
  const base::Status newer = world.open();
  REQUIRE_FALSE(newer);
  CHECK(newer.error().text.find("newer server") != std::string::npos);
  for (const char* other : {"", "spanwire store \n", "x", "spanwire store 0\n"}) {
    world.disk.change("version", other);
    CHECK_FALSE(world.open());
  }
  world.disk.change("version", "spanwire store 1\n");
  CHECK(world.open());
  world.close();
  world.disk.lock_elsewhere("lock");
  CHECK_FALSE(world.open());
}

TEST_CASE("store: streams are found with the settings that they were given last") {
  test::StoreWorld world;
  Owner one;
  Owner two;
  REQUIRE(world.open());
  auto first = world.create(one, "first");
  auto second = world.create(two, "second");
  bool set = false;
  world.store().set(*first, "changed", world.loop,
                    [&set](const base::Status& status) { set = status.has_value(); });
  world.settle();
  CHECK(set);
  first.reset();
  second.reset();
  world.close();
  REQUIRE(world.open());
  REQUIRE(world.store().found().size() == 2);
  CHECK(world.store().found()[0].path == "streams/1");
  CHECK(world.store().found()[0].settings == "changed");
  CHECK(world.store().found()[1].settings == "second");
}

TEST_CASE("store: a stream that was removed is gone, and its number is not used again") {
  test::StoreWorld world;
  Owner owner;
  REQUIRE(world.open());
  auto log = world.create(owner);
  world.create(owner);
  bool removed = false;
  world.store().remove(std::move(log), world.loop,
                       [&removed](const base::Status& status) { removed = status.has_value(); });
  world.settle();
  CHECK(removed);
  CHECK_FALSE(world.disk.has("streams/1"));
  world.close();
  REQUIRE(world.open());
  REQUIRE(world.store().found().size() == 1);
  CHECK(world.store().found()[0].path == "streams/2");
  world.create(owner);
  CHECK(world.disk.has("streams/3/settings"));
}

TEST_CASE("store: what an interrupted creation or removal has left is cleared away") {
  test::StoreWorld world;
  Owner owner;
  REQUIRE(world.open());
  world.create(owner);
  world.create(owner);
  world.create(owner);
  world.close();
  world.disk.remove("streams/1/settings");
  REQUIRE(world.disk.open()->rename("streams/2", "streams/2.removed"));
  REQUIRE(world.open());
  CHECK(world.store().found().size() == 1);
  CHECK_FALSE(world.disk.has("streams/1"));
  CHECK_FALSE(world.disk.has("streams/2.removed"));
}

TEST_CASE("store: damaged settings leave that stream aside, and its files alone") {
  test::StoreWorld world;
  Owner owner;
  REQUIRE(world.open());
  world.create(owner, "words");
  world.close();
  std::string settings = world.disk.content("streams/1/settings");
  settings.back() = 'x';
  world.disk.change("streams/1/settings", settings);
  test::CapturedLog captured;
  REQUIRE(world.open());
  CHECK(world.store().found().empty());
  CHECK(captured.lines().size() == 1);
  CHECK(world.disk.has("streams/1/1.seg"));
}
