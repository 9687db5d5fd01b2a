#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "app/file_limit.h"
#include "app/pid_file.h"
#include "app/ports_file.h"

using namespace spanwire;
using app::PortGroup;
using Texts = std::vector<std::string>;

namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "spanwire-app-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }

  std::string file(const char* name) const { return (path / name).string(); }
  std::string text(const char* name) const {
    std::ifstream in(file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), {}));
  }

  fs::path path;
};

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

}  // namespace

TEST_CASE_FIXTURE(Folder, "pid file: it holds the process id alone, for its owner") {
  CHECK(app::write_pid_file(file("pid"), 4711).has_value());
  CHECK(text("pid") == "4711");
  CHECK(mode_of(file("pid")) == 0600);
  CHECK(app::write_pid_file(file("pid"), 8).has_value());  // shorter than what is there
  CHECK(text("pid") == "8");
}

TEST_CASE_FIXTURE(Folder, "pid file: what cannot be written is named") {
  const auto none = app::write_pid_file(file("no/pid"), 1);
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().text == "open " + file("no/pid") + ": No such file or directory");
  const auto full = app::write_pid_file("/dev/full", 1);
  REQUIRE_FALSE(full.has_value());
  CHECK(full.error().text == "write /dev/full: No space left on device");
}

TEST_CASE("ports file: its name is that of the program as it was called") {
  CHECK(app::ports_file_path("/tmp", "nats-server", 7) == "/tmp/nats-server_7.ports");
  CHECK(app::ports_file_path("/tmp/", "/usr/bin/spanwire", 12) == "/tmp/spanwire_12.ports");
  CHECK(app::ports_file_path(".", "./x", 1) == "./x_1.ports");
}

TEST_CASE("ports file: the text is nats-server's") {
  const std::vector<PortGroup> groups{{"nats", {"nats://127.0.0.1:40177"}},
                                      {"monitoring", {"http://127.0.0.1:37135"}}};
  CHECK(app::ports_json(groups) ==
        R"({"nats":["nats://127.0.0.1:40177"],"monitoring":["http://127.0.0.1:37135"]})");
  const std::vector<PortGroup> some{{"nats", {"nats://1.2.3.4:1", "nats://[::1]:1"}},
                                    {"monitoring", {}}};
  CHECK(app::ports_json(some) == R"({"nats":["nats://1.2.3.4:1","nats://[::1]:1"]})");
  CHECK(app::ports_json({}) == "{}");
}

TEST_CASE("ports file: a listener on every address is named by each that it covers") {
  const Texts local{"127.0.0.1", "::1", "192.0.2.2", "fd00::2"};
  CHECK(app::listener_urls("nats", "127.0.0.1", 4222, local) == Texts{"nats://127.0.0.1:4222"});
  CHECK(app::listener_urls("tls", "fd00::2", 1, local) == Texts{"tls://[fd00::2]:1"});
  CHECK(app::listener_urls("nats", "0.0.0.0", 4222, local) ==
        Texts{"nats://127.0.0.1:4222", "nats://192.0.2.2:4222"});
  CHECK(app::listener_urls("nats", "::", 9, local) ==
        Texts{"nats://127.0.0.1:9", "nats://[::1]:9", "nats://192.0.2.2:9", "nats://[fd00::2]:9"});
}

TEST_CASE("ports file: this machine has addresses, all in figures") {
  for (const std::string& address : app::local_addresses()) {
    CAPTURE(address);
    CHECK(address.find_first_not_of("0123456789abcdef.:") == std::string::npos);
    CHECK(address.find_first_of(".:") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(Folder, "ports file: it appears whole and alone, and goes") {
  const std::vector<PortGroup> groups{{"nats", {"nats://127.0.0.1:1"}}};
  const mode_t mask = ::umask(022);
  CHECK(app::write_ports_file(file("a.ports"), groups).has_value());
  ::umask(mask);
  CHECK(text("a.ports") == app::ports_json(groups));
  CHECK(mode_of(file("a.ports")) == 0644);
  CHECK(entries() == 1);
  CHECK(app::write_ports_file(file("a.ports"), {}).has_value());  // in place of the old one
  CHECK(text("a.ports") == "{}");
  CHECK(app::remove_ports_file(file("a.ports")).has_value());
  CHECK(entries() == 0);
}

TEST_CASE_FIXTURE(Folder, "ports file: a failure is named and leaves nothing behind") {
  const auto none = app::write_ports_file(file("no/a.ports"), {});
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().text == "open " + file("no/a.ports.tmp") + ": No such file or directory");
  fs::create_directories(path / "a.ports" / "taken");
  const auto taken = app::write_ports_file(file("a.ports"), {});
  REQUIRE_FALSE(taken.has_value());
  CHECK(taken.error().text == "rename " + file("a.ports") + ": Is a directory");
  CHECK(entries() == 1);
  const auto gone = app::remove_ports_file(file("b.ports"));
  REQUIRE_FALSE(gone.has_value());
  CHECK(gone.error().text == "remove " + file("b.ports") + ": No such file or directory");
}

TEST_CASE("file limit: it is raised to the hard limit and stays there") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit lowered = before;
  lowered.rlim_cur = std::min<rlim_t>(64, before.rlim_max);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &lowered) == 0);
  CHECK(app::raise_file_limit() == before.rlim_max);
  CHECK(app::raise_file_limit() == before.rlim_max);
  rlimit after{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &after) == 0);
  CHECK(after.rlim_cur == before.rlim_max);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}

TEST_CASE("file limit: connections fit up to what the server itself needs") {
  CHECK(app::check_file_limit(1024 - app::own_files, 1024).has_value());
  const auto one_more = app::check_file_limit(1024 - app::own_files + 1, 1024);
  REQUIRE_FALSE(one_more.has_value());
  CHECK(one_more.error().text ==
        "max_connections 897 needs 1025 open files, but this process may have 1024: raise the hard "
        "limit (ulimit -Hn, LimitNOFILE in systemd), or set max_connections to 896");
  const auto hopeless = app::check_file_limit(1, 100);
  REQUIRE_FALSE(hopeless.has_value());
  CHECK(hopeless.error().text.find("or set") == std::string::npos);
  CHECK(app::check_file_limit(1'000'000, UINT64_MAX).has_value());
}
