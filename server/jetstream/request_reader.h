// Fills structs from the JSON of a request by the rules of Go's decoder, and refuses in its words:
// clients show them, and their tests compare them.
#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/clock.h"
#include "jetstream/api_error.h"
#include "json/document.h"

namespace spanwire::jetstream {

class RequestReader;

// A field of a struct: its name in JSON, the name of its type in Go, and what reads it.
template <class Struct>
struct Field {
  std::string_view name;
  std::string_view go_type;
  void (*read)(RequestReader& reader, json::Value value, Struct& out);
};

// A name of an enumeration.
template <class Enum>
struct Choice {
  std::string_view text;
  Enum value;
};

// The name of a value.
template <class Enum, std::size_t size>
std::string_view text_of(const Choice<Enum> (&choices)[size], Enum value) {
  for (const Choice<Enum>& choice : choices) {
    if (choice.value == value) return choice.text;
  }
  return {};
}

// The error that counts is the first one of a type or an unknown name; one of an enumeration or a
// time ends the reading and counts before it.
class RequestReader {
 public:
  // `request` is the Go type of the whole; strict refuses names that nobody asks for.
  RequestReader(std::string_view request, bool strict) : struct_(request), strict_(strict) {}

  bool strict() const { return strict_; }

  // Calls `member` for each member of the object, which answers false if it does not know the name.
  // Nothing for null.
  void read_members(json::Value object, absl::FunctionRef<bool(json::Value)> member);
  // One member by its name, for read_members(). `path` is what Go's text has before the name.
  template <class Struct>
  bool read_field(std::span<const Field<Struct>> fields, json::Value member, Struct& out,
                  std::string_view path = {}) {
    for (const Field<Struct>& field : fields) {
      if (!is_name(member.name(), field.name)) continue;
      const Scope scope = enter(path, field.name, field.go_type);
      field.read(*this, member, out);
      leave(scope);
      return true;
    }
    return false;
  }
  // A nested struct, of this Go type.
  template <class Struct>
  void read_struct(std::string_view go_struct, std::span<const Field<Struct>> fields,
                   json::Value value, Struct& out) {
    const std::string_view outer = struct_;
    if (is_object(value)) struct_ = go_struct;
    read_members(value,
                 [&](json::Value member) { return read_field<Struct>(fields, member, out); });
    struct_ = outer;
  }

  // Values. Null leaves the variable as it is.
  void read(json::Value value, bool& out);
  void read(json::Value value, std::int32_t& out);
  void read(json::Value value, std::int64_t& out);
  void read(json::Value value, std::uint64_t& out);
  void read(json::Value value, std::string& out);
  void read(json::Value value, base::Duration& out);
  void read(json::Value value, std::vector<std::string>& out);
  void read(json::Value value, std::vector<base::Duration>& out);
  void read(json::Value value, std::map<std::string, std::string>& out);
  void read(json::Value value, std::optional<base::WallTime>& out);
  // An error has the value behind `unknown` as it stands, or Go's words for a value it can not use.
  template <class Enum>
  void read_choice(json::Value value, std::span<const Choice<Enum>> choices, Enum& out,
                   std::string_view unknown = {}) {
    const auto text = value.string();
    for (const Choice<Enum>& choice : choices) {
      if (text == choice.text) {
        out = choice.value;
        return;
      }
    }
    refuse_choice(value, unknown);
  }

  // Says that the field being read is one of what this server does not do yet.
  void mark_unsupported();
  // Ends the reading with this text.
  void stop(std::string text);
  // A value of another kind than the field's type.
  void mismatch(json::Value value);

  // What is wrong; nothing: all is well.
  std::optional<std::string> error() const;
  // The first field that was marked; empty: none.
  const std::string& unsupported() const { return unsupported_; }

  static bool is_name(std::string_view found, std::string_view wanted);

 private:
  struct Scope {
    std::size_t path_bytes;
    std::string_view go_type;
  };
  Scope enter(std::string_view path, std::string_view name, std::string_view go_type);
  void leave(const Scope& scope);
  static bool is_object(json::Value value) { return value.kind() == json::Kind::object; }
  void refuse_choice(json::Value value, std::string_view unknown);
  template <class Get, class Out>
  void read_number(json::Value value, const Get& get, Out& out);
  // Reads the elements of an array, each as the type in the brackets' place.
  template <class Element>
  void read_elements(json::Value value, std::vector<Element>& out);
  void keep(std::string text);

  std::string_view struct_;
  bool strict_;
  std::string path_;  // of the field being read, with dots
  std::string_view go_type_;
  std::optional<std::string> first_;
  std::optional<std::string> stopped_;
  std::string unsupported_;
};

// Reads every value of a body, one over the other as Go's decoder does, with `read`, and turns what
// is wrong into the API's error.
std::optional<ApiError> read_body(
    std::string_view body, RequestReader& reader,
    absl::FunctionRef<void(RequestReader& reader, json::Value value)> read);

// A text in double quotes, as Go prints it with %q.
std::string go_quoted(std::string_view text);

// Reads the member that a pointer names.
template <auto member>
struct ReadMember;
template <class Struct, class Type, Type Struct::*member>
struct ReadMember<member> {
  using Owner = Struct;
  static void read(RequestReader& reader, json::Value value, Struct& out) {
    reader.read(value, out.*member);
  }
};

// A field whose type says how it is read.
template <auto member>
constexpr Field<typename ReadMember<member>::Owner> field(std::string_view name,
                                                          std::string_view go_type) {
  return {name, go_type, &ReadMember<member>::read};
}

// For what this server does not do yet: off is null, false, zero, an empty text, and what has only
// such inside.
bool is_off(json::Value value);
template <class Struct>
constexpr Field<Struct> unsupported_field(std::string_view name, std::string_view go_type) {
  return {name, go_type, [](RequestReader& reader, json::Value value, Struct&) {
            if (!is_off(value)) reader.mark_unsupported();
          }};
}

}  // namespace spanwire::jetstream
