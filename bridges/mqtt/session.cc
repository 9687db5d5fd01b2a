#include "bridges/mqtt/session.h"

#include <algorithm>

#include "bridges/kit/system_subjects.h"
#include "bridges/mqtt/delivery.h"
#include "bridges/mqtt/topics.h"
#include "logging/logging.h"
#include "subject/slash.h"

namespace spanwire::mqtt {
namespace {

// A PUBLISH above this is received straight into its message; below, what has come of it waits with
// the connection and is read again with the rest.
constexpr std::size_t body_mode_bytes = 64 * 1024;
// Filters whose retained messages are asked for together.
constexpr std::size_t round_filters = 1000;
// Retained messages are sent on while less than this is pending.
constexpr std::size_t replay_room_bytes = 256 * 1024;

const logging::Logger& logger() {
  static const logging::Logger log = logging::get("mqtt");
  return log;
}

PacketType type_of(char first_byte) {
  return static_cast<PacketType>(static_cast<std::uint8_t>(first_byte) >> 4);
}

bool is_system_filter(const subject::Filter& filter) {
  return filter[0].kind == subject::TokenKind::literal && kit::is_system_subject(filter[0].text);
}

}  // namespace

Session::Session(session::Peer& peer, Bridge& bridge)
    : peer_(peer),
      bridge_(bridge),
      trace_(peer, bridge.tracer()),
      publisher_(peer, bridge, trace_, *this),
      replay_(bridge.retained(), *this, bridge.settings().replay) {
  peer_.limit_pending({bridge.settings().max_pending});
}

Session::~Session() = default;

void Session::on_open() {
  logger().debug("{} - mid:{} - Client connection created", peer_.remote(), peer_.id());
  timer_ = peer_.arm(bridge_.settings().connect_timeout);
}

void Session::on_closed(std::string_view reason) {
  publisher_.publish_will();
  if (claimed_) bridge_.release(*claimed_, peer_.id());
  if (port_ != nullptr) bridge_.stats().sessions.subtract(1);
  port_.reset();
  logger().debug("{} - mid:{} - Client connection closed: {}", peer_.remote(), peer_.id(), reason);
}

void Session::on_shutdown() {
  publisher_.publish_will();
}

session::Description Session::describe() const {
  return {.kind = "mqtt",
          .name = client_id_,
          .user = port_ == nullptr ? "" : port_->principal().user,
          .version = "3.1.1",
          .port = port_.get()};
}

std::size_t Session::on_bytes(std::string_view input) {
  last_input_ = peer_.now();
  std::size_t used = 0;
  ClientPacket packet;
  while (used < input.size() && may_take(input[used])) {
    const std::string_view rest = input.substr(used);
    const Decoded decoded = decode_client_packet(rest, bridge_.settings().max_packet_size, packet);
    if (decoded.status == Decode::ok) {
      used += decoded.size_bytes;
      handle(packet);
    } else if (decoded.status == Decode::need_more) {
      used += take_partial(rest, decoded.size_bytes);
      break;
    } else {
      fail(decoded.reason);
    }
  }
  const bool waits_for_answer = replay_.busy() || peer_.closing();
  if (!round_.acknowledgements.empty() && !waits_for_answer) begin_round();
  return used;
}

// Before its packet is whole: whether it may come now, or ever.
bool Session::may_take(char first_byte) {
  if (peer_.closing() || waits_ != 0) return false;
  const PacketType type = type_of(first_byte);
  if ((type == PacketType::connect) == connect_seen_) {
    logger().debug("{} - mid:{} - {}", peer_.remote(), peer_.id(),
                   connect_seen_ ? "second CONNECT" : "first packet is no CONNECT");
    bridge_.stats().malformed.add();
    peer_.close("Protocol Violation");
    return false;
  }
  // SUBSCRIBE packets in a row are answered together; whatever follows comes after the answer.
  const bool joins = type == PacketType::subscribe && round_.filters.size() < round_filters;
  if (!joins && !round_.acknowledgements.empty()) begin_round();
  return waits_ == 0;
}

// Returns what it took of a packet that has not all come.
std::size_t Session::take_partial(std::string_view rest, std::size_t packet_size) {
  if (packet_size <= body_mode_bytes) return 0;
  if (type_of(rest[0]) != PacketType::publish) {
    if (packet_size > session::max_partial_bytes) fail(Malformed::too_large);
    return 0;
  }
  PublishHead head;
  const Decoded decoded = decode_publish_head(rest, bridge_.settings().max_packet_size, head);
  if (decoded.status == Decode::need_more) return 0;
  if (decoded.status == Decode::malformed) {
    fail(decoded.reason);
    return 0;
  }
  if (trace_.on()) trace_.received(head);
  settle(publisher_.start_body(head));
  return rest.size();
}

std::span<char> Session::body_space() {
  return publisher_.body_space();
}

void Session::on_body(std::size_t bytes) {
  last_input_ = peer_.now();
  settle(publisher_.on_body(bytes));
}

void Session::handle(const ClientPacket& packet) {
  if (trace_.on()) [[unlikely]] {
    trace_.received(packet);
  }
  std::visit([this](const auto& known) { take(known); }, packet);
}

void Session::take(const UnsupportedConnect&) {
  connect_seen_ = true;
  bridge_.stats().versions_refused.add();
  refuse(ConnackCode::bad_protocol_level, "Unsupported Protocol Version");
}

void Session::take(const Connect& packet) {
  connect_seen_ = true;
  peer_.disarm(timer_);
  timer_ = base::TimerId::none;
  if (!is_acceptable(packet)) return;
  client_id_ = packet.client_id;
  silence_limit_ = std::chrono::milliseconds(1500) * packet.keep_alive_s;
  if (!packet.clean_session) bridge_.stats().sessions_not_kept.add();
  if (packet.will && !publisher_.set_will(*packet.will)) {
    peer_.close("Too Many Topic Levels");
    return;
  }
  wait(for_login);
  log_in(packet);
}

bool Session::is_acceptable(const Connect& packet) {
  if (peer_.surplus()) {
    bridge_.stats().connections_refused.add();
    refuse(ConnackCode::server_unavailable, "Maximum Connections Exceeded");
    return false;
  }
  const bool nameless = packet.client_id.empty() && !packet.clean_session;
  if (nameless || packet.client_id.size() > bridge_.settings().max_client_id) {
    bridge_.stats().client_ids_refused.add();
    refuse(ConnackCode::identifier_rejected, "Client Identifier Rejected");
    return false;
  }
  return true;
}

// A server that configures a token instead of users takes it as the password.
void Session::log_in(const Connect& packet) {
  if (auto anonymous = bridge_.services().anonymous()) return claim_client_id(std::move(anonymous));
  const std::string password(packet.password.value_or(""));
  bridge_.services().authenticate(
      {.user = std::string(packet.user_name.value_or("")), .password = password, .token = password},
      lifeline_.bind([this](base::Result<base::Ref<const account::Principal>> verdict) {
        handle_login(std::move(verdict));
      }));
}

void Session::handle_login(base::Result<base::Ref<const account::Principal>> verdict) {
  if (peer_.closing()) return;
  if (verdict) return claim_client_id(std::move(*verdict));
  bridge_.stats().logins_refused.add();
  logger().error("{} - mid:{} - authentication error - {}", peer_.remote(), peer_.id(),
                 verdict.error().text);
  // Code 4 is for malformed credentials; mosquitto and nats-server answer wrong ones with 5 too.
  refuse(ConnackCode::not_authorized, "Authentication Failure");
}

void Session::claim_client_id(base::Ref<const account::Principal> principal) {
  principal_ = std::move(principal);
  if (client_id_.empty()) return on_client_id();
  claimed_.emplace(principal_->account->id, client_id_);
  bridge_.claim(*claimed_, peer_.id(), *this);
}

void Session::on_client_id() {
  if (peer_.closing()) return;
  port_ = bridge_.services().open(std::move(principal_), *this, peer_.gate());
  publisher_.open(*port_);
  bridge_.stats().sessions.add();
  send_answer(peer_, trace_, Connack{});
  if (silence_limit_ != base::Duration::zero()) timer_ = peer_.arm(silence_limit_);
  stop_waiting(for_login);
}

void Session::on_taken_over() {
  if (peer_.closing()) return;
  bridge_.stats().taken_over.add();
  peer_.close("Client Identifier Taken Over");
}

// Nothing that follows the CONNECT is looked at [MQTT-3.1.4-5], and no will is published.
void Session::refuse(ConnackCode code, std::string_view reason) {
  publisher_.drop_will();
  send_answer(peer_, trace_, Connack{.code = code});
  peer_.close(reason);
}

void Session::take(const Publish& packet) {
  settle(publisher_.publish(packet));
}

void Session::take(const Pubrel& packet) {
  publisher_.release(packet);
  settle(Published::ok);
}

// Nothing is sent with more than QoS 0, so these answer nothing.
void Session::take(const Puback&) {}

void Session::take(const Pubcomp&) {}

void Session::take(const Pubrec& packet) {
  send_answer(peer_, trace_, Pubrel{packet.packet_id});
}

void Session::take(const Pingreq&) {
  port_->catch_up();
  send_answer(peer_, trace_, Pingresp{});
}

void Session::take(const Disconnect&) {
  publisher_.drop_will();
  peer_.close("Client Disconnected");
}

void Session::take(const Subscribe& packet) {
  EntryList<Subscription> list = packet.subscriptions;
  std::vector<SubackCode> codes;
  codes.reserve(list.count());
  for (Subscription entry; list.next(entry);) {
    codes.push_back(subscribe(entry.filter));
    const bool granted = codes.back() != SubackCode::failure;
    if (!granted) bridge_.stats().subscriptions_refused.add();
    if (granted && entry.qos != Qos::at_most_once) bridge_.stats().granted_lower_qos.add();
  }
  const Suback answer{.packet_id = packet.packet_id, .codes = codes};
  append(round_.acknowledgements, answer);
  if (trace_.on()) round_.traced.push_back(packet_text(answer));
}

// Whatever QoS is asked for, 0 is granted.
SubackCode Session::subscribe(std::string_view text) {
  const Settings& settings = bridge_.settings();
  if (level_count(text) > settings.max_topic_levels) {
    bridge_.stats().levels_exceeded.add();
    return SubackCode::failure;
  }
  if (is_shared_filter(text)) return SubackCode::failure;
  auto filter = subject::parse_topic_filter(text);
  if (!filter || (!settings.system_topics && is_system_filter(*filter))) return SubackCode::failure;
  if (!subs_.contains(text)) {
    if (subs_.size() >= settings.max_subscriptions) return SubackCode::failure;
    auto sub = std::make_unique<Sub>();
    sub->filter = text;
    const auto id = port_->subscribe(*filter, {.tag = reinterpret_cast<std::uintptr_t>(sub.get())});
    if (!id) return SubackCode::failure;
    sub->id = *id;
    round_.fresh.push_back(sub.get());
    subs_.insert(std::move(sub));
  }
  round_.filters.push_back(*std::move(filter));
  return SubackCode::qos_0;
}

void Session::begin_round() {
  if (round_.filters.empty()) return on_subscribed();
  wait(for_retained);
  replay_.start(port_->principal().account->id, std::exchange(round_.filters, {}));
}

void Session::on_subscribed() {
  const std::string acknowledgements = std::exchange(round_.acknowledgements, {});
  const std::vector<std::string> traced = std::exchange(round_.traced, {});
  if (peer_.closing()) return;
  peer_.send(acknowledgements);
  for (const std::string& text : traced) trace_.sent(text);
}

void Session::on_retained(const bus::MessageView& message) {
  if (!peer_.closing()) deliver(message, nullptr, true);
}

void Session::on_held(const bus::MessageView& message) {
  if (!peer_.closing()) deliver(message, nullptr, false);
}

bool Session::deliver(const bus::MessageView& message, bus::Note* note, bool retain) {
  if (!send_publish(peer_, bridge_, message, note, retain)) return false;
  if (trace_.on()) [[unlikely]] {
    const std::string_view topic = bridge_.topic_field(message.subject).substr(2);
    trace_.delivered(message.subject,
                     {.topic = topic, .payload = message.payload, .retain = retain});
  }
  return true;
}

bool Session::has_room() const {
  return peer_.pending_bytes() < replay_room_bytes;
}

void Session::on_replayed() {
  for (Sub* sub : round_.fresh) sub->fresh = false;
  round_ = {};
  stop_waiting(for_retained);
}

void Session::take(const Unsubscribe& packet) {
  port_->catch_up();  // what came before it is delivered
  EntryList<std::string_view> list = packet.filters;
  for (std::string_view filter; list.next(filter);) {
    const auto found = subs_.find(filter);
    if (found == subs_.end()) continue;
    port_->unsubscribe((*found)->id);
    subs_.erase(found);
  }
  send_answer(peer_, trace_, Unsuback{packet.packet_id});
}

// One copy, however many of the client's filters match.
bus::Taken Session::on_message(std::span<const bus::Target> targets,
                               const bus::MessageView& message) {
  if (peer_.closing()) return bus::Taken::none;
  if (replay_.busy()) {
    const bool established = std::any_of(targets.begin(), targets.end(), [](const auto& target) {
      return !reinterpret_cast<const Sub*>(target.tag)->fresh;
    });
    if (replay_.hold(message, established)) return bus::Taken::all;
  }
  const bool sent = deliver(message, targets.front().note, false);
  return sent ? bus::Taken::all : bus::Taken::none;
}

void Session::on_relief() {
  stop_waiting(for_relief);
}

void Session::on_timer(base::TimerId timer) {
  if (timer != timer_) return;
  if (!connect_seen_) {
    bridge_.stats().connect_timeouts.add();
    logger().debug("{} - mid:{} - no CONNECT in time", peer_.remote(), peer_.id());
    return peer_.close("Connect Timeout");
  }
  const base::Duration silence = peer_.now() - last_input_;
  // While its input waits, the client cannot be heard.
  if (waits_ != 0 || silence < silence_limit_) {
    timer_ = peer_.arm(waits_ != 0 ? silence_limit_ : silence_limit_ - silence);
    return;
  }
  bridge_.stats().keep_alive_timeouts.add();
  logger().debug("{} - mid:{} - keep alive exceeded", peer_.remote(), peer_.id());
  peer_.close("Keep Alive Timeout");
}

// What a publication means for the connection.
void Session::settle(Published published) {
  if (published == Published::too_many_levels) return peer_.close("Too Many Topic Levels");
  if (published == Published::too_many_open) return peer_.close("Too Many Open Messages");
  if (publisher_.take_pressure()) wait(for_relief);
  if (publisher_.is_full()) wait(for_store);
}

void Session::on_stored() {
  stop_waiting(for_store);
}

void Session::on_storing_failed(std::string_view reason) {
  if (peer_.closing()) return;
  logger().error("{} - mid:{} - a message may not be stored, so it is not acknowledged: {}",
                 peer_.remote(), peer_.id(), reason);
  peer_.close("Message Not Stored");
}

void Session::fail(Malformed reason) {
  bridge_.stats().malformed.add();
  if (reason == Malformed::too_large) bridge_.stats().packets_too_large.add();
  logger().debug("{} - mid:{} - malformed packet: {}", peer_.remote(), peer_.id(),
                 mqtt::describe(reason));
  on_subscribed();  // packets before it have their answer
  peer_.close(reason == Malformed::too_large ? "Maximum Packet Size Exceeded" : "Malformed Packet");
}

void Session::wait(Wait why) {
  waits_ |= why;
  peer_.pause();
}

void Session::stop_waiting(Wait why) {
  waits_ = static_cast<std::uint8_t>(waits_ & ~why);
  if (waits_ == 0 && !peer_.closing()) peer_.resume();
}

}  // namespace spanwire::mqtt
