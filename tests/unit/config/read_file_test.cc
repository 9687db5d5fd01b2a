#include "config/read_file.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace spanwire;

namespace {

struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("spanwire_config_" + std::to_string(getpid()));

  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name, std::ios::binary) << text;
    return (path / name).string();
  }
};

}  // namespace

TEST_CASE("read_file: a file comes whole, up to its limit") {
  const Folder folder;
  const std::string text(100'000, 'x');
  const std::string file = folder.write("a.conf", text);
  CHECK(config::read_file(file, 100'000).value() == text);
  CHECK_FALSE(config::read_file(file, 99'999));
  CHECK(config::read_file(folder.write("empty.conf", ""), 10).value().empty());
}

TEST_CASE("read_file: what cannot be read is an error with its name") {
  const Folder folder;
  const std::string missing = (folder.path / "none").string();
  CHECK(config::read_file(missing, 10).error().text ==
        "cannot read " + missing +
            ": No such file or directory; check the name and its permissions");
  CHECK_FALSE(config::read_file(folder.path.string(), 10));
}

TEST_CASE("system_sources: includes come from the disk, variables from the process") {
  const Folder folder;
  const std::string file = folder.write("a.conf", "include b.conf\nx = $SPANWIRE_CONFIG_TEST");
  folder.write("b.conf", "y = 1");
  CHECK_FALSE(config::parse_file(file, config::system_sources()));
  setenv("SPANWIRE_CONFIG_TEST", "2", 1);
  const auto tree = config::parse_file(file, config::system_sources());
  unsetenv("SPANWIRE_CONFIG_TEST");
  REQUIRE(tree);
  CHECK(config::digest_text(*tree) == "{\"x\":2,\"y\":1}\n");
}
