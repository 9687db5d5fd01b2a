// What consumers deliver to one connection: every message is counted and has to be the next of its
// consumer, and what the server asks for is answered.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "tools/loadgen/jetstream_wire.h"
#include "tools/loadgen/seat.h"

namespace spanwire::loadgen {

class Deliveries {
 public:
  using Taken = std::function<base::Status(const Delivery&)>;

  // With `acknowledge` each message is acknowledged. `taken` is called for each, and may be empty.
  Deliveries(bool acknowledge, Taken taken) : acknowledge_(acknowledge), taken_(std::move(taken)) {}

  // Takes the whole events from the front of `in`, and appends to `answers` what they ask for.
  // Fails if a message is missing, comes twice or was delivered before, and at any status that ends
  // a consumer's or a request's life.
  base::Status take(std::string_view& in, std::string& answers);

  std::uint64_t count() const { return count_; }
  // How often the answer to a PING was among it.
  std::uint64_t fences() const { return fences_; }

 private:
  // What was last delivered by a consumer.
  struct Last {
    std::uint64_t stream_sequence = 0;
    std::uint64_t consumer_sequence = 0;
  };

  base::Status take_message(const NatsEvent& event, std::string& answers);
  base::Status take_status(const NatsEvent& event, std::string& answers) const;

  bool acknowledge_;
  Taken taken_;
  std::uint64_t count_ = 0;
  std::uint64_t fences_ = 0;
  std::map<std::string, Last, std::less<>> consumers_;
};

// A connection that consumers deliver to.
class Listener {
 public:
  Listener(bool acknowledge, Deliveries::Taken taken)
      : deliveries_(acknowledge, std::move(taken)) {}

  // Connects with one subscription.
  base::Status open(const Endpoint& server, std::string_view filter);
  // So many more, each to the subject that is made for its number.
  base::Status subscribe(std::uint64_t count,
                         const std::function<std::string(std::uint64_t)>& subject);
  int fd() const { return seat_.fd(); }
  // Reads what is there and sends what it asks for; `buffer` is for one read.
  base::Status ready(std::string& buffer);
  // Reads until the server has done all that it was sent before.
  base::Status fence(std::string& buffer);

  std::uint64_t count() const { return deliveries_.count(); }

 private:
  Seat seat_;
  Deliveries deliveries_;
  std::string answers_;
};

// Waits a tenth of a second at most for input.
void await_input(int fd);

}  // namespace spanwire::loadgen
