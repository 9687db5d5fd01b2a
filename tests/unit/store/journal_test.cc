#include "store/journal.h"

#include <doctest/doctest.h>

#include <string>

#include "base/little_endian.h"
#include "tests/support/captured_log.h"
#include "tests/support/commit_world.h"

using namespace spanwire;
using test::Call;
using test::CommitWorld;
using test::MemoryDisk;
using test::Outcome;
using test::Segment;

namespace {

constexpr std::uint64_t header = store::segment_header_bytes;
const store::JournalSettings smallest{.first_bytes = store::Journal::min_bytes,
                                      .max_bytes = store::Journal::min_bytes};

std::unique_ptr<CommitWorld> open(MemoryDisk& disk, store::JournalSettings settings = {}) {
  auto world = CommitWorld::open(disk, std::move(settings));
  REQUIRE(world);
  return std::move(*world);
}

Segment segment_of(CommitWorld& world, std::uint64_t stream, std::uint64_t salt = 1) {
  auto segment = test::make_segment(*world.files, stream, 1, salt);
  REQUIRE(segment);
  return *segment;
}

bool commit(CommitWorld& world, const Segment& segment, std::uint64_t offset, std::string text) {
  const std::size_t index = world.submit(segment, offset, std::move(text));
  world.step();
  REQUIRE(world.told[index]);
  return world.told[index]->has_value();
}

std::string behind_header(const MemoryDisk& disk, std::uint64_t stream) {
  return disk.content(store::segment_path(stream, 1)).substr(header);
}

// One stream's rounds, of two pages each; between two of them the helpers do all that they have.
class Rounds {
 public:
  explicit Rounds(CommitWorld& world) : world_(world), segment_(segment_of(world, 1)) {}
  bool commit() {
    const std::string text(5'000, static_cast<char>('a' + count_++ % 26));
    const bool done = ::commit(world_, segment_, header + told_.size(), text);
    if (done) told_ += text;
    world_.run_helpers();
    return done;
  }
  const std::string& told() const { return told_; }

 private:
  CommitWorld& world_;
  const Segment segment_;
  std::string told_;
  int count_ = 0;
};

// A ring that grows in a few rounds.
const store::JournalSettings growing{.first_bytes = store::Journal::min_bytes,
                                     .max_bytes = 256U << 10,
                                     .slice_bytes = 2 * store::journal_page_bytes};

std::uint64_t calls_of_a_growth() {
  MemoryDisk disk;
  const auto world = open(disk, growing);
  Rounds rounds(*world);
  const std::uint64_t begin = disk.changes();
  while (world->journal->counters().growths.get() == 0) REQUIRE(rounds.commit());
  return disk.changes() - begin;
}

// Takes the segment's file back to what it was before anything was written behind its header.
void lose_writes(MemoryDisk& disk, std::uint64_t stream) {
  const std::string path = store::segment_path(stream, 1);
  disk.change(path, disk.content(path).substr(0, header));
}

}  // namespace

TEST_CASE("journal: what a segment has lost is written again, by offset") {
  MemoryDisk disk;
  {
    const auto world = open(disk);
    const Segment one = segment_of(*world, 1);
    const Segment two = segment_of(*world, 2);
    CHECK(commit(*world, one, header, "abc"));
    CHECK(commit(*world, two, header, "123"));
    CHECK(commit(*world, one, header + 3, "def"));
  }
  lose_writes(disk, 1);
  lose_writes(disk, 2);
  const auto world = open(disk);
  CHECK(world->journal->replayed().blocks == 3);
  CHECK(world->journal->replayed().records == 3);
  CHECK(world->journal->replayed().bytes == 9);
  CHECK(behind_header(disk, 1) == "abcdef");
  CHECK(behind_header(disk, 2) == "123");
  // The ring was begun anew.
  CHECK(open(disk)->journal->replayed().blocks == 0);
}

TEST_CASE("journal: a segment that is gone or was made anew is left alone") {
  MemoryDisk disk;
  {
    const auto world = open(disk);
    CHECK(commit(*world, segment_of(*world, 1), header, "gone"));
    CHECK(commit(*world, segment_of(*world, 2, 7), header, "old"));
  }
  disk.remove(store::segment_path(1, 1));
  disk.change(store::segment_path(2, 1),
              store::encode_segment_header({.stream = 2, .number = 1, .salt = 8, .reserved = {}}));
  const auto world = open(disk);
  CHECK(world->journal->replayed().skipped == 2);
  CHECK(behind_header(disk, 2).empty());
  CHECK_FALSE(disk.has(store::segment_path(1, 1)));
}

TEST_CASE("journal: a round is replayed whole or not at all") {
  MemoryDisk disk;
  {
    const auto world = open(disk);
    const Segment one = segment_of(*world, 1);
    const Segment two = segment_of(*world, 2);
    CHECK(commit(*world, one, header, "abc"));
    world->submit(one, header + 3, "def");
    CHECK(commit(*world, two, header, "123"));
  }
  lose_writes(disk, 1);
  lose_writes(disk, 2);
  std::string journal = disk.content("journal");
  const std::size_t second = store::journal_ring_at + store::journal_page_bytes;
  journal[second + 100] = static_cast<char>(journal[second + 100] ^ 1);
  disk.change("journal", journal);
  CHECK(open(disk)->journal->replayed().blocks == 1);
  CHECK(behind_header(disk, 1) == "abc");
  CHECK(behind_header(disk, 2).empty());
}

TEST_CASE("journal: lost, the store begins with a new one") {
  MemoryDisk disk;
  {
    const auto world = open(disk);
    CHECK(commit(*world, segment_of(*world, 1), header, "abc"));
  }
  disk.remove("journal");
  CHECK(open(disk)->journal->replayed().blocks == 0);
  CHECK(behind_header(disk, 1) == "abc");
}

TEST_CASE("journal: one older than its segments changes nothing in them") {
  MemoryDisk disk;
  std::string older;
  {
    const auto world = open(disk);
    const Segment one = segment_of(*world, 1);
    CHECK(commit(*world, one, header, "abc"));
    older = disk.content("journal");
    CHECK(commit(*world, one, header + 3, "def"));
  }
  disk.change("journal", older);
  CHECK(open(disk)->journal->replayed().blocks == 1);
  CHECK(behind_header(disk, 1) == "abcdef");
}

TEST_CASE("journal: damaged in both headers it is kept aside, and the log says so") {
  MemoryDisk disk;
  static_cast<void>(open(disk));
  disk.change("journal", std::string(store::Journal::min_bytes, 'x'));
  test::CapturedLog log;
  static_cast<void>(open(disk));
  CHECK(disk.content("journal.damaged") == std::string(store::Journal::min_bytes, 'x'));
  const auto lines = log.lines();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("[ERR] The store's journal is damaged") != std::string::npos);
}

