// What a turn may read and write, in system calls: with sockets, without threads and clocks.
// tests/sim/path_cost_test.cc counts allocations and locks.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/net/stepped_loops.h"

using namespace spanwire;
using test::NearEnd;
using test::Role;
using test::SteppedLoops;

namespace {

constexpr std::size_t read_bytes = 256 * 1024;
const std::string plenty(read_bytes * 2, 'x');

// Connections to one loop that always have more to read than a turn may take: each read is made up
// for at once, but not for ever.
struct Crowd {
  Crowd(SteppedLoops& loops, std::size_t loop, bool in_body_space, std::size_t size) {
    ends.resize(size);
    reads.resize(size);
    for (std::size_t i = 0; i < size; ++i) {
      ends[i] = &loops.connect(loop, {.in_body_space = in_body_space,
                                      .on_read = [this, i, in_body_space](std::size_t bytes) {
                                        order.push_back(i);
                                        if (!in_body_space) CHECK(bytes == read_bytes);
                                        if (++reads[i] < 64) ends[i]->write(plenty);
                                      }});
    }
    for (NearEnd* end : ends) REQUIRE(end->write(plenty) > read_bytes);
  }
  std::vector<NearEnd*> ends;
  std::vector<int> reads;
  std::vector<std::size_t> order;
};

std::uint64_t begun(std::size_t bytes) {
  return (bytes + session::early_flush_bytes - 1) / session::early_flush_bytes;
}

net::LoopSettings coalescing(std::function<void()> meanwhile) {
  net::LoopSettings settings;
  settings.coalesce = std::chrono::microseconds(20);
  settings.wait = [meanwhile = std::move(meanwhile)](base::Duration time) {
    CHECK(time == std::chrono::microseconds(20));
    meanwhile();
  };
  return settings;
}

}  // namespace

TEST_CASE("loop: a connection is read four times, then it is the turn of the next") {
  for (const std::size_t loops : {std::size_t{1}, std::size_t{2}}) {
    for (const bool in_body_space : {false, true}) {
      for (const bool coalesce : {false, true}) {
        CAPTURE(loops);
        CAPTURE(in_body_space);
        CAPTURE(coalesce);
        SteppedLoops stage(loops, coalesce ? coalescing([] {}) : net::LoopSettings());
        const std::size_t loop = loops - 1;
        Crowd crowd(stage, loop, in_body_space, 3);
        for (int turn = 1; turn <= 3; ++turn) {
          const std::uint64_t before = stage.reads(loop);
          crowd.order.clear();
          stage.step(loop);
          REQUIRE(crowd.order.size() == 12);
          for (std::size_t i = 0; i < 12; ++i) CHECK(crowd.order[i] == crowd.order[i / 4 * 4]);
          CHECK(std::set(crowd.order.begin(), crowd.order.end()).size() == 3);
          CHECK(stage.reads(loop) - before == 12);
        }
      }
    }
  }
}

TEST_CASE("loop: what empties a socket is one read, and nothing is read where nothing has come") {
  SteppedLoops stage(1);
  int reads = 0;
  NearEnd& talking = stage.connect(0, {.on_read = [&reads](std::size_t) { ++reads; }});
  stage.connect(0, {});
  const std::uint64_t before = stage.reads(0);
  for (int turn = 1; turn <= 3; ++turn) {
    talking.write("hello");
    stage.step(0);
    stage.step(0);
    CHECK(reads == turn);
    CHECK(stage.reads(0) - before == static_cast<std::uint64_t>(turn));
  }
}

