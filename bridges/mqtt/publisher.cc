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

Publisher::Publisher(session::Peer& peer, Bridge& bridge, const Trace& trace)
    : peer_(peer), bridge_(bridge), trace_(trace) {}

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
  if (message.origin.qos == static_cast<std::uint8_t>(Qos::exactly_once)) {
    return keep_open(message, packet_id);
  }
  route(message);
  if (message.origin.qos != 0) send_answer(peer_, trace_, Puback{packet_id});
  return Published::ok;
}

// The same packet id again before its PUBREL is the same message [MQTT-4.3.3-2].
Published Publisher::keep_open(const bus::MessageView& message, std::uint16_t packet_id) {
  if (!open_.contains(packet_id)) {
    const Settings& settings = bridge_.settings();
    base::Ref<const bus::Message> kept = message.keep();
    open_bytes_ += kept->size_bytes();
    if (open_.size() >= settings.max_open_messages || open_bytes_ > settings.max_open_bytes) {
      bridge_.stats().open_exceeded.add();
      return Published::too_many_open;
    }
    open_.emplace(packet_id, std::move(kept));
  }
  send_answer(peer_, trace_, Pubrec{packet_id});
  return Published::ok;
}

void Publisher::release(const Pubrel& packet) {
  const auto found = open_.find(packet.packet_id);
  if (found != open_.end()) {
    const base::Ref<const bus::Message> message = std::move(found->second);
    open_bytes_ -= message->size_bytes();
    open_.erase(found);
    route(message->view());
  }
  send_answer(peer_, trace_, Pubcomp{packet.packet_id});
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