TEST_CASE("journal: one header alone is enough") {
  MemoryDisk disk;
  {
    const auto world = open(disk);
    CHECK(commit(*world, segment_of(*world, 1), header, "abc"));
  }
  lose_writes(disk, 1);
  std::string journal = disk.content("journal");
  journal.replace(store::journal_page_bytes, 64, std::string(64, 'x'));
  disk.change("journal", journal);
  static_cast<void>(open(disk));
  CHECK(behind_header(disk, 1) == "abc");
}

TEST_CASE("journal: one that a newer server wrote is refused and not touched") {
  MemoryDisk disk;
  static_cast<void>(open(disk));
  std::string journal = disk.content("journal");
  base::put_little_endian(&journal[8], std::uint32_t{2});
  disk.change("journal", journal);
  const auto refused = CommitWorld::open(disk);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text ==
        "the store's journal is of version 2, written by a newer server: this one reads up to "
        "version 1");
  CHECK(disk.content("journal") == journal);
}

TEST_CASE("journal: a segment that is there and cannot be read fails the opening") {
  MemoryDisk disk;
  {
    const auto world = open(disk);
    CHECK(commit(*world, segment_of(*world, 1), header, "abc"));
  }
  disk.decide([](Call call, std::string_view path) {
    return call == Call::read && path != "journal" ? Outcome::fails : Outcome::fine;
  });
  CHECK_FALSE(CommitWorld::open(disk));
  disk.decide(nullptr);
  CHECK(open(disk)->journal->replayed().blocks == 1);
}

