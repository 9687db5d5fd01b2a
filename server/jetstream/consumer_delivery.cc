// Which message a consumer delivers next, and the delivery.
#include <fmt/format.h>

#include <algorithm>

#include "bus/headers.h"
#include "jetstream/consumer.h"
#include "jetstream/stream.h"

namespace spanwire::jetstream {
namespace {

// Deliveries in one step: about a quarter of a millisecond.
constexpr int slice = 256;
// Other loops are behind; look again so much later.
constexpr base::Duration pressure_pause = std::chrono::milliseconds(1);

}  // namespace

bool Consumer::serve() {
  if (!started_) return false;
  for (std::string& reply : std::exchange(ack_answers_, {})) {
    stream_.when_committed([&seat = stream_.branch().seat(), reply = std::move(reply)](bool well) {
      if (well) seat.publish({.route = reply});
    });
  }
  if (!config_.is_pull()) check_interest();
  const bool prepared = prepare();
  Step step = prepared ? Step::again : Step::more;
  for (int i = 0; i < slice && step == Step::again; ++i) step = deliver_one();
  arm_due();
  if (config_.is_pull()) arm_requests();
  speak();
  for (Taker* taker : takers_) taker->on_served();
  return step != Step::wait;
}

bool Consumer::may_deliver() {
  if (paused() || fetching_) return false;
  if (stream_.branch().seat().pressed()) {
    wake_after(pressure_pause);
    return false;
  }
  if (config_.is_pull()) return !requests_.empty();
  return active_ && !flow_.full();
}

Consumer::Step Consumer::deliver_one() {
  if (!may_deliver()) {
    // One that is paused has nothing for those who do not wait.
    if (config_.is_pull()) settle_requests(paused());
    return Step::wait;
  }
  const Next next = next_message();
  switch (next.kind) {
    case Next::Kind::none:
      replay_until_ = 0;
      if (config_.is_pull()) settle_requests(true);
      return Step::wait;
    case Next::Kind::blocked:
      if (config_.is_pull()) settle_requests(false);
      return Step::wait;
    case Next::Kind::more:
      return Step::more;
    case Next::Kind::message:
      break;
  }
  if (!count_pending()) return Step::more;
  store::Message message;
  switch (stream_.log().read(next.sequence, message)) {
    case store::Read::found:
      return deliver(next, message);
    case store::Read::later:
      fetch(next.sequence);
      return Step::wait;
    case store::Read::gone:
    case store::Read::damaged:
      pass_over(next);
      return Step::again;
  }
  return Step::wait;
}

void Consumer::fetch(Sequence sequence) {
  fetching_ = true;
  stream_.log().fetch(sequence, lifeline_.bind([this] {
    fetching_ = false;
    mark();
  }));
}

Consumer::Next Consumer::next_message() {
  if (const Next again = next_redelivery(); again.kind == Next::Kind::message) return again;
  const bool bounded = config_.max_ack_pending > 0 && config_.ack_policy != AckPolicy::none;
  if (bounded && unacknowledged_.size() >= static_cast<std::size_t>(config_.max_ack_pending)) {
    return {.kind = Next::Kind::blocked};
  }
  if (next_skip_ < skip_list_.size()) {
    return {.kind = Next::Kind::message, .sequence = skip_list_[next_skip_]};
  }
  return next_of_stream();
}

Consumer::Next Consumer::next_redelivery() {
  while (const Sequence sequence = unacknowledged_.first_queued()) {
    if (!stream_.log().has(sequence)) {
      const Unacknowledged* entry = unacknowledged_.find(sequence);
      const std::uint64_t delivery = entry == nullptr ? 0 : entry->delivery;
      settle(sequence, delivery);
      note_settled(sequence, delivery);
    } else if (exhausted(sequence)) {
      give_up(sequence);
    } else {
      return {.kind = Next::Kind::message,
              .sequence = sequence,
              .deliveries = unacknowledged_.redeliveries(sequence) + 2};
    }
  }
  return {};
}

Consumer::Next Consumer::next_of_stream() {
  const store::Found found = stream_.log().next(*selection_, next_);
  switch (found.kind) {
    case store::Found::Kind::message:
      return {.kind = Next::Kind::message, .sequence = found.sequence};
    case store::Found::Kind::more:
      next_ = found.sequence;
      return {.kind = Next::Kind::more};
    case store::Found::Kind::none:
      break;
  }
  next_ = std::max(next_, stream_.log().totals().last + 1);
  pending_ = 0;
  uncounted_to_ = 0;
  return {.kind = Next::Kind::none};
}

// What was chosen is not to be had: it is as if it had been delivered and acknowledged.
void Consumer::pass_over(const Next& next) {
  if (next.deliveries > 1) {
    settle(next.sequence, 0);
  } else {
    took(next, counts(next));
  }
}

// Whether it is one of those that are pending: its erasure was not said.
bool Consumer::counts(const Next& next) const {
  if (next.deliveries > 1) return false;
  return next_skip_ < skip_list_.size() || stream_.log().has_ahead(next.sequence);
}

// A first delivery moves on in the stream.
void Consumer::took(const Next& next, bool was_pending) {
  if (next.deliveries > 1) return;
  next_ = next.sequence + 1;
  if (next_skip_ < skip_list_.size() && ++next_skip_ == skip_list_.size()) end_skips();
  if (was_pending && pending_ != 0) --pending_;
}

// Adds the size that the receiver does not see (headers_only).
std::string_view Consumer::headers_with_size(const store::Message& message) {
  headers_ = message.headers;
  bus::append_header(headers_, "Nats-Msg-Size", std::to_string(message.payload.size()));
  return headers_;
}

// True: it is too early for this message; a timer is set.
bool Consumer::hold_back(const Next& next, const store::Message& message, std::size_t bytes) {
  if (next.sequence <= replay_until_ && replayed_) {
    const base::WallTime due = replayed_at_ + (message.time - *replayed_);
    if (due > now() + std::chrono::milliseconds(1)) {
      wake_after(due - now());
      return true;
    }
  }
  const base::Duration wait = rate_.take(bytes, stream_.branch().loop().now());
  if (wait <= base::Duration::zero()) return false;
  wake_after(wait);
  return true;
}

void Consumer::wake_after(base::Duration delay) {
  if (wake_timer_ != base::TimerId::none) return;
  wake_timer_ = stream_.branch().loop().start_timer(delay, lifeline_.bind([this] {
    wake_timer_ = base::TimerId::none;
    mark();
  }));
}

Consumer::Step Consumer::deliver(const Next& next, const store::Message& message) {
  const bool is_pending = counts(next);
  const Delivery delivery{.delivered = next.deliveries,
                          .stream_sequence = next.sequence,
                          .consumer_sequence = next_delivery_,
                          .time = message.time,
                          .pending = is_pending && pending_ != 0 ? pending_ - 1 : pending_};
  const std::string_view ack = ack_subject_.write(delivery);
  store::Message shown = message;
  if (config_.headers_only) {
    shown.headers = headers_with_size(message);
    shown.payload = {};
  }
  const std::size_t bytes = message.subject.size() + ack.size() + shown.body_size();
  if (wake_timer_ != base::TimerId::none || hold_back(next, message, bytes)) return Step::wait;
  if (!hand_over(delivery, ack, shown, bytes)) return Step::wait;
  replayed_ = message.time;
  replayed_at_ = now();
  took(next, is_pending);
  track(next);
  if (config_.is_pull()) {
    served_request(bytes);
  } else {
    flow_.add(bytes);
    if (flow_.should_ask()) ask_for_flow();
    spoke_at_ = stream_.branch().loop().now();
  }
  return Step::again;
}

// To the asker of the first request that somebody still waits for or, of a push consumer, on its
// subject. False: nobody has got it.
bool Consumer::hand_over(const Delivery& delivery, std::string_view ack,
                         const store::Message& message, std::size_t bytes) {
  if (!config_.is_pull()) {
    active_ = publish_to(config_.deliver_subject, ack, message);
    return active_ || check_interest();
  }
  while (const PullWaiting* request = choose_request(bytes)) {
    if (request->taker != nullptr) {
      request->taker->on_taken(delivery, message);
      return true;
    }
    if (publish_to(request->reply, ack, message)) return true;
    requests_.drop_front();
  }
  return false;
}

bool Consumer::publish_to(std::string_view subject, std::string_view ack,
                          const store::Message& message) {
  return stream_.branch().seat().publish({.route = subject,
                                          .shown = message.subject,
                                          .reply = ack,
                                          .headers = message.headers,
                                          .payload = message.payload}) != 0;
}

void Consumer::track(const Next& next) {
  const std::uint64_t delivery = next_delivery_++;
  last_delivery_ = now();
  if (config_.ack_policy == AckPolicy::none) {
    ack_floor_.consumer = delivery;
    ack_floor_.stream = next.sequence;
    stream_.on_settled(next.sequence);
    return;
  }
  if (next.deliveries > 1) {
    unacknowledged_.unqueue(next.sequence);
    unacknowledged_.set_redeliveries(next.sequence, next.deliveries - 1);
  }
  unacknowledged_.delivered(next.sequence, delivery, now(), due_of(next.sequence));
  note_delivered(next.sequence, delivery, next.deliveries);
}

}  // namespace spanwire::jetstream
