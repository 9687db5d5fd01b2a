// HTTP requests on connections that stay open, `depth` of them in each write; the next write leaves
// when all of its answers have come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "tools/loadgen/closed_loop.h"
#include "tools/loadgen/seat.h"

namespace spanwire::loadgen {

// The length of the response at the front of `in`, body included; nothing if it is not whole. An
// error if its status is not 200 to 299 or its length is not given.
base::Result<std::optional<std::size_t>> response_bytes(std::string_view in);

class HttpRun final : public ClosedLoop {
 public:
  explicit HttpRun(Plan plan) : ClosedLoop(std::move(plan), 1) {}

 private:
  struct Client {
    Seat seat;
    std::uint32_t awaited = 0;  // responses to the last write
    base::Time sent_at;
  };

  base::Status open() override;
  std::size_t clients() const override { return clients_.size(); }
  base::Status ask(std::size_t client) override;
  base::Status ready(std::uint64_t tag) override;
  // Posts what GET is to find, and waits for the answer.
  base::Status prepare();
  std::string request(Method method) const;

  std::vector<Client> clients_;
  std::string batch_;  // what one write carries
};

}  // namespace spanwire::loadgen
