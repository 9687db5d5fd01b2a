// What a consumer does before it delivers: finding its first message, and counting those that it
// has to deliver. Both look at the whole stream, so they go on for some turns, while it changes.
//
// The count goes from the end of the stream to next_. What is appended meanwhile lies behind what
// was counted, so on_new() adds it; what is erased is taken off if it was counted, and otherwise
// the count finds it gone. What is erased from the front, by age, lies before.
#include <algorithm>

#include "jetstream/consumer.h"
#include "jetstream/stream.h"

namespace spanwire::jetstream {

bool Consumer::prepare() {
  if (!place()) return false;
  if (when_counted_.empty()) return true;  // it is counted when a delivery has to say it
  if (!count_pending()) return false;
  tell_counted(true);
  return true;
}

bool Consumer::place() {
  if (!placing_) return true;
  store::Log& log = stream_.log();
  const Sequence behind = placing_->behind;
  switch (config_.deliver_policy) {
    case DeliverPolicy::all:
      next_ = log.totals().first;
      break;
    case DeliverPolicy::last:
      if (!place_at_last()) return false;
      break;
    case DeliverPolicy::only_new:
      next_ = behind;
      break;
    case DeliverPolicy::by_start_sequence:
      next_ = config_.opt_start_seq;
      break;
    case DeliverPolicy::by_start_time: {
      const store::Found found = log.first_since(*config_.opt_start_time);
      next_ = found.kind == store::Found::Kind::message ? found.sequence : behind;
      break;
    }
    case DeliverPolicy::last_per_subject:
      if (!place_at_last_per_subject()) return false;
      break;
  }
  placing_.reset();
  next_ = std::max(next_, log.totals().first);
  ack_floor_ = {.consumer = 0, .stream = next_ - 1, .last_active = std::nullopt};
  if (config_.replay_policy == ReplayPolicy::original) replay_until_ = log.totals().last;
  count_again();
  stream_.on_placed(*this);
  return true;
}

bool Consumer::place_at_last() {
  const store::Found found = stream_.log().last(*selection_, placing_->at);
  const Sequence first = stream_.log().totals().first;
  next_ = found.kind == store::Found::Kind::message ? found.sequence : first;
  placing_->at = found.sequence;
  return found.kind != store::Found::Kind::more;
}

// What comes later is delivered behind the list, and so is what takes the place of one of it.
bool Consumer::place_at_last_per_subject() {
  next_ = stream_.log().totals().first;
  if (stream_.config().max_msgs_per_subject == 1) return true;
  const store::Found found =
      stream_.log().each_last(*selection_, placing_->at, [this](Sequence sequence) {
        const bool stays = stream_.log().has_ahead(sequence);
        if (sequence < placing_->behind && stays) skip_list_.push_back(sequence);
      });
  resume_ = placing_->behind;
  placing_->at = found.sequence;
  if (found.kind == store::Found::Kind::more && found.sequence < placing_->behind) return false;
  next_ = skip_list_.empty() ? resume_ - 1 : skip_list_.front();
  return true;
}

void Consumer::count_again() {
  pending_ = 0;
  uncounted_to_ = stream_.log().totals().last;
}

bool Consumer::count_pending() {
  if (uncounted_to_ == 0) return true;
  const std::size_t skips = skip_list_.size() - next_skip_;
  const store::Found found =
      stream_.log().count(*selection_, skips != 0 ? resume_ : next_, uncounted_to_, pending_);
  uncounted_to_ = found.kind == store::Found::Kind::more ? found.sequence : 0;
  if (uncounted_to_ != 0) return false;
  pending_ += skips;
  return true;
}

void Consumer::when_counted(base::Done<bool> told) {
  if (place() && count_pending()) return told(true);
  when_counted_.push_back(std::move(told));
  mark();
}

void Consumer::tell_counted(bool there) {
  for (base::Done<bool>& told : std::exchange(when_counted_, {})) told(there);
}

void Consumer::drop_skips_below(Sequence first) {
  if (next_skip_ == skip_list_.size()) return;
  const auto begin = skip_list_.begin() + static_cast<std::ptrdiff_t>(next_skip_);
  const auto dropped =
      static_cast<std::size_t>(std::lower_bound(begin, skip_list_.end(), first) - begin);
  next_skip_ += dropped;
  if (uncounted_to_ == 0) pending_ -= std::min<std::uint64_t>(pending_, dropped);
  if (next_skip_ == skip_list_.size()) end_skips();
}

// One that is erased.
void Consumer::drop_skip(Sequence sequence) {
  const auto begin = skip_list_.begin() + static_cast<std::ptrdiff_t>(next_skip_);
  const auto found = std::lower_bound(begin, skip_list_.end(), sequence);
  if (found == skip_list_.end() || *found != sequence) return;
  skip_list_.erase(found);
  if (uncounted_to_ == 0 && pending_ != 0) --pending_;
  if (next_skip_ == skip_list_.size()) end_skips();
}

void Consumer::end_skips() {
  skip_list_.clear();
  next_skip_ = 0;
  next_ = resume_;
}

}  // namespace spanwire::jetstream
