#include "logging/logging.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <thread>
#include <vector>

using namespace spanwire;
using logging::Level;

namespace {

namespace fs = std::filesystem;

// A folder of its own for each test; the log goes back to standard error behind it.
struct Fixture {
  Fixture() {
    std::string name = (fs::temp_directory_path() / "spanwire-logging-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
  }
  ~Fixture() {
    CHECK(logging::configure({}).has_value());
    logging::set_levels({});
    fs::remove_all(folder);
  }

  std::string path(const char* name = "log") const { return (folder / name).string(); }
  void to_file(bool timestamps = false, bool utc = false) const {
    REQUIRE(logging::configure({path(), timestamps, utc}).has_value());
  }
  std::string text(const char* name = "log") const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  fs::path folder;
  logging::Logger log = logging::get("test");
  std::string pid = fmt::format("[{}] ", ::getpid());
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "log: a line has the form of nats-server's") {
  to_file(true);
  log.info("Server is {}", "ready");
  const std::regex form(
      R"(\[\d+\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} \[INF\] Server is ready\n)");
  CHECK(std::regex_match(text(), form));
  CHECK(text().rfind(pid, 0) == 0);
}

TEST_CASE_FIXTURE(Fixture, "log: without timestamps the level follows the process id") {
  to_file();
  logging::set_levels({.debug = true, .trace = true});
  log.info("a");
  log.debug("b");
  log.trace("c");
  log.warn("d");
  log.error("e");
  log.fatal("f");
  CHECK(text() == pid + "[INF] a\n" + pid + "[DBG] b\n" + pid + "[TRC] c\n" + pid + "[WRN] d\n" +
                      pid + "[ERR] e\n" + pid + "[FTL] f\n");
}

TEST_CASE_FIXTURE(Fixture, "log: timestamps are local, or UTC on request") {
  const char* former = std::getenv("TZ");
  const std::string kept = former == nullptr ? "" : former;
  ::setenv("TZ", "XYZ-14", 1);  // 14 hours ahead: never the hour of UTC
  ::tzset();
  const auto hour = [this] { return text().substr(pid.size() + 11, 2); };
  to_file(true, true);
  log.info("utc");
  const std::string utc_hour = hour();
  fs::remove(path());
  to_file(true, false);
  log.info("local");
  const int ahead = (std::stoi(hour()) - std::stoi(utc_hour) + 24) % 24;
  CHECK((ahead == 14 || ahead == 15));  // 15 if the hour struck in between
  former == nullptr ? ::unsetenv("TZ") : ::setenv("TZ", kept.c_str(), 1);
  ::tzset();
}

TEST_CASE_FIXTURE(Fixture,
                  "log: debug and trace are off at first and switched apart from each other") {
  to_file();
  CHECK_FALSE(log.is_on(Level::debug));
  CHECK_FALSE(log.is_on(Level::trace));
  CHECK(log.is_on(Level::info));
  log.debug("no");
  logging::set_levels({.debug = false, .trace = true});
  log.debug("no");
  log.trace("yes");
  logging::set_levels({.debug = true, .trace = false});
  log.debug("too");
  log.trace("no");
  CHECK(text() == pid + "[TRC] yes\n" + pid + "[DBG] too\n");
}

TEST_CASE_FIXTURE(Fixture, "log: the levels of one module leave the others alone") {
  const logging::Logger other = logging::get("other");
  logging::set_levels("test", {.trace = true});
  CHECK(log.is_on(Level::trace));
  CHECK(logging::get("test").is_on(Level::trace));
  CHECK_FALSE(other.is_on(Level::trace));
  logging::set_levels("not asked for yet", {.debug = true});
  CHECK(logging::get("not asked for yet").is_on(Level::debug));
  logging::set_levels({.debug = true});
  CHECK_FALSE(log.is_on(Level::trace));
  CHECK(logging::get("new").is_on(Level::debug));
}

namespace {

struct Counted {
  int* times_formatted;
};

}  // namespace

template <>
struct fmt::formatter<Counted> : fmt::formatter<int> {
  template <class Context>
  auto format(const Counted& value, Context& context) const {
    return fmt::formatter<int>::format(++*value.times_formatted, context);
  }
};

TEST_CASE_FIXTURE(Fixture, "log: an argument of a level that is off is not formatted") {
  to_file();
  int formatted = 0;
  log.debug("{}", Counted{&formatted});
  CHECK(formatted == 0);
  log.write(Level::debug, "asked for {}", Counted{&formatted});
  CHECK(text() == pid + "[DBG] asked for 1\n");
}

TEST_CASE_FIXTURE(Fixture, "log: what a peer sends cannot forge a line") {
  to_file();
  log.info("name {}", "x\n[1] [INF] forged\x1b[2J");
  CHECK(text() == pid + "[INF] name x\\n[1] [INF] forged\\x1b[2J\n");
}

TEST_CASE_FIXTURE(Fixture, "log: a line is bounded") {
  to_file();
  log.info("{}", std::string(3 * logging::max_text_bytes, 'x'));
  CHECK(text().size() < logging::max_text_bytes + 100);
  CHECK(text().find("xxx... (131072 bytes cut)\n") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "log: a file is appended to, and is not for everybody") {
  const mode_t mask = ::umask(0);
  to_file();
  ::umask(mask);
  struct stat status {};
  REQUIRE(::stat(path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0640);
  log.info("first");
  to_file();
  log.info("second");
  CHECK(text() == pid + "[INF] first\n" + pid + "[INF] second\n");
}

TEST_CASE_FIXTURE(Fixture, "log: reopening follows the name after a rotation") {
  to_file();
  log.info("old");
  fs::rename(path(), path("log.1"));
  log.info("still old");
  REQUIRE(logging::reopen().has_value());
  log.info("new");
  CHECK(text("log.1") == pid + "[INF] old\n" + pid + "[INF] still old\n");
  CHECK(text() == pid + "[INF] new\n");
}

TEST_CASE_FIXTURE(Fixture, "log: a file that cannot be opened changes nothing and is named") {
  to_file();
  const std::string wrong = path("none/log");
  const base::Status refused = logging::configure({.file = wrong});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().text == "open " + wrong + ": No such file or directory");
  log.info("here");
  fs::rename(path(), path("log.1"));
  fs::create_directory(path());
  CHECK_FALSE(logging::reopen().has_value());
  log.info("there");
  CHECK(text("log.1") == pid + "[INF] here\n" + pid + "[INF] there\n");
}

TEST_CASE_FIXTURE(Fixture, "log: a line that cannot be written is counted, not fatal") {
  REQUIRE(logging::configure({.file = "/dev/full"}).has_value());
  const std::uint64_t before = logging::lost_lines();
  log.info("lost");
  CHECK(logging::lost_lines() == before + 1);
  to_file();
  log.info("kept");
  CHECK(logging::lost_lines() == before + 1);
}

namespace {

// Standard error, redirected for as long as it lives.
class Redirect {
 public:
  explicit Redirect(const std::string& path) : kept_(::dup(STDERR_FILENO)) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ::dup2(file, STDERR_FILENO);
    ::close(file);
  }
  ~Redirect() {
    ::dup2(kept_, STDERR_FILENO);
    ::close(kept_);
  }

 private:
  int kept_;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "log: standard error gets no colour if it is a file") {
  {
    const Redirect redirect(path("err"));
    REQUIRE(logging::configure({.timestamps = false}).has_value());
    log.warn("plain");
    REQUIRE(logging::reopen().has_value());  // nothing to reopen, nothing to complain about
    log.warn("plain");
  }
  CHECK(text("err") == pid + "[WRN] plain\n" + pid + "[WRN] plain\n");
}

TEST_CASE_FIXTURE(Fixture, "log: standard error gets nats-server's colours if it is a terminal") {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (terminal < 0 || ::grantpt(terminal) != 0 || ::unlockpt(terminal) != 0) {
    MESSAGE("no pseudo terminal here");
    return;
  }
  char shown[256] = {};
  ssize_t size = 0;
  {
    const Redirect redirect(::ptsname(terminal));
    REQUIRE(logging::configure({.timestamps = false}).has_value());
    log.warn("hot");
    size = ::read(terminal, shown, sizeof shown);
  }
  ::close(terminal);
  CHECK(std::string(shown, static_cast<std::size_t>(size)) ==
        pid + "[\x1b[0;93mWRN\x1b[0m] hot\r\n");
}

TEST_CASE_FIXTURE(Fixture, "log: lines of several threads stay whole while the file is reopened") {
  to_file();
  constexpr int lines = 500;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < lines; ++i) log.info("{}", std::string(100, static_cast<char>('a' + t)));
    });
  }
  for (int i = 0; i < 50; ++i) {
    CHECK(logging::reopen().has_value());
    logging::set_levels({.debug = i % 2 == 0});
  }
  for (std::thread& thread : threads) thread.join();
  const std::string all = text();
  const std::size_t line_bytes = pid.size() + 6 + 100 + 1;
  CHECK(all.size() == 3 * lines * line_bytes);
  for (std::size_t at = 0; at < all.size(); at += line_bytes) {
    REQUIRE(all.compare(at, pid.size() + 6, pid + "[INF] ") == 0);
    REQUIRE(all.find_first_not_of(all[at + pid.size() + 6], at + pid.size() + 6) ==
            at + line_bytes - 1);
  }
}
