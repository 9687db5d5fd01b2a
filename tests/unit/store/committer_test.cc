#include "store/committer.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "store/round_committer.h"
#include "tests/support/commit_world.h"
#include "tests/support/waiting_loop.h"

using namespace spanwire;
using test::Call;
using test::CommitWorld;
using test::MemoryDisk;
using test::Outcome;
using test::Segment;

namespace {

constexpr std::uint64_t header = store::segment_header_bytes;

// A disk, a process on it, and what that asks of the disk.
struct Fixture {
  explicit Fixture(store::CommitterSettings settings = {}, store::JournalSettings ring = {}) {
    auto opened = CommitWorld::open(disk, std::move(ring), std::move(settings));
    REQUIRE(opened);
    world = std::move(*opened);
    for (std::uint64_t stream = 1; stream <= 3; ++stream) {
      auto made = test::make_segment(*world->files, stream, 1, 1);
      REQUIRE(made);
      segments.push_back(*made);
    }
    listen();
  }
  void listen() {
    disk.decide([this](Call call, std::string_view path) {
      if (call == Call::write) calls.push_back("write " + std::string(path));
      if (call == Call::sync) calls.push_back("sync " + std::string(path));
      return calls.empty() || calls.back() != failing ? Outcome::fine : Outcome::fails;
    });
  }
  std::size_t submit(std::size_t stream, std::uint64_t offset, std::string text, bool sync = true) {
    return world->submit(segments[stream - 1], header + offset, std::move(text), sync);
  }
  // The calls of one round.
  std::vector<std::string> round() {
    calls.clear();
    REQUIRE(world->step());
    return calls;
  }
  bool ok(std::size_t index) const {
    REQUIRE(world->told[index]);
    return world->told[index]->has_value();
  }
  std::string content(std::uint64_t stream) const {
    return disk.content(store::segment_path(stream, 1)).substr(header);
  }

  MemoryDisk disk;
  std::unique_ptr<CommitWorld> world;
  std::vector<Segment> segments;
  std::vector<std::string> calls;
  std::string failing;
};

using Calls = std::vector<std::string>;

const std::string first = "streams/1/1.seg";
const std::string second = "streams/2/1.seg";

}  // namespace

TEST_CASE("committer: a round is one write a segment, one to the journal and one sync") {
  Fixture at;
  at.submit(1, 0, "abc");
  at.submit(2, 0, "123");
  at.submit(1, 3, "def");
  CHECK(at.round() == Calls{"write " + first, "write " + second, "write journal", "sync journal"});
  CHECK(at.content(1) == "abcdef");
  CHECK(at.content(2) == "123");
  CHECK(at.world->order == std::vector<std::size_t>{0, 1, 2});
  CHECK((at.ok(0) && at.ok(1) && at.ok(2)));
  CHECK_FALSE(at.world->step());
  const store::CommitCounters& counters = at.world->committer->counters();
  CHECK(counters.rounds.get() == 1);
  CHECK(counters.writes.get() == 3);
  CHECK(counters.bytes.get() == 9);
  CHECK(counters.journal_syncs.get() == 1);
  CHECK(counters.file_syncs.get() == 0);
  CHECK(counters.round_time.read().count() == 1);
}

TEST_CASE("committer: what does not lie behind the write before is a write of its own") {
  Fixture at;
  at.submit(1, 0, "abc");
  at.submit(1, 10, "def");
  CHECK(at.round() == Calls{"write " + first, "write " + first, "write journal", "sync journal"});
  CHECK(at.content(1) == std::string("abc\0\0\0\0\0\0\0def", 13));
}

TEST_CASE("committer: a segment with much in a round is synced itself, before every Done") {
  Fixture at({.journalled_bytes = 100});
  const std::size_t small = at.submit(1, 0, std::string(100, 'x'));
  const std::size_t large = at.submit(2, 0, std::string(101, 'y'));
  CHECK(at.round() == Calls{"write " + first, "write " + second, "write journal", "sync journal",
                            "sync " + second});
  CHECK((at.ok(small) && at.ok(large)));
  at.submit(2, 101, std::string(101, 'z'));
  CHECK(at.round() == Calls{"write " + second, "sync " + second});
}

TEST_CASE("committer: without sync a write is done when it is written; the next sync covers it") {
  Fixture at;
  CHECK(at.ok((at.submit(1, 0, "abc", false), at.round(), 0)));
  at.submit(1, 3, "def", false);
  CHECK(at.round() == Calls{"write " + first});
  // In place: the journal has not what was before.
  at.submit(1, 6, "ghi");
  CHECK(at.round() == Calls{"write " + first, "sync " + first});
  at.submit(1, 9, "jkl");
  CHECK(at.round() == Calls{"write " + first, "write journal", "sync journal"});
  at.submit(1, 12, "mno", false);
  at.submit(1, 15, "");
  CHECK(at.round() == Calls{"write " + first, "write journal", "sync journal"});
  at.submit(1, 15, "");
  CHECK(at.round().empty());
  at.submit(1, 15, "pqr", false);
  at.round();
  at.submit(1, 18, "");
  CHECK(at.round() == Calls{"sync " + first});
}

TEST_CASE("committer: a failed write refuses its segment for good, and no other") {
  Fixture at;
  at.failing = "write " + first;
  const std::size_t failed = at.submit(1, 0, "abc");
  const std::size_t other = at.submit(2, 0, "123");
  const std::size_t behind = at.submit(1, 3, "def");
  CHECK(at.round() == Calls{"write " + first, "write " + second, "write journal", "sync journal"});
  CHECK_FALSE(at.ok(failed));
  CHECK_FALSE(at.ok(behind));
  CHECK(at.ok(other));
  at.failing.clear();
  const std::size_t later = at.submit(1, 6, "ghi");
  CHECK(at.round().empty());
  CHECK_FALSE(at.ok(later));
  CHECK(at.world->told[later]->error().text == at.world->told[failed]->error().text);
  CHECK(at.world->committer->counters().failures.get() == 3);
}

