// The durable memory of bridges: streams that they append to, read, and are fed from. The only one
// that they have, whether the streams are this server's own or those of a cluster behind a leaf
// node.
//
// Implemented twice, with one contract (tests/contract/streams): over the JetStream API
// (api_client.h) and, without JSON, beside the embedded store (jetstream/local_client.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/clock.h"
#include "base/done.h"
#include "base/ref.h"
#include "base/result.h"
#include "bus/message.h"
#include "streams/feed.h"

namespace spanwire::streams {

// Why a call did not do what it was asked.
struct Failure {
  enum class Kind : std::uint8_t {
    refused,     // it will not be done: a limit, an expectation, a setting that cannot be changed
    wrong_last,  // refused because of Expect::last_of_subject or Expect::last
    not_found,   // there is no such stream, consumer or message
    unknown,     // it may be done or not: no answer in time, a failed disk, a lost link
  };
  Kind kind = Kind::unknown;
  std::string text;  // one line, without a full stop
};

template <class T>
using Result = tl::expected<T, Failure>;

// What a bridge needs of a stream. What is not named here is JetStream's default.
struct StreamSpec {
  enum class Retention : std::uint8_t { limits, work_queue };
  enum class Discard : std::uint8_t { old_messages, new_messages };

  std::string name;
  std::string description;
  std::vector<std::string> subjects;
  Retention retention = Retention::limits;
  Discard discard = Discard::old_messages;
  bool in_memory = false;
  std::int64_t max_messages = -1;
  std::int64_t max_bytes = -1;
  std::int64_t max_messages_per_subject = -1;
  std::int32_t max_message_bytes = -1;
  base::Duration max_age{};           // zero: for ever
  base::Duration duplicate_window{};  // zero: JetStream's two minutes
  bool allow_message_ttl = false;     // messages may name their own age
  bool allow_rollup = false;          // key-value buckets purge by it
  bool deny_delete = false;           // of single messages
};

struct StreamState {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  Sequence first = 0;
  Sequence last = 0;
};

// What must be so when a message is appended.
struct Expect {
  std::optional<Sequence> last;             // of the stream
  std::optional<Sequence> last_of_subject;  // of the message's own; 0: there is none
};

struct Appending {
  std::string subject;  // one of the stream's
  std::string headers;  // a raw NATS/1.0 block, or empty
  std::string payload;
  std::string id;  // the same one within the duplicate window is stored once; or empty
  Expect expect;
};

struct Appended {
  Sequence sequence = 0;
  bool duplicate = false;  // it was stored before, under this sequence
};

struct StoredMessage {
  Sequence sequence = 0;
  base::WallTime time{};
  base::Ref<const bus::Message> message;
};

// One message: of that sequence; or the first from that sequence on (0: from the first) whose
// subject the filter matches; or the last of a subject.
struct Which {
  enum class Kind : std::uint8_t { at, next, last };
  Kind kind = Kind::at;
  Sequence sequence = 0;
  std::string subject;  // of `next` a NATS filter
};

// What purge() takes away; nothing named: everything.
struct Purging {
  std::string filter;      // only messages whose subject it matches
  Sequence below = 0;      // only messages before this one
  std::uint64_t keep = 0;  // all but so many of the last; not together with `below`
};

// A handle, used and destroyed on its loop. Each call ends in its Done, on this loop, once and
// never inside the call; destroying the client drops those that are open. What was asked of one
// stream takes effect in the order of the calls. Limits: `max_open_calls`, then Kind::refused.
class Client {
 public:
  virtual ~Client() = default;

  // Makes the stream, or changes one that is there to what the spec says.
  virtual void ensure(StreamSpec spec, base::Done<Result<StreamState>> done) = 0;
  // Each message for itself, in their order; one that is refused does not hold up the others.
  // Called when all of them are on the disk or refused.
  virtual void append(std::string_view stream, std::vector<Appending> messages,
                      base::Done<std::vector<Result<Appended>>> done) = 0;
  virtual void read(std::string_view stream, Which which,
                    base::Done<Result<StoredMessage>> done) = 0;
  // How many went.
  virtual void purge(std::string_view stream, Purging what,
                     base::Done<Result<std::uint64_t>> done) = 0;
  // Feeds `reader`, which outlives the feed, with what the spec selects. What fails is said by
  // Reader::on_ended(). The feed outlives neither the client nor its loop.
  virtual std::unique_ptr<Feed> attach(std::string_view stream, FeedSpec spec, Reader& reader) = 0;
  // Deletes the stream with all that it keeps.
  virtual void drop(std::string_view stream, base::Done<Result<void>> done) = 0;
  // Deletes a durable consumer, whose name FeedSpec gave.
  virtual void drop(std::string_view stream, std::string_view durable,
                    base::Done<Result<void>> done) = 0;
};

inline constexpr std::size_t max_open_calls = 65'536;  // messages of append() count singly

}  // namespace spanwire::streams
