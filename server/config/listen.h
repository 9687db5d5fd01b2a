// Where a listener listens: "host:port", "[::1]:4222", ":4222", or a port alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace spanwire::config {

inline constexpr int any_port = -1;  // the system chooses a free one

struct Listen {
  std::string host;  // empty: all addresses; an IPv6 address stands here without its brackets
  int port = 0;      // any_port to 65535; 0: the listener's usual port

  friend bool operator==(const Listen&, const Listen&) = default;
};

base::Result<Listen> parse_listen(std::string_view text);
base::Result<Listen> listen_on(std::int64_t port);

// The text that gives the same again.
std::string to_text(const Listen& listen);

}  // namespace spanwire::config
