#include "json/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace spanwire::json {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

// Moves what a getter found into the variable.
template <class Found, class Out>
bool take(std::optional<Found> found, Out& out) {
  if (!found) return false;
  out = Out(*found);
  return true;
}

bool take_strings(Value array, std::vector<std::string>& out) {
  if (array.kind() != Kind::array) return false;
  std::vector<std::string> strings;
  for (const Value element : array) {
    const auto text = element.string();
    if (!text && element.kind() != Kind::null) return false;
    strings.emplace_back(text.value_or(std::string_view()));
  }
  out = std::move(strings);
  return true;
}

}  // namespace

Fields::Fields(Value object) : object_(object) {
  if (object.kind() != Kind::object && object.kind() != Kind::null) {
    status_ = base::fail(fmt::format("expected an object, found {}", kind_name(object.kind())));
  }
}

template <class Get>
void Fields::read_each(std::string_view name, std::string_view wanted, const Get& get) {
  if (object_.kind() != Kind::object) return;
  for (const Value member : object_) {
    if (member.kind() == Kind::null || !same_name(member.name(), name)) continue;
    if (!get(member)) mismatch(member, wanted);
  }
}

void Fields::mismatch(Value member, std::string_view wanted) {
  if (!status_) return;
  // A number can only be of the wrong type by its value.
  const std::string_view found = member.kind() == Kind::number && wanted.ends_with("number")
                                     ? "another"
                                     : kind_name(member.kind());
  status_ = base::fail(fmt::format("\"{}\": expected {}, found {}", member.name(), wanted, found));
}

void Fields::read(std::string_view name, bool& out) {
  read_each(name, "a boolean", [&out](Value v) { return take(v.boolean(), out); });
}

void Fields::read(std::string_view name, std::int32_t& out) {
  read_each(name, "a whole number", [&out](Value v) {
    using Bounds = std::numeric_limits<std::int32_t>;
    const auto number = v.int64();
    if (!number || *number < Bounds::min() || *number > Bounds::max()) return false;
    out = static_cast<std::int32_t>(*number);
    return true;
  });
}

void Fields::read(std::string_view name, std::int64_t& out) {
  read_each(name, "a whole number", [&out](Value v) { return take(v.int64(), out); });
}

void Fields::read(std::string_view name, std::uint64_t& out) {
  read_each(name, "a positive whole number", [&out](Value v) { return take(v.uint64(), out); });
}

void Fields::read(std::string_view name, double& out) {
  read_each(name, "a number", [&out](Value v) { return take(v.real(), out); });
}

void Fields::read(std::string_view name, std::string& out) {
  read_each(name, "a string", [&out](Value v) { return take(v.string(), out); });
}

void Fields::read(std::string_view name, std::vector<std::string>& out) {
  read_each(name, "an array of strings", [&out](Value v) { return take_strings(v, out); });
}

void Fields::read_object(std::string_view name, std::optional<Value>& out) {
  read_each(name, "an object", [&out](Value v) {
    if (v.kind() != Kind::object) return false;
    out = v;
    return true;
  });
}

void Fields::read_array(std::string_view name, std::optional<Value>& out) {
  read_each(name, "an array", [&out](Value v) {
    if (v.kind() != Kind::array) return false;
    out = v;
    return true;
  });
}

}  // namespace spanwire::json
