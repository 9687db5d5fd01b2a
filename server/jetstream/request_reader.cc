#include "jetstream/request_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "jetstream/go_json.h"
#include "jetstream/go_time.h"
#include "json/writer.h"

namespace spanwire::jetstream {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// What Go calls the kind of a value; a number by its text, since only that can be wrong.
std::string go_value(json::Value value, bool wants_number) {
  switch (value.kind()) {
    case json::Kind::boolean:
      return "bool";
    case json::Kind::number:
      return wants_number ? fmt::format("number {}", *value.number()) : "number";
    case json::Kind::string:
      return "string";
    case json::Kind::array:
      return "array";
    case json::Kind::object:
      return "object";
    case json::Kind::null:
      break;
  }
  return "null";
}

// The value as JSON; of what has values inside only the brackets.
std::string json_text(json::Value value) {
  std::string text;
  switch (value.kind()) {
    case json::Kind::boolean:
      return *value.boolean() ? "true" : "false";
    case json::Kind::number:
      return std::string(*value.number());
    case json::Kind::string:
      json::append_string(text, *value.string(), json::Escape::plain);
      return text;
    case json::Kind::array:
      return "[]";
    case json::Kind::object:
      return "{}";
    case json::Kind::null:
      break;
  }
  return "null";
}

bool is_number_type(std::string_view go_type) {
  return go_type.starts_with("int") || go_type.starts_with("uint") || go_type == "time.Duration";
}

bool is_null(json::Value value) {
  return value.kind() == json::Kind::null;
}

}  // namespace

