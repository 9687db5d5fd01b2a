// Writes JSON at the end of a string, in the spelling of Go's encoder where that is asked for:
// clients and tools of the compatible server compare bytes.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace spanwire::json {

enum class Escape : std::uint8_t {
  plain,  // what RFC 8259 demands
  html,   // also < > & as \u003c \u003e \u0026: Go's default
};

struct Style {
  Escape escape = Escape::html;
  std::size_t indent = 0;  // blanks a level, each value on a line of its own; 0: all on one line
  std::size_t level = 0;   // of the first value: what another writer takes with raw() there
};

// How Go writes a time that was never set.
inline constexpr std::string_view zero_time = "0001-01-01T00:00:00Z";

// Appends a quoted string. A byte that is no UTF-8 becomes \ufffd.
void append_string(std::string& out, std::string_view text, Escape escape = Escape::html);
// Appends a time as RFC3339Nano in UTC, unquoted: 2026-08-01T12:00:00.5Z, no trailing zeros.
void append_time(std::string& out, base::WallTime time);

// Commas, indentation and nesting are kept by the writer; a call out of place is an assertion.
class Writer {
 public:
  static constexpr std::size_t max_depth = 63;

  explicit Writer(std::string& out, Style style = {}) : out_(out), style_(style) {}

  Writer& begin_object() { return open('{', true); }
  Writer& end_object() { return close('}', true); }
  Writer& begin_array() { return open('[', false); }
  Writer& end_array() { return close(']', false); }
  // The name of the next value of an object.
  Writer& key(std::string_view name);

  Writer& value(bool boolean);
  Writer& value(std::string_view text);
  Writer& value(const char* text) { return value(std::string_view(text)); }
  Writer& value(const std::string& text) { return value(std::string_view(text)); }
  Writer& value(double number);  // null where it is not finite
  template <std::signed_integral Number>
  Writer& value(Number number) {
    return signed_value(number);
  }
  template <std::unsigned_integral Number>
  Writer& value(Number number) {
    return unsigned_value(number);
  }
  Writer& value(base::WallTime time);
  Writer& null();
  // A value that is JSON already, on the caller's word.
  Writer& raw(std::string_view json);

  template <class T>
  Writer& member(std::string_view name, const T& what) {
    return key(name).value(what);
  }

 private:
  Writer& open(char bracket, bool object);
  Writer& close(char bracket, bool object);
  Writer& signed_value(std::int64_t number);
  Writer& unsigned_value(std::uint64_t number);
  void before_value();
  void separate();
  void new_line();
  bool in_object() const { return (objects_ & 1U) != 0; }

  std::string& out_;
  Style style_;
  std::uint64_t objects_ = 0;  // a bit for each open container, the innermost lowest
  std::size_t depth_ = 0;
  bool first_ = true;  // nothing stands yet in the innermost container
  bool after_key_ = false;
};

}  // namespace spanwire::json