TEST_CASE("loop: each connection is written to once for each begun 256 KiB of a turn") {
  for (const std::size_t loops : {std::size_t{1}, std::size_t{2}}) {
    for (const std::size_t size : {16, 1000, 20'000, 200'000, 262'144}) {
      for (const std::size_t publishers : {1, 7}) {
        CAPTURE(loops);
        CAPTURE(size);
        CAPTURE(publishers);
        SteppedLoops stage(loops);
        std::vector<NearEnd*> from;
        for (std::size_t i = 0; i < publishers; ++i) {
          from.push_back(&stage.connect(0, {.subject = "a.b"}));
        }
        NearEnd& one = stage.connect(loops - 1, {.filter = "a.b"});
        NearEnd& other = stage.connect(loops - 1, {.filter = "a.>"});
        // As much as the kernel keeps for a client that takes nothing during the turn.
        const std::size_t each = std::min(size, 400'000 / publishers);
        for (int turn = 0; turn < 3; ++turn) {
          for (NearEnd* end : from) REQUIRE(end->write(plenty.substr(0, each)) == each);
          const std::uint64_t before = stage.writes(loops - 1);
          for (std::size_t loop = 0; loop < loops; ++loop) stage.step(loop);
          const std::size_t bytes = publishers * each;
          CHECK(stage.take(loops - 1, one, bytes).size() == bytes);
          CHECK(stage.take(loops - 1, other, bytes).size() == bytes);
          CHECK(stage.writes(loops - 1) - before <= 2 * begun(bytes));
        }
      }
    }
  }
}

TEST_CASE("loop: a socket that has taken less than all is not written to until it takes more") {
  SteppedLoops stage(1);
  NearEnd& publisher = stage.connect(0, {.subject = "a"});
  NearEnd& slow = stage.connect(0, {.filter = "a"}, 4096);
  std::uint64_t before = stage.writes(0);
  publisher.write(plenty.substr(0, 200'000));
  stage.step(0);
  CHECK(stage.writes(0) - before == 1);
  publisher.write("more");
  stage.step(0);
  CHECK(stage.writes(0) - before == 1);
  std::string taken;
  for (int turn = 0; turn < 1000 && taken.size() < 200'004; ++turn) {
    taken += slow.take();
    stage.step(0);
  }
  CHECK(taken == plenty.substr(0, 200'000) + "more");
}

TEST_CASE("loop: with coalesce, what comes within the moment is read and written together") {
  for (const std::size_t loops : {std::size_t{1}, std::size_t{2}}) {
    CAPTURE(loops);
    std::vector<NearEnd*> publishers;
    int moments = 0;
    SteppedLoops stage(loops, coalescing([&] {
                         ++moments;
                         for (NearEnd* each : publishers) each->write("late ");
                       }));
    const std::size_t last = loops - 1;
    NearEnd& subscriber = stage.connect(last, {.filter = "a"});
    NearEnd& first = stage.connect(0, {.subject = "a"});
    NearEnd& second = stage.connect(0, {.subject = "a"});
    publishers = {&first, &second};
    moments = 0;
    const std::uint64_t reads = stage.reads(0);
    const std::uint64_t writes = stage.writes(last);
    first.write("early ");
    stage.step(0);
    CHECK(moments == 1);
    CHECK(stage.reads(0) - reads == 2);
    publishers.clear();
    if (last != 0) stage.step(last);
    CHECK(stage.writes(last) - writes == 1);
    CHECK(subscriber.take() == "early late late ");
  }
}

TEST_CASE("loop: with coalesce, a loop that has work left, or nothing to do, does not wait") {
  int moments = 0;
  SteppedLoops stage(1, coalescing([&moments] { ++moments; }));
  Crowd crowd(stage, 0, false, 1);
  moments = 0;
  stage.step(0);
  CHECK(moments == 1);
  stage.step(0);
  CHECK(moments == 1);
  crowd.reads[0] = 64;  // no more comes
  for (int turn = 0; turn < 3; ++turn) stage.step(0);
  CHECK(moments == 1);
}

TEST_CASE("loop: without coalesce no turn waits") {
  int moments = 0;
  net::LoopSettings settings;
  settings.wait = [&moments](base::Duration) { ++moments; };
  SteppedLoops stage(1, settings);
  NearEnd& publisher = stage.connect(0, {.subject = "a"});
  NearEnd& subscriber = stage.connect(0, {.filter = "a"});
  publisher.write("now");
  stage.step(0);
  CHECK(subscriber.take() == "now");
  CHECK(moments == 0);
}
