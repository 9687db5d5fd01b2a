// A JSON text (RFC 8259), parsed once into a tree that is read through checked getters. Depth, size
// and number of values are limited: the text is a peer's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace spanwire::json {

enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

// The kind as a person reads it in an error: "a string", "an object".
std::string_view kind_name(Kind kind);

struct Limits {
  static constexpr std::size_t max_depth = 512;  // each level is a frame or two of the stack

  std::size_t size_bytes = 16U << 20U;
  std::size_t depth = 64;  // of arrays and objects in each other; at most max_depth
  std::size_t values = 1'000'000;
};

namespace detail {
struct Tree;
}

// One value of a Document, by reference: valid as long as the document lives, cheap to copy.
// A getter of the wrong kind answers nullopt.
class Value {
 public:
  class Iterator;

  Kind kind() const;
  // The name of this member of an object; empty for everything else.
  std::string_view name() const;

  std::optional<bool> boolean() const;
  std::optional<std::string_view> string() const;
  // A number is kept as its text, so none loses digits. The integer getters take what is written
  // as an integer and fits: neither 1.0 nor 1e2, as Go decides it.
  std::optional<std::int64_t> int64() const;
  std::optional<std::uint64_t> uint64() const;
  std::optional<double> real() const;
  std::optional<std::string_view> number() const;  // its text

  // The member of that name, or the last of several; nullopt also when this is no object.
  std::optional<Value> find(std::string_view name) const;
  // The elements of an array, the members of an object in the order of the text; of others none.
  Iterator begin() const;
  Iterator end() const;

 private:
  friend class Document;
  Value(const detail::Tree* tree, std::uint32_t index) : tree_(tree), index_(index) {}

  const detail::Tree* tree_;
  std::uint32_t index_;
};

class Value::Iterator {
 public:
  using difference_type = std::ptrdiff_t;
  using value_type = Value;
  using iterator_category = std::input_iterator_tag;
  using pointer = const Value*;
  using reference = Value;

  explicit Iterator(Value value) : value_(value) {}
  Value operator*() const { return value_; }
  Iterator& operator++();
  bool operator==(const Iterator& other) const { return value_.index_ == other.value_.index_; }

 private:
  Value value_;
};

class Document {
 public:
  // What in strings is no Unicode, a byte or an escaped surrogate alone, is replaced by U+FFFD. A
  // NUL and anything but white space after the value are errors.
  static base::Result<Document> parse(std::string_view text, const Limits& limits = {});

  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  Value root() const;

 private:
  explicit Document(std::unique_ptr<detail::Tree> tree);

  std::unique_ptr<detail::Tree> tree_;
};

}  // namespace spanwire::json