bool RequestReader::is_name(std::string_view found, std::string_view wanted) {
  return std::equal(found.begin(), found.end(), wanted.begin(), wanted.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

void RequestReader::read_members(json::Value object, absl::FunctionRef<bool(json::Value)> member) {
  if (is_null(object)) return;
  if (!is_object(object)) return mismatch(object);
  for (const json::Value one : object) {
    if (stopped_) return;
    if (!member(one) && strict_) {
      keep(fmt::format("json: unknown field {}", go_quoted(one.name())));
    }
  }
}

RequestReader::Scope RequestReader::enter(std::string_view path, std::string_view name,
                                          std::string_view go_type) {
  const Scope scope{.path_bytes = path_.size(), .go_type = go_type_};
  for (const std::string_view part : {path, name}) {
    if (part.empty()) continue;
    if (!path_.empty()) path_ += '.';
    path_ += part;
  }
  go_type_ = go_type;
  return scope;
}

void RequestReader::leave(const Scope& scope) {
  path_.resize(scope.path_bytes);
  go_type_ = scope.go_type;
}

void RequestReader::keep(std::string text) {
  if (!first_) first_ = std::move(text);
}

void RequestReader::stop(std::string text) {
  if (!stopped_) stopped_ = std::move(text);
}

std::optional<std::string> RequestReader::error() const {
  return stopped_ ? stopped_ : first_;
}

void RequestReader::mismatch(json::Value value) {
  if (path_.empty()) {
    return keep(fmt::format("json: cannot unmarshal {} into Go value of type server.{}",
                            go_value(value, false), struct_));
  }
  keep(fmt::format("json: cannot unmarshal {} into Go struct field {}.{} of type {}",
                   go_value(value, is_number_type(go_type_)), struct_, path_, go_type_));
}

void RequestReader::refuse_choice(json::Value value, std::string_view unknown) {
  const std::string text = json_text(value);
  stop(unknown.empty() ? fmt::format("can not unmarshal {}", go_quoted(text))
                       : fmt::format("{}: {}", unknown, text));
}

void RequestReader::mark_unsupported() {
  if (!unsupported_.empty()) return;
  unsupported_ = path_.substr(path_.rfind('.') + 1);
}

template <class Get, class Out>
void RequestReader::read_number(json::Value value, const Get& get, Out& out) {
  if (is_null(value)) return;
  const auto number = get(value);
  using Bounds = std::numeric_limits<Out>;
  if (!number || *number < Bounds::min() || *number > Bounds::max()) return mismatch(value);
  out = static_cast<Out>(*number);
}

void RequestReader::read(json::Value value, bool& out) {
  if (is_null(value)) return;
  if (const auto found = value.boolean()) {
    out = *found;
  } else {
    mismatch(value);
  }
}

void RequestReader::read(json::Value value, std::int32_t& out) {
  read_number(
      value, [](json::Value v) { return v.int64(); }, out);
}

void RequestReader::read(json::Value value, std::int64_t& out) {
  read_number(
      value, [](json::Value v) { return v.int64(); }, out);
}

void RequestReader::read(json::Value value, std::uint64_t& out) {
  read_number(
      value, [](json::Value v) { return v.uint64(); }, out);
}

void RequestReader::read(json::Value value, base::Duration& out) {
  std::int64_t nanoseconds = out.count();
  read(value, nanoseconds);
  out = base::Duration(nanoseconds);
}

void RequestReader::read(json::Value value, std::string& out) {
  if (is_null(value)) return;
  if (const auto found = value.string()) {
    out = *found;
  } else {
    mismatch(value);
  }
}

template <class Element>
void RequestReader::read_elements(json::Value value, std::vector<Element>& out) {
  if (is_null(value)) return out.clear();
  if (value.kind() != json::Kind::array) return mismatch(value);
  out.clear();
  go_type_.remove_prefix(2);  // of `[]string`
  for (const json::Value one : value) read(one, out.emplace_back());
}

void RequestReader::read(json::Value value, std::vector<std::string>& out) {
  read_elements(value, out);
}

void RequestReader::read(json::Value value, std::vector<base::Duration>& out) {
  read_elements(value, out);
}

void RequestReader::read(json::Value value, std::map<std::string, std::string>& out) {
  if (is_null(value)) return out.clear();
  if (!is_object(value)) return mismatch(value);
  go_type_ = "string";
  for (const json::Value one : value) {
    std::string text;
    read(one, text);
    out.insert_or_assign(std::string(one.name()), std::move(text));
  }
}

void RequestReader::read(json::Value value, std::optional<base::WallTime>& out) {
  if (is_null(value)) return out.reset();
  const auto text = value.string();
  if (!text) return stop("Time.UnmarshalJSON: input is not a JSON string");
  out = parse_rfc3339(*text);
  if (!out) {
    stop(fmt::format("parsing time {} as \"2006-01-02T15:04:05Z07:00\": not such a time",
                     go_quoted(*text)));
  }
}

bool is_off(json::Value value) {
  switch (value.kind()) {
    case json::Kind::null:
      return true;
    case json::Kind::boolean:
      return !*value.boolean();
    case json::Kind::number:
      return value.int64() == 0;
    case json::Kind::string:
      return value.string()->empty();
    case json::Kind::array:
    case json::Kind::object:
      return std::all_of(value.begin(), value.end(), is_off);
  }
  return false;
}

std::optional<ApiError> read_body(
    std::string_view body, RequestReader& reader,
    absl::FunctionRef<void(RequestReader& reader, json::Value value)> read) {
  GoJsonValues values(body);
  std::string_view text;
  std::string error;
  while (true) {
    switch (values.next(text, error)) {
      case GoJsonValues::Next::end:
        return std::nullopt;
      case GoJsonValues::Next::error:
        // Where it is not strict, Go reads the body again, as one value.
        return api_error(Err::invalid_json,
                         reader.strict() ? error : check_json(body).value_or(error));
      case GoJsonValues::Next::value:
        break;
    }
    const auto document = json::Document::parse(text);
    if (!document) return api_error(Err::invalid_json, document.error().text);
    read(reader, document->root());
    if (const auto wrong = reader.error()) return api_error(Err::invalid_json, *wrong);
  }
}

std::string go_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
  return out;
}

}  // namespace spanwire::jetstream
