// The store of each format version that a server has ever written, as files in
// tests/fixtures/store/<version>/: every later build opens it. SPANWIRE_FIXTURES names their
// folder; with SPANWIRE_WRITE_FIXTURES the newest is written there.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "store/segment_header.h"
#include "tests/unit/store/file_log_stage.h"

using namespace spanwire;
using namespace spanwire::store;
using test::FileLogStage;

namespace {

namespace fs = std::filesystem;

fs::path folder_of(int version) {
  const char* fixtures = std::getenv("SPANWIRE_FIXTURES");
  REQUIRE_MESSAGE(fixtures != nullptr, "SPANWIRE_FIXTURES is not set: run it with meson test");
  return fs::path(fixtures) / "store" / std::to_string(version);
}

// Some of all that a store can hold: erased messages, notes, a compacted segment, a snapshot and
// what came after it.
void write_sample(FileLogStage& stage) {
  stage.log->note(1, "first");
  stage.owner.notes[1] = "first";
  stage.fill(300, 60);
  for (Sequence sequence = 1; sequence <= 150; ++sequence) {
    if (sequence % 10 != 0) REQUIRE(stage.log->erase(sequence));
  }
  stage.commit();
  for (int i = 0; i < 5; ++i) {
    stage.world.loop.set_now(stage.world.loop.now() + std::chrono::seconds(1));
    stage.world.loop.run_timers();
    stage.world.settle();
  }
  stage.log->close([] {});
  stage.world.settle();
  REQUIRE(stage.reopen());
  stage.log->append({.subject = "b", .headers = "NATS/1.0\r\nA: b\r\n\r\n", .payload = "tail"});
  stage.log->note(2, "second");
  stage.commit();
}

void check_sample(FileLogStage& stage) {
  REQUIRE(stage.reopen());
  CHECK(stage.world.store().found().size() == 1);
  CHECK(stage.world.store().found()[0].settings == "s");
  CHECK(stage.log->totals().messages == 166);
  CHECK(stage.log->totals().first == 10);
  CHECK(stage.log->totals().last == 301);
  CHECK(stage.log->of("a.9").messages == 30);
  CHECK(stage.read(10) == std::string(60, 'p'));
  CHECK(stage.read(11) == "gone");
  CHECK(stage.read(301) == "tail");
  CHECK(stage.owner.notes[2] == "second");
  CHECK(stage.log->footprint().damaged == 0);
}

void copy_files(const fs::path& from, test::MemoryDisk& disk) {
  const auto files = disk.open();
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    const std::string path = fs::relative(entry.path(), from).string();
    if (entry.is_directory()) {
      REQUIRE(files->make_folder(path));
      continue;
    }
    std::ifstream in(entry.path(), std::ios::binary);
    disk.change(path, std::string(std::istreambuf_iterator<char>(in), {}));
  }
}

void write_fixture(test::MemoryDisk& disk, const fs::path& to) {
  const auto files = disk.open();
  fs::create_directories(to / "streams" / "1");
  std::vector<std::string> paths = {"version"};
  const auto names = files->list("streams/1");
  REQUIRE(names);
  for (const std::string& name : *names) paths.push_back("streams/1/" + name);
  for (const std::string& path : paths) {
    std::string content = disk.content(path);
    // What is reserved behind the end need not be kept.
    if (path.ends_with(".seg")) content.resize(content.find_last_not_of('\0') + 1);
    if (content.size() < segment_header_bytes && path.ends_with(".seg")) continue;
    std::ofstream(to / path, std::ios::binary) << content;
  }
}

}  // namespace

TEST_CASE("store: one of each format version is opened, with and without its snapshot") {
  // The first had no sidecars, and a snapshot that counts as none since.
  for (int version = 1; version <= 2; ++version) {
    for (const bool snapshot : {true, false}) {
      FileLogStage stage;
      stage.log.reset();
      stage.world.close();
      REQUIRE(stage.world.disk.open()->remove_tree("streams/1"));
      copy_files(folder_of(version), stage.world.disk);
      if (!snapshot) stage.world.disk.remove("streams/1/snapshot");
      check_sample(stage);
      CHECK(stage.owner.restored.empty() == (version == 1 || !snapshot));
      // And written on.
      CHECK(stage.append("a.9", "more") == 302);
      stage.commit();
      REQUIRE(stage.reopen());
      CHECK(stage.read(302) == "more");
    }
  }
}

TEST_CASE("store: what the newest fixture was made from is what this build writes") {
  FileLogStage stage;
  write_sample(stage);
  if (std::getenv("SPANWIRE_WRITE_FIXTURES") != nullptr) {
    write_fixture(stage.world.disk, folder_of(2));
  }
  check_sample(stage);
}
