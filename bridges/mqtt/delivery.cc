#include "bridges/mqtt/delivery.h"

#include <cstring>

#include "bridges/mqtt/packet.h"
#include "bridges/mqtt/varint.h"

namespace spanwire::mqtt {
namespace {

// In a note: the subject has no topic. No size of a field that fits one.
constexpr std::uint8_t no_topic = 0xff;
// The first byte and the remaining length.
constexpr std::size_t max_fixed_header = 5;

// The topic with its size, from the match's note where it fits one.
std::string_view find_topic(Bridge& bridge, const bus::MessageView& message, bus::Note* note) {
  if (note == nullptr || message.subject.data() != message.route.data()) {
    return bridge.topic_field(message.subject);
  }
  if (note->used == no_topic) return {};
  if (note->used != 0) return {note->text.data(), note->used};
  const std::string_view field = bridge.topic_field(message.subject);
  if (field.empty()) {
    note->used = no_topic;
  } else if (field.size() <= note->text.size()) {
    std::memcpy(note->text.data(), field.data(), field.size());
    note->used = static_cast<std::uint8_t>(field.size());
  }
  return field;
}

char* write_fixed_header(char* to, std::size_t remaining, bool retain) {
  *to++ = static_cast<char>(static_cast<unsigned>(PacketType::publish) << 4 | (retain ? 1U : 0U));
  return write_varint(to, static_cast<std::uint32_t>(remaining));
}

char* write_bytes(char* to, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

void send_in_parts(session::Peer& peer, const bus::MessageView& message, std::string_view topic,
                   std::size_t remaining, bool retain) {
  char header[max_fixed_header];
  char* const end = write_fixed_header(header, remaining, retain);
  peer.send(std::string_view(header, static_cast<std::size_t>(end - header)));
  peer.send(topic);
  if (message.payload.size() < bus::by_reference_bytes) {
    peer.send(message.payload);
    return;
  }
  base::Ref<const bus::Message> kept = message.keep();
  // keep() copies where nobody has counted the message yet; the part must lie in what is kept.
  const std::string_view payload = kept->view().payload;
  peer.send(std::move(kept), payload);
}

}  // namespace

bool send_publish(session::Peer& peer, Bridge& bridge, const bus::MessageView& message,
                  bus::Note* note, bool retain) {
  const std::string_view topic = find_topic(bridge, message, note);
  if (topic.empty()) {
    bridge.stats().unspellable.add();
    return false;
  }
  const std::size_t remaining = topic.size() + message.payload.size();
  if (remaining > varint_max) {
    bridge.stats().oversized.add();
    return false;
  }
  if (peer.over_limit(remaining)) {
    bridge.stats().dropped_pending.add();
    return false;
  }
  bridge.stats().publishes_out.add();
  const std::size_t whole = max_fixed_header + remaining;
  if (message.payload.size() >= bus::by_reference_bytes || whole > session::Outbox::max_reserve) {
    send_in_parts(peer, message, topic, remaining, retain);
    return true;
  }
  char* const start = peer.reserve(whole);
  char* to = write_fixed_header(start, remaining, retain);
  to = write_bytes(to, topic);
  to = write_bytes(to, message.payload);
  peer.commit(static_cast<std::size_t>(to - start));
  return true;
}

}  // namespace spanwire::mqtt
