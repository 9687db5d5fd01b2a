// Who holds a client id: one connection of an account at a time [MQTT-3.1.4-2]. Lives on the id's
// home loop; holders are told by the bridge.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/ids.h"

namespace spanwire::mqtt {

using ClientKey = std::pair<base::AccountId, std::string>;

struct ClientHolder {
  base::LoopId loop = 0;
  std::uint64_t connection = 0;
  friend bool operator==(const ClientHolder&, const ClientHolder&) = default;
};

class ClientIds {
 public:
  // If nobody is displaced the id is the claimant's. Else it waits until the present holder has
  // released; the one to close is that holder, or who has waited for it so far.
  std::optional<ClientHolder> claim(const ClientKey& key, const ClientHolder& claimant);
  // Returns whose the id is now, if somebody has waited for it. Releasing what one does not hold
  // has no effect.
  std::optional<ClientHolder> release(const ClientKey& key, const ClientHolder& holder);

  std::size_t size() const { return entries_.size(); }  // at most one for each connection

 private:
  struct Entry {
    ClientHolder holder;
    std::optional<ClientHolder> waiting;
  };
  absl::flat_hash_map<ClientKey, Entry> entries_;
};

}  // namespace spanwire::mqtt
