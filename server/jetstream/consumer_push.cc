// What a push consumer owes to those who listen, and how consumers end that nobody uses.
#include <fmt/format.h>

#include <algorithm>

#include "jetstream/consumer.h"
#include "jetstream/stream.h"

namespace spanwire::jetstream {
namespace {

// How soon a subscriber is noticed for whom messages wait: some clients make their consumer and
// then subscribe, so at first soon, then later and later.
constexpr base::Duration first_interest_poll = std::chrono::milliseconds(1);
constexpr base::Duration longest_interest_poll = std::chrono::milliseconds(100);
constexpr base::Duration longest_inactivity_poll = std::chrono::seconds(1);

constexpr std::string_view digits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

}  // namespace

bool Consumer::check_interest() {
  active_ = stream_.branch().seat().interested(config_.deliver_subject);
  if (active_) {
    deserted_at_.reset();
    interest_poll_ = first_interest_poll;
  } else {
    if (!deserted_at_) deserted_at_ = now();
    if (pending() != 0 || unacknowledged_.has_queued()) poll_interest();
  }
  return active_;
}

void Consumer::poll_interest() {
  if (interest_timer_ != base::TimerId::none || !started_) return;
  const base::Duration delay = std::max(interest_poll_, first_interest_poll);
  interest_poll_ = std::min(2 * delay, longest_interest_poll);
  interest_timer_ = stream_.branch().loop().start_timer(delay, lifeline_.bind([this] {
    interest_timer_ = base::TimerId::none;
    mark();
  }));
}

bool Consumer::push_bound() {
  return !config_.is_pull() && started_ && check_interest();
}

void Consumer::arm_heartbeat() {
  stream_.branch().loop().cancel_timer(heartbeat_timer_);
  heartbeat_timer_ = base::TimerId::none;
  spoke_at_ = stream_.branch().loop().now();
  if (config_.is_pull() || config_.idle_heartbeat <= base::Duration::zero() || !started_) return;
  wait_for_silence(config_.idle_heartbeat);
}

// A delivery does not touch the timer: when it fires, it waits for what is left.
void Consumer::wait_for_silence(base::Duration delay) {
  heartbeat_timer_ = stream_.branch().loop().start_timer(delay, lifeline_.bind([this] {
    heartbeat_timer_ = base::TimerId::none;
    const base::Duration left = spoke_at_ + config_.idle_heartbeat - stream_.branch().loop().now();
    if (left > base::Duration::zero()) return wait_for_silence(left);
    if (check_interest()) {
      say_heartbeat(config_.deliver_subject);
      speak();
    }
    arm_heartbeat();
  }));
}

void Consumer::say_heartbeat(std::string_view to) {
  std::string headers = fmt::format(
      "NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: {}\r\nNats-Last-Stream: {}\r\n",
      next_delivery_ - 1, next_ - 1);
  if (!flow_.asked().empty()) {
    headers += fmt::format("Nats-Consumer-Stalled: {}\r\n", flow_.asked());
  }
  said_.push_back({std::string(to), headers + "\r\n", {}});
}

void Consumer::ask_for_flow() {
  std::string subject = fmt::format("$JS.FC.{}.{}.", stream_.name(), name_);
  for (int i = 0; i < 4; ++i) {
    subject += digits[stream_.branch().random().below(static_cast<std::uint32_t>(digits.size()))];
  }
  stream_.branch().seat().publish({.route = config_.deliver_subject,
                                   .reply = subject,
                                   .headers = "NATS/1.0 100 FlowControl Request\r\n\r\n"});
  flow_.ask(std::move(subject));
}

void Consumer::on_flow_reply(std::string_view subject) {
  if (flow_.answered(subject)) mark();
}

// Inactivity.

void Consumer::arm_inactivity() {
  base::Loop& loop = stream_.branch().loop();
  loop.cancel_timer(inactivity_timer_);
  inactivity_timer_ = base::TimerId::none;
  const base::Duration threshold = config_.inactive_threshold;
  if (threshold <= base::Duration::zero() || !started_) return;
  const base::Duration delay = std::clamp<base::Duration>(
      threshold / 4, std::chrono::milliseconds(10), longest_inactivity_poll);
  inactivity_timer_ = loop.start_timer(delay, lifeline_.bind([this] {
    inactivity_timer_ = base::TimerId::none;
    check_inactivity();
  }));
}

// A push consumer is used while somebody listens; a pull consumer while requests wait, and for as
// long as an acknowledgement may still come.
void Consumer::check_inactivity() {
  base::WallTime used = now();
  if (!takers_.empty()) return arm_inactivity();
  if (!config_.is_pull()) {
    if (!check_interest()) used = *deserted_at_;
  } else if (waiting() == 0) {
    used = last_request_;
    if (!unacknowledged_.empty()) used = std::max(used, unacknowledged_.last_due());
  }
  if (now() - used < config_.inactive_threshold) return arm_inactivity();
  stream_.end_inactive(*this);  // this object is gone
}

void Consumer::arm_pause() {
  base::Loop& loop = stream_.branch().loop();
  loop.cancel_timer(pause_timer_);
  pause_timer_ = base::TimerId::none;
  if (!paused()) return;
  pause_timer_ = loop.start_timer(*config_.pause_until - now(), lifeline_.bind([this] {
    pause_timer_ = base::TimerId::none;
    stream_.advise_pause(*this);
    mark();
  }));
}

}  // namespace spanwire::jetstream
