#include "jetstream/feed_source.h"

#include <algorithm>
#include <utility>

#include "jetstream/consumer_changes.h"
#include "jetstream/local_terms.h"
#include "jetstream/node.h"
#include "jetstream/server.h"
#include "jetstream/subjects.h"
#include "subject/subject.h"

namespace spanwire::jetstream {
namespace {

base::Ref<const bus::Message> copy_of(const store::Message& message) {
  bus::MessageView view;
  view.route = view.subject = message.subject;
  view.headers = message.headers;
  view.payload = message.payload;
  return bus::Message::copy(view);
}

}  // namespace

FeedSource::FeedSource(Node& node, Tenant& tenant, std::string stream, streams::FeedSpec spec,
                       Send send)
    : node_(node),
      tenant_(tenant),
      stream_(std::move(stream)),
      spec_(std::move(spec)),
      send_(std::move(send)) {}

wire::Services& FeedSource::services() const {
  return node_.services();
}

// An ordered one goes on where it was.
ConsumerRequest FeedSource::next_request() const {
  using From = streams::FeedSpec::From;
  streams::FeedSpec spec = spec_;
  const bool each_last = spec.from == From::last_of_each_subject && !caught_up_;
  if (ordered() && attached_ && !each_last && (last_ != 0 || spec.from == From::new_messages)) {
    spec.from = From::sequence;
    spec.sequence = last_ + 1;
  }
  return consumer_request_of(stream_, spec);
}

void FeedSource::begin() {
  using Form = ConsumerAddress::Form;
  if (!is_valid_name(stream_) || !subject::is_safe(stream_)) {
    return finish(
        {.kind = streams::Failure::Kind::refused, .text = "a stream cannot have this name"});
  }
  Home* home = node_.find(tenant_, stream_);
  if (home == nullptr) return finish(failure_of(api_error(Err::stream_not_found)));
  ConsumerRequest asked = next_request();
  const ConsumerAddress address{.form = ordered() ? Form::ephemeral : Form::durable,
                                .stream = stream_,
                                .consumer = spec_.durable};
  if (const auto error = check_consumer_address(asked, address)) return finish(failure_of(*error));
  Stream& stream = home->stream;
  const auto settled = settle_consumer(stream.branch(), stream, std::move(asked));
  if (!settled) return finish(failure_of(settled.error()));
  consumer_name_ = (*settled)->name();
  (*settled)->when_counted([self = shared_from_this(), &stream](bool there) {
    if (!there) return self->attach(false);
    stream.when_committed([self](bool well) {
      // A consumer that nobody wants any more may not go while it says that it is counted.
      wire::Services& here = self->services();
      here.post(here.loop().id(), [self, well] { self->attach(well); });
    });
  });
}

void FeedSource::attach(bool committed) {
  if (!committed) return finish(unknown_failure("the consumer could not be stored"));
  Home* home = node_.find(tenant_, stream_);
  Consumer* consumer = home == nullptr ? nullptr : home->stream.find_consumer(consumer_name_);
  if (consumer == nullptr) return finish(failure_of(api_error(Err::consumer_not_found)));
  if (deserted_) return release_consumer(*consumer);
  self_ = shared_from_this();
  consumer_ = consumer;
  if (!std::exchange(attached_, true)) {
    there_ = home->stream.log().totals().last;
    if (spec_.from == streams::FeedSpec::From::new_messages) last_ = consumer->delivered().stream;
  }
  consumer->attach(*this);
  consumer->grant(*this, credit_);
}

void FeedSource::take_credit() {
  const std::uint64_t more = granted_.exchange(0);
  credit_ += more;
  if (consumer_ != nullptr) consumer_->grant(*this, more);
}

void FeedSource::on_taken(const Delivery& delivery, const store::Message& message) {
  const streams::AckToken token = token_of(delivery);
  if (ordered() && token.sequence <= last_) {  // delivered by the consumer that is lost
    ++returned_;
    return;
  }
  --credit_;
  last_ = std::max(last_, token.sequence);
  if (!ordered()) unsettled_[token.sequence] = token;
  feeding_.messages.push_back({.message = copy_of(message),
                               .time = message.time,
                               .token = token,
                               .pending = delivery.pending});
}

void FeedSource::on_served() {
  if (returned_ != 0) consumer_->grant(*this, std::exchange(returned_, 0));
  if (!caught_up_ && consumer_->is_past(there_)) feeding_.caught_up = caught_up_ = true;
  if (feeding_.messages.empty() && !feeding_.caught_up) return;
  send_(services(), std::exchange(feeding_, {}));
}

void FeedSource::settle(const streams::AckToken& token, const Ack& ack) {
  if (ack.kind != AckKind::progress) unsettled_.erase(token.sequence);
  if (consumer_ != nullptr) consumer_->take_word(delivery_of(token), ack);
}

void FeedSource::settle(const streams::AckToken& token,
                        Reply<std::optional<streams::Failure>> reply) {
  unsettled_.erase(token.sequence);
  if (consumer_ == nullptr) {
    return reply.send(services(), failure_of(api_error(Err::consumer_not_found)));
  }
  if (!consumer_->take_word(delivery_of(token), {.kind = AckKind::ack})) {
    return reply.send(services(), streams::Failure{.kind = streams::Failure::Kind::refused,
                                                   .text = "that message was not delivered"});
  }
  Stream& stream = node_.find(tenant_, stream_)->stream;
  stream.note_written(true);
  stream.when_committed([&here = services(), reply = std::move(reply)](bool well) mutable {
    std::optional<streams::Failure> failure;
    if (!well) failure = unknown_failure("the acknowledgement could not be stored");
    reply.send(here, std::move(failure));
  });
}

void FeedSource::end() {
  deserted_ = true;
  if (consumer_ == nullptr) return;
  const std::shared_ptr<FeedSource> self = std::move(self_);
  Consumer& consumer = *std::exchange(consumer_, nullptr);
  consumer.detach(*this);
  for (const auto& [sequence, token] : std::exchange(unsettled_, {})) {
    consumer.take_word(delivery_of(token), {.kind = AckKind::nak});
  }
  release_consumer(consumer);
}

// One that is nobody else's goes with its feed.
void FeedSource::release_consumer(Consumer& consumer) {
  if (ordered()) node_.find(tenant_, stream_)->stream.end_inactive(consumer);
}

void FeedSource::on_gone(bool deleted) {
  const std::shared_ptr<FeedSource> self = std::move(self_);
  consumer_ = nullptr;
  unsettled_.clear();
  returned_ = 0;
  if (deleted && ordered()) {
    // In another turn: the stream itself may be going.
    return services().post(services().loop().id(), [self] {
      if (!self->deserted_) self->begin();
    });
  }
  if (!deleted) return;  // the server stops, and its bridges with it
  finish({.kind = streams::Failure::Kind::not_found, .text = "the consumer was deleted"});
}

void FeedSource::finish(streams::Failure why) {
  feeding_.ended = std::move(why);
  send_(services(), std::exchange(feeding_, {}));
}

}  // namespace spanwire::jetstream
