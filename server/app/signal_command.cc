#include "app/signal_command.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "app/flag_values.h"

namespace spanwire::app {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kernel_name_chars = 15;
constexpr std::size_t pid_file_chars = 64;  // more is no process id

struct Command {
  std::string_view name;
  int signal;
};
constexpr std::array<Command, 6> commands{{{"stop", SIGKILL},
                                           {"quit", SIGINT},
                                           {"term", SIGTERM},
                                           {"reopen", SIGUSR1},
                                           {"reload", SIGHUP},
                                           {"ldm", SIGUSR2}}};

// Whom a command is for.
struct Target {
  std::string digits;  // all of the id, or its beginning
  bool is_beginning = false;
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

// 0 and negative ids stand for groups of processes, even for all: never meant here.
std::optional<int> parse_pid(std::string_view text) {
  int pid = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (problem != std::errc() || end != text.data() + text.size() || pid <= 0) return std::nullopt;
  return pid;
}

base::Result<Target> read_target(std::string_view text, Processes& processes) {
  const std::optional<std::string> file = processes.read_pid_file(std::string(text));
  Target target{std::string(file ? trimmed(*file) : text)};
  target.is_beginning = !file && target.digits.ends_with('*');
  if (target.is_beginning) target.digits.pop_back();
  if (target.digits.empty() && (target.is_beginning || !file)) return target;
  if (!parse_pid(target.digits)) return base::fail(fmt::format("invalid pid: {}", target.digits));
  return target;
}

base::Result<std::vector<int>> find_all(const Target& target, std::string_view name,
                                        Processes& processes) {
  if (!target.digits.empty() && !target.is_beginning) return std::vector{*parse_pid(target.digits)};
  auto found = processes.find(name);
  if (!found) return found;
  std::erase_if(*found, [&](int pid) { return !std::to_string(pid).starts_with(target.digits); });
  if (found->empty()) return base::fail(fmt::format("no {} processes running", name));
  if (found->size() > 1 && !target.is_beginning) {
    std::string text = fmt::format("multiple {} processes running:", name);
    for (const int pid : *found) text += fmt::format("\n{}", pid);
    return base::fail(std::move(text));
  }
  return found;
}

}  // namespace

base::Result<std::vector<int>> LocalProcesses::find(std::string_view name) {
  std::vector<int> found;
  std::error_code problem;
  for (fs::directory_iterator entry("/proc", problem), end; !problem && entry != end;
       entry.increment(problem)) {
    const std::optional<int> pid = parse_pid(entry->path().filename().string());
    if (!pid || *pid == ::getpid()) continue;
    std::ifstream file(entry->path() / "comm");
    std::string its_name;
    if (std::getline(file, its_name) && its_name == name.substr(0, kernel_name_chars)) {
      found.push_back(*pid);
    }
  }
  if (problem) return base::fail("unable to resolve pid, try providing one");
  std::sort(found.begin(), found.end());
  return found;
}

int LocalProcesses::send(int pid, int signal) {
  return ::kill(pid, signal) == 0 ? 0 : errno;
}

std::optional<std::string> LocalProcesses::read_pid_file(const std::string& path) {
  std::error_code problem;
  if (!fs::is_regular_file(path, problem)) return std::nullopt;
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::string text(pid_file_chars, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

base::Status send_signal(std::string_view command, std::string_view name, Processes& processes) {
  const std::size_t equals = command.find('=');
  const std::string_view word = command.substr(0, equals);
  const auto* known = std::find_if(commands.begin(), commands.end(),
                                   [&](const Command& c) { return c.name == word; });
  if (known == commands.end()) return base::fail(fmt::format("unknown signal {}", quoted(word)));

  Target target;
  if (equals != std::string_view::npos) {
    auto read = read_target(command.substr(equals + 1), processes);
    if (!read) return tl::unexpected(std::move(read.error()));
    target = *std::move(read);
  }
  auto pids = find_all(target, name, processes);
  if (!pids) return tl::unexpected(std::move(pids.error()));

  std::string failures;
  for (const int pid : *pids) {
    const int problem = processes.send(pid, known->signal);
    if (problem == 0) continue;
    failures += fmt::format("\nsignal {} {}: {}", quoted(word), pid, std::strerror(problem));
  }
  if (!failures.empty()) return base::fail(std::move(failures));
  return {};
}

}  // namespace spanwire::app
