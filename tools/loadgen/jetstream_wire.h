// What JetStream says in NATS messages, as far as the generator reads it: headers, acknowledgements
// of publishers, and what the reply subject of a delivery tells.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "tools/loadgen/nats_wire.h"

namespace spanwire::loadgen {

// As read_nats_event, but an HMSG is a message with its headers.
NatsEvent read_headed_event(std::string_view in);

// The number in "NATS/1.0 408 Request Timeout"; 0 if there is none.
std::uint32_t status_of(std::string_view headers);
// The value of the first header of this name, which is compared letter by letter; empty without it.
std::string_view header_value(std::string_view headers, std::string_view name);

// The sequence that a publisher's message was given in `stream`. An error, another stream and a
// message that was taken for a duplicate are failures.
base::Result<std::uint64_t> read_pub_ack(std::string_view payload, std::string_view stream);

// $JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<delivered>.<stream sequence>.
// <consumer sequence>.<time>.<pending>[.<random>]
struct Delivery {
  std::string_view stream, consumer;
  std::uint64_t times = 0;  // how often this message was delivered
  std::uint64_t stream_sequence = 0;
  std::uint64_t consumer_sequence = 0;
  std::uint64_t pending = 0;
};
std::optional<Delivery> read_delivery(std::string_view reply);

}  // namespace spanwire::loadgen
