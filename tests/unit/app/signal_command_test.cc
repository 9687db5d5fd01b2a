#include "app/signal_command.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <utility>

using namespace spanwire;

namespace {

// A machine with the processes that a test puts there.
class TestProcesses final : public app::Processes {
 public:
  base::Result<std::vector<int>> find(std::string_view name) override {
    if (unreadable) return base::fail("unable to resolve pid, try providing one");
    asked_name = name;
    return running;
  }
  int send(int pid, int signal) override {
    sent.emplace_back(pid, signal);
    return problems.count(pid) != 0 ? problems[pid] : 0;
  }
  std::optional<std::string> read_pid_file(const std::string& path) override {
    if (files.count(path) == 0) return std::nullopt;
    return files[path];
  }

  std::vector<int> running;
  bool unreadable = false;
  std::map<int, int> problems;
  std::map<std::string, std::string> files;
  std::string asked_name;
  std::vector<std::pair<int, int>> sent;
};

using Sent = std::vector<std::pair<int, int>>;

// The error's text; empty if there was none.
std::string send(std::string_view command, TestProcesses& processes) {
  const base::Status status = app::send_signal(command, "nats-server", processes);
  return status ? "" : status.error().text;
}

}  // namespace

TEST_CASE("signal command: each command has nats-server's signal") {
  struct Example {
    const char* command;
    int signal;
  };
  for (const Example& e : {Example{"stop", SIGKILL},
                           {"quit", SIGINT},
                           {"term", SIGTERM},
                           {"reopen", SIGUSR1},
                           {"reload", SIGHUP},
                           {"ldm", SIGUSR2}}) {
    CAPTURE(e.command);
    TestProcesses processes;
    processes.running = {42};
    CHECK(send(e.command, processes).empty());
    CHECK(processes.sent == Sent{{42, e.signal}});
    CHECK(processes.asked_name == "nats-server");
  }
}

TEST_CASE("signal command: an unknown command reaches nobody") {
  for (const char* command : {"", "foo", "STOP", "=42", "kill=42"}) {
    TestProcesses processes;
    processes.running = {42};
    const std::string word = std::string(command).substr(0, std::string(command).find('='));
    CHECK(send(command, processes) == "unknown signal \"" + word + "\"");
    CHECK(processes.sent.empty());
  }
}

TEST_CASE("signal command: without a pid there must be exactly one process") {
  TestProcesses processes;
  CHECK(send("stop", processes) == "no nats-server processes running");
  processes.running = {7, 42};
  CHECK(send("stop", processes) == "multiple nats-server processes running:\n7\n42");
  CHECK(send("stop=", processes) == "multiple nats-server processes running:\n7\n42");
  CHECK(processes.sent.empty());
  processes.unreadable = true;
  CHECK(send("stop", processes) == "unable to resolve pid, try providing one");
}

TEST_CASE("signal command: a pid is taken as it is, whatever the process is called") {
  TestProcesses processes;
  processes.unreadable = true;
  CHECK(send("quit=42", processes).empty());
  CHECK(processes.sent == Sent{{42, SIGINT}});
}

TEST_CASE("signal command: a pid that means a group of processes, or none, is refused") {
  for (const char* pid :
       {"0", "-1", "-42", "0*", "-*", "42x", "x", "4 2", "+4", "99999999999", "**"}) {
    CAPTURE(pid);
    TestProcesses processes;
    processes.running = {42};
    CHECK(send(std::string("stop=") + pid, processes).rfind("invalid pid: ", 0) == 0);
    CHECK(processes.sent.empty());
  }
}

TEST_CASE("signal command: a star stands for the rest of the pid") {
  TestProcesses processes;
  processes.running = {4, 41, 142, 423};
  CHECK(send("reload=4*", processes).empty());
  CHECK(processes.sent == Sent{{4, SIGHUP}, {41, SIGHUP}, {423, SIGHUP}});
  processes.sent.clear();
  CHECK(send("reload=*", processes).empty());
  CHECK(processes.sent.size() == 4);
  processes.sent.clear();
  CHECK(send("reload=9*", processes) == "no nats-server processes running");
  CHECK(processes.sent.empty());
}

TEST_CASE("signal command: a pid file gives the pid, with or without an end of line") {
  TestProcesses processes;
  processes.files = {{"/run/a.pid", "42"}, {"/run/b.pid", "43\n"}, {"/run/c.pid", ""},
                     {"/run/d.pid", "*"},  {"/run/e.pid", "x"},    {"/run/f.pid", "-1"}};
  processes.running = {99};
  CHECK(send("term=/run/a.pid", processes).empty());
  CHECK(send("term=/run/b.pid", processes).empty());
  CHECK(processes.sent == Sent{{42, SIGTERM}, {43, SIGTERM}});
  for (const char* bad :
       {"/run/c.pid", "/run/d.pid", "/run/e.pid", "/run/f.pid", "/run/none.pid"}) {
    CAPTURE(bad);
    CHECK(send(std::string("term=") + bad, processes).rfind("invalid pid: ", 0) == 0);
  }
  CHECK(processes.sent.size() == 2);
}

TEST_CASE("signal command: every process that could not be signalled is named") {
  TestProcesses processes;
  processes.running = {1, 2, 3};
  processes.problems = {{1, EPERM}, {3, ESRCH}};
  CHECK(send("stop=*", processes) ==
        "\nsignal \"stop\" 1: Operation not permitted\nsignal \"stop\" 3: No such process");
  CHECK(processes.sent.size() == 3);
}

TEST_CASE("signal command: on this machine processes are found by name, without ourselves") {
  app::LocalProcesses processes;
  std::ifstream file("/proc/self/comm");
  std::string own_name;
  std::getline(file, own_name);
  const auto others = processes.find(own_name);
  REQUIRE(others.has_value());
  for (const int pid : *others) CHECK(pid != ::getpid());
  std::ifstream parent("/proc/" + std::to_string(::getppid()) + "/comm");
  std::string parent_name;
  if (std::getline(parent, parent_name)) {
    const auto found = processes.find(parent_name);
    REQUIRE(found.has_value());
    CHECK(std::find(found->begin(), found->end(), ::getppid()) != found->end());
  }
  CHECK(processes.find("no such process").value().empty());
  CHECK(processes.send(::getpid(), 0) == 0);
}

TEST_CASE("signal command: on this machine only a regular file is a pid file") {
  app::LocalProcesses processes;
  CHECK_FALSE(processes.read_pid_file("/no/such/file").has_value());
  CHECK_FALSE(processes.read_pid_file("/").has_value());
  CHECK_FALSE(processes.read_pid_file("/dev/zero").has_value());
  CHECK_FALSE(processes.read_pid_file("").has_value());
  std::string path = (std::filesystem::temp_directory_path() / "spanwire-pid-XXXXXX").string();
  const int created = ::mkstemp(path.data());
  REQUIRE(created >= 0);
  ::close(created);
  std::ofstream(path) << "4711\n" << std::string(1000, ' ');
  const auto text = processes.read_pid_file(path);
  REQUIRE(text.has_value());
  CHECK(text->substr(0, 5) == "4711\n");
  CHECK(text->size() == 64);
  std::filesystem::remove(path);
}
