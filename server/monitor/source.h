// What the monitoring pages need to know of the server. Implemented by app/, and by tests.
#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "jetstream/server.h"
#include "nats/settings.h"
#include "session/turn.h"
#include "wire/wire.h"

namespace spanwire::monitor {

// Where one wire is listened for.
struct Listener {
  std::string wire;
  std::string host;
  std::uint16_t port = 0;
};

// What does not change while the server runs.
struct Facts {
  nats::Settings nats;
  bool auth_required = false;
  std::size_t max_connections = 0;
  base::Duration write_deadline{};
  std::vector<Listener> listeners;
  base::WallTime start{};
  std::string config_digest;
  std::uint32_t cores = 0;
};

// What the connections of one loop have counted.
struct NetCounts {
  std::uint64_t accepted = 0;
  std::uint64_t closed = 0;
  std::uint64_t slow_writers = 0;  // closed by the write deadline
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
};

// What the process takes of the machine.
struct Usage {
  std::uint64_t resident_bytes = 0;
  double cpu_percent = 0;  // of one core, lately
};

class Source {
 public:
  virtual ~Source() = default;

  virtual jetstream::Server* jetstream() const = 0;  // from any loop; null: it is off

  // Of a loop, for tasks that run there and nowhere else.
  virtual session::Turn& turn(base::LoopId loop) = 0;
  virtual void visit_bridges(
      base::LoopId loop, absl::FunctionRef<void(std::string_view wire, wire::Bridge&)> visit) = 0;

  // From any loop.
  virtual const Facts& facts() const = 0;
  virtual NetCounts net_counts(base::LoopId loop) const = 0;
  virtual std::uint64_t accepted_connections() const = 0;  // monitoring's included
  virtual std::uint64_t refused_connections() const = 0;   // above max_connections
  virtual std::size_t buffered_bytes() const = 0;          // that wait for all peers together
  virtual Usage usage() = 0;
};

}  // namespace spanwire::monitor
