#include "app/options.h"

#include <fmt/format.h>

#include <utility>

#include "app/flag_values.h"
#include "app/flags.h"
#include "app/version.h"

namespace spanwire::app {

namespace {

constexpr std::int64_t any_port = -1;
constexpr std::int64_t last_port = 65535;

// What is wrong with the command line, said as Go's flag package says it.
using Complaint = std::optional<std::string>;

Exit error(const Program& program, std::string_view text) {
  return {1, {}, fmt::format("{}: {}\n", program.name, text)};
}

// nats-server prints its usage for a flag it cannot read, and leaves without an error.
Exit misuse(const Program& program, std::string_view complaint) {
  return {0, usage(program), fmt::format("{}\n", complaint)};
}

bool is_switch(const Flag& flag) {
  const auto* refused = std::get_if<NotYet>(&flag.to);
  return refused != nullptr ? *refused == NotYet::on_or_off
                            : std::holds_alternative<ToSwitch>(flag.to);
}

bool is_number(const Flag& flag) {
  const auto* refused = std::get_if<NotYet>(&flag.to);
  return refused != nullptr ? *refused == NotYet::number
                            : std::holds_alternative<ToNumber>(flag.to);
}

// The words of the command line, one flag after the other.
class Reader {
 public:
  explicit Reader(std::span<const std::string_view> arguments) : left_(arguments) {}

  // Reads flags up to the first word that is none.
  Complaint read_all() {
    while (!left_.empty()) {
      const std::string_view word = left_.front();
      if (word.size() < 2 || word.front() != '-') return std::nullopt;
      left_ = left_.subspan(1);
      if (word == "--") return std::nullopt;
      if (Complaint complaint = read_flag(word)) return complaint;
    }
    return std::nullopt;
  }

  ParsedFlags& flags() { return flags_; }
  std::span<const std::string_view> left() const { return left_; }

 private:
  Complaint read_flag(std::string_view word) {
    std::string_view name = word.substr(word.starts_with("--") ? 2 : 1);
    if (name.empty() || name.front() == '-' || name.front() == '=') {
      return fmt::format("bad flag syntax: {}", word);
    }
    std::optional<std::string_view> value;
    if (const std::size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    const Flag* flag = find_flag(name);
    if (flag == nullptr) return fmt::format("flag provided but not defined: -{}", name);
    if (is_switch(*flag)) return set_switch(*flag, name, value.value_or("true"));
    if (!value && !left_.empty()) {
      value = left_.front();
      left_ = left_.subspan(1);
    }
    if (!value) return fmt::format("flag needs an argument: -{}", name);
    return is_number(*flag) ? set_number(*flag, name, *value) : set_text(*flag, name, *value);
  }

  Complaint set_switch(const Flag& flag, std::string_view name, std::string_view value) {
    const std::optional<bool> on = parse_switch(value);
    if (!on) {
      return fmt::format("invalid boolean value {} for -{}: parse error", quoted(value), name);
    }
    if (const auto* to = std::get_if<ToSwitch>(&flag.to)) {
      flags_.*(*to) = *on;
    } else if (*on) {
      refuse(name);
    }
    return std::nullopt;
  }

  Complaint set_number(const Flag& flag, std::string_view name, std::string_view value) {
    const Number number = parse_number(value);
    if (number.error != NumberError::none) {
      const bool is_malformed = number.error == NumberError::malformed;
      return fmt::format("invalid value {} for flag -{}: {}", quoted(value), name,
                         is_malformed ? "parse error" : "value out of range");
    }
    if (const auto* to = std::get_if<ToNumber>(&flag.to)) {
      flags_.*(*to) = number.value;
    } else if (number.value != 0) {
      refuse(name);
    }
    return std::nullopt;
  }

  Complaint set_text(const Flag& flag, std::string_view name, std::string_view value) {
    if (const auto* to = std::get_if<ToText>(&flag.to)) {
      flags_.*(*to) = std::string(value);
    } else if (!value.empty()) {
      refuse(name);
    }
    return std::nullopt;
  }

  // Not for false, 0 and the empty text: nothing is asked for with those.
  void refuse(std::string_view name) {
    if (flags_.not_honoured.empty()) flags_.not_honoured = name;
  }

  std::span<const std::string_view> left_;
  ParsedFlags flags_;
};

// The words version and help, in any case, stand for the flags.
std::optional<Exit> run_word(const Program& program, ParsedFlags& flags,
                             std::span<const std::string_view> words) {
  if (words.empty()) return std::nullopt;
  std::string word(words.front());
  for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (word == "version") {
    flags.show_version = true;
  } else if (word == "help") {
    flags.show_help = true;
  } else {
    return error(program, fmt::format("unrecognized command: {}", quoted(words.front())));
  }
  return std::nullopt;
}

std::optional<Exit> information(const Program& program, const ParsedFlags& flags) {
  if (flags.show_version.value_or(false)) return Exit{0, program.version + '\n', {}};
  if (flags.show_help.value_or(false)) return Exit{0, usage(program), {}};
  return std::nullopt;
}

std::optional<Exit> check_port(const Program& program, std::string_view name,
                               std::optional<std::int64_t> port) {
  if (!port || (*port >= any_port && *port <= last_port)) return std::nullopt;
  return error(program, fmt::format("-{} {}: a port is a number up to {}, or {} for any free one",
                                    name, *port, last_port, any_port));
}

std::optional<Exit> check(const Program& program, const ParsedFlags& flags) {
  if (!flags.not_honoured.empty()) {
    return error(program, fmt::format("-{} is a flag of nats-server that is not supported yet",
                                      flags.not_honoured));
  }
  if (auto exit = check_port(program, "p", flags.port)) return exit;
  if (auto exit = check_port(program, "m", flags.http_port)) return exit;
  const bool has_config = !flags.config_file.value_or("").empty();
  if (flags.check.value_or(false) && flags.signal_text.value_or("").empty() && !has_config) {
    return error(program, "must specify [-c, --config] option to check configuration file syntax");
  }
  return std::nullopt;
}

// The combined flags win over the single ones, wherever they stand: nats-server applies them last,
// in this order.
Options combine(ParsedFlags flags) {
  if (flags.debug_and_trace) flags.debug = flags.trace = flags.debug_and_trace;
  if (flags.debug_and_trace_verbose) {
    flags.debug = flags.trace = flags.trace_verbose = flags.debug_and_trace_verbose;
  }
  if (flags.verbose) flags.trace = flags.trace_verbose = flags.verbose;
  flags.check_config = flags.check.value_or(false);
  flags.signal = flags.signal_text.value_or("");
  return std::move(static_cast<Options&>(flags));
}

}  // namespace

Program program_of(std::string_view argv0) {
  const std::string_view file = argv0.substr(argv0.rfind('/') + 1);
  if (file == "nats-server") return {"nats-server", fmt::format("nats-server: v{}", nats_version)};
  return {"spanwire",
          fmt::format("spanwire: v{} (as nats-server v{})", spanwire_version, nats_version)};
}

std::variant<Options, Exit> parse_command_line(const Program& program,
                                               std::span<const std::string_view> arguments) {
  Reader reader(arguments);
  if (const Complaint complaint = reader.read_all()) return misuse(program, *complaint);
  ParsedFlags& flags = reader.flags();
  if (auto exit = information(program, flags)) return *std::move(exit);
  if (auto exit = run_word(program, flags, reader.left())) return *std::move(exit);
  if (auto exit = information(program, flags)) return *std::move(exit);
  if (auto exit = check(program, flags)) return *std::move(exit);
  return combine(std::move(flags));
}

}  // namespace spanwire::app
