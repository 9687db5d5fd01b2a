#include "config/tree.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "json/writer.h"

namespace spanwire::config {
namespace {

std::vector<const Member*> sorted(const Value& map) {
  std::vector<const Member*> members;
  members.reserve(map.members.size());
  for (const Member& member : map.members) members.push_back(&member);
  std::sort(members.begin(), members.end(),
            [](const Member* a, const Member* b) { return a->name < b->name; });
  return members;
}

void write(json::Writer& out, const Value& value);

void write_map(json::Writer& out, const Value& map) {
  out.begin_object();
  for (const Member* member : sorted(map)) {
    out.key(member->name);
    write(out, member->value);
  }
  out.end_object();
}

// Recurses no deeper than the parser lets containers nest.
void write(json::Writer& out, const Value& value) {
  switch (value.kind) {
    case Kind::text:
    case Kind::datetime:
      out.value(value.text);
      return;
    case Kind::boolean:
      out.value(value.boolean);
      return;
    case Kind::integer:
      out.value(value.integer);
      return;
    case Kind::real:
      out.value(value.real);
      return;
    case Kind::map:
      write_map(out, value);
      return;
    case Kind::list:
      out.begin_array();
      for (const Value& item : value.items) write(out, item);
      out.end_array();
      return;
  }
}

}  // namespace

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::text:
      return "a string";
    case Kind::boolean:
      return "a boolean";
    case Kind::integer:
      return "an integer";
    case Kind::real:
      return "a number with a fraction";
    case Kind::datetime:
      return "a date";
    case Kind::list:
      return "a list [ ]";
    case Kind::map:
      return "a block { }";
  }
  return "a value";
}

const Value* Value::find(std::string_view name) const {
  for (const Member& member : members) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

// Recurses no deeper than the parser lets containers nest.
bool operator==(const Value& one, const Value& other) {
  if (one.kind != other.kind) return false;
  switch (one.kind) {
    case Kind::text:
      return one.text == other.text;
    case Kind::boolean:
      return one.boolean == other.boolean;
    case Kind::integer:
    case Kind::datetime:
      return one.integer == other.integer;
    case Kind::real:
      return one.real == other.real;
    case Kind::list:
      return one.items == other.items;
    case Kind::map:
      break;
  }
  const std::vector<const Member*> mine = sorted(one);
  const std::vector<const Member*> others = sorted(other);
  return std::equal(
      mine.begin(), mine.end(), others.begin(), others.end(),
      [](const Member* a, const Member* b) { return a->name == b->name && a->value == b->value; });
}

std::string Tree::where(Position at) const {
  BASE_ASSERT(at.file < files.size());
  return fmt::format("{}:{}:{}", files[at.file], at.line, at.column);
}

std::string digest_text(const Tree& tree) {
  std::string out;
  json::Writer writer(out);
  write(writer, tree.root);
  out += '\n';
  return out;
}

}  // namespace spanwire::config
