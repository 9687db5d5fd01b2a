// A consumer of a stream, by credit: nothing comes that was not granted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/done.h"
#include "bus/message.h"

namespace spanwire::streams {

struct Failure;

// The number of a message in its stream, from 1; 0 is none.
using Sequence = std::uint64_t;

struct FeedSpec {
  enum class From : std::uint8_t { first, last_of_each_subject, new_messages, sequence };

  // Named: it stays when the feed is destroyed, and goes on with what is not acknowledged. Empty:
  // it ends with the feed, nothing is acknowledged, and messages come in order, each once, also
  // across a lost link.
  std::string durable;
  std::vector<std::string> filters;  // NATS filters; none: everything
  From from = From::first;
  Sequence sequence = 0;  // of From::sequence: the first that comes
  // Of durable ones.
  base::Duration ack_wait = std::chrono::seconds(30);
  std::int64_t max_deliver = -1;        // tries of one message
  std::int64_t max_ack_pending = 1000;  // delivered and not settled
};

// Names one delivery; a value, free to keep as long as the feed lives.
struct AckToken {
  Sequence sequence = 0;       // of the message in the stream
  std::uint64_t delivery = 0;  // counts what the consumer has delivered
  std::uint32_t attempt = 0;   // of this message, from 1
};

struct Delivery {
  bus::MessageView message;  // valid during the call; its reply is not shown
  base::WallTime time{};
  AckToken token;
  std::uint64_t pending = 0;  // messages that are still to come, as far as is known
};

// Whoever is fed. Called on the feed's loop, not inside calls of the feed.
class Reader {
 public:
  // May call the feed, but not destroy it.
  virtual void on_delivery(const Delivery& delivery) = 0;
  // Everything that was there when the feed began has been delivered (with credit for it); once.
  virtual void on_caught_up() {}
  // No more comes: the stream or the consumer is gone, or could not be attached to. May destroy the
  // feed.
  virtual void on_ended(const Failure& why) = 0;

 protected:
  ~Reader() = default;
};

enum class Verdict : std::uint8_t {
  done,        // acknowledged
  again,       // deliver it once more, after `delay`
  never,       // give it up
  in_progress  // the time that it may take begins anew
};

// Destroying it ends it; of a durable one, what was delivered and not settled comes again.
class Feed {
 public:
  virtual ~Feed() = default;

  // So many more messages may come.
  virtual void grant(std::size_t messages) = 0;
  // Of a durable feed. Committed soon, and forgotten by a crash before that: then it comes again.
  virtual void settle(const AckToken& token, Verdict verdict, base::Duration delay = {}) = 0;
  // Acknowledges, and calls `done` when that is on the disk.
  virtual void settle(const AckToken& token, base::Done<std::optional<Failure>> done) = 0;
};

}  // namespace spanwire::streams
