// What the NATS wire can be told, with nats-server's defaults.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace spanwire::nats {

struct Settings {
  std::uint32_t max_payload = 1U << 20;       // bytes of headers and payload
  std::uint32_t max_control_line = 4096;      // bytes
  std::size_t max_pending = 64U << 20;        // bytes that wait for one client
  std::uint32_t max_subscriptions = 0;        // of one client; 0: no limit
  std::uint32_t max_subscription_tokens = 0;  // of one subject; 0: no limit
  base::Duration ping_interval = std::chrono::minutes(2);
  std::uint32_t ping_max = 2;  // unanswered, then the connection is stale
  base::Duration auth_timeout = std::chrono::seconds(2);
  std::size_t max_traced_bytes = 0;  // of one payload in the log; 0: as many as a line can have
  bool plus_wildcard = false;        // a token of `+` in SUB is a wildcard, as in FlowMQ

  std::string host = "0.0.0.0";  // for INFO
  std::int32_t port = 4222;      // for INFO; the real one where any was asked for
  bool jetstream = false;        // for INFO
  std::string domain;            // of JetStream, for INFO
  std::int32_t api_level = 0;    // of JetStream, for INFO; nats-server says it without it, too
};

}  // namespace spanwire::nats
