// Request and reply: each requester has one request under way, on a reply subject never used
// before, as the official clients do it; its responder answers on a connection of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "tools/loadgen/closed_loop.h"
#include "tools/loadgen/nats_wire.h"
#include "tools/loadgen/seat.h"

namespace spanwire::loadgen {

class RequestRun final : public ClosedLoop {
 public:
  explicit RequestRun(Plan plan);

 private:
  struct Pair {
    Seat requester;
    Seat responder;
    std::string inbox;         // what its reply subjects begin with
    std::uint64_t number = 0;  // of the request under way
    bool waiting = false;
    base::Time sent_at;
  };

  base::Status open() override;
  std::size_t clients() const override { return pairs_.size(); }
  base::Status ask(std::size_t client) override;
  base::Status ready(std::uint64_t tag) override;
  base::Status open_pair(std::uint32_t number);
  base::Status handle(std::size_t index, bool responder, const NatsEvent& event);
  base::Status reply_came(std::size_t index, const NatsEvent& event);

  NatsWire wire_{false};
  std::vector<Pair> pairs_;
  std::string payload_;
  std::string out_;
};

}  // namespace spanwire::loadgen
