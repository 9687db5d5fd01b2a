#include "config/diff.h"

#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"

namespace spanwire::config {

class Comparison {
 public:
  void compare(const Values& before, const Values& after, const std::string& path);
  std::vector<Change> take() { return std::move(changes_); }

 private:
  using Slot = Values::Slot;

  void slots(const Key& key, const Slot& before, const Slot& after, const std::string& path);
  void lists(const Key& key, const Slot& before, const Slot& after, const std::string& path);
  void named(const Key& key, const Slot& before, const Slot& after, const std::string& path);
  void changed(const Key& key, std::string path) {
    changes_.push_back({std::move(path), key.reloadable});
  }

  std::vector<Change> changes_;
};

void Comparison::compare(const Values& before, const Values& after, const std::string& path) {
  const std::vector<Key>& keys = before.schema_.keys();
  BASE_ASSERT(&keys == &after.schema_.keys());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    slots(keys[i], before.slots_[i], after.slots_[i], fmt::format("{}{}", path, keys[i].name));
  }
}

void Comparison::slots(const Key& key, const Slot& before, const Slot& after,
                       const std::string& path) {
  if (key.type == Type::block_list) return lists(key, before, after, path);
  if (key.type == Type::named_blocks) return named(key, before, after, path);
  if (before.is_block != after.is_block || before.scalar != after.scalar) {
    changed(key, path);
  }
  if (!before.blocks.empty()) {
    compare(before.blocks.front(), after.blocks.front(), path + ".");
  }
}

void Comparison::lists(const Key& key, const Slot& before, const Slot& after,
                       const std::string& path) {
  const std::size_t both = std::min(before.blocks.size(), after.blocks.size());
  for (std::size_t i = 0; i < both; ++i) {
    compare(before.blocks[i], after.blocks[i], fmt::format("{}[{}].", path, i));
  }
  for (std::size_t i = both; i < std::max(before.blocks.size(), after.blocks.size()); ++i) {
    changed(key, fmt::format("{}[{}]", path, i));
  }
}

void Comparison::named(const Key& key, const Slot& before, const Slot& after,
                       const std::string& path) {
  absl::flat_hash_map<std::string_view, const Values*> old;
  for (std::size_t i = 0; i < before.names.size(); ++i) old[before.names[i]] = &before.blocks[i];
  for (std::size_t i = 0; i < after.names.size(); ++i) {
    const std::string name = fmt::format("{}.{}", path, after.names[i]);
    const auto found = old.find(after.names[i]);
    if (found == old.end()) {
      changed(key, name);
      continue;
    }
    compare(*found->second, after.blocks[i], name + ".");
    old.erase(found);
  }
  for (const std::string& name : before.names) {
    if (old.contains(name)) changed(key, fmt::format("{}.{}", path, name));
  }
}

std::vector<Change> diff(const Values& before, const Values& after) {
  Comparison comparison;
  comparison.compare(before, after, "");
  return comparison.take();
}

}  // namespace spanwire::config
