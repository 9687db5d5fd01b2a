// How a protocol enters the server: one value, listed in app/wires.cc.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "session/peer.h"
#include "session/session.h"
#include "wire/services.h"

namespace spanwire::wire {

// What the sessions of one wire share on one loop. Made before the first connection, destroyed
// after the last.
class Bridge {
 public:
  virtual ~Bridge() = default;
};

// The functions are called on the loop whose services or peer they are given. Settings were read
// from the configuration when the value was made.
struct Wire {
  std::string_view name;
  std::function<std::unique_ptr<Bridge>(Services&)> start;
  std::function<std::unique_ptr<session::Session>(session::Peer&, Bridge&)> open;
};

}  // namespace spanwire::wire
