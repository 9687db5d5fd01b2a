// An account's place on the bus of one loop, for what JetStream itself hears and says there: API
// requests, captured messages, acknowledgements; answers, deliveries, advisories.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/ids.h"
#include "bus/port.h"
#include "bus/receiver.h"
#include "subject/filter.h"
#include "wire/services.h"

namespace spanwire::jetstream {

// Hears what one or several subscriptions of a seat bring. Inside on_message: may not publish,
// subscribe or end.
class Listener {
 public:
  virtual void on_heard(const bus::MessageView& message) = 0;

 protected:
  ~Listener() = default;
};

// What JetStream publishes. `shown` is the subject that receivers see; empty: the route.
struct Outgoing {
  std::string_view route;
  std::string_view shown = {};
  std::string_view reply = {};
  std::string_view headers = {};
  std::string_view payload = {};
};

class Seat final : public bus::Receiver {
 public:
  Seat(wire::Services& services, base::Ref<const account::Principal> principal);
  ~Seat();
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

  // `listener` lives until end() of this subscription. Not inside on_heard().
  base::SubId listen(const subject::Filter& filter, Listener& listener);
  // For a stream's own subjects: the listener claims the receipt of each message that has one,
  // inside on_heard(), and answers it.
  base::SubId capture(const subject::Filter& filter, Listener& listener);
  void claim(bus::ReceiptId receipt) { port_->claim(receipt); }
  // Not inside on_heard().
  void answer(bus::ReceiptId receipt, bus::Storing storing) {
    port_->answer(receipt, std::move(storing));
  }
  base::SubId listen_in_group(const subject::Filter& filter, std::string_view queue,
                              Listener& listener);
  void end(base::SubId sub) { port_->unsubscribe(sub); }

  // Returns how many took it here, or were sent it elsewhere. Not inside on_heard().
  std::uint32_t publish(const Outgoing& message);
  // As Port::publish(). False: nobody answers for it, and `done` is dropped. Not inside on_heard().
  bool publish(const Outgoing& message, bus::Receipts::Answered done);
  // Whether anybody would get a message of this subject. Not inside on_heard().
  bool interested(std::string_view subject) { return port_->interested(subject); }
  // As Port::listens() and Port::watch().
  bool listens(std::string_view subject, std::string_view group) const {
    return port_->listens(subject, group);
  }
  bus::Watched watch(std::string_view subject, std::string_view group, base::Task on_arrival) {
    return port_->watch(subject, std::move(on_arrival), group);
  }
  void unwatch(bus::WatchId id) { port_->unwatch(id); }
  // Other loops are behind: deliver no more until later.
  bool pressed() const { return pressed_; }

  // Whether this publication of a port is one of ours.
  bool is_own(const bus::Origin& origin) const { return origin.port == port_->id(); }

  bus::Taken on_message(std::span<const bus::Target> targets,
                        const bus::MessageView& message) override;
  void on_relief() override { pressed_ = false; }

 private:
  base::SubId subscribe(const subject::Filter& filter, bus::SubOptions options, Listener& listener);

  base::Ref<const account::Principal> principal_;
  bus::OwnedPort port_;
  bool pressed_ = false;
};

}  // namespace spanwire::jetstream
