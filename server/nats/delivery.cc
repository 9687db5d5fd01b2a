#include "nats/delivery.h"

#include <cstring>
#include <string>

#include "base/bytes.h"
#include "nats/codec.h"
#include "nats/encode.h"

namespace spanwire::nats {
namespace {

// What is copied of a note, used or not: a copy of a fixed size is a few instructions.
constexpr std::size_t note_copy = 62;

// The target's note with its prefix, or null if it keeps none.
const bus::Note* note_of(const bus::Target& target, const bus::MessageView& message,
                         const std::string& sid) {
  bus::Note* const note = target.note;
  if (note == nullptr || !message.shows_route()) return nullptr;
  if (note->used == 0) {
    const std::size_t size = prefix_size(message.subject, sid);
    if (size > note_copy) return nullptr;
    write_prefix(note->text.data(), message.subject, sid);
    note->used = static_cast<std::uint8_t>(size);
  }
  return note;
}

// From the note if there is one; up to note_copy bytes are written then.
char* write_prefix_of(char* out, const bus::Note* note, const bus::MessageView& message,
                      const std::string& sid, bool with_headers) {
  const std::size_t skipped = with_headers ? 0 : 1;  // the H
  if (note != nullptr) {
    std::memcpy(out, note->text.data() + skipped, note_copy);
    return out + note->used - skipped;
  }
  char* const end = write_prefix(out, message.subject, sid);
  if (with_headers) return end;
  std::memmove(out, out + 1, static_cast<std::size_t>(end - out) - 1);
  return end - 1;
}

char* write_head(char* out, const bus::Note* note, const bus::MessageView& message,
                 const std::string& sid, bool with_headers) {
  out = write_prefix_of(out, note, message, sid, with_headers);
  const auto headers = static_cast<std::uint32_t>(message.headers.size());
  const auto payload = static_cast<std::uint32_t>(message.payload.size());
  return with_headers ? write_hmsg_tail(out, message.reply, headers, headers + payload)
                      : write_msg_tail(out, message.reply, payload);
}

// A message too large to be encoded in one piece.
void send_in_parts(session::Peer& peer, const bus::Note* note, const bus::MessageView& message,
                   const std::string& sid, bool with_headers, std::size_t max_head) {
  if (max_head > session::Outbox::max_reserve) {
    std::string head(max_head, '\0');
    const char* const end = write_head(head.data(), note, message, sid, with_headers);
    peer.send(std::string_view(head.data(), static_cast<std::size_t>(end - head.data())));
  } else {
    char* const start = peer.reserve(max_head);
    const char* const end = write_head(start, note, message, sid, with_headers);
    peer.commit(static_cast<std::size_t>(end - start));
  }
  const auto send_part = [&](std::string_view part) {
    if (message.counted != nullptr) {
      peer.send(base::Ref<const bus::Message>(message.counted), part);
    } else {
      peer.send(part);
    }
  };
  if (with_headers) send_part(message.headers);
  send_part(message.payload);
  peer.send(payload_end);
}

}  // namespace

void send_delivery(session::Peer& peer, const bus::Target& target, const std::string& sid,
                   const bus::MessageView& message, bool with_headers) {
  const std::string_view headers = with_headers ? message.headers : std::string_view();
  const std::size_t body = headers.size() + message.payload.size();
  const bus::Note* const note = note_of(target, message, sid);
  const std::size_t max_prefix = note != nullptr ? note_copy : prefix_size(message.subject, sid);
  const std::size_t max_head = max_prefix + max_tail_size(message.reply);
  const std::size_t whole = max_head + body + payload_end.size();
  const bool by_reference = message.counted != nullptr && body >= bus::by_reference_bytes;
  if (by_reference || whole > session::Outbox::max_reserve) {
    return send_in_parts(peer, note, message, sid, with_headers, max_head);
  }
  char* const start = peer.reserve(whole);
  char* out = write_head(start, note, message, sid, with_headers);
  out = base::put_text(out, headers);
  out = base::put_text(out, message.payload);
  std::memcpy(out, payload_end.data(), payload_end.size());
  peer.commit(static_cast<std::size_t>(out - start) + payload_end.size());
}

}  // namespace spanwire::nats
