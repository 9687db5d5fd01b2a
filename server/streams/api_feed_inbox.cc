// What comes to a feed.
#include <algorithm>
#include <utility>

#include "streams/api_feed.h"

namespace spanwire::streams {

void ApiFeed::on_inbox(const bus::MessageView& message) {
  if (const auto ack = parse_ack_subject(message.reply)) {
    if (ack->consumer == consumer_ && asked_ != 0) deliver(*ack, message);
  } else if (const auto status = parse_pull_status(message)) {
    on_status(*status);
  }
}

void ApiFeed::deliver(const AckSubject& ack, const bus::MessageView& message) {
  if (ordered() && !in_order(ack)) return;
  --asked_;
  heard_ = api_.loop.now();
  rest_ = {};
  if (ack.token.attempt == 1) ++first_tries_;
  if (ordered() && ack.token.sequence <= last_) {
    ++credit_;  // it was delivered before the consumer was made again
  } else {
    last_ = ack.token.sequence;
    if (!ordered()) {
      ack_prefix_ = ack.prefix;
      note_unsettled(ack.token);
    }
    Delivery delivery{
        .message = message, .time = ack.time, .token = ack.token, .pending = ack.pending};
    delivery.message.route = message.subject;
    delivery.message.reply = {};
    reader_.on_delivery(delivery);
  }
  pull();
  check_caught_up(ack.pending == 0 || first_tries_ >= pending_);
}

void ApiFeed::note_unsettled(const AckToken& token) {
  unsettled_.insert_or_assign(token.sequence, token);
  const std::int64_t most = spec_.max_ack_pending > 0 ? spec_.max_ack_pending : max_open_calls;
  if (unsettled_.size() > static_cast<std::size_t>(most)) unsettled_.erase(unsettled_.begin());
}

// Whether nothing is missing before this delivery; otherwise the consumer is made again.
bool ApiFeed::in_order(const AckSubject& ack) {
  if (ack.token.delivery == last_delivery_ + 1) {
    ++last_delivery_;
    return true;
  }
  if (ack.token.delivery > last_delivery_) make_again();
  return false;
}

void ApiFeed::check_caught_up(bool nothing_pending) {
  if (!nothing_pending || std::exchange(caught_up_, true)) return;
  reader_.on_caught_up();
}

void ApiFeed::on_status(const PullStatus& status) {
  if (status.kind == PullStatus::Kind::over) return on_pull_over(status);
  if (state_ != State::running) return;
  heard_ = api_.loop.now();
  switch (status.kind) {
    case PullStatus::Kind::heartbeat:
      return on_heartbeat(status);
    case PullStatus::Kind::over:
      return;
    case PullStatus::Kind::too_large:
      if (status.limit < max_batch_) {
        max_batch_ = status.limit;
        return renew();
      }
      [[fallthrough]];
    case PullStatus::Kind::refused:
      return end({.kind = Failure::Kind::refused, .text = std::string(status.text)});
    case PullStatus::Kind::consumer_gone:
      return suspect();
  }
}

void ApiFeed::on_heartbeat(const PullStatus& status) {
  rest_ = {};
  if (ordered() && status.last_delivery > last_delivery_) return make_again();
  if (!caught_up_) look_for_end();
}

void ApiFeed::on_pull_over(const PullStatus& status) {
  heard_ = api_.loop.now();
  // Told without a number, as by a server that stops, it says nothing about the other requests.
  if (status.left == 0 && state_ == State::running) return rest(Next::renew);
  const std::size_t left = static_cast<std::size_t>(std::min<std::uint64_t>(status.left, asked_));
  asked_ -= left;
  credit_ += left;
  if (state_ != State::running) return;
  // One that ended before its time is not made again at once.
  if (api_.loop.now() - pulled_ < api_.settings.pull_expires / 2) return rest(Next::pull);
  pull();
}

}  // namespace spanwire::streams
