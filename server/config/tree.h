// A configuration file after parsing: values with the place each was written at. What the keys
// mean is the schema's business (schema.h); this is only the text's shape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spanwire::config {

// Where something stands in the text. Line and column count from 1, the column in bytes.
struct Position {
  std::uint32_t file = 0;  // an index into Tree::files
  std::uint32_t line = 1;
  std::uint32_t column = 1;

  friend auto operator<=>(const Position&, const Position&) = default;
};

enum class Kind : std::uint8_t { text, boolean, integer, real, datetime, list, map };

// The kind as a person reads it in an error: "a string", "a block { }".
std::string_view kind_name(Kind kind);

struct Member;

struct Value {
  Kind kind = Kind::text;
  bool boolean = false;
  bool referenced = false;   // some $NAME was resolved by this value
  std::string text;          // a string; of a number and a datetime, how it was spelled
  std::int64_t integer = 0;  // a datetime has its seconds since 1970 here
  double real = 0;
  std::vector<Value> items;     // a list
  std::vector<Member> members;  // a map, in the order of the text
  Position at;

  // The member of exactly that name, or null. Walks the members: for tests and small maps.
  const Value* find(std::string_view name) const;

  // The same meaning: places, spellings and the order of a map's members make no difference.
  friend bool operator==(const Value& one, const Value& other);
};

struct Member {
  std::string name;
  Position name_at;
  Value value;
};

struct Remark {
  Position at;
  std::string text;
};

struct Tree {
  Value root{.kind = Kind::map};
  std::vector<std::string> files;  // the first is the one that was asked for; includes follow
  std::vector<Remark> warnings;

  std::string where(Position at) const;  // "file:line:column"
};

// The tree as one line of JSON with sorted keys and a line end: the text whose SHA-256 the
// compatible server prints as the digest of a configuration.
std::string digest_text(const Tree& tree);

}  // namespace spanwire::config
