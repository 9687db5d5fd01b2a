// A session without a protocol that publishes and gets retained messages.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bridges/kit/retained_replay.h"
#include "tests/support/line_session.h"
#include "tests/support/serving_world.h"

namespace spanwire::test {

class RetainedClient final : public bus::Receiver, public kit::ReplaySink {
 public:
  struct Got {
    std::string subject;
    std::string payload;
    bus::Origin origin;
    bool retained = false;
    std::size_t round = 0;  // counts the rounds that had begun
  };

  RetainedClient(wire::Services& services, kit::RetainedStores& stores,
                 kit::ReplayLimits limits = {},
                 base::Ref<const account::Principal> principal = principal_of())
      : retained_(stores.open(services)),
        port_(services.open(std::move(principal), *this, nullptr)),
        replay_(retained_, *this, limits) {}

  // Returns the message's number.
  std::uint64_t publish(std::string_view subject, std::string_view payload, bool retain,
                        base::Done<kit::Retention> done = nullptr) {
    bus::MessageView message;
    message.route = message.subject = subject;
    message.payload = payload;
    message.origin.retain = retain;
    port_->route(*port_->admit(message));
    if (retain) retained_.set(*port_, message, std::move(done));
    return port_->last_number();
  }

  void subscribe(std::string_view filter) {
    const auto parsed = *subject::parse_nats_filter(filter);
    ++rounds_;
    subscribed_ = false;
    newest_ = port_->subscribe(parsed, {.tag = rounds_}).value();
    replay_.start(port_->principal().account->id, {parsed});
  }

  bus::Taken on_message(std::span<const bus::Target> targets,
                        const bus::MessageView& message) override {
    bool established = false;
    for (const bus::Target& target : targets) established |= target.sub != newest_;
    if (!replay_.hold(message, established)) note(message, false);
    return bus::Taken::all;
  }
  void on_relief() override {}
  void on_subscribed() override { subscribed_ = true; }
  void on_retained(const bus::MessageView& message) override { note(message, true); }
  void on_held(const bus::MessageView& message) override { note(message, false); }
  bool has_room() const override { return room_; }
  void on_replayed() override { ++replayed_; }

  const std::vector<Got>& got() const { return got_; }
  // `retained:a.b=text live:c=text`, in order.
  std::string heard() const {
    std::string text;
    for (const Got& one : got_) {
      if (!text.empty()) text += ' ';
      text += (one.retained ? "retained:" : "live:") + one.subject + '=' + one.payload;
    }
    return text;
  }
  bool subscribed() const { return subscribed_; }
  int replayed() const { return replayed_; }
  bool busy() const { return replay_.busy(); }
  void set_room(bool room) { room_ = room; }
  bus::Port& port() { return *port_; }
  kit::Retained& retained() { return retained_; }

 private:
  void note(const bus::MessageView& message, bool retained) {
    got_.push_back({std::string(message.subject), std::string(message.payload), message.origin,
                    retained, rounds_});
  }

  kit::Retained& retained_;
  bus::OwnedPort port_;
  base::SubId newest_ = base::SubId::none;
  std::size_t rounds_ = 0;
  bool subscribed_ = false;
  bool room_ = true;
  int replayed_ = 0;
  std::vector<Got> got_;
  kit::RetainedReplay replay_;
};

}  // namespace spanwire::test
