#include "bridges/mqtt/trace.h"

#include <fmt/format.h>

#include "logging/logging.h"
#include "subject/slash.h"

namespace spanwire::mqtt {
namespace {

constexpr std::string_view from_client = "<<-";
constexpr std::string_view to_client = "->>";

const logging::Logger& logger() {
  static const logging::Logger log = logging::get("mqtt");
  return log;
}

// The codec lets no control character pass.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

std::string code_text(SubackCode code) {
  return code == SubackCode::failure ? "refused"
                                     : fmt::format("qos {}", static_cast<unsigned>(code));
}

std::string_view comma(std::string_view list) {
  return list.empty() ? "" : ",";
}

std::string will_text(const Will& will) {
  return fmt::format(" will {} {} bytes qos {}{}", will.topic, will.payload.size(),
                     static_cast<unsigned>(will.qos), will.retain ? " retain" : "");
}

}  // namespace

std::string packet_text(const Connect& packet) {
  std::string text =
      fmt::format("CONNECT client {} keepalive {}", quoted(packet.client_id), packet.keep_alive_s);
  if (!packet.clean_session) text += " clean 0";
  if (packet.user_name) text += " user " + quoted(*packet.user_name);
  if (packet.password) text += " password [REDACTED]";
  if (packet.will) text += will_text(*packet.will);
  return text;
}

std::string packet_text(const UnsupportedConnect& packet) {
  return fmt::format("CONNECT protocol {} level {}", quoted(packet.protocol_name),
                     packet.protocol_level);
}

std::string packet_text(const Connack& packet) {
  return fmt::format("CONNACK {}{}", static_cast<unsigned>(packet.code),
                     packet.session_present ? " session present" : "");
}

std::string publish_text(const Publish& packet, std::size_t payload_size_bytes) {
  std::string text = fmt::format("PUBLISH {} {} bytes qos {}", packet.topic, payload_size_bytes,
                                 static_cast<unsigned>(packet.qos));
  if (packet.qos != Qos::at_most_once) text += fmt::format(" id {}", packet.packet_id);
  if (packet.dup) text += " dup";
  if (packet.retain) text += " retain";
  return text;
}

std::string packet_text(const Publish& packet) {
  return publish_text(packet, packet.payload.size());
}

std::string packet_text(const Puback& packet) {
  return fmt::format("PUBACK {}", packet.packet_id);
}

std::string packet_text(const Pubrec& packet) {
  return fmt::format("PUBREC {}", packet.packet_id);
}

std::string packet_text(const Pubrel& packet) {
  return fmt::format("PUBREL {}", packet.packet_id);
}

std::string packet_text(const Pubcomp& packet) {
  return fmt::format("PUBCOMP {}", packet.packet_id);
}

std::string packet_text(const Subscribe& packet) {
  std::string list;
  EntryList<Subscription> entries = packet.subscriptions;
  for (Subscription entry; entries.next(entry);) {
    list +=
        fmt::format("{} {} qos {}", comma(list), entry.filter, static_cast<unsigned>(entry.qos));
  }
  return fmt::format("SUBSCRIBE {}{}", packet.packet_id, list);
}

std::string packet_text(const Suback& packet) {
  std::string list;
  for (const SubackCode code : packet.codes) {
    list += fmt::format("{} {}", comma(list), code_text(code));
  }
  return fmt::format("SUBACK {}{}", packet.packet_id, list);
}

std::string packet_text(const Unsubscribe& packet) {
  std::string list;
  EntryList<std::string_view> entries = packet.filters;
  for (std::string_view filter; entries.next(filter);) {
    list += fmt::format("{} {}", comma(list), filter);
  }
  return fmt::format("UNSUBSCRIBE {}{}", packet.packet_id, list);
}

std::string packet_text(const Unsuback& packet) {
  return fmt::format("UNSUBACK {}", packet.packet_id);
}

std::string packet_text(const Pingreq&) {
  return "PINGREQ";
}

std::string packet_text(const Pingresp&) {
  return "PINGRESP";
}

std::string packet_text(const Disconnect&) {
  return "DISCONNECT";
}

bool Trace::wants_topic(std::string_view topic) const {
  std::string subject;
  subject::topic_to_subject(topic, subject);  // the codec lets no other topic pass
  return tracer_.wants(peer_.id(), subject);
}

// A filter is looked for as a message to its own spelling would be, as a SUB of NATS is.
bool Trace::wants_filter(std::string_view text) const {
  const auto filter = subject::parse_topic_filter(text);
  return filter ? tracer_.wants(peer_.id(), filter->to_string()) : tracer_.wants(peer_.id());
}

bool Trace::wants_packet(const Publish& packet) const {
  return wants_topic(packet.topic);
}

bool Trace::wants_packet(const Subscribe& packet) const {
  EntryList<Subscription> entries = packet.subscriptions;
  for (Subscription entry; entries.next(entry);) {
    if (wants_filter(entry.filter)) return true;
  }
  return false;
}

bool Trace::wants_packet(const Unsubscribe& packet) const {
  EntryList<std::string_view> entries = packet.filters;
  for (std::string_view filter; entries.next(filter);) {
    if (wants_filter(filter)) return true;
  }
  return false;
}

template <class Packet>
bool Trace::wants_packet(const Packet&) const {
  return tracer_.wants(peer_.id());
}

void Trace::received(const ClientPacket& packet) const {
  std::visit(
      [this](const auto& known) {
        if (wants_packet(known)) write(from_client, packet_text(known));
      },
      packet);
}

void Trace::received(const PublishHead& head) const {
  if (!wants_topic(head.packet.topic)) return;
  write(from_client, publish_text(head.packet, head.payload_size_bytes));
}

void Trace::sent(std::string_view text) const {
  if (tracer_.wants(peer_.id())) write(to_client, text);
}

void Trace::delivered(std::string_view subject, const Publish& packet) const {
  if (tracer_.wants(peer_.id(), subject)) write(to_client, packet_text(packet));
}

void Trace::will(const bus::MessageView& message) const {
  if (message.subject.empty() || !tracer_.wants(peer_.id(), message.subject)) return;
  write("<->", fmt::format("WILL {} {} bytes", message.subject, message.payload.size()));
}

void Trace::write(std::string_view direction, std::string_view text) const {
  logger().write(logging::Level::trace, "{} - mid:{} - {} [{}]", peer_.remote(), peer_.id(),
                 direction, text);
}

}  // namespace spanwire::mqtt
