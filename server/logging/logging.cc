#include "logging/logging.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/sink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <iterator>
#include <memory>
#include <utility>

#include "base/assert.h"
#include "base/mutex.h"
#include "logging/escape.h"

namespace spanwire::logging {

namespace {

using base::MutexLock;

constexpr mode_t file_mode = 0640;  // as nats-server has it: a log is not for everybody

std::uint8_t bit(Level level) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(level));
}

std::uint8_t mask_of(Levels levels) {
  unsigned mask = bit(Level::info) | bit(Level::warn) | bit(Level::error) | bit(Level::fatal);
  if (levels.debug) mask |= bit(Level::debug);
  if (levels.trace) mask |= bit(Level::trace);
  return static_cast<std::uint8_t>(mask);
}

spdlog::level::level_enum in_spdlog(Level level) {
  switch (level) {
    case Level::trace:
      return spdlog::level::trace;
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::fatal:
      return spdlog::level::critical;
  }
  return spdlog::level::critical;
}

// The level as nats-server spells and colours it.
class Label final : public spdlog::custom_flag_formatter {
 public:
  explicit Label(bool is_coloured) : is_coloured_(is_coloured) {}

  void format(const spdlog::details::log_msg& line, const std::tm&,
              spdlog::memory_buf_t& out) override {
    struct Form {
      const char* text;
      const char* colour;
    };
    static constexpr std::array<Form, 6> forms{{{"TRC", "33"},
                                                {"DBG", "36"},
                                                {"INF", "32"},
                                                {"WRN", "0;93"},
                                                {"ERR", "31"},
                                                {"FTL", "31"}}};
    const Form& form = forms[static_cast<std::size_t>(line.level)];
    if (is_coloured_) {
      fmt::format_to(std::back_inserter(out), "[\x1b[{}m{}\x1b[0m]", form.colour, form.text);
    } else {
      fmt::format_to(std::back_inserter(out), "[{}]", form.text);
    }
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<Label>(is_coloured_);
  }

 private:
  const bool is_coloured_;
};

// As nats-server decides it: a terminal is a character device.
bool wants_colour(const Settings& settings) {
  struct stat status {};
  return settings.file.empty() && ::fstat(STDERR_FILENO, &status) == 0 && S_ISCHR(status.st_mode);
}

std::unique_ptr<spdlog::formatter> make_formatter(const Settings& settings) {
  const char* pattern = settings.timestamps ? "[%P] %Y/%m/%d %H:%M:%S.%f %* %v" : "[%P] %* %v";
  const auto clock =
      settings.utc ? spdlog::pattern_time_type::utc : spdlog::pattern_time_type::local;
  spdlog::pattern_formatter::custom_flags flags;
  flags['*'] = std::make_unique<Label>(wants_colour(settings));
  return std::make_unique<spdlog::pattern_formatter>(pattern, clock, "\n", std::move(flags));
}

base::Result<int> open_file(const std::string& name) {
  const int file = ::open(name.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, file_mode);
  if (file < 0) return base::fail(fmt::format("open {}: {}", name, std::strerror(errno)));
  return file;
}

// One file descriptor, and one write for a line: lines of several processes in one file stay whole.
class Output final : public spdlog::sinks::sink {
 public:
  Output() : formatter_(make_formatter({})) {}

  base::Status configure(const Settings& settings) {
    int file = STDERR_FILENO;
    if (!settings.file.empty()) {
      auto opened = open_file(settings.file);
      if (!opened) return tl::unexpected(std::move(opened.error()));
      file = *opened;
    }
    MutexLock lock(mutex_);
    use(file);
    file_name_ = settings.file;
    formatter_ = make_formatter(settings);
    return {};
  }

  base::Status reopen() {
    MutexLock lock(mutex_);
    if (file_name_.empty()) return {};
    auto opened = open_file(file_name_);
    if (!opened) return tl::unexpected(std::move(opened.error()));
    use(*opened);
    return {};
  }

  void log(const spdlog::details::log_msg& line) override {
    MutexLock lock(mutex_);
    buffer_.clear();
    formatter_->format(line, buffer_);
    if (!write_all({buffer_.data(), buffer_.size()})) lost_.fetch_add(1, std::memory_order_relaxed);
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override {
    MutexLock lock(mutex_);
    formatter_ = std::move(formatter);
  }

  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  void use(int file) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (file_ != STDERR_FILENO) ::close(file_);
    file_ = file;
  }

  // A log that cannot be written (a full disk, a closed pipe) must not stop the server.
  bool write_all(std::string_view line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (!line.empty()) {
      const ssize_t written = ::write(file_, line.data(), line.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      line.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

  base::Mutex mutex_;
  int file_ ABSL_GUARDED_BY(mutex_) = STDERR_FILENO;
  std::string file_name_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<spdlog::formatter> formatter_ ABSL_GUARDED_BY(mutex_);
  spdlog::memory_buf_t buffer_ ABSL_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> lost_{0};
};

// What the process has one of. Never destroyed: threads may log until the very end.
class Log {
 public:
  static Log& instance() {
    static Log& log = *new Log;
    return log;
  }

  Output& output() { return *output_; }
  void write(Level level, std::string_view text) { spdlog_.log(in_spdlog(level), text); }

  const detail::LevelMask& mask(std::string_view module) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return find_or_add(module).mask;
  }
  void set_levels(Levels levels) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    default_mask_ = mask_of(levels);
    for (Module& module : modules_) module.mask.store(default_mask_, std::memory_order_relaxed);
  }
  void set_levels(std::string_view module, Levels levels) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    find_or_add(module).mask.store(mask_of(levels), std::memory_order_relaxed);
  }

 private:
  struct Module {
    Module(std::string_view module_name, std::uint8_t first_mask)
        : name(module_name), mask(first_mask) {}
    std::string name;
    detail::LevelMask mask;
  };

  Log() : output_(std::make_shared<Output>()), spdlog_("", output_) {
    spdlog_.set_level(spdlog::level::trace);  // what is on was decided before
  }

  Module& find_or_add(std::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (Module& module : modules_) {
      if (module.name == name) return module;
    }
    BASE_ASSERT(modules_.size() < max_modules);
    return modules_.emplace_back(name, default_mask_);
  }

  const std::shared_ptr<Output> output_;
  spdlog::logger spdlog_;
  base::Mutex mutex_;
  std::deque<Module> modules_ ABSL_GUARDED_BY(mutex_);  // their addresses never change
  std::uint8_t default_mask_ ABSL_GUARDED_BY(mutex_) = mask_of({});
};

}  // namespace

base::Status configure(const Settings& settings) {
  return Log::instance().output().configure(settings);
}

base::Status reopen() {
  return Log::instance().output().reopen();
}

void set_levels(Levels levels) {
  Log::instance().set_levels(levels);
}

void set_levels(std::string_view module, Levels levels) {
  Log::instance().set_levels(module, levels);
}

std::uint64_t lost_lines() {
  return Log::instance().output().lost();
}

Logger get(std::string_view module) {
  return Logger(Log::instance().mask(module));
}

void detail::write(Level level, fmt::string_view text, fmt::format_args args) {
  fmt::memory_buffer formatted;
  fmt::vformat_to(std::back_inserter(formatted), text, args);
  std::string line;
  append_escaped(line, {formatted.data(), formatted.size()}, max_text_bytes);
  Log::instance().write(level, line);
}

}  // namespace spanwire::logging
