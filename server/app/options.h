// The command line: nats-server's flags, read as nats-server reads them. One dash or two,
// `-flag=value` or `-flag value`, `-switch` or `-switch=false`; the first word that is no flag ends
// the flags. Nothing here looks at the machine or writes to it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace spanwire::app {

// Under which name the process was started, and which version that name stands for.
struct Program {
  std::string name;     // begins the usage and each error
  std::string version;  // the line that -v prints
};

// A process called nats-server is the drop-in and says so; by any other name it is spanwire.
Program program_of(std::string_view argv0);

// What the command line asks for. What it does not name is empty, so that the configuration file
// and then the default decide.
struct Options {
  std::optional<std::string> host;
  std::optional<std::string> server_name;
  std::optional<std::int64_t> port;       // -1: any free one; 0: the default
  std::optional<std::int64_t> http_port;  // -1: any free one; 0: none
  std::optional<std::string> config_file;
  std::optional<bool> jetstream;
  std::optional<std::string> store_dir;
  std::optional<std::string> pid_file;
  std::optional<std::string> ports_file_dir;
  bool check_config = false;  // with config_file: check it and leave
  std::string signal;         // `command` or `command=pid` to send and leave; empty: serve

  std::optional<std::string> log_file;
  std::optional<bool> logtime;
  std::optional<bool> logtime_utc;
  std::optional<bool> debug;
  std::optional<bool> trace;
  std::optional<bool> trace_verbose;               // the system account's connections too
  std::optional<std::int64_t> max_traced_msg_len;  // 0 or less: no limit

  std::optional<std::string> user;
  std::optional<std::string> password;
  std::optional<std::string> token;
};

// Nothing to start: print these, each to its stream, and leave with the code.
struct Exit {
  int code = 0;
  std::string out;
  std::string err;
};

// `arguments` are those behind the program's name.
std::variant<Options, Exit> parse_command_line(const Program& program,
                                               std::span<const std::string_view> arguments);

// What --help prints.
std::string usage(const Program& program);

}  // namespace spanwire::app
