#include "tests/script/script_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <optional>
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

bool is_duration(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view unit = text.substr(digits);
  return digits > 0 && (unit == "s" || unit == "ms");
}

// Takes digits off the front.
bool take_number(std::string_view& text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(digits);
  return digits > 0;
}

bool take_word(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

// Whether the operation may have so many connections, and that text behind it.
bool fits(Op op, std::size_t names, std::string_view text) {
  switch (op) {
    case Op::advance:
      return names == 0 && is_duration(text);
    case Op::nothing:
      return names > 0 && (text.empty() || (take_word(text, "for ") && is_duration(text)));
    case Op::share:
      return names > 0 && take_number(text) && take_word(text, " in ") && take_number(text) &&
             take_word(text, " parts: ");
    case Op::opens:
    case Op::closes:
    case Op::stalls:
    case Op::resumes:
      return names == 1 && text.empty();
    case Op::closed:
      return names == 1 && (text.empty() || text == "whatever came");
    case Op::answered:
      return names == 1 && take_number(text) &&
             (text.empty() || text == " without body" || text.starts_with(" with "));
    case Op::send:
    case Op::expect:
    case Op::expect_any_order:
      return false;  // written without a blank: parse_bytes_step()
    default:
      return names == 1;
  }
}

// The letters at the front of `line`, each a word of its own.
std::string take_names(std::string_view& line) {
  std::string names;
  while (line.size() > 2 && line[0] >= 'a' && line[0] <= 'z' && line[1] == ' ') {
    names += line[0];
    line.remove_prefix(2);
  }
  return names;
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
  std::string_view rest = line;
  std::string names = take_names(rest);
  const std::size_t blank = std::min(rest.find(' '), rest.size());
  const auto operation = operations().find(std::string(rest.substr(0, blank)));
  rest.remove_prefix(std::min(blank + 1, rest.size()));
  if (operation == operations().end() || !fits(operation->second, names.size(), rest)) {
    throw ScriptError("no such step: " + line);
  }
  if (operation->second == Op::nothing) take_word(rest, "for ");
  return {.line = number,
          .op = operation->second,
          .names = std::move(names),
          .texts = {std::string(rest)},
          .headers = {}};
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
    const std::size_t colon = std::min(line.find(':'), line.size());
    const std::string name = line.substr(0, colon);
    if (colon == line.size() || !known_keys().contains(name)) return false;
    keys()[name] = line.size() > colon + 2 ? line.substr(colon + 2) : "";
    in_settings_ = name == "settings";
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
