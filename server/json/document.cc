#include "json/document.h"

#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <charconv>
#include <limits>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "json/utf8.h"

namespace spanwire::json {
namespace detail {

struct Span {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

// Nodes stand in the order of the text, so the children of one follow it, up to its `end`.
struct Node {
  Kind kind = Kind::null;
  bool boolean = false;
  Span name;
  Span text;              // of a string, decoded, and of a number
  std::uint32_t end = 0;  // the node after this one and all that it holds
};

struct Tree {
  std::string text;  // strings are decoded in place
  std::vector<Node> nodes;

  std::string_view view(Span span) const { return {text.data() + span.offset, span.size}; }
};

}  // namespace detail

namespace {

using detail::Span;
using detail::Tree;

// Takes RapidJSON's events and builds the tree. Answering false ends the parse; `refusal` says why.
class Builder {
 public:
  Builder(Tree& tree, const Limits& limits) : tree_(tree), limits_(limits) {}

  const char* refusal() const { return refusal_; }

  bool Null() { return add(Kind::null); }
  bool Bool(bool value) {
    if (!add(Kind::boolean)) return false;
    tree_.nodes.back().boolean = value;
    return true;
  }
  bool RawNumber(const char* at, rapidjson::SizeType size, bool) {
    if (!add(Kind::number)) return false;
    tree_.nodes.back().text = span(at, size);
    return true;
  }
  bool String(const char* at, rapidjson::SizeType size, bool) {
    if (!add(Kind::string)) return false;
    tree_.nodes.back().text = span(at, size);
    return true;
  }
  bool Key(const char* at, rapidjson::SizeType size, bool) {
    name_ = span(at, size);
    return true;
  }
  bool StartObject() { return open(Kind::object); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool StartArray() { return open(Kind::array); }
  bool EndArray(rapidjson::SizeType) { return close(); }

  // RapidJSON's handler concept also names these; numbers come as text instead.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }

 private:
  bool add(Kind kind) {
    if (tree_.nodes.size() == limits_.values) {
      refusal_ = "too many values";
      return false;
    }
    const auto index = static_cast<std::uint32_t>(tree_.nodes.size());
    tree_.nodes.push_back({.kind = kind, .name = std::exchange(name_, {}), .end = index + 1});
    return true;
  }
  bool open(Kind kind) {
    if (open_.size() == limits_.depth) {
      refusal_ = "nested too deeply";
      return false;
    }
    if (!add(kind)) return false;
    open_.push_back(static_cast<std::uint32_t>(tree_.nodes.size() - 1));
    return true;
  }
  bool close() {
    tree_.nodes[open_.back()].end = static_cast<std::uint32_t>(tree_.nodes.size());
    open_.pop_back();
    return true;
  }
  Span span(const char* at, rapidjson::SizeType size) const {
    return {.offset = static_cast<std::uint32_t>(at - tree_.text.data()), .size = size};
  }

  Tree& tree_;
  const Limits& limits_;
  std::vector<std::uint32_t> open_;
  Span name_;
  const char* refusal_ = nullptr;
};

// The code unit that the escape \uXXXX at `at` stands for; nothing where there is none.
std::optional<unsigned> escaped_unit(std::string_view text, std::size_t at) {
  if (text.size() < at + 6 || text.substr(at, 2) != "\\u") return std::nullopt;
  unsigned unit = 0;
  const char* const end = text.data() + at + 6;
  const auto [stop, error] = std::from_chars(end - 4, end, unit, 16);
  if (error != std::errc() || stop != end) return std::nullopt;
  return unit;
}

// Escaped surrogates without their other half become U+FFFD, as in Go; RapidJSON would refuse the
// text. Only strings have escapes: elsewhere the text is wrong anyhow.
void repair_surrogates(std::string& text) {
  const auto is_half = [](std::optional<unsigned> unit, unsigned first) {
    return unit && *unit >= first && *unit < first + 0x400;
  };
  for (std::size_t at = text.find('\\'); at != std::string::npos; at = text.find('\\', at)) {
    const auto unit = escaped_unit(text, at);
    if (is_half(unit, 0xd800) && is_half(escaped_unit(text, at + 6), 0xdc00)) {
      at += 12;
    } else if (is_half(unit, 0xd800) || is_half(unit, 0xdc00)) {
      text.replace(at, 6, "\\ufffd");
      at += 6;
    } else {
      at += 2;
    }
  }
}

base::Status build(Tree& tree, const Limits& limits) {
  // RapidJSON recurses, but no deeper than the builder lets it: it asks before each level. Its
  // iterative parser keeps a stack that adds to a null pointer, which the sanitizers stop.
  constexpr unsigned flags = rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag;
  Builder builder(tree, limits);
  rapidjson::InsituStringStream stream(tree.text.data());
  rapidjson::Reader reader;
  const rapidjson::ParseResult result = reader.Parse<flags>(stream, builder);
  if (builder.refusal() != nullptr) {
    return base::fail(fmt::format("invalid JSON: {}", builder.refusal()));
  }
  if (result.IsError()) {
    return base::fail(fmt::format("invalid JSON at byte {}: {}", result.Offset(),
                                  rapidjson::GetParseError_En(result.Code())));
  }
  // RapidJSON takes a NUL for the end of the text.
  if (stream.Tell() != tree.text.size()) {
    return base::fail(fmt::format("invalid JSON at byte {}: a NUL", stream.Tell()));
  }
  return {};
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

}  // namespace

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::null:
      return "null";
    case Kind::boolean:
      return "a boolean";
    case Kind::number:
      return "a number";
    case Kind::string:
      return "a string";
    case Kind::array:
      return "an array";
    case Kind::object:
      return "an object";
  }
  return "unknown";
}

Kind Value::kind() const {
  return tree_->nodes[index_].kind;
}

std::string_view Value::name() const {
  return tree_->view(tree_->nodes[index_].name);
}

std::optional<bool> Value::boolean() const {
  if (kind() != Kind::boolean) return std::nullopt;
  return tree_->nodes[index_].boolean;
}

std::optional<std::string_view> Value::string() const {
  if (kind() != Kind::string) return std::nullopt;
  return tree_->view(tree_->nodes[index_].text);
}

std::optional<std::int64_t> Value::int64() const {
  if (kind() != Kind::number) return std::nullopt;
  return parse_number<std::int64_t>(tree_->view(tree_->nodes[index_].text));
}

std::optional<std::uint64_t> Value::uint64() const {
  if (kind() != Kind::number) return std::nullopt;
  return parse_number<std::uint64_t>(tree_->view(tree_->nodes[index_].text));
}

std::optional<double> Value::real() const {
  if (kind() != Kind::number) return std::nullopt;
  return parse_number<double>(tree_->view(tree_->nodes[index_].text));
}

std::optional<std::string_view> Value::number() const {
  if (kind() != Kind::number) return std::nullopt;
  return tree_->view(tree_->nodes[index_].text);
}

std::optional<Value> Value::find(std::string_view name) const {
  if (kind() != Kind::object) return std::nullopt;
  std::optional<Value> found;
  for (const Value member : *this) {
    if (member.name() == name) found = member;
  }
  return found;
}

Value::Iterator Value::begin() const {
  return Iterator(Value(tree_, index_ + 1));
}

Value::Iterator Value::end() const {
  return Iterator(Value(tree_, tree_->nodes[index_].end));
}

Value::Iterator& Value::Iterator::operator++() {
  value_.index_ = value_.tree_->nodes[value_.index_].end;
  return *this;
}

base::Result<Document> Document::parse(std::string_view text, const Limits& limits) {
  BASE_ASSERT(limits.depth <= Limits::max_depth);
  // Offsets are 32 bits, and replacing a byte may triple it.
  constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max() / 3;
  if (text.size() > limits.size_bytes || text.size() > most) {
    return base::fail("invalid JSON: too long");
  }
  auto tree = std::make_unique<Tree>();
  tree->text = is_utf8(text) ? std::string(text) : replace_invalid_utf8(text);
  repair_surrogates(tree->text);
  if (base::Status built = build(*tree, limits); !built) {
    return tl::unexpected<base::Error>(std::move(built.error()));
  }
  return Document(std::move(tree));
}

Document::Document(std::unique_ptr<detail::Tree> tree) : tree_(std::move(tree)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Value Document::root() const {
  return Value(tree_.get(), 0);
}

}  // namespace spanwire::json
