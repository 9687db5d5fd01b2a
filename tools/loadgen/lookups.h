// The last values of keys, asked for one after the other; a window of requests is under way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "tools/loadgen/closed_loop.h"
#include "tools/loadgen/jetstream_wire.h"
#include "tools/loadgen/seat.h"

namespace spanwire::loadgen {

class LookupRun final : public ClosedLoop {
 public:
  explicit LookupRun(Plan plan);

 private:
  // One place in the window.
  struct Place {
    std::uint64_t token = 0;  // of its request
    std::string subject;      // that it asked for
    bool waiting = false;
    base::Time sent_at;
  };

  base::Status open() override;
  std::size_t clients() const override { return places_.size(); }
  base::Status ask(std::size_t client) override;
  base::Status ready(std::uint64_t tag) override;
  base::Status flush() override;
  base::Status handle(const NatsEvent& event);
  base::Status value_came(const NatsEvent& event);

  Seat seat_;
  std::vector<Place> places_;
  std::vector<std::uint32_t> order_;
  std::uint64_t number_ = 0;  // of requests so far
  std::string out_;
};

}  // namespace spanwire::loadgen
