// The disk that the store's tests stand on: what it may lose, and what not.
#include "tests/support/memory_files.h"

#include <doctest/doctest.h>

#include <array>
#include <set>
#include <string>

using namespace spanwire;
using test::Call;
using test::MemoryDisk;
using test::Outcome;

namespace {

constexpr std::uint64_t cuts = 200;

base::Status write(store::File& file, std::uint64_t offset, std::string_view text) {
  return file.write_at(offset, std::array{text});
}

// A disk with a synced file `a` of this text.
std::unique_ptr<store::File> synced_file(store::Files& files, std::string_view text) {
  auto file = files.create("a");
  REQUIRE(file);
  REQUIRE(write(**file, 0, text));
  REQUIRE((*file)->sync());
  REQUIRE(files.sync_folder(""));
  return std::move(*file);
}

}  // namespace

TEST_CASE("memory disk: what was synced is there after a cut") {
  for (std::uint64_t seed = 1; seed <= cuts; ++seed) {
    MemoryDisk disk;
    const auto files = disk.open();
    synced_file(*files, "kept");
    base::Random random(seed);
    disk.cut_power(random);
    REQUIRE(disk.content("a") == "kept");
    disk.cut_power(random);
    REQUIRE(disk.content("a") == "kept");
  }
}

TEST_CASE("memory disk: unsynced sectors are there or not, each by itself and in any version") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= cuts; ++seed) {
    MemoryDisk disk;
    const auto files = disk.open();
    const auto file = synced_file(*files, std::string(1'024, '0'));
    REQUIRE(write(*file, 0, std::string(1'024, '1')));
    REQUIRE(write(*file, 0, std::string(1'024, '2')));
    base::Random random(seed);
    disk.cut_power(random);
    const std::string content = disk.content("a");
    REQUIRE(content.size() == 1'024);
    REQUIRE(content.substr(0, 512) == std::string(512, content[0]));  // never torn
    REQUIRE(content.substr(512) == std::string(512, content[512]));
    seen.insert({content[0], content[512]});
  }
  CHECK(seen.size() == 9);
}

TEST_CASE("memory disk: a file that grew has a size that it had, with zeros where bytes are lost") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= cuts; ++seed) {
    MemoryDisk disk;
    const auto files = disk.open();
    const auto file = synced_file(*files, "");
    REQUIRE(write(*file, 0, "one"));
    REQUIRE(write(*file, 3, "two"));
    base::Random random(seed);
    disk.cut_power(random);
    seen.insert(disk.content("a"));
  }
  const std::set<std::string> allowed{
      "", "one", std::string(3, '\0'), "onetwo", std::string("one\0\0\0", 6), std::string(6, '\0')};
  for (const std::string& content : seen) CHECK(allowed.contains(content));
  CHECK(seen.size() >= 4);
}

TEST_CASE("memory disk: what was truncated comes back only with the old size") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= cuts; ++seed) {
    MemoryDisk disk;
    const auto files = disk.open();
    const auto file = synced_file(*files, "before");
    REQUIRE(file->truncate(0));
    REQUIRE(file->truncate(8));
    base::Random random(seed);
    disk.cut_power(random);
    seen.insert(disk.content("a"));
  }
  CHECK(seen == std::set<std::string>{"before", "", std::string(8, '\0')});
}

TEST_CASE("memory disk: a name is durable with its folder alone, in the order of the calls") {
  std::set<std::vector<std::string>> seen;
  for (std::uint64_t seed = 1; seed <= cuts; ++seed) {
    MemoryDisk disk;
    const auto files = disk.open();
    const auto file = synced_file(*files, "text");
    REQUIRE(files->rename("a", "b"));
    const auto other = files->create("c");
    REQUIRE(other);
    REQUIRE((*other)->sync());  // the bytes, not the name
    REQUIRE(files->remove("b"));
    base::Random random(seed);
    disk.cut_power(random);
    seen.insert(*disk.open()->list(""));
  }
  CHECK(seen == std::set<std::vector<std::string>>{{"a"}, {"b"}, {"b", "c"}, {"c"}});
}

TEST_CASE("memory disk: a synced folder keeps what was moved into it, its own name not") {
  std::set<bool> there;
  for (std::uint64_t seed = 1; seed <= cuts; ++seed) {
    MemoryDisk disk;
    const auto files = disk.open();
    synced_file(*files, "text");
    REQUIRE(files->make_folder("inner"));
    REQUIRE(files->make_folder("inner"));
    REQUIRE(files->rename("a", "inner/b"));
    REQUIRE(files->sync_folder("inner"));
    base::Random random(seed);
    disk.cut_power(random);
    there.insert(disk.has("inner/b"));
    if (disk.has("inner/b")) REQUIRE(disk.content("inner/b") == "text");
    CHECK_FALSE(disk.has("a"));
  }
  // The rename was synced by way of the one folder, and what it stood on with it.
  CHECK(there == std::set<bool>{true});
}

TEST_CASE("memory disk: after a failed sync another one proves nothing") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= cuts; ++seed) {
    MemoryDisk disk;
    const auto files = disk.open();
    const auto file = synced_file(*files, "old");
    REQUIRE(write(*file, 0, "new"));
    disk.decide([](Call call, std::string_view) {
      return call == Call::sync ? Outcome::fails : Outcome::fine;
    });
    CHECK_FALSE(file->sync());
    disk.decide(nullptr);
    REQUIRE_FALSE(file->sync());
    REQUIRE((*files->open("a"))->sync());
    CHECK(disk.content("a") == "new");
    base::Random random(seed);
    disk.cut_power(random);
    seen.insert(disk.content("a"));
  }
  CHECK(seen == std::set<std::string>{"old", "new"});
}

TEST_CASE("memory disk: the power goes in the change that was named, and nothing works after it") {
  MemoryDisk disk;
  const auto files = disk.open();
  const auto file = synced_file(*files, "old");
  disk.cut_at(disk.changes() + 2);
  CHECK(write(*file, 0, "new"));
  CHECK_FALSE(disk.is_off());
  CHECK_FALSE(file->sync());
  CHECK(disk.is_off());
  std::array<char, 3> bytes{};
  CHECK_FALSE(file->read_at(0, bytes));
  CHECK_FALSE(files->list(""));
  base::Random random(1);
  disk.cut_power(random);
  CHECK_FALSE(file->sync());  // it belongs to a process that is gone
  CHECK(disk.open()->open("a"));
}

TEST_CASE("memory disk: a full disk takes what fits, and more when there is room") {
  MemoryDisk disk;
  disk.set_limit(10);
  const auto files = disk.open();
  const auto file = synced_file(*files, "12345678");
  const base::Status refused = write(*file, 8, "9abc");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text == "a: the disk is full");
  CHECK(disk.content("a") == "123456789a");
  CHECK(files->space()->free_bytes == 0);
  CHECK_FALSE(file->reserve(11));
  CHECK(write(*file, 0, "0"));
  disk.set_limit(12);
  CHECK(file->reserve(12));
  CHECK(*file->size() == 12);
}

TEST_CASE("memory disk: reads are counted, and may have to wait for the disk") {
  MemoryDisk disk;
  const auto files = disk.open();
  const auto file = synced_file(*files, "12345678");
  std::array<char, 6> bytes{};
  std::size_t got = 0;
  CHECK(*file->read_at(4, bytes) == 4);
  CHECK(file->read_now(0, bytes, got) == store::ReadNow::done);
  CHECK(got == 6);
  CHECK(disk.reads().at("a") == 10);
  disk.set_cold(true);
  CHECK(file->read_now(0, bytes, got) == store::ReadNow::would_block);
  CHECK(*file->read_at(8, bytes) == 0);
}

TEST_CASE("memory disk: a lock has one holder, and is free after a power cut") {
  MemoryDisk disk;
  const auto files = disk.open();
  auto held = files->lock("lock");
  REQUIRE(held);
  CHECK_FALSE(files->lock("lock"));
  held->reset();
  CHECK(files->lock("lock"));
  disk.lock_elsewhere("lock");
  const auto refused = files->lock("lock");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text == "lock: in use by process 4711");
  base::Random random(1);
  disk.cut_power(random);
  CHECK(disk.open()->lock("lock"));
}

TEST_CASE("memory disk: a folder goes with all in it, and names are checked") {
  MemoryDisk disk;
  const auto files = disk.open();
  CHECK_FALSE(files->create("x/a"));
  REQUIRE(files->make_folder("x"));
  REQUIRE(files->make_folder("x/y"));
  REQUIRE(files->create("x/y/a"));
  CHECK_FALSE(files->create("x/y/a"));
  CHECK_FALSE(files->remove("x"));
  CHECK_FALSE(files->open("x"));
  CHECK(files->remove("nothing"));
  REQUIRE(files->remove_tree("x"));
  CHECK(files->list("")->empty());
  CHECK(files->list("x")->empty());
  CHECK_FALSE(files->sync_folder("x"));
}
