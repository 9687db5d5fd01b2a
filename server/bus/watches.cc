#include "bus/watches.h"

#include <algorithm>
#include <utility>

#include "bus/interest.h"
#include "bus/port.h"

namespace spanwire::bus {
namespace {

void shorten_to_common(std::string& text, std::string_view other) {
  const auto [end, other_end] = std::mismatch(text.begin(), text.end(), other.begin(), other.end());
  text.erase(end, text.end());
}

void widen(std::optional<std::string>& beginning, std::string_view other) {
  if (beginning) {
    shorten_to_common(*beginning, other);
  } else {
    beginning = other;
  }
}

// What every subject that the filter matches begins with. Without the dot behind it: `a.#` of AMQP
// and MQTT matches `a` too.
std::string beginning_of(const subject::Filter& filter) {
  std::string text;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    if (filter[i].kind != subject::TokenKind::literal) break;
    if (i != 0) text += subject::separator;
    text += filter[i].text;
  }
  return text;
}

}  // namespace

void Arrivals::add(const subject::Filter& filter) {
  if (!filter.is_literal()) {
    widen(beginning_, beginning_of(filter));
  } else if (subjects_.size() < most_subjects) {
    subjects_.emplace_back(filter.literal_text());
  } else {
    widen(beginning_, filter.literal_text());
  }
}

Watches::Watches(Interest& interest, base::LoopId loop, base::Counter& count)
    : interest_(interest), loop_(loop), count_(count) {}

void Watches::add(WatchId id, Port& port, std::string_view subject, base::Task on_arrival) {
  if (by_id_.empty()) interest_.set_watched(loop_, true);
  const auto [watch, added] =
      by_subject_.try_emplace({std::string(subject), id}, Watch{&port, std::move(on_arrival)});
  by_id_.emplace(id, watch);
  last_ = id;
  ++port.watches_;
  count_.add();
}

bool Watches::remove(WatchId id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return false;
  take(found->second);
  return true;
}

void Watches::remove_all(const Port& port) {
  for (auto watch = by_subject_.begin(); port.watches_ != 0 && watch != by_subject_.end();) {
    const auto next = std::next(watch);
    if (watch->second.port == &port) take(watch);
    watch = next;
  }
}

base::Task Watches::take(BySubject::iterator watch) {
  base::Task on_arrival = std::move(watch->second.on_arrival);
  --watch->second.port->watches_;
  count_.subtract(1);
  by_id_.erase(watch->first.id);
  by_subject_.erase(watch);
  if (by_id_.empty()) interest_.set_watched(loop_, false);
  return on_arrival;
}

bool Watches::arrived(const Arrivals& arrivals) {
  const bool walked = walk_.has_value();
  for (const std::string& subject : arrivals.subjects()) {
    if (!gather(subject)) look_below(subject);
  }
  if (arrivals.beginning()) look_below(*arrivals.beginning());
  call_due();
  return !walked && walk_;
}

// False: there are too many for this step.
bool Watches::gather(std::string_view subject) {
  auto watch = by_subject_.lower_bound(Point{subject, WatchId::none});
  for (; watch != by_subject_.end() && watch->first.subject == subject; ++watch) {
    if (due_.size() == slice) return false;
    due_.push_back(watch->first.id);
  }
  return true;
}

// A walk is not sent back by what comes meanwhile, or its end might never be reached.
void Watches::look_below(std::string_view beginning) {
  if (walk_) {
    widen(next_walk_, beginning);
  } else {
    walk_ = walk_from_start(std::string(beginning));
  }
}

Watches::Walk Watches::walk_from_start(std::string beginning) const {
  return {beginning, {beginning, WatchId::none}, last_};
}

bool Watches::walk() {
  if (!walk_) return false;
  auto watch = by_subject_.lower_bound(walk_->next);
  std::string_view subject;  // the last one looked at
  bool listened = false;
  for (std::size_t i = 0; i < slice && watch != by_subject_.end(); ++i, ++watch) {
    const Place& place = watch->first;
    if (!place.subject.starts_with(walk_->beginning)) break;
    if (place.id > walk_->last) continue;  // it has looked itself
    if (i == 0 || place.subject != subject) {
      subject = place.subject;
      listened = has_subscription(subject);
    }
    if (listened) due_.push_back(place.id);
  }
  if (watch != by_subject_.end() && watch->first.subject.starts_with(walk_->beginning)) {
    walk_->next = watch->first;
  } else {
    walk_.reset();
    if (next_walk_) walk_ = walk_from_start(*std::exchange(next_walk_, std::nullopt));
  }
  call_due();
  return walk_.has_value();
}

// Without permissions and without the cache: a call too many does no harm.
bool Watches::has_subscription(std::string_view subject) const {
  bool found = false;
  interest_.match(loop_, subject, [&found](const FilterEntry&) { found = true; });
  return found;
}

// What is called may watch again, and take others back.
void Watches::call_due() {
  for (std::size_t i = 0; i < due_.size(); ++i) {
    const auto found = by_id_.find(due_[i]);
    if (found == by_id_.end()) continue;
    base::Task on_arrival = take(found->second);
    on_arrival();
  }
  due_.clear();
}

}  // namespace spanwire::bus
