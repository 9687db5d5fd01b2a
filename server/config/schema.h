// What settings exist and of what type they are. Each module declares the block it reads; checking
// a Tree against the whole gives typed Values, or every error at once, each with its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/listen.h"
#include "config/reference_keys.h"
#include "config/tree.h"

namespace spanwire::config {

enum class Type : std::uint8_t {
  boolean,
  integer,
  size,      // bytes: an integer, usually with a suffix
  real,      // a number, with or without a fraction
  duration,  // "2s"; a bare number counts in seconds and draws a warning
  text,
  text_list,  // one string, or a list of them
  listen,     // "host:port" or a port
  block,
  block_list,    // [ {...}, {...} ]
  named_blocks,  // { any_name { ... }, other { ... } }
  raw,           // anything, for the module to read itself
};

struct Key;

// A set of keys: immutable, cheap to copy.
class Schema {
 public:
  Schema() = default;
  // Names must be in lower case and differ, aliases too, and default texts must fit their types:
  // anything else is an assertion. A key of `known` that is not among `keys` is refused as not
  // supported yet instead of unknown; blocks inside get their part of it by themselves.
  static Schema of(std::vector<Key> keys, const ReferenceBlock* known = nullptr);

  bool empty() const { return data_ == nullptr; }
  const std::vector<Key>& keys() const;
  // The index in keys() of a name or alias in lower case, or npos.
  std::size_t find(std::string_view name) const;
  const ReferenceBlock* known_not_honoured() const;

  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

 private:
  struct Data;
  std::shared_ptr<const Data> data_;
};

// One setting. All texts are literals: they are not copied.
struct Key {
  std::string_view name;
  Type type = Type::text;
  std::string_view doc = {};           // one line for the reference page
  std::string_view default_text = {};  // as a file spells it, a list with commas; empty: none
  std::vector<std::string_view> aliases = {};
  // The keys inside, for the block types. On any other type: the value may be such a block instead.
  Schema block = {};
  std::int64_t min = std::numeric_limits<std::int64_t>::min();  // of integers; of sizes in bytes,
  std::int64_t max = std::numeric_limits<std::int64_t>::max();  // of durations in nanoseconds
  std::vector<std::string_view> choices = {};                   // of texts; empty: any
  bool reloadable = false;                                      // takes effect without a restart
  bool required = false;
  bool plain_seconds = false;  // of durations: a bare number is as good, 0.5 too
  bool quoted_size = false;    // of sizes: "64G" is as good
};

// What a check found, each as "file:line:column: what and what to do", in the order of the files.
struct Problems {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
};

// The settings of one block after a check, by the names of its schema; asking for a name that it
// does not declare, or by another type, is an assertion. What the file does not set has its
// default, or else is false, 0 or empty.
class Values {
 public:
  using Scalar = std::variant<std::monostate, bool, std::int64_t, double, std::string,
                              std::vector<std::string>, Listen, Value>;

  // Every default of a schema, as if checked against an empty file.
  explicit Values(const Schema& schema);

  const Schema& schema() const { return schema_; }
  bool given(std::string_view name) const;  // the file sets it
  bool boolean(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;  // integers and sizes
  double real(std::string_view name) const;
  base::Duration duration(std::string_view name) const;
  const std::string& text(std::string_view name) const;
  const std::vector<std::string>& list(std::string_view name) const;
  const Listen& listen(std::string_view name) const;
  const Value* raw(std::string_view name) const;  // null if it is not given

  // Of a key that is a block, or may be one. Not given, all in it has its default.
  const Values& block(std::string_view name) const;
  bool is_block(std::string_view name) const;                          // given, as a block
  const std::vector<Values>& blocks(std::string_view name) const;      // of lists and named blocks
  const std::vector<std::string>& names(std::string_view name) const;  // of named blocks, likewise

  // "file:line:column" of a setting that is given, of this block if it is not, and of a raw value,
  // for errors that a module finds later.
  std::string where(std::string_view name) const;
  std::string where(const Value& value) const;

 private:
  friend class Binder;
  friend class Comparison;

  struct Slot {
    bool given = false;
    bool is_block = false;
    Position at;
    Scalar scalar;
    std::vector<Values> blocks;  // one for a block
    std::vector<std::string> names;
  };

  const Slot& slot(std::string_view name) const;
  template <class T>
  const T& scalar(std::string_view name) const;
  std::string place(Position at) const;

  Schema schema_;
  std::vector<Slot> slots_;  // in the order of the schema's keys
  Position at_;
  std::shared_ptr<const std::vector<std::string>> files_;
};

// The error of the result is the first one of `problems`, which gets all of them, and the tree's
// warnings too.
base::Result<Values> check(const Tree& tree, const Schema& schema, Problems& problems);

// The reference page: one row of a Markdown table for each setting, blocks by dotted names.
inline constexpr std::string_view describe_head =
    "| setting | value | default | reload | meaning |\n|---|---|---|---|---|\n";
std::string describe(const Schema& schema);

}  // namespace spanwire::config
