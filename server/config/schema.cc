#include "config/schema.h"

#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "config/convert.h"
#include "config/spelling.h"

namespace spanwire::config {

struct Schema::Data {
  std::vector<Key> keys;
  absl::flat_hash_map<std::string_view, std::size_t> by_name;
  const ReferenceBlock* known = nullptr;
};

Schema Schema::of(std::vector<Key> keys, const ReferenceBlock* known) {
  auto data = std::make_shared<Data>();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const Key& key = keys[i];
    std::vector<std::string_view> names = key.aliases;
    names.push_back(key.name);
    for (const std::string_view name : names) {
      BASE_ASSERT(!name.empty() && lower(name) == name);
      const bool fresh = data->by_name.try_emplace(name, i).second;
      BASE_ASSERT(fresh);
    }
    BASE_ASSERT(key.doc.find_first_of("|\n") == std::string_view::npos);
    BASE_ASSERT(is_block_type(key.type) ? !key.block.empty() : default_value(key).has_value());
    BASE_ASSERT(!is_block_type(key.type) || key.default_text.empty());
    BASE_ASSERT(key.type != Type::raw || key.default_text.empty());
  }
  data->keys = std::move(keys);
  data->known = known;
  Schema schema;
  schema.data_ = std::move(data);
  return schema;
}

const std::vector<Key>& Schema::keys() const {
  static const std::vector<Key> none;
  return data_ == nullptr ? none : data_->keys;
}

std::size_t Schema::find(std::string_view name) const {
  if (data_ == nullptr) return npos;
  const auto found = data_->by_name.find(name);
  return found == data_->by_name.end() ? npos : found->second;
}

const ReferenceBlock* Schema::known_not_honoured() const {
  return data_ == nullptr ? nullptr : data_->known;
}

Values::Values(const Schema& schema) : schema_(schema) {
  slots_.reserve(schema.keys().size());
  for (const Key& key : schema.keys()) {
    Slot& slot = slots_.emplace_back();
    if (key.type == Type::block || (!is_block_type(key.type) && !key.block.empty())) {
      slot.blocks.emplace_back(key.block);
    }
    if (!is_block_type(key.type)) slot.scalar = *default_value(key);
  }
}

const Values::Slot& Values::slot(std::string_view name) const {
  const std::size_t index = schema_.find(name);
  BASE_ASSERT(index != Schema::npos);
  return slots_[index];
}

// The value, or an empty one where neither the file nor the schema has any.
template <class T>
const T& Values::scalar(std::string_view name) const {
  static const T none{};
  const Scalar& held = slot(name).scalar;
  if (std::holds_alternative<std::monostate>(held)) return none;
  const T* value = std::get_if<T>(&held);
  BASE_ASSERT(value != nullptr);
  return *value;
}

bool Values::given(std::string_view name) const {
  return slot(name).given;
}
bool Values::boolean(std::string_view name) const {
  return scalar<bool>(name);
}
double Values::real(std::string_view name) const {
  return scalar<double>(name);
}
const std::string& Values::text(std::string_view name) const {
  return scalar<std::string>(name);
}
const Listen& Values::listen(std::string_view name) const {
  return scalar<Listen>(name);
}

std::int64_t Values::integer(std::string_view name) const {
  BASE_ASSERT(schema_.keys()[schema_.find(name)].type != Type::duration);
  return scalar<std::int64_t>(name);
}

base::Duration Values::duration(std::string_view name) const {
  BASE_ASSERT(schema_.keys()[schema_.find(name)].type == Type::duration);
  return base::Duration(scalar<std::int64_t>(name));
}

const std::vector<std::string>& Values::list(std::string_view name) const {
  return scalar<std::vector<std::string>>(name);
}

const Value* Values::raw(std::string_view name) const {
  const Slot& found = slot(name);
  return found.given ? &scalar<Value>(name) : nullptr;
}

const Values& Values::block(std::string_view name) const {
  const Key& key = schema_.keys()[schema_.find(name)];
  BASE_ASSERT(key.type != Type::block_list && key.type != Type::named_blocks);
  const Slot& found = slot(name);
  BASE_ASSERT(!found.blocks.empty());
  return found.blocks.front();
}

bool Values::is_block(std::string_view name) const {
  return slot(name).is_block;
}

const std::vector<Values>& Values::blocks(std::string_view name) const {
  const Type type = schema_.keys()[schema_.find(name)].type;
  BASE_ASSERT(type == Type::block_list || type == Type::named_blocks);
  return slot(name).blocks;
}

const std::vector<std::string>& Values::names(std::string_view name) const {
  BASE_ASSERT(schema_.keys()[schema_.find(name)].type == Type::named_blocks);
  return slot(name).names;
}

std::string Values::place(Position at) const {
  if (files_ == nullptr) return "the defaults";
  return fmt::format("{}:{}:{}", (*files_)[at.file], at.line, at.column);
}

std::string Values::where(std::string_view name) const {
  const Slot& found = slot(name);
  return place(found.given ? found.at : at_);
}

std::string Values::where(const Value& value) const {
  return place(value.at);
}

namespace {

void describe(const Schema& schema, const std::string& prefix, std::string& out) {
  for (const Key& key : schema.keys()) {
    std::string aliases;
    for (const std::string_view alias : key.aliases) aliases += fmt::format(", `{}`", alias);
    out += fmt::format("| `{}{}`{} | {}{} | {} | {} | {} |\n", prefix, key.name, aliases,
                       expectation(key), key.required ? ", required" : "",
                       key.default_text.empty() ? "" : fmt::format("`{}`", key.default_text),
                       key.reloadable ? "yes" : "no", key.doc);
    const std::string_view inside = key.type == Type::block_list     ? "[]."
                                    : key.type == Type::named_blocks ? ".NAME."
                                                                     : ".";
    describe(key.block, fmt::format("{}{}{}", prefix, key.name, inside), out);
  }
}

}  // namespace

std::string describe(const Schema& schema) {
  std::string out;
  describe(schema, "", out);
  return out;
}

}  // namespace spanwire::config
