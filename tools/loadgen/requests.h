// Request and reply: each requester has one request under way, on a reply subject never used
// before, as the official clients do it; its responder answers on a connection of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "tools/loadgen/nats_wire.h"
#include "tools/loadgen/report.h"
#include "tools/loadgen/socket.h"

namespace spanwire::loadgen {

class RequestRun {
 public:
  explicit RequestRun(Plan plan);

  base::Result<Report> run();

 private:
  struct Seat {
    Fd fd;
    std::string partial;  // an event that has not arrived whole
  };
  struct Pair {
    Seat requester;
    Seat responder;
    std::string inbox;         // what its reply subjects begin with
    std::uint64_t number = 0;  // of the request under way
    bool waiting = false;
    base::Time sent_at;
  };

  base::Status open();
  base::Status open_pair(std::uint32_t number);
  base::Status phase(base::Duration length, std::uint64_t requests);
  base::Status request(std::size_t index);
  base::Status take_events(int timeout_ms);
  // Reads what is there and handles each whole event.
  base::Status ready(std::size_t index, bool responder);
  base::Status handle(std::size_t index, bool responder, const NatsEvent& event);
  base::Status answered(std::size_t index, const NatsEvent& event);

  Plan plan_;
  NatsWire wire_{false};
  std::vector<Pair> pairs_;
  std::optional<Poller> poller_;
  std::string payload_;
  std::string out_;
  std::string buffer_;          // one read of any connection
  std::uint64_t requests_ = 0;  // sent in this phase
  std::uint64_t replies_ = 0;
  bool sending_ = false;
  Histogram latency_;
};

}  // namespace spanwire::loadgen
