// This server's own bus as a link: JetStream's answers come from here, or over a leaf node.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/counter.h"
#include "base/lifeline.h"
#include "base/loop.h"
#include "bus/port.h"
#include "bus/receiver.h"
#include "streams/link.h"

namespace spanwire::streams {

// What waits to be published, and what has come and not been handed over. Beyond it publish() says
// so, and what comes is dropped and counted.
inline constexpr std::size_t max_link_messages = 131'072;
inline constexpr std::size_t max_link_bytes = std::size_t{128} << 20U;

// Publishes and hands over in tasks of its own, so it may be used wherever the bus is at work:
// inside on_message a port neither subscribes nor publishes without a limit.
class BusLink final : public Link, public bus::Receiver {
 public:
  // Opens a port whose principal may publish and subscribe everything that the API needs.
  using OpenPort = absl::AnyInvocable<bus::OwnedPort(bus::Receiver&)>;

  BusLink(base::Loop& loop, OpenPort open_port);
  ~BusLink();
  BusLink(const BusLink&) = delete;
  BusLink& operator=(const BusLink&) = delete;

  void open(Listener& listener) override;
  std::string_view inbox() const override { return inbox_; }
  void listen(std::string_view token) override;
  void unlisten(std::string_view token) override;
  bool publish(std::string_view subject, std::string_view reply, std::string_view headers,
               std::string_view payload) override;

  // Messages that came and were not handed over.
  std::uint64_t dropped() const { return dropped_.get(); }

  bus::Taken on_message(std::span<const bus::Target> targets,
                        const bus::MessageView& message) override;
  void on_relief() override {}

 private:
  struct Action {
    enum class Kind : std::uint8_t { listen, unlisten, publish };
    Kind kind = Kind::publish;
    std::string subject;  // of publish; else the token
    std::string reply;
    std::string headers;
    std::string payload;
    std::size_t size_bytes() const { return headers.size() + payload.size(); }
  };
  using Kept = base::Ref<const bus::Message>;

  void add(Action action);
  void wake();
  void run();
  void act();
  void perform(const Action& action);
  void route(const Action& action);
  void say_nobody(const std::string& reply);
  void hand_over();
  base::SubId subscribe(const std::string& filter);

  base::Loop& loop_;
  OpenPort open_port_;
  std::string inbox_;
  Listener* listener_ = nullptr;
  bus::OwnedPort port_;
  absl::flat_hash_map<std::string, base::SubId> subs_;  // by token
  std::deque<Action> actions_;
  std::size_t action_bytes_ = 0;
  std::deque<Kept> arrived_;
  std::size_t arrived_bytes_ = 0;
  bool woken_ = false;
  base::Counter dropped_;
  base::Lifeline lifeline_;
};

}  // namespace spanwire::streams
