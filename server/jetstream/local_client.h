// A bridge's streams, kept by the JetStream of this process: streams::Client without the API's
// JSON, on any loop.
//
// Calls go as tasks to the home of the stream, or to the account's directory where one is made or
// deleted; answers come back as tasks. An append is a publication of its subject by JetStream
// itself, there: subscribers get it as they would a client's.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/lifeline.h"
#include "jetstream/local_calls.h"
#include "streams/client.h"
#include "wire/services.h"

namespace spanwire::jetstream {

class Server;
struct Tenant;

class LocalClient final : public streams::Client {
 public:
  // Of the loop of these services. The server may be gone when the client is destroyed, but not
  // when it is called.
  LocalClient(Server& server, Tenant& tenant, wire::Services& services);

  void ensure(streams::StreamSpec spec,
              base::Done<streams::Result<streams::StreamState>> done) override;
  void append(std::string_view stream, std::vector<streams::Appending> messages,
              base::Done<std::vector<streams::Result<streams::Appended>>> done) override;
  void read(std::string_view stream, streams::Which which,
            base::Done<streams::Result<streams::StoredMessage>> done) override;
  void purge(std::string_view stream, streams::Purging what,
             base::Done<streams::Result<std::uint64_t>> done) override;
  std::unique_ptr<streams::Feed> attach(std::string_view stream, streams::FeedSpec spec,
                                        streams::Reader& reader) override;
  void drop(std::string_view stream, base::Done<streams::Result<void>> done) override;
  void drop(std::string_view stream, std::string_view durable,
            base::Done<streams::Result<void>> done) override;

 private:
  // What is asked of one stream takes different ways. What would be overtaken or must not overtake
  // others is alone on its way; what is not answered only waits for what was asked before.
  enum class Order : std::uint8_t { alone, together, unanswered };
  struct Held {
    Order order;
    std::size_t calls;
    base::Task start;
  };
  struct Lane {
    std::size_t open = 0;   // each message of append() counts
    bool alone = false;     // the one that is open
    std::deque<Held> held;  // in the order of the calls
  };

  // Why the call cannot be made at all.
  std::optional<streams::Failure> refusal_of(std::string_view stream, std::size_t calls) const;
  template <class T>
  void refuse(base::Done<T> done, T refusal);
  template <class T>
  Reply<T> open(std::string_view stream, std::size_t calls, base::Done<T> done);
  void submit(std::string_view stream, Order order, std::size_t calls, base::Task start);
  void advance(const std::string& stream);
  void close(const std::string& stream, std::size_t calls);
  base::LoopId home_of(std::string_view stream) const;

  Server& server_;
  Tenant& tenant_;
  wire::Services& services_;
  absl::flat_hash_map<std::string, Lane> lanes_;  // of streams that something is asked of
  std::size_t open_ = 0;
  base::Lifeline lifeline_;
};

// Null: the account has no JetStream here.
std::unique_ptr<streams::Client> open_local_client(Server& server, wire::Services& services,
                                                   base::AccountId account);

}  // namespace spanwire::jetstream