TEST_CASE("journal: a ring larger than the setting is replayed, then made small") {
  MemoryDisk disk;
  {
    const auto world = open(disk, {.first_bytes = 1U << 20, .max_bytes = 1U << 20});
    CHECK(commit(*world, segment_of(*world, 1), header, "abc"));
  }
  lose_writes(disk, 1);
  const auto world = open(disk, smallest);
  CHECK(world->journal->replayed().blocks == 1);
  CHECK(disk.content("journal").size() == store::Journal::min_bytes);
  CHECK(behind_header(disk, 1) == "abc");
}

TEST_CASE("journal: before a part of the ring is used again its segments are synced") {
  MemoryDisk disk;
  const auto world = open(disk, smallest);
  const Segment quiet = segment_of(*world, 1);
  const Segment busy = segment_of(*world, 2);
  int quiet_syncs = 0;
  disk.decide([&](Call call, std::string_view path) {
    quiet_syncs += call == Call::sync && path == store::segment_path(1, 1) ? 1 : 0;
    return Outcome::fine;
  });
  CHECK(commit(*world, quiet, header, "abc"));
  std::uint64_t offset = header;
  // 14 pages make a lap.
  for (int round = 0; round < 13; ++round) CHECK(commit(*world, busy, offset++, "x"));
  CHECK(quiet_syncs == 0);
  CHECK(commit(*world, busy, offset++, "x"));
  CHECK(quiet_syncs == 1);
  for (int round = 0; round < 50; ++round) CHECK(commit(*world, busy, offset++, "x"));
  CHECK(quiet_syncs == 1);
}

TEST_CASE("journal: a ring grows at once to what its syncs ask for, and no round waits") {
  MemoryDisk disk;
  const auto world = open(disk, {.first_bytes = 64U << 10, .max_bytes = 1U << 20});
  // Each part takes two blocks for one sync: four times as much is asked for.
  Rounds rounds(*world);
  while (world->journal->counters().growths.get() == 0) REQUIRE(rounds.commit());
  CHECK(disk.content("journal").size() == 256U << 10);
  // That is seven for one, and then it is enough.
  for (int round = 0; round < 500; ++round) REQUIRE(rounds.commit());
  CHECK(world->journal->counters().growths.get() == 2);
  CHECK(world->journal->counters().waits.get() == 0);
  CHECK(world->journal->file_bytes() == 512U << 10);
  CHECK(disk.content("journal").size() == 512U << 10);
  CHECK_FALSE(disk.has("journal.new"));
}

TEST_CASE("journal: a ring grows up to the setting") {
  MemoryDisk disk;
  const auto world = open(disk, {.first_bytes = 64U << 10, .max_bytes = 200U << 10});
  Rounds rounds(*world);
  for (int round = 0; round < 200; ++round) REQUIRE(rounds.commit());
  CHECK(world->journal->counters().growths.get() == 1);
  CHECK(disk.content("journal").size() == 200U << 10);
}

