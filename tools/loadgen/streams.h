// Publishing into streams: each publisher has at most a window of messages without their
// acknowledgement, on reply subjects never used before, as the official clients do it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "tools/loadgen/api.h"
#include "tools/loadgen/closed_loop.h"
#include "tools/loadgen/deliveries.h"
#include "tools/loadgen/seat.h"

namespace spanwire::loadgen {

class AppendRun final : public ClosedLoop {
 public:
  // Ends when `limit` messages are published, if that is sooner than the plan's end.
  explicit AppendRun(Plan plan, std::uint64_t limit = UINT64_MAX);

 private:
  // What has been published and not been seen on all its ways back.
  struct Pending {
    base::Time sent_at;
    bool acknowledged = false;
    bool delivered = false;
  };
  struct Publisher {
    std::string stream;
    std::string subject;
    std::uint64_t sent = 0;
    std::deque<Pending> pending;  // the newest of those sent
  };
  // A connection, which some publishers share.
  struct Link {
    Seat seat;
    std::string inbox;
    std::string out;
  };
  enum class Way : std::uint8_t { acknowledged, delivered };

  base::Status open() override;
  std::size_t clients() const override { return publishers_.size() * plan().shape.window; }
  base::Status ask(std::size_t client) override;
  base::Status ready(std::uint64_t tag) override;
  base::Status flush() override;
  base::Status verify() override;

  base::Status create();
  base::Status open_link();
  void append_message(std::size_t publisher, std::uint64_t number);
  base::Status handle(std::size_t link, const NatsEvent& event);
  base::Status acknowledged(std::size_t link, const NatsEvent& event);
  // A publisher's message of that number was seen on a way back.
  base::Status seen(std::size_t publisher, std::uint64_t number, Way way);

  std::uint64_t limit_;
  std::uint64_t before_ = 0;  // messages in the stream before the first of these
  std::uint64_t sent_ = 0;    // in all phases
  std::optional<Api> api_;
  std::optional<Listener> listener_;  // where consumers are a part of the load
  std::vector<Link> links_;
  std::vector<Publisher> publishers_;
  std::vector<std::uint32_t> order_;  // of subjects, where there are several
  std::string payload_;
};

// Creates the shape's first stream and publishes shape.count messages into it.
base::Status fill(const Plan& plan);

}  // namespace spanwire::loadgen
