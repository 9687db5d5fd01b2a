#include "bridges/mqtt/client_ids.h"

namespace spanwire::mqtt {

std::optional<ClientHolder> ClientIds::claim(const ClientKey& key, const ClientHolder& claimant) {
  const auto [found, is_free] = entries_.try_emplace(key, Entry{claimant, {}});
  if (is_free) return std::nullopt;
  Entry& entry = found->second;
  const ClientHolder displaced = entry.waiting.value_or(entry.holder);
  entry.waiting = claimant;
  return displaced;
}

std::optional<ClientHolder> ClientIds::release(const ClientKey& key, const ClientHolder& holder) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  Entry& entry = found->second;
  if (entry.waiting == holder) entry.waiting.reset();
  if (entry.holder != holder) return std::nullopt;
  const std::optional<ClientHolder> next = entry.waiting;
  if (next) {
    entry = {*next, {}};
  } else {
    entries_.erase(found);
  }
  return next;
}

}  // namespace spanwire::mqtt
