#include "bridges/mqtt/publisher.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "bridges/kit/system_subjects.h"
#include "bridges/mqtt/delivery.h"
#include "bridges/mqtt/topics.h"
#include "subject/slash.h"

namespace spanwire::mqtt {

struct Publisher::Body {
  base::Ref<bus::Message> message;
  std::size_t filled = 0;
  std::uint16_t packet_id = 0;
};

Publisher::Publisher(session::Peer& peer, Bridge& bridge, const Trace& trace, Owner& owner)
    : peer_(peer), bridge_(bridge), trace_(trace), owner_(owner) {}

Publisher::~Publisher() = default;

bool Publisher::exceeds_levels(std::string_view topic) {
  const std::size_t limit = bridge_.settings().max_topic_levels;
  if (topic.size() < limit || level_count(topic) <= limit) return false;
  bridge_.stats().levels_exceeded.add();
  return true;
}

// Without a route if the topic is refused: the message is acknowledged and goes nowhere.
bus::MessageView Publisher::message_of(const Publish& packet) {
  bus::MessageView message;
  message.payload = packet.payload;
  message.origin.wire = bridge_.kind();
  message.origin.qos = static_cast<std::uint8_t>(packet.qos);
  message.origin.retain = packet.retain;
  std::string& subject = bridge_.scratch();
  const subject::SlashResult spelled = subject::topic_to_subject(packet.topic, subject);
  BASE_ASSERT(spelled.status == subject::Slash::ok);  // the codec lets no other topic pass
  if (!bridge_.settings().system_topics && kit::is_system_subject(subject)) return message;
  message.route = subject;
  message.subject = subject;
  return message;
}

Published Publisher::publish(const Publish& packet) {
  if (exceeds_levels(packet.topic)) return Published::too_many_levels;
  return accept(message_of(packet), packet.packet_id);
}

Published Publisher::accept(bus::MessageView message, std::uint16_t packet_id) {
  bridge_.stats().publishes_in.add();
  switch (static_cast<Qos>(message.origin.qos)) {
    case Qos::at_most_once:
      route(message);
      return Published::ok;
    case Qos::at_least_once:
      store(message, packet_id);
      return Published::ok;
    case Qos::exactly_once:
      break;
  }
  return accept_once(message, packet_id);
}

// Method B of the specification's figure 4.3: what PUBREC acknowledges is stored already, and until
// PUBREL the same packet id is the same message [MQTT-4.3.3-2].
Published Publisher::accept_once(const bus::MessageView& message, std::uint16_t packet_id) {
  if (open_.contains(packet_id)) {
    if (!is_unacknowledged(packet_id)) acknowledge(packet_id, Qos::exactly_once);
    return Published::ok;
  }
  if (open_.size() >= bridge_.settings().max_open_messages) {
    bridge_.stats().open_exceeded.add();
    return Published::too_many_open;
  }
  open_.insert(packet_id);
  store(message, packet_id);
  return Published::ok;
}

bool Publisher::is_unacknowledged(std::uint16_t packet_id) const {
  return std::any_of(unacknowledged_.begin(), unacknowledged_.end(), [packet_id](const auto& one) {
    return one.packet_id == packet_id && one.qos == Qos::exactly_once;
  });
}

void Publisher::release(const Pubrel& packet) {
  open_.erase(packet.packet_id);
  send_answer(peer_, trace_, Pubcomp{packet.packet_id});
}

// Routes a message that is acknowledged when everything that keeps it has it.
void Publisher::store(bus::MessageView message, std::uint16_t packet_id) {
  const Qos qos = static_cast<Qos>(message.origin.qos);
  const std::uint64_t number = first_unacknowledged_ + unacknowledged_.size();
  const std::uint8_t waits = keep(message, number);
  if (waits == 0 && unacknowledged_.empty()) return acknowledge(packet_id, qos);
  unacknowledged_.push_back({packet_id, qos, waits});
  if (is_full()) bridge_.stats().storing_waits.add();
}

// Returns for how many answers it must wait; none of them comes inside.
std::uint8_t Publisher::keep(bus::MessageView& message, std::uint64_t number) {
  if (message.route.empty()) {
    bridge_.stats().publishes_refused.add();
    return 0;
  }
  const auto admitted = port_->admit(message);
  if (!admitted) {
    bridge_.stats().publishes_refused.add();
    return 0;
  }
  const bus::Routed routed =
      admitted->is_kept()
          ? port_->publish(*admitted, lifeline_.bind([this, number](const bus::Storing& storing) {
              on_stored(number, storing);
            }))
          : port_->route(*admitted);
  if (routed.pressure) pressure_ = true;
  std::uint8_t waits = routed.awaited ? 1 : 0;
  if (message.origin.retain) {
    bridge_.retained().set(*port_, message,
                           lifeline_.bind([this, number](kit::Retention retention) {
                             on_retained(number, retention);
                           }));
    ++waits;
  }
  return waits;
}

// This version has no way to say no: what a limit refuses is acknowledged all the same, and
// counted.
void Publisher::on_stored(std::uint64_t number, const bus::Storing& storing) {
  if (storing.outcome == bus::Storing::Outcome::unknown) {
    bridge_.stats().storing_failed.add();
    return owner_.on_storing_failed(storing.reason);
  }
  if (storing.outcome == bus::Storing::Outcome::refused) bridge_.stats().publishes_not_stored.add();
  settle(number);
}

void Publisher::on_retained(std::uint64_t number, kit::Retention retention) {
  if (retention == kit::Retention::unknown) {
    bridge_.stats().storing_failed.add();
    return owner_.on_storing_failed("the store of retained messages has failed");
  }
  if (retention == kit::Retention::refused) bridge_.stats().publishes_not_stored.add();
  settle(number);
}

void Publisher::settle(std::uint64_t number) {
  --unacknowledged_[number - first_unacknowledged_].waits;
  const bool was_full = is_full();
  while (!unacknowledged_.empty() && unacknowledged_.front().waits == 0) {
    acknowledge(unacknowledged_.front().packet_id, unacknowledged_.front().qos);
    unacknowledged_.pop_front();
    ++first_unacknowledged_;
  }
  if (was_full && !is_full()) owner_.on_stored();
}

void Publisher::acknowledge(std::uint16_t packet_id, Qos qos) {
  if (peer_.closing()) return;
  if (qos == Qos::exactly_once) {
    send_answer(peer_, trace_, Pubrec{packet_id});
  } else {
    send_answer(peer_, trace_, Puback{packet_id});
  }
}

void Publisher::route(bus::MessageView message) {
  if (message.route.empty()) return bridge_.stats().publishes_refused.add();
  const auto admitted = port_->admit(message);
  if (!admitted) return bridge_.stats().publishes_refused.add();
  if (port_->route(*admitted).pressure) pressure_ = true;
  if (message.origin.retain) bridge_.retained().set(*port_, message);
}

Published Publisher::start_body(const PublishHead& head) {
  if (exceeds_levels(head.packet.topic)) return Published::too_many_levels;
  body_ = std::make_unique<Body>();
  body_->packet_id = head.packet.packet_id;
  body_->message = bus::Message::allocate(message_of(head.packet), 0, head.payload_size_bytes);
  const std::string_view begun = head.packet.payload;
  if (!begun.empty()) std::memcpy(body_->message->body().data(), begun.data(), begun.size());
  body_->filled = begun.size();
  return Published::ok;
}

std::span<char> Publisher::body_space() {
  if (body_ == nullptr) return {};
  return body_->message->body().subspan(body_->filled);
}

Published Publisher::on_body(std::size_t bytes) {
  body_->filled += bytes;
  if (body_->filled < body_->message->body().size()) return Published::ok;
  const std::unique_ptr<Body> body = std::move(body_);
  return accept(body->message->view(), body->packet_id);
}

bool Publisher::set_will(const Will& will) {
  if (exceeds_levels(will.topic)) return false;
  const Publish packet{
      .topic = will.topic, .payload = will.payload, .qos = will.qos, .retain = will.retain};
  will_ = bus::Message::copy(message_of(packet));
  return true;
}

void Publisher::publish_will() {
  if (!will_ || port_ == nullptr) return;
  const base::Ref<const bus::Message> will = std::exchange(will_, nullptr);
  bridge_.stats().wills.add();
  if (trace_.on()) trace_.will(will->view());
  route(will->view());
}

}  // namespace spanwire::mqtt
