// Plays protocol scripts in process: every scenario on one loop and on three, with its input whole,
// cut in two at every byte, and byte by byte.
//
// usage: script_runner [--only TEXT] FILE...
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/script/script_play.h"

namespace spanwire::script {
namespace {

constexpr std::size_t max_cuts = 300;  // of one scenario, from the front

struct Counts {
  int passed = 0;
  int failed = 0;
  int skipped = 0;
};

// Every way in which the scenario's input is cut, the whole first.
std::vector<Cut> cuts_of(const Scenario& scenario) {
  std::vector<Cut> cuts(1);
  if (scenario.key("cut").starts_with("no")) return cuts;
  std::size_t longest = 0;
  for (const Step& step : scenario.steps) {
    std::size_t size = 0;
    if (step.op != Op::send) continue;
    for (const std::string& text : step.texts) size += text.size() + 2;
    longest = std::max(longest, size);
  }
  for (std::size_t at = 1; at < std::min(longest, max_cuts); ++at) cuts.push_back({.at = at});
  cuts.push_back({.every_byte = true});
  return cuts;
}

std::string name_of(const Cut& cut, std::size_t loops) {
  std::string name = fmt::format("on {} loops", loops);
  if (cut.at > 0) name += fmt::format(", input cut at {}", cut.at);
  if (cut.every_byte) name += ", input byte by byte";
  return name;
}

std::set<std::string> wires_of(const Scenario& scenario) {
  std::set<std::string> wires = {wire_of(scenario.key("wire"))};
  for (const Step& step : scenario.steps) {
    if (step.op == Op::speaks) wires.insert(wire_of(step.texts.front()));
  }
  return wires;
}

// What went wrong in the first variant in which something did.
std::optional<std::string> play_all(const Scenario& scenario) {
  const auto config = read_config(scenario.key("settings"), wires_of(scenario));
  if (!config) return "settings: " + config.error().text;
  std::uint32_t seed = 0;
  for (const std::size_t loops : {std::size_t{1}, std::size_t{3}}) {
    for (Cut cut : cuts_of(scenario)) {
      cut.loop_seed = loops > 1 ? ++seed : 0;
      Stage stage(*config, loops);
      const std::string failure = Play(scenario, stage, cut).run();
      if (!failure.empty()) return failure + "\n(" + name_of(cut, loops) + ")";
    }
  }
  return std::nullopt;
}

std::string indented(const std::string& text) {
  std::string out = "  ";
  for (const char c : text) {
    out += c;
    if (c == '\n') out += "  ";
  }
  return out;
}

void play_file(const std::string& path, std::string_view only, Counts& counts) {
  for (const Scenario& scenario : read_scenarios(path)) {
    if (scenario.name.find(only) == std::string::npos) continue;
    const std::string label = fmt::format("{}:{} {}", path, scenario.line, scenario.name);
    if (scenario.key("player").starts_with("socket")) {
      ++counts.skipped;
      fmt::print("SKIP {} (player: {})\n", label, scenario.key("player"));
    } else if (const auto failure = play_all(scenario)) {
      ++counts.failed;
      fmt::print("FAIL {}\n{}\n", label, indented(*failure));
    } else {
      ++counts.passed;
      fmt::print("PASS {}\n", label);
    }
    std::fflush(stdout);
  }
}

int run(const std::vector<std::string>& arguments) {
  Counts counts;
  std::string only;
  try {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (arguments[i] == "--only" && i + 1 < arguments.size())
        only = arguments[++i];
      else
        play_file(arguments[i], only, counts);
    }
  } catch (const ScriptError& error) {
    fmt::print("FAIL {}\n", error.what());
    ++counts.failed;
  }
  fmt::print("{} passed, {} failed, {} skipped\n", counts.passed, counts.failed, counts.skipped);
  return counts.failed == 0 && counts.passed + counts.skipped > 0 ? 0 : 1;
}

}  // namespace
}  // namespace spanwire::script

int main(int argc, char** argv) {
  return spanwire::script::run(std::vector<std::string>(argv + 1, argv + argc));
}
