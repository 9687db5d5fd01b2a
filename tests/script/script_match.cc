#include "tests/script/script_match.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace spanwire::script {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

Matched match_from(const Text& text, std::size_t index, std::string_view data, std::size_t start);

// The shortest run that lets the rest of the text match.
Matched match_run(const Text& text, std::size_t index, std::string_view data, std::size_t start) {
  bool more = false;
  std::size_t end = start;
  while (end < data.size()) {
    const char c = data[end];
    if (c == '\r' || c == '\n') break;
    if (text[index].kind == PartKind::number && !is_digit(c)) break;
    ++end;
    const Matched rest = match_from(text, index + 1, data, end);
    if (rest.verdict == Verdict::match) return rest;
    more = more || rest.verdict == Verdict::more;
  }
  return {more || end == data.size() ? Verdict::more : Verdict::mismatch, 0};
}

// The size of the object at the front: 0 if it is not all there, npos if there is none.
std::size_t json_size(std::string_view data) {
  if (!data.empty() && data[0] != '{') return std::string_view::npos;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (quoted) {
      if (data[i] == '\\')
        ++i;
      else if (data[i] == '"')
        quoted = false;
    } else if (data[i] == '"') {
      quoted = true;
    } else if (data[i] == '{') {
      ++depth;
    } else if (data[i] == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return 0;
}

// How far the part takes `start`; npos and a verdict where it does not match.
Verdict match_part(const Part& part, std::string_view data, std::size_t& start) {
  const std::string_view rest = data.substr(start);
  if (part.kind == PartKind::byte) {
    ++start;
    return rest.empty() ? Verdict::more : Verdict::match;
  }
  if (part.kind == PartKind::bytes) {
    const std::string_view have = rest.substr(0, part.text.size());
    if (!std::string_view(part.text).starts_with(have)) return Verdict::mismatch;
    start += part.text.size();
    return have.size() < part.text.size() ? Verdict::more : Verdict::match;
  }
  const std::size_t size = json_size(rest);
  if (size == 0) return Verdict::more;
  if (size == std::string_view::npos) return Verdict::mismatch;
  const auto want = json::Document::parse(part.text);
  if (!want) throw ScriptError("no JSON: " + part.text);
  const auto have = json::Document::parse(rest.substr(0, size));
  if (!have || !json_difference(want->root(), have->root()).empty()) return Verdict::mismatch;
  start += size;
  return Verdict::match;
}

Matched match_from(const Text& text, std::size_t index, std::string_view data, std::size_t start) {
  for (; index < text.size(); ++index) {
    const PartKind kind = text[index].kind;
    if (kind == PartKind::any || kind == PartKind::number) {
      return match_run(text, index, data, start);
    }
    const Verdict verdict = match_part(text[index], data, start);
    if (verdict != Verdict::match) return {verdict, 0};
  }
  return {Verdict::match, start};
}

std::string shown(const json::Value& value) {
  if (const auto text = value.string()) return '"' + std::string(*text) + '"';
  if (const auto flag = value.boolean()) return *flag ? "true" : "false";
  if (const auto number = value.real()) return fmt::format("{}", *number);
  return std::string(json::kind_name(value.kind()));
}

// The placeholders "{any}", "{string}" and "{number}".
bool fits_word(std::string_view word, const json::Value& have) {
  if (word == "{any}") return true;
  return (word == "{string}" && have.kind() == json::Kind::string) ||
         (word == "{number}" && have.kind() == json::Kind::number);
}

bool equal(const json::Value& want, const json::Value& have) {
  if (want.kind() != have.kind()) return false;
  if (want.kind() == json::Kind::array) {
    auto other = have.begin();
    for (const json::Value value : want) {
      if (other == have.end() || !json_difference(value, *other).empty()) return false;
      ++other;
    }
    return other == have.end();
  }
  return want.kind() == json::Kind::null || shown(want) == shown(have);
}

}  // namespace

Matched match(const Text& text, std::string_view data) {
  return match_from(text, 0, data, 0);
}

std::string json_difference(const json::Value& want, const json::Value& have,
                            const std::string& path) {
  if (const auto word = want.string(); word && fits_word(*word, have)) return {};
  if (want.kind() != json::Kind::object || have.kind() != json::Kind::object) {
    if (equal(want, have)) return {};
    return fmt::format("{}: wanted {}, got {}", path, shown(want), shown(have));
  }
  for (const json::Value member : want) {
    const std::string name = path + "." + std::string(member.name());
    const auto other = have.find(member.name());
    if (member.string() == "{absent}") {
      if (other) return name + ": is there: " + shown(*other);
      continue;
    }
    if (!other) return name + ": is missing";
    std::string difference = json_difference(member, *other, name);
    if (!difference.empty()) return difference;
  }
  return {};
}

std::string show(std::string_view data) {
  const std::string_view front = data.substr(0, 600);
  const auto plain = std::count_if(front.begin(), front.end(), [](unsigned char c) {
    return (c >= 32 && c < 127) || c == '\r' || c == '\n' || c == '\t';
  });
  const bool text = static_cast<std::size_t>(plain) * 4 >= front.size() * 3;
  std::string out;
  for (const char c : front) {
    const auto byte = static_cast<unsigned char>(c);
    if (!text)
      out += fmt::format("{:02x} ", byte);
    else if (c == '\r')
      out += "\\r";
    else if (c == '\n')
      out += "\\n";
    else if (byte >= 32 && byte < 127)
      out += c;
    else
      out += fmt::format("\\x{:02x}", byte);
  }
  if (front.size() < data.size()) out += fmt::format(" ... ({} bytes)", data.size());
  return out;
}

std::string describe(const Text& text) {
  std::string out;
  for (const Part& part : text) {
    if (part.kind == PartKind::bytes) out += show(part.text);
    if (part.kind == PartKind::any) out += "{any}";
    if (part.kind == PartKind::number) out += "{number}";
    if (part.kind == PartKind::byte) out += "??";
    if (part.kind == PartKind::json) out += "{json " + part.text + "}";
  }
  return out;
}

}  // namespace spanwire::script
