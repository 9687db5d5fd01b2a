#include "store/overlay_files.h"

#include <doctest/doctest.h>

#include <array>

#include "base/random.h"
#include "tests/support/memory_files.h"

using namespace spanwire;
using namespace spanwire::store;

namespace {

std::string text_of(const File& file) {
  std::string bytes(*file.size() + 10, '?');
  bytes.resize(*file.read_at(0, bytes));
  return bytes;
}

}  // namespace

TEST_CASE("overlay: what is written and cut is read again, and nothing below changes") {
  test::MemoryDisk disk;
  base::Random random(1);
  std::string expected;
  for (int i = 0; i < 9000; ++i) expected += static_cast<char>('a' + i % 26);
  const std::string below = expected;
  disk.change("file", below);
  const auto files = disk.open();
  OverlayFiles overlay(*files);
  const auto file = overlay.open("file");
  REQUIRE(file);
  for (int i = 0; i < 500; ++i) {
    const std::size_t at = random.below(static_cast<std::uint32_t>(expected.size() + 5000));
    if (i % 10 == 0) {
      REQUIRE((*file)->truncate(at));
      expected.resize(at);
    } else {
      const std::string bytes(random.below(6000), static_cast<char>('A' + i % 26));
      REQUIRE((*file)->write_at(at, std::array<std::string_view, 1>{bytes}));
      if (!bytes.empty() && at + bytes.size() > expected.size()) {
        expected.resize(at + bytes.size());
      }
      expected.replace(std::min(at, expected.size()), bytes.size(), bytes);
    }
    // However often it is opened.
    REQUIRE(text_of(**overlay.open("file")) == expected);
    const auto end = (*file)->data_end(0);
    REQUIRE(end);
    REQUIRE(expected.find_last_not_of('\0') + 1 <= *end);
  }
  CHECK(disk.content("file") == below);
}

TEST_CASE("overlay: a removed file is gone from lists, and stays below") {
  test::MemoryDisk disk;
  disk.change("a", "1");
  disk.change("b", "2");
  const auto files = disk.open();
  OverlayFiles overlay(*files);
  REQUIRE(overlay.remove("a"));
  CHECK(*overlay.list(".") == std::vector<std::string>{"b"});
  CHECK(!overlay.open("a"));
  CHECK(overlay.was_removed("a"));
  CHECK(disk.has("a"));
}

TEST_CASE("overlay: nothing is made, renamed or locked") {
  test::MemoryDisk disk;
  disk.change("a", "1");
  const auto files = disk.open();
  OverlayFiles overlay(*files);
  CHECK(!overlay.create("b"));
  CHECK(!overlay.make_folder("c"));
  CHECK(!overlay.rename("a", "b"));
  CHECK(!overlay.remove_tree("a"));
  CHECK(!overlay.lock("lock"));
  CHECK(disk.has("a"));
}
