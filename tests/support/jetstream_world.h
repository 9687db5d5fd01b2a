// JetStream on the loops of a world, and clients of it without a protocol.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jetstream/server.h"
#include "tests/support/serving_world.h"

namespace spanwire::test {

struct JetStreamSettings {
  std::size_t loops = 1;
  std::string domain;
  std::uint64_t max_memory_store = 1U << 30U;
  std::int64_t max_ack_pending = 0;
  std::int64_t max_request_batch = 0;
  base::Duration max_duplicate_window{};
  std::unique_ptr<store::Store> store;
  // A step of what works beside the loops for the store; false: nothing is left to do.
  std::function<bool()> beside;
  bus::RouterSettings router;
};

class JetStreamWorld {
 public:
  explicit JetStreamWorld(JetStreamSettings settings = {});
  ~JetStreamWorld();

  World& world() { return serving_.world(); }
  wire::Services& services(std::size_t loop) { return serving_.services(loop); }
  jetstream::Server& server() { return server_; }
  void settle();
  void advance(base::Duration by);
  // As the server ends.
  void stop();

 private:
  ServingWorld serving_;
  jetstream::Settings own_;
  std::function<bool()> beside_;
  jetstream::Server server_;
  bool stopped_ = false;
};

// Publishes, and keeps what its subscriptions bring. What it does takes effect when the world
// settles.
class JetStreamClient final : public bus::Receiver {
 public:
  struct Got {
    std::string subject;
    std::string reply;
    std::string headers;
    std::string payload;
  };

  explicit JetStreamClient(JetStreamWorld& world, std::size_t loop = 0);

  base::SubId subscribe(std::string_view filter);
  void unsubscribe(base::SubId sub) { port_->unsubscribe(sub); }
  // Returns how many places got it. `headers`: lines, each with its end.
  std::uint32_t publish(std::string_view subject, std::string_view payload,
                        std::string_view headers = {}, std::string_view reply = {});
  // What was published to an inbox as the answer, once the world has settled. Nobody there: its
  // payload is `503`; no answer: empty.
  Got request_message(std::string_view subject, std::string_view payload = {},
                      std::string_view headers = {});
  std::string request(std::string_view subject, std::string_view payload = {},
                      std::string_view headers = {}) {
    return request_message(subject, payload, headers).payload;
  }
  // A request of the JetStream API; must be answered.
  std::string api(std::string_view operation, std::string_view body = {});
  // What has come since the last call, in order.
  std::vector<Got> take() { return std::exchange(got_, {}); }
  // Their subjects and payloads: `a.1=x a.2=y`; of those without payload the status line.
  std::string heard();

  bus::Taken on_message(std::span<const bus::Target> targets,
                        const bus::MessageView& message) override;
  void on_relief() override {}

 private:
  JetStreamWorld& world_;
  bus::OwnedPort port_;
  std::string inbox_;
  std::uint64_t requests_ = 0;
  std::vector<Got> got_;
  std::vector<Got> answers_;
};

// The text of a member's value, up to the next comma or bracket; of the first one of that name.
std::string member_of(std::string_view json, std::string_view name);

}  // namespace spanwire::test
