#include "tests/script/script_file.h"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <optional>
#include <regex>
#include <set>
#include <utility>

#include "tests/script/script_text.h"

namespace spanwire::script {
namespace {

using Keys = std::map<std::string, std::string>;

const std::set<std::string>& known_keys() {
  static const std::set<std::string> keys = {"wire",   "settings", "reference",
                                             "player", "cut",      "pings"};
  return keys;
}

const std::map<std::string, Op>& operations() {
  static const std::map<std::string, Op> map = {
      {">", Op::send},          {"<", Op::expect},         {"<~", Op::expect_any_order},
      {"opens", Op::opens},     {"closes", Op::closes},    {"stalls", Op::stalls},
      {"resumes", Op::resumes}, {"speaks", Op::speaks},    {"connects", Op::connects},
      {"greeted", Op::greeted}, {"informed", Op::greeted}, {"closed", Op::closed},
      {"nothing", Op::nothing}, {"share", Op::share},      {"answered", Op::answered},
      {"advance", Op::advance}};
  return map;
}

// Names, operation, text; the same forms as in script_parse.py.
const std::array<std::regex, 8>& forms() {
  static const std::array<std::regex, 8> list = {
      std::regex("()(advance) ([0-9]+m?s)"),
      std::regex("([a-z](?: [a-z])*) (nothing)(?: for ([0-9]+m?s))?"),
      std::regex("([a-z](?: [a-z])*) (share) ([0-9]+ in [0-9]+ parts: .*)"),
      std::regex("([a-z]) (opens|closes|stalls|resumes)()"),
      std::regex("([a-z]) (speaks) (nats|mqtt|http)"),
      std::regex("([a-z]) (connects|greeted|informed)(?: (.*))?"),
      std::regex("([a-z]) (closed)(?: (whatever came))?"),
      std::regex("([a-z]) (answered) ([0-9]+(?: with .*| without body)?)"),
  };
  return list;
}

// `a> TEXT`, `a< TEXT`, `a<~ TEXT`.
std::optional<Step> parse_bytes_step(int number, const std::string& line) {
  if (line.size() < 2 || line[0] < 'a' || line[0] > 'z') return std::nullopt;
  const std::size_t blank = line.find(' ');
  const auto operation = operations().find(line.substr(1, blank - 1));
  if (operation == operations().end() || line[1] == ' ') return std::nullopt;
  const std::string text = blank == std::string::npos ? "" : line.substr(blank + 1);
  return Step{.line = number,
              .op = operation->second,
              .names = line.substr(0, 1),
              .texts = {text},
              .headers = {}};
}

Step parse_step(int number, const std::string& line) {
  if (std::optional<Step> step = parse_bytes_step(number, line)) return *std::move(step);
  std::smatch found;
  for (const std::regex& form : forms()) {
    if (!std::regex_match(line, found, form)) continue;
    std::string names = found[1];
    std::erase(names, ' ');
    return {.line = number,
            .op = operations().at(found[2]),
            .names = std::move(names),
            .texts = {found[3]},
            .headers = {}};
  }
  throw ScriptError("no such step: " + line);
}

// Reads one file line by line.
class Reader {
 public:
  void take(int number, const std::string& line) {
    const bool blank = line.find_first_not_of(' ') == std::string::npos;
    if (in_settings_ && (blank || line.starts_with("  "))) {
      keys()["settings"] += (blank ? "" : line.substr(2)) + "\n";
      return;
    }
    in_settings_ = false;
    if (blank || line.starts_with("#")) return;
    if (line.starts_with("== ")) return begin(number, line.substr(3));
    if (take_key(line)) return;
    if (scenarios_.empty()) throw ScriptError("a step before the first scenario: " + line);
    take_step(number, line);
  }

  std::vector<Scenario> finish() { return std::move(scenarios_); }

 private:
  Keys& keys() { return scenarios_.empty() ? defaults_ : scenarios_.back().keys; }

  void begin(int number, const std::string& name) {
    if (!names_.insert(name).second) throw ScriptError("a second scenario of this name: " + name);
    if (!defaults_.contains("wire")) throw ScriptError("no wire");
    scenarios_.push_back({.line = number, .name = name, .keys = defaults_, .steps = {}});
  }

  bool take_key(const std::string& line) {
    static const std::regex form("([a-z]+):(?: (.*))?");
    std::smatch found;
    if (!std::regex_match(line, found, form) || !known_keys().contains(found[1])) return false;
    keys()[found[1]] = found[2];
    in_settings_ = found[1] == "settings";
    return true;
  }

  void take_step(int number, const std::string& line) {
    std::vector<Step>& steps = scenarios_.back().steps;
    if (line.starts_with("  ") && !steps.empty() && steps.back().op == Op::answered) {
      steps.back().headers.push_back(line.substr(2));
      return;
    }
    Step step = parse_step(number, line);
    const bool joins = step.op == Op::send || step.op == Op::expect_any_order;
    if (joins && !steps.empty() && steps.back().op == step.op && steps.back().names == step.names) {
      steps.back().texts.push_back(step.texts.front());
      return;
    }
    steps.push_back(std::move(step));
  }

  Keys defaults_;
  std::vector<Scenario> scenarios_;
  std::set<std::string> names_;
  bool in_settings_ = false;
};

}  // namespace

std::string Scenario::key(const std::string& name_of_key) const {
  const auto found = keys.find(name_of_key);
  return found == keys.end() ? std::string() : found->second;
}

std::vector<Scenario> read_scenarios(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw ScriptError("cannot read " + path);
  Reader reader;
  std::string line;
  int number = 0;
  try {
    while (std::getline(file, line)) reader.take(++number, line);
  } catch (const ScriptError& error) {
    throw ScriptError(fmt::format("{}:{}: {}", path, number, error.what()));
  }
  return reader.finish();
}

base::Duration duration(std::string_view text) {
  const bool milliseconds = text.ends_with("ms");
  const long value = std::stol(std::string(text));
  if (milliseconds) return std::chrono::milliseconds(value);
  return std::chrono::seconds(value);
}

}  // namespace spanwire::script
