#include "tools/loadgen/options.h"

#include <fmt/core.h>

#include <charconv>
#include <chrono>
#include <string>

namespace spanwire::loadgen {
namespace {

// Two missed answers to a server's PING, four minutes by default, would close a connection.
constexpr double max_seconds = 60;

template <class Number>
base::Status read_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) {
    return base::fail(fmt::format("'{}' is not a number that fits", text));
  }
  return {};
}

base::Status read_seconds(std::string_view text, base::Duration& out) {
  double seconds = 0;
  if (base::Status done = read_number(text, seconds); !done) return done;
  if (!(seconds >= 0 && seconds <= max_seconds)) {
    return base::fail(fmt::format("{} s: from 0 to {} s are possible", text, max_seconds));
  }
  out = std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
  return {};
}

base::Status read_pids(std::string_view text, std::vector<pid_t>& out) {
  while (!text.empty()) {
    const auto comma = text.find(',');
    pid_t pid = 0;
    if (base::Status done = read_number(text.substr(0, comma), pid); !done) return done;
    out.push_back(pid);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return {};
}

base::Status read_option(std::string_view name, std::string_view value, Plan& plan) {
  if (name == "--host") {
    plan.server.host = value;
    return {};
  }
  if (name == "--path") {
    plan.path = value;
    return {};
  }
  if (name == "--begun") {
    plan.begun = value;
    return {};
  }
  if (name == "--port") return read_number(value, plan.server.port);
  if (name == "--pid") return read_pids(value, plan.pids);
  if (name == "--seconds") return read_seconds(value, plan.length);
  if (name == "--warm-up") return read_seconds(value, plan.warm_up);
  if (name == "--messages") return read_number(value, plan.messages);
  if (name == "--window") return read_number(value, plan.window);
  if (name == "--rate") return read_number(value, plan.shape.rate);
  if (name == "--count") return read_number(value, plan.shape.count);
  return base::fail(fmt::format("unknown option {}", name));
}

}  // namespace

std::string_view usage() {
  return "usage: loadgen --list | loadgen SHAPE --port N [OPTION VALUE]...\n"
         "Runs one load against a server and prints what it found as a line of JSON. A run with a\n"
         "missing or surplus delivery is void: it prints why, and exits with 3.\n"
         "  --host ADDRESS     127.0.0.1\n"
         "  --pid N[,N...]     the server's processes, to read their processor time and memory\n"
         "  --seconds S        the measured part, 1\n"
         "  --warm-up S        before it, 0.3\n"
         "  --messages N       stop after so many messages if that is sooner\n"
         "  --window BYTES     deliveries under way at most, 4194304\n"
         "  --rate N           messages a second of a paced shape\n"
         "  --count N          connections, subscriptions, streams or messages that are held\n"
         "  --begun PATH       a file to create when all is set up and the load begins\n"
         "  --path PATH        of HTTP requests, /broker/load; the folder that is written to "
         "without\n"
         "                     a server\n";
}

base::Result<Options> parse_options(std::span<const char* const> arguments) {
  Options options;
  if (arguments.empty()) return base::fail("which shape? --list shows them");
  const std::string_view first = arguments.front();
  options.list = first == "--list";
  options.help = first == "--help" || first == "-h";
  if (options.list || options.help) return options;
  const Shape* shape = find_shape(first);
  if (shape == nullptr) return base::fail(fmt::format("no shape is called {}", first));
  options.plan.shape = *shape;
  for (arguments = arguments.subspan(1); !arguments.empty(); arguments = arguments.subspan(2)) {
    if (arguments.size() < 2) return base::fail(fmt::format("{} needs a value", arguments[0]));
    if (base::Status done = read_option(arguments[0], arguments[1], options.plan); !done) {
      return tl::unexpected(done.error());
    }
  }
  const Shape& chosen = options.plan.shape;
  const bool asks_server = chosen.kind != Kind::disk;
  if (asks_server && options.plan.server.port == 0) return base::fail("--port is needed");
  if (chosen.kind == Kind::paced && chosen.rate == 0) return base::fail("--rate must not be 0");
  return options;
}

}  // namespace spanwire::loadgen
