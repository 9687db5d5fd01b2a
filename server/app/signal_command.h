// --signal: tells a running server what to do, and by its process id or its name which one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace spanwire::app {

// What the command needs of the machine.
class Processes {
 public:
  virtual ~Processes() = default;

  // The ids of the processes of this name, this process left out; the kernel knows 15 characters
  // of a name.
  virtual base::Result<std::vector<int>> find(std::string_view name) = 0;
  // 0, or what errno says.
  virtual int send(int pid, int signal) = 0;
  // What a pid file holds; nothing if there is no such file.
  virtual std::optional<std::string> read_pid_file(const std::string& path) = 0;
};

class LocalProcesses final : public Processes {
 public:
  base::Result<std::vector<int>> find(std::string_view name) override;
  int send(int pid, int signal) override;
  std::optional<std::string> read_pid_file(const std::string& path) override;
};

// `command` is stop (kills), quit, term, reopen (the log file), reload or ldm, alone or followed by
// `=<pid>`: a process id, the path of a file that holds one, or the first digits of some with a *
// behind, for all processes called `name` whose id begins so. Without a pid it goes to the process
// of that name, if there is exactly one.
base::Status send_signal(std::string_view command, std::string_view name, Processes& processes);

}  // namespace spanwire::app