TEST_CASE("journal: a ring whose round must wait grows too") {
  MemoryDisk disk;
  const auto world = open(disk, {.first_bytes = 256U << 10, .max_bytes = 1U << 20});
  const Segment one = segment_of(*world, 1);
  std::uint64_t offset = header;
  // No helper runs by itself.
  for (int round = 0; round < 200; ++round) CHECK(commit(*world, one, offset++, "x"));
  CHECK(world->journal->counters().waits.get() > 0);
  world->run_helpers();
  for (int round = 0; round < 3; ++round) CHECK(commit(*world, one, offset++, "x"));
  world->run_helpers();
  CHECK(commit(*world, one, offset++, "x"));
  CHECK(world->journal->counters().growths.get() == 1);
  CHECK(disk.content("journal").size() == 512U << 10);
}

TEST_CASE("journal: the power may go in every call of a growth") {
  std::uint64_t cuts = 0;
  std::uint64_t calls = 1;
  for (std::uint64_t call = 1; call <= calls; ++call) {
    MemoryDisk disk;
    auto world = open(disk, growing);
    auto rounds = std::make_unique<Rounds>(*world);
    const std::uint64_t begin = disk.changes();
    disk.cut_at(begin + call);
    for (int round = 0; round < 40 && !disk.is_off(); ++round) static_cast<void>(rounds->commit());
    // The first time it was cut at once; then as long as it takes until the ring has grown.
    if (call == 1) calls = calls_of_a_growth();
    cuts += disk.is_off() ? 1 : 0;
    const std::string told = rounds->told();
    rounds.reset();
    world.reset();
    base::Random random(call);
    disk.cut_power(random);
    static_cast<void>(open(disk, growing));
    const std::string found = behind_header(disk, 1);
    CAPTURE(call);
    REQUIRE(found.size() >= told.size());
    const bool same = found.compare(0, told.size(), told) == 0;
    REQUIRE(same);
    CHECK_FALSE(disk.has("journal.new"));
  }
  CHECK(cuts == calls);
}

TEST_CASE("journal: a growth that fails before its file has the name harms no round") {
  for (const Call failing : {Call::create, Call::write, Call::sync, Call::rename}) {
    for (int nth = 1; nth <= 12; ++nth) {
      MemoryDisk disk;
      const auto world = open(disk, growing);
      int seen = 0;
      bool named = false;
      disk.decide([&](Call call, std::string_view path) {
        if (path != "journal.new" || named) return Outcome::fine;
        const bool fails = call == failing && ++seen >= nth;
        named = call == Call::rename && !fails;
        return fails ? Outcome::fails : Outcome::fine;
      });
      Rounds rounds(*world);
      for (int round = 0; round < 60; ++round) CHECK(rounds.commit());
      if (seen < nth) break;
      CHECK(world->journal->counters().growths.get() == 0);
      disk.decide(nullptr);
      for (int round = 0; round < 60; ++round) CHECK(rounds.commit());
      CHECK(world->journal->counters().growths.get() == 1);
    }
  }
}

TEST_CASE("journal: without knowing which file has the name no round is taken") {
  MemoryDisk disk;
  const auto world = open(disk, growing);
  Rounds rounds(*world);
  bool failed = false;
  disk.decide([&](Call call, std::string_view) {
    const bool fails = call == Call::sync_folder && !failed;
    failed = failed || fails;
    return fails ? Outcome::fails : Outcome::fine;
  });
  int refused = 0;
  for (int round = 0; round < 60 && refused == 0; ++round) refused += rounds.commit() ? 0 : 1;
  CHECK(failed);
  CHECK(refused == 1);
  CHECK(world->journal->broken());
  const Segment three = segment_of(*world, 3);
  CHECK(commit(*world, three, header, "123"));
  CHECK_FALSE(world->journal->broken());
  base::Random random(1);
  disk.cut_power(random);
  CHECK(open(disk, growing)->journal->replayed().blocks == 1);
  CHECK(behind_header(disk, 3) == "123");
}

