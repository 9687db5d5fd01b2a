#include "bridges/kit/retained_replay.h"

#include <utility>

#include "base/assert.h"

namespace spanwire::kit {
namespace {

// Retained messages sent in one step of a loop.
constexpr std::size_t slice_messages = 256;
// How long a peer without room is left alone.
constexpr base::Duration room_check = std::chrono::milliseconds(5);

}  // namespace

void RetainedReplay::start(base::AccountId account, std::vector<subject::Filter> filters) {
  BASE_ASSERT(!busy_);
  busy_ = true;
  retained_.services().fence(
      lifeline_.bind([this, account, filters = std::move(filters)]() mutable {
        ask(account, std::move(filters));
      }));
}

void RetainedReplay::ask(base::AccountId account, std::vector<subject::Filter> filters) {
  retained_.get(account, std::move(filters),
                lifeline_.bind([this](RetainedAnswer answer) { take(std::move(answer)); }));
}

bool RetainedReplay::hold(const bus::MessageView& message, bool established) {
  if (!busy_) return false;
  const std::size_t size = message.route.size() + message.body_size();
  if (!passing_ &&
      (held_.size() >= limits_.held_messages || held_bytes_ + size > limits_.held_bytes)) {
    overflow();
  }
  if (passing_) {
    note_passed(message);
    return false;
  }
  held_bytes_ += size;
  held_.push_back({.message = {message.keep(), message.origin}, .established = established});
  return true;
}

void RetainedReplay::overflow() {
  retained_.note_overflow();
  passing_ = true;
  acknowledge();
  release();
}

void RetainedReplay::note_passed(const bus::MessageView& message) {
  if (!message.origin.retain) return;
  const auto found = passed_.find(std::string(message.route));
  const Seen seen{message.origin.port, message.origin.number};
  if (found != passed_.end()) {
    found->second = seen;
  } else if (passed_.size() < limits_.held_messages) {
    passed_.emplace(message.route, seen);
  } else {
    retained_.note_untracked();
  }
}

bool RetainedReplay::outdated(const RetainedMessage& message) const {
  if (passed_.empty()) return false;
  const auto found = passed_.find(std::string(message.view().route));
  return found != passed_.end() && found->second.port == message.origin.port &&
         found->second.number >= message.origin.number;
}

void RetainedReplay::take(RetainedAnswer answer) {
  answer_ = std::move(answer);
  acknowledge();
  if (!held_.empty()) merge();
  replay();
}

void RetainedReplay::acknowledge() {
  if (!std::exchange(acknowledged_, true)) sink_.on_subscribed();
}

// Settles which of the held messages the answer includes, and which of the answer's wait for one.
void RetainedReplay::merge() {
  constexpr std::size_t first = SIZE_MAX;
  struct Place {
    std::size_t answer;
    std::size_t behind = first;
  };
  absl::flat_hash_map<std::string_view, Place> places;
  for (std::size_t i = 0; i < answer_.size(); ++i)
    places.emplace(answer_[i].view().route, Place{i});
  for (std::size_t i = 0; i < held_.size(); ++i) {
    Held& held = held_[i];
    const auto found = places.find(held.message.view().route);
    if (found == places.end()) continue;
    const bus::Origin& answered = answer_[found->second.answer].origin;
    const bus::Origin& origin = held.message.origin;
    if (origin.port != answered.port || origin.number > answered.number) continue;
    if (held.established) found->second.behind = i;
    if (!held.established || origin.number == answered.number) held.message.message = nullptr;
  }
  for (const auto& [subject, place] : places) {
    if (place.behind != first) held_[place.behind].answer = std::move(answer_[place.answer]);
  }
}

void RetainedReplay::replay() {
  for (std::size_t sent = 0; next_ < answer_.size(); ++next_) {
    RetainedMessage& message = answer_[next_];
    if (!message.message || outdated(message)) continue;
    if (!sink_.has_room()) return replay_later(room_check);
    if (++sent > slice_messages) return replay_later({});
    sink_.on_retained(message.view());
    message.message = nullptr;
  }
  finish();
}

void RetainedReplay::replay_later(base::Duration after) {
  wire::Services& services = retained_.services();
  auto task = lifeline_.bind([this] { replay(); });
  if (after == base::Duration::zero()) {
    services.post(services.loop().id(), std::move(task));
  } else {
    services.loop().start_timer(after, std::move(task));
  }
}

void RetainedReplay::release() {
  const std::vector<Held> held = std::exchange(held_, {});
  held_bytes_ = 0;
  for (const Held& one : held) {
    if (one.message.message) {
      const bus::MessageView message = one.message.view();
      if (passing_) note_passed(message);
      sink_.on_held(message);
    }
    if (one.answer.message) sink_.on_retained(one.answer.view());
  }
}

void RetainedReplay::finish() {
  release();
  answer_ = {};
  next_ = 0;
  passed_ = {};
  busy_ = acknowledged_ = passing_ = false;
  sink_.on_replayed();
}

}  // namespace spanwire::kit
