#include "nats/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "json/document.h"
#include "nats/quote.h"

namespace spanwire::nats {
namespace {

constexpr std::string_view redacted = "[REDACTED]";
constexpr std::string_view blanks = " \t\r\n";

// A member's name in lower case, with the two letters that Go takes for ASCII ones (U+017F is an s,
// U+212A a k), for a client may spell it so.
std::string folded(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const std::string_view rest = name.substr(i);
    const char c = name[i];
    if (rest.starts_with("\u017f")) {
      out += 's';
      i += 1;
    } else if (rest.starts_with("\u212a")) {
      out += 'k';
      i += 2;
    } else {
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return out;
}

// `quoted` is a JSON string.
bool is_secret(std::string_view quoted) {
  constexpr std::array<std::string_view, 4> names = {"nkey", "sig", "proxy_sig", "jwt"};
  const auto document = json::Document::parse(quoted);
  if (!document) return true;
  const std::string name = folded(document->root().string().value_or(std::string_view()));
  return name.starts_with("pass") || name.starts_with("auth_token") ||
         std::find(names.begin(), names.end(), name) != names.end();
}

// The size of the string at the front of valid JSON.
std::size_t string_size(std::string_view json) {
  std::size_t at = 1;
  for (; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return std::min(at + 1, json.size());
}

// The size of the value at the front of valid JSON.
std::size_t value_size(std::string_view json) {
  std::size_t at = 0;
  std::size_t depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (depth == 0 && at != 0 && (c == ',' || c == '}' || c == ']')) break;
    if (c == '"') {
      at += string_size(json.substr(at));
      if (depth == 0) break;
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    ++at;
    if (depth == 0 && (c == '}' || c == ']')) break;
  }
  return at;
}

// Takes a string off the front of valid JSON, and if it names a secret, the value behind it too.
void take_string(std::string_view& json, std::string& out) {
  const std::string_view text = json.substr(0, string_size(json));
  out += text;
  json.remove_prefix(text.size());
  const std::size_t colon = std::min(json.find_first_not_of(blanks), json.size());
  if (!json.substr(colon).starts_with(':') || !is_secret(text)) return;
  const std::size_t value = std::min(json.find_first_not_of(blanks, colon + 1), json.size());
  out += json.substr(0, value);
  json.remove_prefix(value);
  const bool quoted = json.starts_with('"');
  out += quoted ? fmt::format("\"{}\"", redacted) : std::string(redacted);
  json.remove_prefix(value_size(json));
}

}  // namespace

std::string client_label(const ConnectOptions& options, std::string_view account) {
  std::string about;
  const std::string version = options.version.empty() ? "" : "v" + options.version;
  for (const std::string& part : {version, options.lang, options.name}) {
    if (part.empty()) continue;
    if (!about.empty()) about += ':';
    about += part;
  }
  std::string who;
  if (!options.nkey.empty()) {
    who = "nkey:" + options.nkey;
  } else if (!options.user.empty()) {
    who = "user:" + options.user;
  } else if (!options.auth_token.empty()) {
    who = "token";
  }
  std::string label;
  if (!about.empty()) label += " - " + quote(about);
  if (!who.empty()) label += " - " + quote(fmt::format("{}/{}", account, who));
  return label;
}

std::string redact(std::string_view json) {
  if (!json::Document::parse(json)) return fmt::format("({} bytes that are no JSON)", json.size());
  std::string out;
  while (!json.empty()) {
    if (json.front() == '"') {
      take_string(json, out);
    } else {
      out += json.front();
      json.remove_prefix(1);
    }
  }
  return out;
}

std::string command_text(const Command& command) {
  const std::string_view verb = verb_name(command.verb);
  switch (command.verb) {
    case Verb::ping:
    case Verb::pong:
    case Verb::ok:
      return std::string(verb);
    case Verb::connect:
      return fmt::format("{} {}", verb, redact(command.argument));
    default:
      return fmt::format("{} {}", verb, command.argument);
  }
}

std::string message_text(std::string_view subject, std::string_view sid, std::string_view reply,
                         std::size_t header_size, std::size_t total_size) {
  const std::string between = reply.empty() ? " " : fmt::format(" {} ", reply);
  if (header_size == 0) return fmt::format("MSG {} {}{}{}", subject, sid, between, total_size);
  return fmt::format("HMSG {} {}{}{} {}", subject, sid, between, header_size, total_size);
}

std::string payload_text(std::string_view headers, std::string_view payload, std::size_t limit) {
  if (limit == 0 || limit > max_traced_bytes) limit = max_traced_bytes;
  std::string shown(headers.substr(0, limit));
  shown += payload.substr(0, limit - shown.size());
  std::string text = quote(shown);
  if (shown.size() < headers.size() + payload.size()) text.insert(text.size() - 1, "...");
  return text;
}

}  // namespace spanwire::nats
