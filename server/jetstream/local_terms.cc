#include "jetstream/local_terms.h"

#include <utility>

namespace spanwire::jetstream {

streams::Failure failure_of(const ApiError& error) {
  using Kind = streams::Failure::Kind;
  Kind kind = Kind::refused;
  switch (static_cast<Err>(error.err_code)) {
    case Err::stream_not_found:
    case Err::consumer_not_found:
    case Err::no_message_found:
      kind = Kind::not_found;
      break;
    case Err::wrong_last_sequence:
      kind = Kind::wrong_last;
      break;
    default:
      break;
  }
  return {.kind = kind, .text = error.description};
}

StreamConfig stream_config_of(streams::StreamSpec spec) {
  using Spec = streams::StreamSpec;
  StreamConfig config;
  config.name = std::move(spec.name);
  config.description = std::move(spec.description);
  config.subjects = std::move(spec.subjects);
  if (spec.retention == Spec::Retention::work_queue) config.retention = Retention::work_queue;
  if (spec.discard == Spec::Discard::new_messages) config.discard = Discard::new_messages;
  if (spec.in_memory) config.storage = store::Storage::memory;
  config.max_msgs = spec.max_messages;
  config.max_bytes = spec.max_bytes;
  config.max_msgs_per_subject = spec.max_messages_per_subject;
  config.max_msg_size = spec.max_message_bytes;
  config.max_age = spec.max_age;
  config.duplicate_window = spec.duplicate_window;
  config.allow_direct = true;
  config.allow_rollup = spec.allow_rollup;
  config.allow_msg_ttl = spec.allow_message_ttl;
  config.deny_delete = spec.deny_delete;
  return config;
}

// As STREAM.INFO has it: a stream that never had a message begins at 0.
streams::StreamState state_of(const store::Totals& totals) {
  const bool untouched = totals.messages == 0 && totals.last == 0 && totals.first == 1;
  return {.messages = totals.messages,
          .bytes = totals.bytes,
          .first = untouched ? 0 : totals.first,
          .last = totals.last};
}

MessageRequest message_request_of(streams::Which which) {
  MessageRequest request;
  switch (which.kind) {
    case streams::Which::Kind::at:
      request.seq = which.sequence;
      break;
    case streams::Which::Kind::next:
      request.seq = which.sequence;
      request.next_by_subject = std::move(which.subject);
      if (request.next_by_subject.empty()) request.next_by_subject = ">";
      break;
    case streams::Which::Kind::last:
      request.last_by_subject = std::move(which.subject);
      break;
  }
  return request;
}

ConsumerRequest consumer_request_of(const std::string& stream, const streams::FeedSpec& spec) {
  using From = streams::FeedSpec::From;
  ConsumerRequest request{.stream = stream};
  ConsumerConfig& config = request.config;
  switch (spec.from) {
    case From::first:
      break;
    case From::last_of_each_subject:
      config.deliver_policy = DeliverPolicy::last_per_subject;
      if (spec.filters.empty()) config.filter_subject = ">";
      break;
    case From::new_messages:
      config.deliver_policy = DeliverPolicy::only_new;
      break;
    case From::sequence:
      config.deliver_policy = DeliverPolicy::by_start_sequence;
      config.opt_start_seq = spec.sequence;
      break;
  }
  if (spec.filters.size() == 1) {
    config.filter_subject = spec.filters.front();
  } else {
    config.filter_subjects = spec.filters;
  }
  if (spec.durable.empty()) {
    config.ack_policy = AckPolicy::none;
    config.mem_storage = true;
    return request;
  }
  config.durable = spec.durable;
  config.ack_policy = AckPolicy::each;
  config.ack_wait = spec.ack_wait;
  config.max_deliver = spec.max_deliver;
  config.max_ack_pending = spec.max_ack_pending;
  return request;
}

streams::AckToken token_of(const Delivery& delivery) {
  return {.sequence = delivery.stream_sequence,
          .delivery = delivery.consumer_sequence,
          .attempt = static_cast<std::uint32_t>(delivery.delivered)};
}

Delivery delivery_of(const streams::AckToken& token) {
  return {.delivered = token.attempt,
          .stream_sequence = token.sequence,
          .consumer_sequence = token.delivery};
}

Ack ack_of(streams::Verdict verdict, base::Duration delay) {
  switch (verdict) {
    case streams::Verdict::done:
      return {.kind = AckKind::ack};
    case streams::Verdict::again: {
      Ack ack{.kind = AckKind::nak};
      if (delay > base::Duration::zero()) ack.delay = delay;
      return ack;
    }
    case streams::Verdict::never:
      return {.kind = AckKind::term};
    case streams::Verdict::in_progress:
      return {.kind = AckKind::progress};
  }
  return {};
}

}  // namespace spanwire::jetstream
