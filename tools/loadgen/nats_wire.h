// The NATS client protocol, as far as the generator speaks it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tools/loadgen/wire.h"

namespace spanwire::loadgen {

class NatsWire final : public Wire {
 public:
  explicit NatsWire(bool headers) : headers_(headers) {}

  base::Status join(int fd, const Interest& interest) const override;
  std::string subject(std::uint32_t group) const override;
  std::string subject(std::uint32_t group, std::uint32_t number) const override;
  std::string all_subjects(std::uint32_t group) const override;
  void append_publish(std::string& out, std::string_view subject,
                      std::string_view payload) const override;
  std::size_t delivery_bytes(std::string_view subject, std::size_t payload) const override;
  std::size_t payload_offset(std::string_view subject, std::size_t payload) const override;
  std::string_view fence() const override { return "PING\r\n"; }
  std::string_view fence_answer() const override { return "PONG\r\n"; }
  // The server asks for the round-trip time two seconds after CONNECT. Nobody answers: two missed
  // answers, four minutes, are what a connection is closed for, and no run is that long.
  std::string_view stray() const override { return "PING\r\n"; }

 private:
  std::string_view header_block() const;

  bool headers_;
};

// One line of the server, with the payload of a MSG behind it, and the headers of an HMSG.
struct NatsEvent {
  enum class Kind : std::uint8_t { need_more, message, ping, other, error };
  Kind kind = Kind::need_more;
  std::size_t size_bytes = 0;  // what it takes from the input
  std::string_view subject, reply, headers, payload;
  std::string_view text;  // the line of an error
};

// Reads one event from the front of `in`, whose views it keeps. A 503 without responders and a line
// that cannot be read are errors.
NatsEvent read_nats_event(std::string_view in);

}  // namespace spanwire::loadgen
