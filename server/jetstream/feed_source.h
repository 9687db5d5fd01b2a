// A feed's part at the home of its stream: takes what the consumer delivers and sends it, a slice
// at a time, to the loop of the feed.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/done.h"
#include "jetstream/ack.h"
#include "jetstream/api_error.h"
#include "jetstream/consumer.h"
#include "jetstream/consumer_config.h"
#include "jetstream/reply.h"
#include "jetstream/taker.h"
#include "streams/client.h"

namespace spanwire::jetstream {

class Node;
struct Tenant;

// What goes to the feed at once.
struct Feeding {
  struct Fed {
    base::Ref<const bus::Message> message;
    base::WallTime time{};
    streams::AckToken token;
    std::uint64_t pending = 0;
  };
  std::vector<Fed> messages;
  bool caught_up = false;                 // after them
  std::optional<streams::Failure> ended;  // after that
};

// An ordered feed's consumer that somebody has deleted is made again, behind what was delivered.
//
// Shared by the feed, which destroys itself on its own loop, and the home, on which everything but
// add_credit() is called. Keeps itself while it is attached to a consumer.
class FeedSource final : public Taker, public std::enable_shared_from_this<FeedSource> {
 public:
  // Called at the home, with its services: passes it on to the feed.
  using Send = base::Done<wire::Services&, Feeding>;

  FeedSource(Node& node, Tenant& tenant, std::string stream, streams::FeedSpec spec, Send send);

  // From the feed's loop. True: take_credit() must be called for it.
  bool add_credit(std::uint64_t messages) { return granted_.fetch_add(messages) == 0; }

  // Makes the consumer, or finds it.
  void begin();
  void take_credit();
  void settle(const streams::AckToken& token, const Ack& ack);
  // Acknowledges; the reply is sent when that is on the disk.
  void settle(const streams::AckToken& token, Reply<std::optional<streams::Failure>> reply);
  // The feed is gone.
  void end();

  void on_taken(const Delivery& delivery, const store::Message& message) override;
  void on_served() override;
  void on_gone(bool deleted) override;

 private:
  ConsumerRequest next_request() const;
  void attach(bool committed);
  bool ordered() const { return spec_.durable.empty(); }
  void release_consumer(Consumer& consumer);
  void finish(streams::Failure why);
  wire::Services& services() const;

  Node& node_;
  Tenant& tenant_;
  const std::string stream_;
  const streams::FeedSpec spec_;
  Send send_;
  std::atomic<std::uint64_t> granted_{0};  // and not taken yet

  std::string consumer_name_;
  Consumer* consumer_ = nullptr;  // attached to it
  bool deserted_ = false;         // the feed is gone
  std::uint64_t credit_ = 0;      // granted and not delivered
  std::uint64_t returned_ = 0;    // of it, what the consumer has spent on what came before
  bool attached_ = false;         // at least once
  Sequence there_ = 0;            // the last message at that time
  Sequence last_ = 0;             // delivered; or passed by, by a feed of new messages
  bool caught_up_ = false;
  std::map<Sequence, streams::AckToken> unsettled_;  // of a durable one
  Feeding feeding_;
  std::shared_ptr<FeedSource> self_;
};

}  // namespace spanwire::jetstream
