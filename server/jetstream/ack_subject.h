// The reply subject of a delivered message, by which it is acknowledged, and which tells the
// receiver where the message stands:
//   $JS.ACK.<stream>.<consumer>.<delivered>.<sseq>.<cseq>.<time>.<pending>
//   $JS.ACK.<domain>.<account hash>.<stream>.<consumer>.<delivered>.….<pending>[.<more>]
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace spanwire::jetstream {

struct Delivery {
  std::uint64_t delivered = 0;  // how many times, this one included
  std::uint64_t stream_sequence = 0;
  std::uint64_t consumer_sequence = 0;
  base::WallTime time{};  // when the message was stored
  std::uint64_t pending = 0;

  friend bool operator==(const Delivery&, const Delivery&) = default;
};

// Spells the first form for one consumer. Its names were checked before.
class AckSubject {
 public:
  AckSubject(std::string_view stream, std::string_view consumer);

  // Valid until the next call. Does not allocate.
  std::string_view write(const Delivery& delivery);
  // `$JS.ACK.<stream>.<consumer>.`
  std::string_view prefix() const { return std::string_view(buffer_).substr(0, prefix_bytes_); }

 private:
  std::string buffer_;
  std::size_t prefix_bytes_;
};

struct ParsedAckSubject {
  std::string_view domain;        // of the second form; `_` is none
  std::string_view account_hash;  // of the second form
  std::string_view stream;
  std::string_view consumer;
  Delivery delivery;
};

// Nothing where it has neither form, or a number is none.
std::optional<ParsedAckSubject> parse_ack_subject(std::string_view subject);

}  // namespace spanwire::jetstream
