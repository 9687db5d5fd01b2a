#include "bus/verdicts.h"

#include "base/bytes.h"

namespace spanwire::bus {

bool Verdicts::may_publish(std::string_view subject, std::uint64_t hash) {
  // The low bits choose among the match cache's fingerprints already.
  Row& row = rows_[(hash >> 32) % rows];
  for (const Slot& slot : row.slots) {
    if (base::same_text(slot.subject, subject) && !subject.empty()) return slot.allowed;
  }
  Slot& slot = row.slots[row.next++ % row.slots.size()];
  slot.allowed = set_->may_publish(subject);
  slot.subject.assign(subject);
  ++evaluated_;
  return slot.allowed;
}

std::shared_ptr<Verdicts> VerdictBook::of(const base::Ref<const account::PermissionSet>& set) {
  if (!set) return nullptr;
  auto& verdicts = book_[set.get()];
  if (verdicts == nullptr) verdicts = std::make_shared<Verdicts>(set);
  return verdicts;
}

void VerdictBook::prune(const account::PermissionSet* set) {
  const auto found = book_.find(set);
  if (found != book_.end() && found->second.use_count() == 1) book_.erase(found);
}

}  // namespace spanwire::bus
