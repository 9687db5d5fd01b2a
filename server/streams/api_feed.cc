#include "streams/api_feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "streams/api_requests.h"

namespace spanwire::streams {
namespace {

// Requests of this size keep a consumer busy; more of them than two are not under way.
constexpr std::size_t largest_batch = 1000;
// Between attempts, doubled each time without success.
constexpr base::Duration shortest_rest = std::chrono::milliseconds(250);
constexpr base::Duration longest_rest = std::chrono::seconds(5);

}  // namespace

ApiFeed::ApiFeed(Api& api, std::string stream, FeedSpec spec, Reader& reader, std::string refusal)
    : api_(api),
      stream_(std::move(stream)),
      spec_(std::move(spec)),
      reader_(reader),
      max_batch_(largest_batch) {
  if (refusal.empty()) {
    attach();
  } else {
    refuse(std::move(refusal));
  }
}

ApiFeed::~ApiFeed() {
  api_.loop.cancel_timer(timer_);
  close_inbox();
  if (state_ == State::ended) return;
  for (const auto& [sequence, token] : unsettled_) {
    api_.link.publish(ack_subject(ack_prefix_, token), {}, {}, ack_payload(Verdict::again, {}));
  }
  if (ordered() && state_ != State::attaching) delete_consumer();
}

void ApiFeed::grant(std::size_t messages) {
  credit_ += messages;
  pull();
}

void ApiFeed::settle(const AckToken& token, Verdict verdict, base::Duration delay) {
  if (verdict != Verdict::in_progress) unsettled_.erase(token.sequence);
  if (state_ == State::ended || ack_prefix_.empty()) return;
  api_.link.publish(ack_subject(ack_prefix_, token), {}, {}, ack_payload(verdict, delay));
}

void ApiFeed::settle(const AckToken& token, base::Done<std::optional<Failure>> done) {
  unsettled_.erase(token.sequence);
  const auto fail = [&](Failure::Kind kind, std::string text) {
    api_.loop.post(lifeline_.bind(
        [done = std::move(done), why = Failure{.kind = kind, .text = std::move(text)}]() mutable {
          done(std::move(why));
        }));
  };
  if (state_ == State::ended || ack_prefix_.empty()) {
    return fail(Failure::Kind::not_found, "the consumer is gone");
  }
  if (api_.calls.open() >= max_open_calls) {
    return fail(Failure::Kind::refused, "too many calls are open");
  }
  api_.calls.call(
      {}, Company::none, {.subject = ack_subject(ack_prefix_, token), .payload = "+ACK"},
      [this, alive = lifeline_.watch(),
       done = std::move(done)](const Reply& reply) mutable -> std::optional<Request> {
        if (alive.expired()) return std::nullopt;
        if (reply.kind == Reply::Kind::message) {
          done(std::nullopt);
        } else if (reply.kind == Reply::Kind::nobody) {
          done(Failure{.kind = Failure::Kind::not_found, .text = "the consumer is gone"});
        } else {
          done(api_.failure_of(reply));
        }
        return std::nullopt;
      });
}

// Makes the consumer. An ordered one begins again where it was.
void ApiFeed::attach() {
  state_ = State::attaching;
  consumer_ = ordered() ? api_.names.next() : spec_.durable;
  last_delivery_ = 0;
  ConsumerRequest request{.stream = stream_,
                          .name = consumer_,
                          .spec = spec_,
                          .from = spec_.from,
                          .sequence = spec_.sequence};
  const bool each_last = spec_.from == FeedSpec::From::last_of_each_subject && !caught_up_;
  if (ordered() && attached_ && !each_last &&
      (last_ != 0 || spec_.from == FeedSpec::From::new_messages)) {
    request.from = FeedSpec::From::sequence;
    request.sequence = last_ + 1;
  }
  std::optional<Request> undo;
  if (ordered()) undo.emplace().subject = api_.subject("CONSUMER.DELETE", stream_, consumer_);
  api_.calls.call(stream_, Company::none,
                  {.subject = api_.subject("CONSUMER.CREATE", stream_, consumer_),
                   .payload = consumer_request(request)},
                  [this, alive = lifeline_.watch(),
                   undo = std::move(undo)](const Reply& reply) mutable -> std::optional<Request> {
                    if (alive.expired()) return std::exchange(undo, std::nullopt);
                    on_attached(api_.result_of(reply, read_consumer));
                    return std::nullopt;
                  });
}

void ApiFeed::on_attached(const Result<ConsumerAnswer>& answer) {
  if (state_ != State::attaching) return;
  if (!answer) {
    const bool try_again = attached_ && answer.error().kind == Failure::Kind::unknown;
    return try_again ? rest(Next::attach) : end(answer.error());
  }
  if (!attached_ && spec_.from == FeedSpec::From::new_messages) last_ = answer->delivered;
  attached_ = true;
  state_ = State::running;
  first_tries_ = 0;
  pending_ = answer->pending;
  open_inbox();
  pull();
  check_caught_up(pending_ == 0);
}

// Whether a durable consumer is still there.
void ApiFeed::ask() {
  state_ = State::asking;
  api_.calls.call({}, Company::none, {.subject = api_.subject("CONSUMER.INFO", stream_, consumer_)},
                  [this, alive = lifeline_.watch()](const Reply& reply) -> std::optional<Request> {
                    if (!alive.expired()) on_told(api_.result_of(reply, read_consumer));
                    return std::nullopt;
                  });
}

void ApiFeed::on_told(const Result<ConsumerAnswer>& answer) {
  if (state_ != State::asking) return;
  if (answer) {
    renew();
    check_caught_up(answer->pending == 0);
  } else if (answer.error().kind == Failure::Kind::unknown) {
    rest(Next::ask);
  } else {
    end(answer.error());
  }
}

// Nothing is heard of the consumer, or that it is gone.
void ApiFeed::suspect() {
  if (ordered()) return make_again();
  rest(Next::ask);
}

void ApiFeed::make_again() {
  credit_ += std::exchange(asked_, 0);
  close_inbox();
  delete_consumer();
  rest(Next::attach);
}

// Whether everything that was there has come: of what is purged nothing else tells.
void ApiFeed::look_for_end() {
  api_.calls.call({}, Company::none, {.subject = api_.subject("CONSUMER.INFO", stream_, consumer_)},
                  [this, alive = lifeline_.watch()](const Reply& reply) -> std::optional<Request> {
                    if (alive.expired()) return std::nullopt;
                    const auto answer = api_.result_of(reply, read_consumer);
                    check_caught_up(state_ == State::running && answer && answer->pending == 0);
                    return std::nullopt;
                  });
}

// All that was asked for is asked for again.
void ApiFeed::renew() {
  credit_ += std::exchange(asked_, 0);
  close_inbox();
  open_inbox();
  state_ = State::running;
  pull();
}

// At once the first time, then later each time; until something is delivered.
void ApiFeed::rest(Next next) {
  state_ = State::resting;
  next_ = next;
  api_.loop.cancel_timer(timer_);
  timer_ = api_.loop.start_timer(rest_, [this] {
    timer_ = base::TimerId::none;
    go_on();
  });
  rest_ = std::clamp(rest_ * 2, shortest_rest, longest_rest);
}

void ApiFeed::go_on() {
  switch (next_) {
    case Next::attach:
      return attach();
    case Next::ask:
      return ask();
    case Next::renew:
      return renew();
    case Next::pull:
      state_ = State::running;
      pull();
      if (asked_ != 0) watch();
      return;
  }
}

void ApiFeed::pull() {
  const std::size_t batch = std::min(credit_, max_batch_);
  if (state_ != State::running || batch == 0) return;
  if (asked_ != 0 && (credit_ < asked_ || asked_ + batch > 2 * max_batch_)) return;
  const std::string reply = fmt::format("{}.{}.{}", api_.link.inbox(), inbox_, ++pulls_);
  const std::string body = pull_request({.batch = batch,
                                         .expires = api_.settings.pull_expires,
                                         .heartbeat = api_.settings.heartbeat});
  if (!api_.link.publish(api_.subject("CONSUMER.MSG.NEXT", stream_, consumer_), reply, {}, body)) {
    return rest(Next::pull);
  }
  pulled_ = api_.loop.now();
  if (asked_ == 0) heard_ = pulled_;
  credit_ -= batch;
  asked_ += batch;
  watch();
}

// Heartbeats come while something is asked for; two of them missed are a loss.
void ApiFeed::watch() {
  if (timer_ != base::TimerId::none) return;
  const base::Duration patience = 2 * api_.settings.heartbeat;
  timer_ = api_.loop.start_timer(heard_ + patience - api_.loop.now(), [this, patience] {
    timer_ = base::TimerId::none;
    if (asked_ == 0 || state_ != State::running) return;
    if (heard_ + patience <= api_.loop.now()) return suspect();
    watch();
  });
}

void ApiFeed::open_inbox() {
  inbox_ = fmt::format("f{}", ++api_.last_inbox);
  api_.feeds[inbox_] = this;
  api_.link.listen(inbox_);
}

void ApiFeed::close_inbox() {
  if (inbox_.empty()) return;
  api_.feeds.erase(inbox_);
  api_.link.unlisten(inbox_);
  inbox_.clear();
}

void ApiFeed::refuse(std::string text) {
  api_.loop.post(lifeline_.bind([this, text = std::move(text)]() mutable {
    end({.kind = Failure::Kind::refused, .text = std::move(text)});
  }));
}

void ApiFeed::end(Failure why) {
  api_.loop.cancel_timer(std::exchange(timer_, base::TimerId::none));
  close_inbox();
  unsettled_.clear();
  state_ = State::ended;
  reader_.on_ended(why);
}

// Of an ordered feed; it would be gone by itself after a while.
void ApiFeed::delete_consumer() {
  api_.calls.call({}, Company::none,
                  {.subject = api_.subject("CONSUMER.DELETE", stream_, consumer_)},
                  [](const Reply&) { return std::nullopt; });
}

}  // namespace spanwire::streams
