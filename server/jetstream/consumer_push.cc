// What a push consumer owes to those who listen, and how consumers end that nobody uses.
#include <fmt/format.h>

#include <algorithm>

#include "jetstream/consumer.h"
#include "jetstream/stream.h"

namespace spanwire::jetstream {
namespace {

// How soon it looks for listeners again where it may not watch: there are a million of watches.
constexpr base::Duration unwatched_poll = std::chrono::seconds(1);
// How late it may be seen that the last listener has left, where nothing is delivered.
constexpr base::Duration longest_inactivity_poll = std::chrono::seconds(1);

constexpr std::string_view digits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

}  // namespace

// Whether somebody listens to the very subject, in the consumer's group if it has one: who watches
// what goes on by a wildcard takes no message away from whom it is for. Who comes when nobody does
// is told of (on_listener). That the last one has left is told to nobody: it is seen here, at a
// delivery, a heartbeat or a check of inactivity.
bool Consumer::check_interest() {
  if (watch_ != bus::WatchId::none) return false;
  active_ = stream_.branch().seat().listens(config_.deliver_subject, config_.deliver_group) ||
            await_listener();
  if (active_) {
    deserted_at_.reset();
  } else if (!deserted_at_) {
    deserted_at_ = now();
  }
  return active_;
}

// True: somebody has come meanwhile.
bool Consumer::await_listener() {
  const bus::Watched watched = stream_.branch().seat().watch(
      config_.deliver_subject, config_.deliver_group, lifeline_.bind([this] {
        watch_ = bus::WatchId::none;
        on_listener();
      }));
  watch_ = watched.id;
  if (watched.interested) return true;
  if (watch_ == bus::WatchId::none && unwatched_timer_ == base::TimerId::none) {
    unwatched_timer_ = stream_.branch().loop().start_timer(unwatched_poll, lifeline_.bind([this] {
      unwatched_timer_ = base::TimerId::none;
      on_listener();
    }));
  }
  return false;
}

// It may be one who gets nothing of what is delivered.
void Consumer::on_listener() {
  if (!check_interest()) return;
  arm_inactivity();
  mark();
}

void Consumer::forget_listeners() {
  stream_.branch().seat().unwatch(watch_);
  watch_ = bus::WatchId::none;
}

bool Consumer::push_bound() {
  return !config_.is_pull() && started_ &&
         stream_.branch().seat().listens(config_.deliver_subject, config_.deliver_group);
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
  base::Duration delay = std::clamp<base::Duration>(threshold / 4, std::chrono::milliseconds(10),
                                                    longest_inactivity_poll);
  if (deserted_at_) delay = std::max<base::Duration>(*deserted_at_ + threshold - now(), {});
  inactivity_timer_ = loop.start_timer(delay, lifeline_.bind([this] {
    inactivity_timer_ = base::TimerId::none;
    check_inactivity();
  }));
}

// Whoever says something about a delivery uses the consumer, as in nats-server.
void Consumer::note_use() {
  last_request_ = now();
  if (deserted_at_) deserted_at_ = now();
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
