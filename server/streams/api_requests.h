// The bodies of the requests that a client of the JetStream API makes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "streams/client.h"

namespace spanwire::streams {

// A name that is one token of the API's subjects.
bool is_name(std::string_view name);

// The configuration of a stream, the body of STREAM.CREATE and STREAM.UPDATE.
std::string stream_request(const StreamSpec& spec, std::int32_t replicas);

struct ConsumerRequest {
  std::string_view stream;
  std::string_view name;
  const FeedSpec& spec;  // its name is not looked at if it is not durable
  // Of ordered ones: with what they begin.
  FeedSpec::From from = FeedSpec::From::first;
  Sequence sequence = 0;
};
// The body of CONSUMER.CREATE.
std::string consumer_request(const ConsumerRequest& request);

// The body of STREAM.MSG.GET and DIRECT.GET.
std::string read_request(const Which& which);
std::string purge_request(const Purging& what);

struct Pull {
  std::size_t batch = 0;
  base::Duration expires{};
  base::Duration heartbeat{};
};
// The body of CONSUMER.MSG.NEXT.
std::string pull_request(const Pull& pull);

// The headers that make the append what it asks for. False: its own are no block of headers, or
// its id cannot be written.
bool append_headers(const Appending& message, std::string& out);

// What is published to the subject of an acknowledgement.
std::string ack_payload(Verdict verdict, base::Duration delay);

}  // namespace spanwire::streams
