// The server's log: one line an event, in the very format of nats-server, so that the tools which
// read its log read ours:
//
//     [4711] 2026/11/21 11:45:00.123456 [INF] Server is ready
//
// To standard error, in colour on a terminal, or appended to a file. A line is written before the
// call returns; control characters of the text are escaped, so a peer cannot forge a line.
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace spanwire::logging {

enum class Level : std::uint8_t { trace, debug, info, warn, error, fatal };

// What is logged besides info and worse, which always are.
struct Levels {
  bool debug = false;
  bool trace = false;
};

struct Settings {
  std::string file;  // empty: standard error
  bool timestamps = true;
  bool utc = false;  // else the local time
};

// The text of a line is cut at this; it then ends in the number of bytes cut.
inline constexpr std::size_t max_text_bytes = 64 * 1024;
// More modules than the house has.
inline constexpr std::size_t max_modules = 64;

// All functions may be called from any thread.

// Where lines go from now on; before the first call, to standard error. If the file cannot be
// opened nothing changes.
base::Status configure(const Settings& settings);
// Opens the file again under its name, after something else has moved it away. Without a file it
// does nothing. On failure lines still go to the file that is open.
base::Status reopen();

void set_levels(Levels levels);  // of every module, those to come included
void set_levels(std::string_view module, Levels levels);

// Lines that could not be written, since the beginning.
std::uint64_t lost_lines();

namespace detail {
using LevelMask = std::atomic<std::uint8_t>;  // a bit a level
void write(Level level, fmt::string_view text, fmt::format_args args);
}  // namespace detail

// A module's handle on the log: small, to be copied. A level that is off costs one relaxed load;
// the arguments are not formatted.
class Logger {
 public:
  bool is_on(Level level) const {
    return (mask_->load(std::memory_order_relaxed) >> static_cast<unsigned>(level) & 1U) != 0;
  }

  template <class... Args>
  void trace(fmt::format_string<Args...> text, Args&&... args) const {
    if (is_on(Level::trace)) write(Level::trace, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void debug(fmt::format_string<Args...> text, Args&&... args) const {
    if (is_on(Level::debug)) write(Level::debug, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void info(fmt::format_string<Args...> text, Args&&... args) const {
    write(Level::info, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void warn(fmt::format_string<Args...> text, Args&&... args) const {
    write(Level::warn, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void error(fmt::format_string<Args...> text, Args&&... args) const {
    write(Level::error, text, std::forward<Args>(args)...);
  }
  // Only the line: ending the process is the caller's to do.
  template <class... Args>
  void fatal(fmt::format_string<Args...> text, Args&&... args) const {
    write(Level::fatal, text, std::forward<Args>(args)...);
  }

  // Whatever levels are on: for the one connection or subject that somebody asked to trace.
  template <class... Args>
  void write(Level level, fmt::format_string<Args...> text, Args&&... args) const {
    detail::write(level, text, fmt::make_format_args(args...));
  }

 private:
  friend Logger get(std::string_view module);
  explicit Logger(const detail::LevelMask& mask) : mask_(&mask) {}

  const detail::LevelMask* mask_;
};

// The logger of a module; its name is what set_levels() knows it by. The same for the same name.
Logger get(std::string_view module);

}  // namespace spanwire::logging
