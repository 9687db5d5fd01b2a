// The log in memory gives back the room of what is erased.
#include <doctest/doctest.h>

#include "base/random.h"
#include "contract/store/stage.h"

using namespace spanwire;
using store::Sequence;
using test::make_stage;

namespace {

constexpr std::uint64_t slack = 4U << 20;

// What the messages count for, and their subjects' names.
std::uint64_t live_bytes(store::Log& log) {
  return log.totals().bytes;
}

}  // namespace

TEST_CASE("log in memory: a bucket overwritten a million times keeps to four times its size") {
  const auto stage = make_stage();
  base::Random random(3);
  std::uint64_t most = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    const std::string key = "$KV.bucket." + std::to_string(random.below(1'000));
    const Sequence before = stage->log().ahead_of(key).last;
    stage->append(key, std::string(100, 'v'));
    if (before != 0) stage->log().erase(before);
    if (i % 16 == 0) stage->log().commit();
    if (i % 1'000 == 0 && i != 0) most = std::max(most, stage->log().footprint().memory_bytes);
  }
  stage->log().commit();
  CHECK(stage->log().totals().messages == 1'000);
  MESSAGE("live ", live_bytes(stage->log()), " B, at most ", most, " B");
  CHECK(most <= 4 * live_bytes(stage->log()) + slack);
}

TEST_CASE("log in memory: large values too, one commit each") {
  const auto stage = make_stage();
  base::Random random(4);
  std::uint64_t most = 0;
  std::uint64_t live = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = std::to_string(random.below(200));
    const Sequence before = stage->log().ahead_of(key).last;
    stage->append(key, std::string(20'000, 'v'));
    if (before != 0) stage->log().erase(before);
    stage->log().commit();
    most = std::max(most, stage->log().footprint().memory_bytes);
    live = std::max(live, live_bytes(stage->log()));
  }
  MESSAGE("live ", live, " B, at most ", most, " B");
  CHECK(most <= 4 * live + slack);
}

TEST_CASE("log in memory: a queue consumed from its front keeps to what waits") {
  const auto stage = make_stage();
  Sequence next = 1;
  std::uint64_t most = 0;
  for (int i = 0; i < 300'000; ++i) {
    const Sequence last = stage->append("queue", std::string(100, 'q'));
    if (last > 10'000) stage->log().erase(next++);
    if (i % 16 == 0) stage->log().commit();
    if (i % 1'000 == 0) most = std::max(most, stage->log().footprint().memory_bytes);
  }
  MESSAGE("live ", live_bytes(stage->log()), " B, at most ", most, " B");
  CHECK(most <= 2 * live_bytes(stage->log()) + slack);
}

TEST_CASE("log in memory: old messages among a million dead ones do not keep these") {
  const auto stage = make_stage();
  for (int i = 0; i < 300'000; ++i) {
    const Sequence sequence = stage->append(i % 100 == 0 ? "kept" : "fleeting", "0123456789");
    if (i % 100 != 0) stage->log().erase(sequence);
    if (i % 16 == 0) stage->log().commit();
  }
  for (int i = 0; i < 300; ++i) stage->log().commit();
  const std::uint64_t held = stage->log().footprint().memory_bytes;
  MESSAGE("live ", live_bytes(stage->log()), " B, held ", held, " B in ",
          stage->log().footprint().segments, " segments");
  CHECK(held <= 4 * live_bytes(stage->log()));
  CHECK(stage->log().footprint().segments < 64);
  CHECK(stage->log().totals().messages == 3'000);
}

TEST_CASE("log in memory: a purge gives everything back, also without another append") {
  const auto stage = make_stage();
  for (int i = 0; i < 200'000; ++i) {
    stage->append("s." + std::to_string(i), std::string(50, 'p'));
    if (i % 64 == 0) stage->log().commit();
  }
  stage->log().commit();
  const std::uint64_t full = stage->log().footprint().memory_bytes;
  stage->erase_through(stage->log().totals().last);
  for (int i = 0; i < 60; ++i) stage->log().commit();
  MESSAGE("full ", full, " B, purged ", stage->log().footprint().memory_bytes, " B");
  CHECK(stage->log().footprint().memory_bytes < 256U << 10);
}
