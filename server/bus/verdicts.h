// What a permission set has said about subjects, on one loop: identical users share the set, and
// so its verdicts.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "account/account.h"

namespace spanwire::bus {

// The last subjects of one set: a verdict of a set of a hundred filters takes a microsecond.
class Verdicts {
 public:
  static constexpr std::size_t rows = 32;
  static constexpr std::size_t ways = 4;  // slots of a row: a subject may stand in any

  explicit Verdicts(base::Ref<const account::PermissionSet> set) : set_(std::move(set)) {}

  // `hash` is any of the subject, the same each time.
  bool may_publish(std::string_view subject, std::uint64_t hash);
  std::uint64_t evaluated() const { return evaluated_; }

 private:
  struct Slot {
    std::string subject;  // empty: nothing yet
    bool allowed = false;
  };

  struct Row {
    std::array<Slot, ways> slots;
    std::size_t next = 0;  // the one to be written over
  };

  base::Ref<const account::PermissionSet> set_;
  std::array<Row, rows> rows_;
  std::uint64_t evaluated_ = 0;
};

// One for each set that a port of the loop has; gone with the last of these ports.
class VerdictBook {
 public:
  // Null for a principal that may do everything.
  std::shared_ptr<Verdicts> of(const base::Ref<const account::PermissionSet>& set);
  std::size_t size() const { return book_.size(); }
  // How often a set of the book was really asked.
  std::uint64_t evaluated(const account::PermissionSet& set) const {
    const auto found = book_.find(&set);
    return found == book_.end() ? 0 : found->second->evaluated();
  }
  // Forgets the verdicts of this set if no port holds them any more.
  void prune(const account::PermissionSet* set);

 private:
  absl::flat_hash_map<const account::PermissionSet*, std::shared_ptr<Verdicts>> book_;
};

}  // namespace spanwire::bus