TEST_CASE("journal: a ring of many small rounds for few segments stays as it is") {
  MemoryDisk disk;
  const auto world = open(disk, {.first_bytes = 1U << 20});
  const Segment one = segment_of(*world, 1);
  base::Random random(1);
  for (std::uint64_t round = 0; round < 1'000; ++round) {
    CHECK(commit(*world, one, header + round, "x"));
    while (world->helpers.run_one(random)) {
    }
  }
  CHECK(world->journal->counters().growths.get() == 0);
  CHECK(world->journal->counters().waits.get() == 0);
  CHECK(disk.content("journal").size() == 1U << 20);
}

TEST_CASE("journal: without room for a larger ring the small one goes on") {
  MemoryDisk disk;
  const auto world = open(disk, {.first_bytes = 64U << 10, .max_bytes = 1U << 20});
  const Segment one = segment_of(*world, 1);
  disk.set_limit(disk.used_bytes() + 70'000);
  base::Random random(1);
  for (std::uint64_t round = 0; round < 60; ++round) {
    CHECK(commit(*world, one, header, std::string(5'000, 'x')));
    while (world->helpers.run_one(random)) {
    }
  }
  CHECK(world->journal->counters().growths.get() == 0);
}

TEST_CASE("journal: a failed round is never replayed, and the store goes on in a new file") {
  MemoryDisk disk;
  const auto world = open(disk);
  const Segment one = segment_of(*world, 1);
  const Segment two = segment_of(*world, 2);
  CHECK(commit(*world, one, header, "abc"));
  disk.decide([](Call call, std::string_view path) {
    return call == Call::sync && path == "journal" ? Outcome::fails : Outcome::fine;
  });
  CHECK_FALSE(commit(*world, one, header + 3, "failed"));
  CHECK(world->journal->broken());
  // As long as it cannot be mended nothing is taken.
  disk.decide([](Call call, std::string_view path) {
    return call == Call::create && path == "journal.new" ? Outcome::fails : Outcome::fine;
  });
  CHECK_FALSE(commit(*world, two, header, "refused"));
  disk.decide(nullptr);
  const Segment three = segment_of(*world, 3);
  CHECK(commit(*world, three, header, "123"));
  CHECK_FALSE(world->journal->broken());
  CHECK_FALSE(commit(*world, one, header + 3, "still refused"));
  for (const std::uint64_t stream : {1U, 2U, 3U}) lose_writes(disk, stream);
  const auto next = open(disk);
  CHECK(next->journal->replayed().blocks == 1);
  CHECK(behind_header(disk, 1).empty());  // it was synced before the new file
  CHECK(behind_header(disk, 3) == "123");
}

TEST_CASE("journal: what a segment's sync has lost is written again from the ring") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    MemoryDisk disk;
    const auto world = open(disk, smallest);
    const Segment one = segment_of(*world, 1);
    const Segment two = segment_of(*world, 2);
    CHECK(commit(*world, one, header, "abc"));
    bool failed = false;
    disk.decide([&](Call call, std::string_view path) {
      const bool fails = !failed && call == Call::sync && path == store::segment_path(1, 1);
      failed = failed || fails;
      return fails ? Outcome::fails : Outcome::fine;
    });
    std::uint64_t offset = header;
    for (int round = 0; round < 40; ++round) CHECK(commit(*world, two, offset++, "x"));
    CHECK(failed);
    CHECK_FALSE(commit(*world, one, header + 3, "refused"));
    base::Random random(seed);
    disk.cut_power(random);
    static_cast<void>(open(disk));
    CHECK(behind_header(disk, 1).substr(0, 3) == "abc");
  }
}

TEST_CASE("journal: settled, it leaves nothing to be replayed") {
  MemoryDisk disk;
  {
    const auto world = open(disk);
    CHECK(commit(*world, segment_of(*world, 1), header, "abc"));
    REQUIRE(world->journal->settle());
  }
  base::Random random(1);
  disk.cut_power(random);
  CHECK(open(disk)->journal->replayed().blocks == 0);
  CHECK(behind_header(disk, 1) == "abc");
}
