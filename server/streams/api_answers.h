// What the JetStream API answers, and the subjects and headers of what consumers deliver: a foreign
// server's bytes, so everything here takes any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "streams/client.h"

namespace spanwire::streams {

struct ApiError {
  int code = 0;    // as HTTP has them; 0: the answer could not be read
  int number = 0;  // JetStream's own
  std::string text;
};

inline constexpr int error_stream_name_in_use = 10058;

// What the error means to whoever asked.
Failure failure_of(const ApiError& error);

template <class T>
using Answer = tl::expected<T, ApiError>;

// Of a publication that the stream was to store.
Answer<Appended> read_pub_ack(std::string_view payload, std::string_view stream);

struct StreamAnswer {
  StreamState state;
  bool direct = false;  // it can be read without the API, and has no replicas that may be behind
};
// Of STREAM.CREATE and STREAM.UPDATE.
Answer<StreamAnswer> read_stream(std::string_view payload);

// Of STREAM.MSG.GET.
Answer<StoredMessage> read_stored(std::string_view payload);
// Of DIRECT.GET.
Answer<StoredMessage> read_direct(const bus::MessageView& message);

// Of STREAM.PURGE.
Answer<std::uint64_t> read_purged(std::string_view payload);
// Of what is deleted.
Answer<void> read_success(std::string_view payload);

struct ConsumerAnswer {
  std::uint64_t pending = 0;
  Sequence delivered = 0;  // the last message of the stream that it has passed
};
// Of CONSUMER.CREATE and CONSUMER.INFO.
Answer<ConsumerAnswer> read_consumer(std::string_view payload);

// The reply subject of a delivery:
//   $JS.ACK.<stream>.<consumer>.<attempt>.<sequence>.<delivery>.<time>.<pending>
//   $JS.ACK.<domain>.<account>.<stream>.<consumer>.<attempt>.….<pending>[.<more>]
struct AckSubject {
  std::string_view prefix;  // up to the attempt, with its dot; the same for all of a consumer
  std::string_view consumer;
  AckToken token;
  base::WallTime time{};
  std::uint64_t pending = 0;
};
std::optional<AckSubject> parse_ack_subject(std::string_view subject);
// Where the delivery is acknowledged.
std::string ack_subject(std::string_view prefix, const AckToken& token);

// A message without payload that tells how a pull request stands.
struct PullStatus {
  enum class Kind : std::uint8_t {
    heartbeat,
    over,           // the request
    too_large,      // the request asks for more than `limit` messages
    consumer_gone,  // or nobody is there who would answer for it
    refused,        // such requests are of no use
  };
  Kind kind = Kind::over;
  std::uint64_t left = 0;           // of `over`: so many of it have not come
  std::uint64_t last_delivery = 0;  // of `heartbeat`: the consumer's last, 0 if it does not tell
  std::size_t limit = 0;            // of `too_large`
  std::string_view text;
};
std::optional<PullStatus> parse_pull_status(const bus::MessageView& message);

}  // namespace spanwire::streams
