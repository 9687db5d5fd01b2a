#include "app/flags.h"

#include <algorithm>
#include <array>

namespace spanwire::app {

namespace {

using F = ParsedFlags;

constexpr Flag to_switch(std::string_view names, ToSwitch to, std::string_view help) {
  return {names, to, {}, help};
}
constexpr Flag to_number(std::string_view names, ToNumber to, std::string_view value,
                         std::string_view help) {
  return {names, to, value, help};
}
constexpr Flag to_text(std::string_view names, ToText to, std::string_view value,
                       std::string_view help) {
  return {names, to, value, help};
}
constexpr Flag not_yet(std::string_view names, NotYet kind) {
  return {names, kind, {}, {}};
}

constexpr std::array server_flags{
    to_text("a addr net", &F::host, "<host>", "Listen on this address (default: 0.0.0.0)"),
    to_number("p port", &F::port, "<port>",
              "Listen for NATS clients on this port\n(default: 4222; -1: any free one)"),
    to_text("n name server_name", &F::server_name, "<name>",
            "Name of this server (default: its id)"),
    to_number("m http_port", &F::http_port, "<port>",
              "Serve /varz, /connz and the like on this port\n(default: none; -1: any free one)"),
    to_text("c config", &F::config_file, "<file>",
            "Read this configuration; the flags given here win"),
    to_switch("t", &F::check, "Check the configuration and exit"),
    to_switch("js jetstream", &F::jetstream, "Have streams (JetStream)"),
    to_text(
        "sd store_dir", &F::store_dir, "<dir>",
        "Hold the streams in <dir>/jetstream\n(default: nats/ in the folder for temporary files)"),
    to_text("P pid", &F::pid_file, "<file>", "Write the process id to this file"),
    to_text("ports_file_dir", &F::ports_file_dir, "<dir>",
            "Write the addresses listened on to\n<dir>/<program>_<pid>.ports, as JSON"),
    to_text("sl signal", &F::signal_text, "<command>[=<pid>]",
            "Send a command to a running server and exit:\n"
            "stop, quit, term, reopen, reload or ldm.\n"
            "<pid> is a number or a pid file, and may end in *"),
};

constexpr std::array log_flags{
    to_text("l log", &F::log_file, "<file>", "Log to this file (default: to standard error)"),
    to_switch("T logtime", &F::logtime, "Begin each line with the time (default: true)"),
    to_switch("logtime_utc", &F::logtime_utc, "Show the time in UTC, not in local time"),
    to_switch("D debug", &F::debug, "Log what helps to find a fault"),
    to_switch("V trace", &F::trace, "Log each line of the protocol"),
    to_switch("VV", &F::verbose, "The same, with the system account's lines"),
    to_switch("DV", &F::debug_and_trace, "-D and -V"),
    to_switch("DVV", &F::debug_and_trace_verbose, "-D and -VV"),
    to_number("max_traced_msg_len", &F::max_traced_msg_len, "<bytes>",
              "Show at most this much of a traced message\n(default: all of it)"),
};

constexpr std::array authorization_flags{
    to_text("user", &F::user, "<user>", "User that clients have to give"),
    to_text("pass", &F::password, "<password>", "Password that clients have to give"),
    to_text("auth", &F::token, "<token>", "Token that clients have to give"),
};

constexpr std::array common_flags{
    to_switch("h help", &F::show_help, "Show this"),
    to_switch("v version", &F::show_version, "Show the version"),
};

constexpr std::array refused{
    not_yet("ms https_port", NotYet::number),
    not_yet("client_advertise", NotYet::text),
    not_yet("s syslog", NotYet::on_or_off),
    not_yet("r remote_syslog", NotYet::text),
    not_yet("log_size_limit", NotYet::number),
    not_yet("tls", NotYet::on_or_off),
    not_yet("tlsverify", NotYet::on_or_off),
    not_yet("tlscert", NotYet::text),
    not_yet("tlskey", NotYet::text),
    not_yet("tlscacert", NotYet::text),
    not_yet("routes", NotYet::text),
    not_yet("cluster cluster_listen", NotYet::text),
    not_yet("cluster_name", NotYet::text),
    not_yet("cluster_advertise", NotYet::text),
    not_yet("no_advertise", NotYet::on_or_off),
    not_yet("connect_retries", NotYet::number),
    not_yet("profile", NotYet::number),
    not_yet("help_tls", NotYet::on_or_off),
};

constexpr std::array<FlagGroup, 4> groups{{{"Server", server_flags},
                                           {"Log", log_flags},
                                           {"Authorization", authorization_flags},
                                           {"Common", common_flags}}};

bool has_name(const Flag& flag, std::string_view name) {
  std::string_view names = flag.names;
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(' '), names.size());
    if (names.substr(0, end) == name) return true;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return false;
}

const Flag* find_in(std::span<const Flag> flags, std::string_view name) {
  const auto found =
      std::find_if(flags.begin(), flags.end(), [&](const Flag& f) { return has_name(f, name); });
  return found == flags.end() ? nullptr : &*found;
}

}  // namespace

std::span<const FlagGroup> flag_groups() {
  return groups;
}

std::span<const Flag> refused_flags() {
  return refused;
}

const Flag* find_flag(std::string_view name) {
  for (const FlagGroup& group : groups) {
    if (const Flag* found = find_in(group.flags, name)) return found;
  }
  return find_in(refused, name);
}

}  // namespace spanwire::app