TEST_CASE("committer: a failed sync in place refuses its segment, and no other") {
  Fixture at({.journalled_bytes = 1});
  at.failing = "sync " + first;
  const std::size_t failed = at.submit(1, 0, "abc");
  const std::size_t other = at.submit(2, 0, "123");
  at.round();
  CHECK_FALSE(at.ok(failed));
  CHECK(at.ok(other));
  at.failing.clear();
  const std::size_t later = at.submit(1, 3, "def");
  const std::size_t beside = at.submit(2, 3, "456");
  at.round();
  CHECK_FALSE(at.ok(later));
  CHECK(at.ok(beside));
}

TEST_CASE("committer: if the journal fails, so does every write of the round that needs it") {
  for (const std::string failing : {"write journal", "sync journal"}) {
    Fixture at({.journalled_bytes = 10});
    at.failing = failing;
    const std::size_t one = at.submit(1, 0, "abc");
    const std::size_t large = at.submit(2, 0, std::string(11, 'x'));
    const std::size_t unsynced = at.submit(3, 0, "123", false);
    at.round();
    CHECK_FALSE(at.ok(one));
    CHECK(at.ok(large));
    CHECK(at.ok(unsynced));
    at.failing.clear();
    const std::size_t later = at.submit(2, 11, "x");
    at.round();
    CHECK(at.ok(later));
  }
}

TEST_CASE("committer: what does not fit into a block is the next round, in order") {
  Fixture at({},
             {.first_bytes = store::Journal::min_bytes, .max_bytes = store::Journal::min_bytes});
  const std::size_t half = at.world->journal->capacity() / 2;
  at.submit(1, 0, std::string(half, 'a'));
  at.submit(2, 0, std::string(half, 'b'));
  at.submit(1, half, "after");
  CHECK(at.round().size() == 3);
  CHECK(at.world->order == std::vector<std::size_t>{0});
  CHECK(at.round().size() == 4);
  CHECK(at.world->order == std::vector<std::size_t>{0, 1, 2});
  // A single write that no block can hold is synced in place.
  at.submit(3, 0, std::string(2 * half + 100, 'c'));
  CHECK(at.round() == Calls{"write streams/3/1.seg", "sync streams/3/1.seg"});
}

TEST_CASE("committer: the Dones of a round are one task a loop, in the order of submit") {
  Fixture at;
  test::ManualLoop other{1};
  std::vector<int> heard;
  const auto submit = [&](base::Loop& loop, std::size_t stream, int name) {
    at.world->committer->submit({.segment = at.segments[stream - 1],
                                 .offset = header + static_cast<std::uint64_t>(name),
                                 .bytes = base::make_ref<store::Bytes>("x"),
                                 .loop = &loop,
                                 .done = [&heard, name](const base::Status& status) {
                                   CHECK(status);
                                   heard.push_back(name);
                                 }});
  };
  submit(other, 2, 0);
  submit(at.world->loop, 1, 0);
  submit(other, 1, 1);
  submit(other, 3, 2);
  REQUIRE(at.world->committer->step());
  CHECK(heard.empty());  // never inside the step
  other.run_posted();
  CHECK(heard == std::vector<int>{0, 1, 2});
  at.world->loop.run_posted();
  CHECK(heard == std::vector<int>{0, 1, 2, 0});
}

TEST_CASE("committer: on its thread, what was submitted is committed, at the latest at the end") {
  MemoryDisk disk;
  const auto files = disk.open();
  const auto helpers = store::make_helpers(3);
  auto journal = store::Journal::open(*files, *helpers, {.first_bytes = 64U << 10});
  REQUIRE(journal);
  std::vector<Segment> segments;
  for (std::uint64_t stream = 1; stream <= 20; ++stream) {
    auto made = test::make_segment(*files, stream, 1, 1);
    REQUIRE(made);
    segments.push_back(*made);
  }
  test::WaitingLoop loop;
  store::RoundCommitter rounds(**journal, *helpers, {.journalled_bytes = 1'000});
  int heard = 0;
  {
    store::CommitterThread thread(rounds, **journal);
    const auto submit = [&](std::uint64_t round) {
      for (const Segment& segment : segments) {
        const std::size_t size = segment->stream % 4 == 0 ? 1'500 : 700;
        thread.submit({.segment = segment,
                       .offset = header + round * size,
                       .bytes = base::make_ref<store::Bytes>(std::string(size, 'x')),
                       .loop = &loop,
                       .done = [&heard](const base::Status& status) {
                         CHECK(status);
                         ++heard;
                       }});
      }
    };
    for (std::uint64_t round = 0; round < 50; ++round) {
      submit(round);
      const int wanted = heard + 20;
      while (heard < wanted) loop.run_one();
    }
    submit(50);
  }
  while (heard < 51 * 20) loop.run_one();
  CHECK(rounds.counters().writes.get() == 51 * 20);
  base::Random random(1);
  disk.cut_power(random);
  for (const Segment& segment : segments) {
    const std::size_t size = segment->stream % 4 == 0 ? 1'500 : 700;
    CHECK(disk.content(store::segment_path(segment->stream, 1)).size() == header + 51 * size);
  }
}
