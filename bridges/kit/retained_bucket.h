// The durable half of an account's retained messages: a key-value bucket of JetStream, which NATS
// clients read, watch and change too (docs/protocols/retained.md).
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/done.h"
#include "base/lifeline.h"
#include "bridges/kit/retained_message.h"
#include "bus/message.h"
#include "bus/receiver.h"
#include "streams/client.h"
#include "wire/services.h"

namespace spanwire::kit {

// On the account's home loop. Values that are put are told of nobody here: the owner has them.
class RetainedBucket final : private streams::Reader, private bus::TurnEnd {
 public:
  // Not called inside calls of the bucket.
  class Owner {
   public:
    // What was put before this server's start, or by somebody else since. Without a message: the
    // subject has none any more.
    virtual void on_value(const std::string& subject, base::Ref<const bus::Message> message,
                          std::uint8_t qos) = 0;
    // Every value that was there has been told; put() may be called.
    virtual void on_loaded() = 0;
    // The bucket cannot be used; it is tried again, and then on_loaded() comes, behind values that
    // take the place of all that was told.
    virtual void on_lost() = 0;

   protected:
    ~Owner() = default;
  };

  RetainedBucket(wire::Services& services, std::unique_ptr<streams::Client> client, Owner& owner);
  ~RetainedBucket();

  // Keeps the message as its subject's, or removes it if its payload is empty. `done` is called
  // when that is on the disk, or never will be: then the subject has none. While it is loaded only.
  void put(const bus::MessageView& message, base::Done<Retention> done);

 private:
  struct Outside {
    streams::Sequence sequence = 0;
    base::Ref<const bus::Message> message;
    std::uint8_t qos = 0;
  };
  // What this server has put to a subject, until the feed has come by it: nothing older is news.
  struct Write {
    std::uint32_t pending = 0;
    streams::Sequence last = 0;
    std::optional<Outside> outside;  // the latest that the feed has brought meanwhile
  };
  struct Put {
    std::string subject;
    base::Done<Retention> done;
    bool removes = false;
  };

  void open();
  void attach();
  void lose(std::string_view why);
  void on_delivery(const streams::Delivery& delivery) override;
  void on_caught_up() override;
  void on_ended(const streams::Failure& why) override;
  void on_turn_end() override;
  void on_appended(std::vector<Put> puts,
                   const std::vector<streams::Result<streams::Appended>>& results);
  Retention settle(const Put& put, const streams::Result<streams::Appended>& result);
  void release(const std::string& subject, Write& write);

  wire::Services& services_;
  std::unique_ptr<streams::Client> client_;
  Owner& owner_;
  std::unique_ptr<streams::Feed> feed_;
  std::size_t ungranted_ = 0;
  absl::flat_hash_map<std::string, Write> writes_;
  std::vector<streams::Appending> batch_;  // of this turn
  std::vector<Put> puts_;                  // parallel to it
  base::TimerId retry_ = base::TimerId::none;
  base::Lifeline lifeline_;
};

}  // namespace spanwire::kit
