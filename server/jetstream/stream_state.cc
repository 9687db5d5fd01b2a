// What a stream's log is given to keep beside the messages, and gives back when it is recovered.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "bus/headers.h"
#include "jetstream/consumer.h"
#include "jetstream/consumer_notes.h"
#include "jetstream/go_time.h"
#include "jetstream/stream.h"
#include "jetstream/subjects.h"
#include "subject/subject.h"

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
    recall_consumer(reader.text(), false);
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
      recall_consumer(note, false);
      return;
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
      return replay_delivered(DeliveredNote(note));
    case note_settled:
      return replay_settled(SettledNote(note));
    default:
      return;
  }
}

void Stream::replay_delivered(DeliveredNote note) {
  Consumer* const consumer = find_consumer(note.consumer());
  if (consumer == nullptr) return;
  while (const auto delivered = note.next()) consumer->replay(*delivered);
}

void Stream::replay_settled(SettledNote note) {
  Consumer* const consumer = find_consumer(note.consumer());
  if (consumer == nullptr) return;
  while (const auto settled = note.next()) consumer->replay(*settled);
}

// What a consumer note says; null: it is none. `check`: it does not come from this server's files.
Consumer* Stream::recall_consumer(std::string_view note, bool check) {
  NoteReader reader(note);
  const auto id = static_cast<std::uint32_t>(reader.number());
  const std::string_view name = reader.text();
  const base::WallTime created = reader.time();
  const auto json = json::Document::parse(reader.text());
  if (!reader.ok() || !json) return nullptr;
  auto config = parse_consumer_config(json->root(), false);
  if (!config) return nullptr;
  if (check) {
    if (!is_valid_name(name) || find_consumer(name) != nullptr || find_consumer(id) != nullptr) {
      return nullptr;
    }
    if (check_consumer_config(*config, config_)) return nullptr;
    const std::string& own = config->durable.empty() ? config->name : config->durable;
    if (!own.empty() && own != name) return nullptr;
  }
  if (Consumer* known = find_consumer(id)) {
    unindex_consumer(*known);
    by_id_.erase(id);
    consumers_.erase(consumers_.find(known->name()));
  }
  auto made = std::make_unique<Consumer>(*this, id, std::string(name), *std::move(config), created);
  if (!made->restore(reader)) return nullptr;
  last_consumer_ = std::max(last_consumer_, id);
  Consumer* const consumer = made.get();
  by_id_.emplace(id, consumer);
  index_consumer(*consumer);
  consumers_.emplace(name, std::move(made));
  return consumer;
}

// From a backup.

void Stream::begin_filling(std::unique_ptr<store::Log> log) {
  log_ = std::move(log);
  everything_ = log_->select({});
  visible_ = std::numeric_limits<Sequence>::max();  // nobody is told of what is committed
}

std::optional<ApiError> Stream::fill_message(const store::Message& message) {
  const std::string_view headers = message.headers;
  const bool good_headers =
      headers.empty() || (headers.starts_with("NATS/1.0") && headers.ends_with("\r\n\r\n") &&
                          headers.size() <= max_header_bytes);
  if (!subject::is_safe(message.subject) || !subject::is_well_formed(message.subject) ||
      !good_headers) {
    return api_error(Err::stream_restore, fmt::format("message {} is none", message.sequence));
  }
  if (store_is_full(counted_bytes(log_->storage(), message))) {
    return api_error(config_.storage == store::Storage::memory ? Err::memory_resources_exceeded
                                                               : Err::storage_resources_exceeded);
  }
  if (const base::Error* why = log_->failed()) return api_error(Err::stream_restore, why->text);
  unsaid_ = true;
  log_->append({.subject = message.subject,
                .headers = headers,
                .payload = message.payload,
                .time = message.time,
                .sequence = message.sequence});
  replay_message(message);
  return std::nullopt;
}

std::optional<ApiError> Stream::fill_consumer(std::string_view note) {
  Consumer* consumer = recall_consumer(note, true);
  if (consumer == nullptr) return api_error(Err::stream_restore, "a consumer is none");
  note_all_of(*consumer);
  unsaid_ = true;
  return std::nullopt;
}

void Stream::fill_id(const ArchivedId& id) {
  duplicates_.add(id.id, id.sequence, id.time);
}

// The last message may be gone: its number and its time are kept.
std::optional<ApiError> Stream::end_filling(const ArchivedEnd& end) {
  const store::Totals& ahead = log_->ahead();
  if (end.last > ahead.last && ahead.messages != 0) {
    const std::string subject(log_->subject_of(ahead.last));
    const Sequence placed =
        log_->append({.subject = subject, .time = end.last_time, .sequence = end.last});
    if (placed != 0) log_->erase(placed);
  } else if (end.last > ahead.last) {
    const bool all = log_->erase_through(end.last);
    BASE_ASSERT(all || log_->failed() != nullptr);  // there is nothing to erase
  }
  unsaid_ = true;
  last_msg_id_ = end.last_msg_id;
  for (const auto& [name, consumer] : consumers_) {
    if (!consumer->fits(end.last)) {
      return api_error(Err::stream_restore, fmt::format("consumer '{}' is none", name));
    }
  }
  return std::nullopt;
}

void Stream::open_filled(base::WallTime created) {
  created_ = created;
  open();
}

}  // namespace spanwire::jetstream
