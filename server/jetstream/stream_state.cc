// What a stream's log is given to keep beside the messages, and gives back when it is recovered.
#include <algorithm>

#include <algorithm>

#include "bus/headers.h"
#include "jetstream/consumer.h"
#include "jetstream/consumer_notes.h"
#include "jetstream/go_time.h"
#include "jetstream/stream.h"

namespace spanwire::jetstream {

void Stream::repeat_notes() {
  for (const auto& [name, consumer] : consumers_) note_all_of(*consumer);
}

std::string Stream::state() const {
  NoteWriter writer;
  const auto kept = std::count_if(consumers_.begin(), consumers_.end(),
                                  [this](const auto& each) { return keeps(*each.second); });
  writer.number(static_cast<std::uint64_t>(kept));
  for (const auto& [name, consumer] : consumers_) {
    if (keeps(*consumer)) writer.text(consumer->full_note());
  }
  writer.number(last_consumer_).text(last_msg_id_);
  writer.number(duplicates_.size());
  duplicates_.for_each([&](std::string_view id, Sequence sequence, base::WallTime time) {
    writer.text(id).number(sequence).time(time);
  });
  writer.number(deadlines_.size());
  deadlines_.for_each(
      [&](const Deadlines::Entry& entry) { writer.number(entry.sequence).time(entry.at); });
  return writer.take();
}

void Stream::restore(std::string_view state) {
  NoteReader reader(state);
  for (std::uint64_t left = reader.number(); left != 0 && reader.ok(); --left) {
    replay_consumer(reader.text());
  }
  last_consumer_ = static_cast<std::uint32_t>(reader.number());
  last_msg_id_ = reader.text();
  for (std::uint64_t left = reader.number(); left != 0 && reader.ok(); --left) {
    const std::string_view id = reader.text();
    const Sequence sequence = reader.number();
    duplicates_.add(id, sequence, reader.time());
  }
  for (std::uint64_t left = reader.number(); left != 0 && reader.ok(); --left) {
    const Sequence sequence = reader.number();
    deadlines_.add(sequence, reader.time());
  }
}

void Stream::replay_message(const store::Message& message) {
  if (message.headers.empty()) {
    last_msg_id_.clear();
    return;
  }
  const PublishHeaders headers = parse_publish_headers(message.headers);
  last_msg_id_ = headers.msg_id;
  if (!headers.msg_id.empty()) duplicates_.add(headers.msg_id, message.sequence, message.time);
  const MessageTtl ttl = parse_message_ttl(headers.ttl);
  if (config_.allow_msg_ttl && ttl.kind == MessageTtl::Kind::seconds && ttl.seconds > 0) {
    deadlines_.add(message.sequence, message.time + std::chrono::seconds(ttl.seconds));
  }
}

// Consumers hear of it from their own notes; counts are made when the stream starts.
void Stream::replay_erased(Sequence) {}

void Stream::replay_note(std::uint32_t kind, std::string_view note) {
  switch (kind) {
    case note_consumer:
      return replay_consumer(note);
    case note_gone:
      if (const auto id = decode_consumer_gone(note)) {
        if (Consumer* consumer = find_consumer(*id)) {
          by_id_.erase(*id);
          unindex_consumer(*consumer);
          consumers_.erase(consumers_.find(consumer->name()));
        }
      }
      return;
    case note_delivered:
      if (const auto it = decode_delivered(note)) {
        if (Consumer* consumer = find_consumer(it->consumer)) {
          consumer->replay_delivered(it->sequence, it->delivery, it->deliveries, it->at);
        }
      }
      return;
    case note_settled:
      if (const auto it = decode_settled(note)) {
        if (Consumer* consumer = find_consumer(it->consumer)) {
          consumer->replay_settled(it->sequence, it->delivery);
        }
      }
      return;
    default:
      return;
  }
}

void Stream::replay_consumer(std::string_view note) {
  NoteReader reader(note);
  const auto id = static_cast<std::uint32_t>(reader.number());
  const std::string_view name = reader.text();
  const base::WallTime created = reader.time();
  const auto json = json::Document::parse(reader.text());
  if (!reader.ok() || !json) return;
  auto config = parse_consumer_config(json->root(), false);
  if (!config) return;
  if (Consumer* known = find_consumer(id)) {
    unindex_consumer(*known);
    by_id_.erase(id);
    consumers_.erase(consumers_.find(known->name()));
  }
  auto made = std::make_unique<Consumer>(*this, id, std::string(name), *std::move(config), created);
  if (!made->restore(reader)) return;
  last_consumer_ = std::max(last_consumer_, id);
  by_id_.emplace(id, made.get());
  index_consumer(*made);
  consumers_.emplace(name, std::move(made));
}

}  // namespace spanwire::jetstream
