// What a client of the JetStream API and its feeds share.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/loop.h"
#include "base/text_hash.h"
#include "crypto/nuid.h"
#include "streams/api_answers.h"
#include "streams/calls.h"
#include "streams/client.h"
#include "streams/link.h"

namespace spanwire::streams {

struct ApiSettings {
  std::string domain;  // of JetStream; empty: the one of the server that the link leads to
  std::int32_t replicas = 1;
  base::Duration timeout = std::chrono::seconds(5);        // of a call
  base::Duration pull_expires = std::chrono::seconds(30);  // of what a feed asks for
  base::Duration heartbeat = std::chrono::seconds(5);  // of a feed; at most half of pull_expires
};

class ApiFeed;

struct Api {
  Api(base::Loop& on_loop, Link& to, ApiSettings how);

  // `$JS.API.<what>.<stream>[.<consumer>]`
  std::string subject(std::string_view what, std::string_view stream,
                      std::string_view consumer = {}) const;
  // What an answer, or its absence, means.
  Failure failure_of(const Reply& reply) const;
  template <class T>
  Result<T> result_of(const Reply& reply, Answer<T> (*read)(std::string_view)) const {
    if (reply.kind != Reply::Kind::message) return tl::unexpected(failure_of(reply));
    return read(reply.message->payload).map_error(streams::failure_of);
  }

  base::Loop& loop;
  Link& link;
  const ApiSettings settings;
  const std::string prefix;
  Calls calls;
  crypto::NuidSource names;
  std::uint64_t last_inbox = 0;
  // By the token of their inbox.
  absl::flat_hash_map<std::string, ApiFeed*, base::TextHash, base::TextEqual> feeds;
};

}  // namespace spanwire::streams
