// A log that could not write, and what a start after it finds on the disk.
#include <memory>
#include <string>
#include <string_view>

#include "tests/unit/store/file_log_stage.h"

using namespace spanwire;
using namespace spanwire::store;
using test::FileLogStage;
using test::small_segments;

namespace {

// Fails one call of this kind on such a path: the first that comes after so many others.
void fail_once(FileLogStage& stage, test::Call call, std::string part_of_path, int passed = 0) {
  auto left = std::make_shared<int>(passed);
  stage.world.disk.decide([=](test::Call asked, std::string_view path) {
    const bool concerned = asked == call && path.find(part_of_path) != path.npos;
    return concerned && (*left)-- == 0 ? test::Outcome::fails : test::Outcome::fine;
  });
}

// Appends until a round that ends one segment and begins another has failed: the first was written,
// and its part of the round is in the journal. Gives the last sequence that was acknowledged.
Sequence fail_at_the_second_segment(FileLogStage& stage) {
  fail_once(stage, test::Call::write, "/2.seg", 1);  // behind its header
  for (int i = 0; i < 1000 && stage.log->failed() == nullptr; ++i) {
    stage.append("a", "number " + std::to_string(stage.log->ahead().last + 1));
    stage.commit();
  }
  REQUIRE(stage.log->failed() != nullptr);
  stage.world.disk.decide({});
  return stage.log->totals().last;
}

store::Settings all_in_place() {
  store::Settings settings = small_segments();
  settings.journalled_bytes = 0;
  return settings;
}

}  // namespace

TEST_CASE("failed log: once it is opened again, the journal brings nothing back that was refused") {
  test::CapturedLog captured;
  FileLogStage stage(small_segments(), true);
  const Sequence last = fail_at_the_second_segment(stage);
  REQUIRE(stage.recover());
  CHECK(stage.log->totals().last == last);
  REQUIRE(stage.reopen());
  CHECK(stage.log->totals().last == last);
  CHECK(stage.read(last) == "number " + std::to_string(last));
  CHECK(stage.read(last + 1) == "gone");
}

TEST_CASE("failed log: a message that was refused never takes the number of a later one") {
  test::CapturedLog captured;
  FileLogStage stage(small_segments(), true);
  const Sequence last = fail_at_the_second_segment(stage);
  REQUIRE(stage.recover());
  REQUIRE(stage.append("a", "kept") == last + 1);
  stage.commit();
  REQUIRE(stage.owner.failure.empty());
  // The segment that knows where the other one was cut goes, with all its messages.
  REQUIRE(stage.log->erase(last + 1));
  while (stage.world.disk.has("streams/1/2.seg")) {
    REQUIRE(stage.log->totals().last < last + 1000);
    const Sequence filler = stage.append("b", std::string(1000, 'f'));
    stage.commit();
    REQUIRE(stage.log->erase(filler));
    stage.commit();
  }
  const Sequence given = stage.log->totals().last;
  stage.fill(3);
  REQUIRE(stage.reopen());
  CHECK(stage.read(last) == "number " + std::to_string(last));
  for (Sequence sequence = last + 1; sequence <= given; ++sequence) {
    CHECK(stage.read(sequence) == "gone");
  }
  CHECK(stage.log->totals().last == given + 3);
  CHECK(stage.log->footprint().damaged == 0);
}

TEST_CASE("failed log: what only the system's memory held is on the device before anyone sees it") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    INFO("seed ", seed);
    base::Random random(seed);
    test::CapturedLog captured;
    FileLogStage stage(all_in_place(), seed % 2 == 0);
    stage.fill(3);
    fail_once(stage, test::Call::sync, "/1.seg");
    stage.append("a", std::string(2000, 'x'));
    stage.commit();
    REQUIRE(stage.log->failed() != nullptr);
    stage.world.disk.decide({});
    // The process alone ends: what could not be synced still reads well, and counts.
    REQUIRE(stage.reopen());
    REQUIRE(stage.log->totals().last == 4);
    stage.append("a", "behind it");
    stage.commit();
    REQUIRE(stage.log->totals().last == 5);
    stage.log.reset();
    stage.world.close();
    stage.world.disk.cut_power(random);
    REQUIRE(stage.reopen());
    CHECK(stage.log->footprint().damaged == 0);
    CHECK(stage.read(4) == std::string(2000, 'x'));
    CHECK(stage.read(5) == "behind it");
  }
}
