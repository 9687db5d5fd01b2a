// Latency on a clock: every message has a time at which it is due, fixed before the run. Its
// latency counts from then, whether or not it could be sent in time, so a server that stalls is
// charged for all that had to wait (an open loop; nothing is left out in coordination with the
// server).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "tools/loadgen/report.h"
#include "tools/loadgen/seat.h"
#include "tools/loadgen/socket.h"
#include "tools/loadgen/wire.h"

namespace spanwire::loadgen {

class PacedRun {
 public:
  explicit PacedRun(Plan plan);

  base::Result<Report> run();

 private:
  struct Publisher {
    Fd fd;
    std::string subject;
    std::string pending;  // due, but the socket had no room
  };

  base::Status open();
  base::Result<Fd> join(const Interest& interest, std::uint64_t tag);
  base::Status phase(base::Duration length);
  // Sends all that is due now.
  base::Status send_due(base::Time now);
  base::Status flush(Publisher& publisher);
  base::Status take_events();
  base::Status receive(Seat& subscriber);
  // Takes the whole deliveries from the front of `in`.
  base::Status take_deliveries(std::string_view& in);

  Plan plan_;
  std::unique_ptr<Wire> wire_;
  std::vector<Publisher> publishers_;
  std::vector<Seat> subscribers_;
  std::optional<Poller> poller_;
  std::string buffer_;  // one read of any connection
  std::size_t delivery_bytes_ = 0;
  std::size_t payload_offset_ = 0;
  base::Time began_;           // of this phase
  std::uint64_t planned_ = 0;  // messages of this phase
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  Histogram latency_;
  Histogram lag_;
};

}  // namespace spanwire::loadgen
