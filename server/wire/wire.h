// How a protocol enters the server: one value, listed in app/wires.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "session/peer.h"
#include "session/session.h"
#include "wire/services.h"
#include "wire/tracer.h"

namespace spanwire::wire {

// A number that monitoring shows.
struct Count {
  std::string_view name;  // static storage
  std::uint64_t value = 0;
};

// What the sessions of one wire share on one loop. Made before the first connection, destroyed
// after the last.
class Bridge {
 public:
  virtual ~Bridge() = default;
  // What it has counted; always the same names. `slow_consumers` and `stale_connections` of all
  // wires are added up for the server's own. On its loop.
  virtual std::vector<Count> counts() const { return {}; }
  // From now on these are traced, instead of those of the last call. False: this wire cannot. On
  // its loop.
  virtual bool trace(const TraceFilters& /*filters*/) { return false; }
};

// The functions are called on the loop whose services or peer they are given. Settings were read
// from the configuration when the value was made.
struct Wire {
  std::string_view name;
  std::function<std::unique_ptr<Bridge>(Services&)> start;
  std::function<std::unique_ptr<session::Session>(session::Peer&, Bridge&)> open;
};

}  // namespace spanwire::wire
