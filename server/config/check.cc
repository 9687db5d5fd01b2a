#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/assert.h"
#include "config/convert.h"
#include "config/schema.h"
#include "config/spelling.h"

namespace spanwire::config {
namespace {

constexpr std::size_t max_found = 1'000;

struct Found {
  bool is_error = true;
  Position at;
  std::string text;
};

// How many letters must change to make one of the other; words longer than 64 are never near.
std::size_t distance(std::string_view one, std::string_view other) {
  constexpr std::size_t longest = 64;
  if (one.size() > longest || other.size() > longest) return longest;
  std::vector<std::size_t> row(other.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < one.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < other.size(); ++j) {
      const std::size_t changed = diagonal + (one[i] == other[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

// The declared name that a misspelt one most likely means, or nothing.
std::string_view nearest(const Schema& schema, std::string_view name) {
  std::string_view best;
  std::size_t least = std::min<std::size_t>(3, name.size() / 2 + 1);
  const auto consider = [&](std::string_view candidate) {
    const std::size_t steps = distance(name, candidate);
    if (steps >= least) return;
    least = steps;
    best = candidate;
  };
  for (const Key& key : schema.keys()) {
    consider(key.name);
    for (const std::string_view alias : key.aliases) consider(alias);
  }
  return best;
}

}  // namespace

// Fills Values from the maps of one tree and collects what does not fit.
class Binder {
 public:
  explicit Binder(const Tree& tree)
      : files_(std::make_shared<const std::vector<std::string>>(tree.files)) {}

  // Recurses as deep as schemas nest.
  Values block(const Value& map, const Schema& schema, const ReferenceBlock* known,
               const std::string& path);
  const std::vector<Found>& found() const { return found_; }

 private:
  using Slot = Values::Slot;

  void member(const Key& key, Slot& slot, const Member& member, const ReferenceBlock* known,
              const std::string& path);
  void scalar(const Key& key, Slot& slot, const Value& value, const std::string& path);
  void block_list(const Key& key, Slot& slot, const Value& value, const ReferenceBlock* known,
                  const std::string& path);
  void named_blocks(const Key& key, Slot& slot, const Value& value, const ReferenceBlock* known,
                    const std::string& path);
  void unknown(const Schema& schema, const ReferenceBlock* known, const Member& member,
               const std::string& path);
  void set_twice(const Key& key, const Slot& slot, const Member& member, const std::string& path);
  void error(Position at, std::string text) { add({true, at, std::move(text)}); }
  void add(Found found) {
    if (found_.size() < max_found) found_.push_back(std::move(found));
  }

  std::shared_ptr<const std::vector<std::string>> files_;
  std::vector<Found> found_;
};

Values Binder::block(const Value& map, const Schema& schema, const ReferenceBlock* known,
                     const std::string& path) {
  BASE_ASSERT(map.kind == Kind::map);
  if (schema.known_not_honoured() != nullptr) known = schema.known_not_honoured();
  Values values(schema);
  values.at_ = map.at;
  values.files_ = files_;
  for (const Member& each : map.members) {
    const std::string name = lower(each.name);
    const std::size_t index = schema.find(name);
    const ReferenceKey* reference = known == nullptr ? nullptr : find(*known, name);
    if (index == Schema::npos) {
      unknown(schema, known, each, path);
      continue;
    }
    const Key& key = schema.keys()[index];
    Slot& slot = values.slots_[index];
    if (slot.given) {
      set_twice(key, slot, each, path);
      continue;
    }
    slot.given = true;
    slot.at = each.name_at;
    member(key, slot, each, reference == nullptr ? nullptr : reference->block, path);
  }
  for (std::size_t i = 0; i < schema.keys().size(); ++i) {
    const Key& key = schema.keys()[i];
    if (!key.required || values.slots_[i].given) continue;
    error(map.at, fmt::format("'{}{}' is missing; set it", path, key.name));
  }
  return values;
}

void Binder::unknown(const Schema& schema, const ReferenceBlock* known, const Member& member,
                     const std::string& path) {
  const std::string name = lower(member.name);
  if (known != nullptr && find(*known, name) != nullptr) {
    error(member.name_at, fmt::format("'{}{}' is a nats-server setting that this version does not "
                                      "support yet; remove it",
                                      path, name));
    return;
  }
  // A member that some $NAME refers to is a variable of the file's author.
  if (member.value.referenced) return;
  const std::string_view meant = nearest(schema, name);
  const std::string advice = meant.empty() ? "remove it" : fmt::format("did you mean '{}'?", meant);
  error(member.name_at,
        fmt::format("unknown setting '{}{}'; {}", path, shown(member.name), advice));
}

void Binder::set_twice(const Key& key, const Slot& slot, const Member& member,
                       const std::string& path) {
  error(member.name_at,
        fmt::format("'{}' sets '{}{}' again, which line {} of {} has set; keep one",
                    shown(member.name), path, key.name, slot.at.line, (*files_)[slot.at.file]));
}

void Binder::member(const Key& key, Slot& slot, const Member& member, const ReferenceBlock* known,
                    const std::string& path) {
  const Value& value = member.value;
  const std::string name = fmt::format("{}{}", path, key.name);
  if (key.type == Type::block_list) {
    block_list(key, slot, value, known, name);
  } else if (key.type == Type::named_blocks) {
    named_blocks(key, slot, value, known, name);
  } else if (value.kind == Kind::map && !key.block.empty()) {
    slot.is_block = true;
    slot.blocks.front() = block(value, key.block, known, name + ".");
  } else {
    scalar(key, slot, value, name);
  }
}

void Binder::scalar(const Key& key, Slot& slot, const Value& value, const std::string& path) {
  Conversion notes{.at = value.at};
  base::Result<Values::Scalar> converted = convert(key, value, notes);
  if (!converted) {
    error(notes.at, fmt::format("{}: {}", path, converted.error().text));
    return;
  }
  if (!notes.warning.empty()) add({false, value.at, fmt::format("{}: {}", path, notes.warning)});
  slot.scalar = *std::move(converted);
}

void Binder::block_list(const Key& key, Slot& slot, const Value& value, const ReferenceBlock* known,
                        const std::string& path) {
  if (value.kind != Kind::list) {
    error(value.at,
          fmt::format("{}: is {}; write {}", path, kind_name(value.kind), expectation(key)));
    return;
  }
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    const Value& item = value.items[i];
    const std::string name = fmt::format("{}[{}]", path, i);
    if (item.kind == Kind::map) {
      slot.blocks.push_back(block(item, key.block, known, name + "."));
    } else {
      error(item.at, fmt::format("{}: is {}; write a block {{ }}", name, kind_name(item.kind)));
    }
  }
}

void Binder::named_blocks(const Key& key, Slot& slot, const Value& value,
                          const ReferenceBlock* known, const std::string& path) {
  if (value.kind != Kind::map) {
    error(value.at,
          fmt::format("{}: is {}; write {}", path, kind_name(value.kind), expectation(key)));
    return;
  }
  const ReferenceBlock* each = known == nullptr ? nullptr : known->each;
  for (const Member& one : value.members) {
    if (one.value.referenced) continue;  // a variable of the file's author
    const std::string name = fmt::format("{}.{}", path, shown(one.name));
    if (one.value.kind == Kind::map) {
      slot.names.push_back(one.name);
      slot.blocks.push_back(block(one.value, key.block, each, name + "."));
    } else {
      error(one.value.at,
            fmt::format("{}: is {}; write a block {{ }}", name, kind_name(one.value.kind)));
    }
  }
}

base::Result<Values> check(const Tree& tree, const Schema& schema, Problems& problems) {
  Binder binder(tree);
  Values values = binder.block(tree.root, schema, nullptr, "");
  std::vector<Found> found = binder.found();
  for (const Remark& remark : tree.warnings) found.push_back({false, remark.at, remark.text});
  std::stable_sort(found.begin(), found.end(),
                   [](const Found& a, const Found& b) { return a.at < b.at; });
  std::string first;
  std::size_t errors = 0;
  for (const Found& one : found) {
    std::string line = fmt::format("{}: {}", tree.where(one.at), one.text);
    if (one.is_error && errors++ == 0) first = line;
    (one.is_error ? problems.errors : problems.warnings).push_back(std::move(line));
  }
  if (errors == 0) return values;
  if (errors > 1) first += fmt::format(" (and {} more)", errors - 1);
  return base::fail(std::move(first));
}

}  // namespace spanwire::config
