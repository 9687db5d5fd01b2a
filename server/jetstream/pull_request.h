// What a pull consumer is asked for: the body of CONSUMER.MSG.NEXT and what follows +NXT in an ack.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "base/clock.h"

namespace spanwire::jetstream {

struct PullRequest {
  std::int64_t batch = 1;      // 0, not said: brings one, and counts as none where it is told
  base::Duration expires{};    // zero: waits for ever, unless no_wait; negative: it is over
  std::int64_t max_bytes = 0;  // zero: any
  bool no_wait = false;
  base::Duration idle_heartbeat{};
  // Of priority groups.
  std::string group;
  std::int64_t min_pending = 0;
  std::int64_t min_ack_pending = 0;
  std::string id;
  std::int64_t priority = 0;
};

// Empty, a number of messages, or JSON; anything else asks for one message. The error is the text
// for a status 400: `Bad Request - …`.
tl::expected<PullRequest, std::string> parse_pull_request(std::string_view body);

// Why a consumer without priority groups refuses the request, for a status 400; empty: it does not.
std::string_view refused_priority(const PullRequest& request);

}  // namespace spanwire::jetstream
