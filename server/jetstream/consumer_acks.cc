// Acknowledgements of a consumer's deliveries, and their absence.
#include <fmt/format.h>

#include <algorithm>

#include "jetstream/advisory.h"
#include "jetstream/consumer.h"
#include "jetstream/stream.h"

namespace spanwire::jetstream {
namespace {

// Bursts of deliveries that fall due together are delivered again together.
constexpr base::Duration due_delay = std::chrono::milliseconds(1);
// Advisories and metrics that wait for the end of a turn: some 2 MB.
constexpr std::size_t most_events = 4096;

}  // namespace

void Consumer::acknowledge(const Delivery& delivery, std::string_view reply,
                           std::string_view body) {
  const Ack ack = parse_ack(body);
  note_use();
  const bool answered = take_word(delivery, ack);
  if (ack.kind == AckKind::next) {
    pull(reply, ack.text);
  } else if (answered && !reply.empty()) {
    ack_answers_.emplace_back(reply);
    stream_.note_written(true);
  }
}

bool Consumer::take_word(const Delivery& delivery, const Ack& ack) {
  const Sequence sequence = delivery.stream_sequence;
  mark();
  switch (ack.kind) {
    case AckKind::ack:
    case AckKind::next:
      return take_ack(delivery);
    case AckKind::nak:
      refuse(delivery, ack);
      break;
    case AckKind::progress:
      unacknowledged_.postpone(sequence, now() + ack_wait_of(sequence));
      arm_due();
      break;
    case AckKind::term: {
      const bool taken = take_ack(delivery);
      say_about(delivery, "MSG_TERMINATED", "terminated", ack.text);
      return taken;
    }
    case AckKind::unknown:
      break;
  }
  return true;
}

// False: it is for a message that was not delivered, and gets no answer.
bool Consumer::take_ack(const Delivery& delivery) {
  const Sequence sequence = delivery.stream_sequence;
  if (sequence >= next_ || sequence == 0) return false;
  ack_floor_.last_active = now();
  if (config_.ack_policy == AckPolicy::all) {
    settle_through(sequence, delivery.consumer_sequence);
    note_settled(sequence, delivery.consumer_sequence);
    return true;
  }
  if (config_.ack_policy == AckPolicy::none) return true;
  if (unacknowledged_.contains(sequence)) sample(delivery);
  const bool was_waiting = settle(sequence, delivery.consumer_sequence);
  if (was_waiting) note_settled(sequence, delivery.consumer_sequence);
  return true;
}

// One message; true: it was waited for.
bool Consumer::settle(Sequence sequence, std::uint64_t delivery) {
  const Unacknowledged* entry = unacknowledged_.find(sequence);
  const bool waited = entry != nullptr;
  if (waited) delivery = entry->delivery;
  unacknowledged_.remove(sequence);
  unacknowledged_.forget_count(sequence);
  if (waited) move_floor(delivery, sequence);
  if (started_) stream_.on_settled(sequence);
  return waited;
}

// Everything up to this one (ack policy `all`).
void Consumer::settle_through(Sequence sequence, std::uint64_t delivery) {
  if (sequence <= ack_floor_.stream) return;
  const Sequence before = ack_floor_.stream;
  ack_floor_.consumer = delivery;
  ack_floor_.stream = sequence;
  unacknowledged_.remove_below(sequence + 1);
  if (!started_ || stream_.config().retention == Retention::limits) return;
  for (Sequence at = std::max(before + 1, stream_.log().totals().first); at <= sequence; ++at) {
    stream_.on_settled(at);
  }
}

// The floor is below everything that is still waited for.
void Consumer::move_floor(std::uint64_t delivery, Sequence sequence) {
  if (unacknowledged_.empty()) {
    ack_floor_.consumer = next_delivery_ - 1;
    ack_floor_.stream = next_ - 1;
    return;
  }
  if (delivery != ack_floor_.consumer + 1) return;
  ack_floor_.consumer = delivery;
  ack_floor_.stream = sequence;
  const Sequence lowest = unacknowledged_.lowest();
  if (lowest > sequence) {
    ack_floor_.consumer = unacknowledged_.find(lowest)->delivery - 1;
    ack_floor_.stream = lowest - 1;
  }
}

void Consumer::refuse(const Delivery& delivery, const Ack& ack) {
  const Sequence sequence = delivery.stream_sequence;
  if (!unacknowledged_.contains(sequence)) return;
  say_about(delivery, "MSG_NAKED", "nak", {});
  if (ack.delay) {
    unacknowledged_.postpone(sequence, now() + *ack.delay);
    arm_due();
    return;
  }
  unacknowledged_.queue(sequence);
}

base::Duration Consumer::ack_wait_of(Sequence sequence) const {
  if (config_.backoff.empty()) return config_.ack_wait;
  const std::uint64_t before = unacknowledged_.redeliveries(sequence);
  return config_.backoff[std::min<std::size_t>(before, config_.backoff.size() - 1)];
}

base::WallTime Consumer::due_of(Sequence sequence) const {
  return now() + ack_wait_of(sequence) + due_delay;
}

void Consumer::arm_due() {
  if (!started_) return;
  const auto next = unacknowledged_.next_due();
  if (!next || (due_timer_ != base::TimerId::none && due_timer_at_ <= *next)) return;
  base::Loop& loop = stream_.branch().loop();
  loop.cancel_timer(due_timer_);
  due_timer_at_ = *next;
  const base::Duration delay = std::max<base::Duration>(*next - now(), {});
  due_timer_ = loop.start_timer(delay, lifeline_.bind([this] {
    due_timer_ = base::TimerId::none;
    queue_due();
    mark();
  }));
}

// What was not acknowledged in time is delivered again, or given up.
void Consumer::queue_due() {
  unacknowledged_.queue_due(now(), [this](Sequence sequence) {
    if (!exhausted(sequence)) return true;
    give_up(sequence);
    return false;
  });
  arm_due();
}

bool Consumer::exhausted(Sequence sequence) const {
  if (config_.max_deliver <= 0) return false;
  return unacknowledged_.redeliveries(sequence) + 1 >=
         static_cast<std::uint64_t>(config_.max_deliver);
}

// It stays in the stream: someone has to see to it.
void Consumer::give_up(Sequence sequence) {
  const Unacknowledged* entry = unacknowledged_.find(sequence);
  const std::uint64_t delivery = entry->delivery;
  const std::uint64_t deliveries = unacknowledged_.redeliveries(sequence) + 1;
  unacknowledged_.set_redeliveries(sequence, deliveries);
  unacknowledged_.remove(sequence);
  move_floor(delivery, sequence);
  note_settled(sequence, delivery);
  say_event("ADVISORY.CONSUMER.MAX_DELIVERIES", "advisory.v1.max_deliver", [&](Advisory& event) {
    event.member("stream_seq", sequence).member("deliveries", deliveries);
  });
}

// A million messages may be over at once, and nobody may listen: what is said of them is bounded.
void Consumer::say_event(std::string_view kind, std::string_view type,
                         absl::FunctionRef<void(Advisory&)> fill) {
  if (events_ == most_events) return stream_.leave_out_event();
  ++events_;
  Advisory event(stream_.branch(), type);
  event.member("stream", stream_.name()).member("consumer", name_);
  fill(event);
  said_.push_back(
      {fmt::format("$JS.EVENT.{}.{}.{}", kind, stream_.name(), name_), {}, event.text()});
}

// What became of a delivery.
void Consumer::say_about(const Delivery& delivery, std::string_view kind, std::string_view type,
                         std::string_view reason) {
  say_event(fmt::format("ADVISORY.CONSUMER.{}", kind), fmt::format("advisory.v1.{}", type),
            [&](Advisory& event) {
              event.member("consumer_seq", delivery.consumer_sequence)
                  .member("stream_seq", delivery.stream_sequence)
                  .member("deliveries", delivery.delivered)
                  .optional("reason", reason);
            });
}

// A message left the stream before it was acknowledged. The first delivery is not counted twice:
// `deliveries` is 1 for a message that was delivered once or twice, as in nats-server.
void Consumer::say_gone(Sequence sequence, std::uint64_t delivery) {
  const Delivery gone{
      .delivered = std::max<std::uint64_t>(unacknowledged_.redeliveries(sequence), 1),
      .stream_sequence = sequence,
      .consumer_sequence = delivery};
  say_about(gone, "MSG_TERMINATED", "terminated", "Unacknowledged message was deleted");
}

// Some acknowledgements are measured (sample_freq).
void Consumer::sample(const Delivery& delivery) {
  const int percent = config_.sample_percent();
  if (percent <= 0) return;
  if (percent < 100 &&
      stream_.branch().random().below(100) >= static_cast<std::uint32_t>(percent)) {
    return;
  }
  const base::Duration taken = now() - unacknowledged_.find(delivery.stream_sequence)->delivered_at;
  say_event("METRIC.CONSUMER.ACK", "metric.v1.consumer_ack", [&](Advisory& event) {
    event.member("consumer_seq", delivery.consumer_sequence)
        .member("stream_seq", delivery.stream_sequence)
        .member("ack_time", taken.count())
        .member("deliveries", delivery.delivered);
  });
}

}  // namespace spanwire::jetstream
