// What leaves a stream, and why: limits, age, rollups, purges, and that nobody wants it.
#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "bus/headers.h"
#include "jetstream/consumer.h"
#include "jetstream/go_time.h"
#include "jetstream/stream.h"

namespace spanwire::jetstream {
namespace {

// Messages that one step erases or looks at one by one.
constexpr std::size_t slice = 1000;

constexpr base::WallTime never{};

bool is_marker(std::string_view headers) {
  return bus::find_header(headers, "Nats-Marker-Reason").has_value() ||
         bus::find_header(headers, "KV-Operation") == "PURGE";
}

}  // namespace

// The log shows it to readers until the erasure is committed; consumers count it out now.
bool Stream::erase_message(Sequence sequence, Leaving leaving) {
  const std::string_view subject = log_->subject_of(sequence);
  if (subject.empty()) return false;
  if (sequence <= visible_) {
    for (Consumer* consumer : unfiltered_) consumer->on_erased(sequence, leaving);
    filters_.match(subject, [sequence, leaving](const std::vector<Consumer*>& consumers) {
      for (Consumer* consumer : consumers) consumer->on_erased(sequence, leaving);
    });
  }
  unsaid_ = true;
  return log_->erase(sequence);
}

void Stream::erase_below(Sequence sequence) {
  unsaid_ = true;
  if (!log_->erase_through(sequence - 1)) erasing_through_ = sequence - 1;
  for (auto& [name, consumer] : consumers_) consumer->on_erased_below(sequence, Leaving::purged);
}

// A subject with wildcards, which may be published as any other text, stands for all that it
// matches.
void Stream::erase_subject_below(std::string_view subject, Sequence sequence) {
  const std::string kept(subject);
  if (!subject::is_literal(kept)) {
    if (const auto filter = subject::parse_nats_filter(kept))
      erase_matching_below(*filter, sequence);
    return;
  }
  while (true) {
    const Sequence first = log_->ahead_first_of(kept);
    if (first == 0 || first >= sequence || !erase_message(first, Leaving::purged)) return;
  }
}

void Stream::erase_matching_below(const subject::Filter& filter, Sequence sequence) {
  const auto selection = log_->select({filter});
  store::Found found{.kind = store::Found::Kind::more, .sequence = 1};
  while (found.kind != store::Found::Kind::none) {
    found = log_->next(*selection, found.sequence);
    if (found.kind != store::Found::Kind::message) continue;
    if (found.sequence >= sequence) break;
    erase_message(found.sequence++, Leaving::purged);
  }
  for (Sequence at = visible_ + 1; at < sequence; ++at) {  // what is not committed yet
    const std::string_view there = log_->subject_of(at);
    if (!there.empty() && subject::matches(filter, there)) {
      erase_message(at, Leaving::purged);
    }
  }
}

void Stream::enforce_limits(std::string_view subject) {
  const store::Totals& ahead = log_->ahead();
  if (config_.max_msgs_per_subject > 0) {
    const auto limit = static_cast<std::uint64_t>(config_.max_msgs_per_subject);
    while (log_->ahead_of(subject).messages > limit) {
      const Sequence first = log_->ahead_first_of(subject);
      if (first == 0 || !erase_message(first, Leaving::singly)) break;
      counts_.evicted.add();
    }
  }
  const auto over = [&] {
    const bool messages =
        config_.max_msgs > 0 && ahead.messages > static_cast<std::uint64_t>(config_.max_msgs);
    const bool bytes =
        config_.max_bytes > 0 && ahead.bytes > static_cast<std::uint64_t>(config_.max_bytes);
    return messages || bytes;
  };
  while (over() && ahead.messages != 0 && erase_message(log_->ahead_first(), Leaving::singly)) {
    counts_.evicted.add();
  }
  if (config_.max_age > base::Duration::zero() && expiry_timer_ == base::TimerId::none) {
    arm_expiry();
  }
}

// After an update, whose limits may be lower.
void Stream::enforce_all_limits() {
  if (config_.max_msgs_per_subject > 0) {
    const auto selection = log_->select({});
    std::vector<std::string> over;
    const auto limit = static_cast<std::uint64_t>(config_.max_msgs_per_subject);
    store::Walked walked{.all = false, .after = {}};
    while (!walked.all) {
      walked =
          log_->each_subject(*selection, walked.after,
                             [&](std::string_view subject, const store::SubjectTotals& totals) {
                               if (totals.messages > limit) over.emplace_back(subject);
                               return true;
                             });
    }
    for (const std::string& subject : over) enforce_limits(subject);
  }
  enforce_limits({});
}

// Age and times to live.

void Stream::add_deadline(Sequence sequence, base::WallTime at) {
  const bool sooner = deadlines_.empty() || at < deadlines_.next().at;
  deadlines_.add(sequence, at);
  if (sooner) arm_expiry();
}

void Stream::arm_expiry() {
  base::WallTime next = base::WallTime::max();
  if (config_.max_age > base::Duration::zero() && log_->ahead().messages != 0) {
    const base::WallTime first = log_->totals().first_time;
    next = (first == never ? branch_.now() : first) + config_.max_age;
  }
  if (!deadlines_.empty()) next = std::min(next, deadlines_.next().at);
  branch_.loop().cancel_timer(expiry_timer_);
  expiry_timer_ = base::TimerId::none;
  if (next == base::WallTime::max()) return;
  const base::Duration delay = std::max<base::Duration>(next - branch_.now(), {});
  expiry_timer_ = branch_.loop().start_timer(delay, lifeline_.bind([this] {
    expiry_timer_ = base::TimerId::none;
    expiring_ = true;
    branch_.mark(*this);
  }));
}

// A slice of it; true: more is due.
bool Stream::expire() {
  if (!expiring_) return false;
  expiring_ = false;
  const bool older = expire_old();
  const bool more = expire_due() || older;
  expiring_ = more;
  // What was erased counts as the first message until that is committed.
  if (!more) after_commit(lifeline_.bind([this] { arm_expiry(); }));
  return more;
}

bool Stream::expire_old() {
  if (config_.max_age <= base::Duration::zero() || log_->totals().messages == 0) return false;
  const base::WallTime cutoff = branch_.now() - config_.max_age + base::Duration(1);
  const store::Found young = log_->first_since(cutoff);
  const Sequence end =
      young.kind == store::Found::Kind::none ? log_->totals().last + 1 : young.sequence;
  if (end <= log_->ahead_first()) return false;
  const bool singly = config_.allow_msg_ttl || config_.subject_delete_marker_ttl > base::Duration{};
  if (singly) return expire_singly(end);
  counts_.expired.add(end - log_->ahead_first());
  unsaid_ = true;
  const bool done = log_->erase_through(end - 1);
  for (auto& [name, consumer] : consumers_) consumer->on_erased_below(end, Leaving::singly);
  return !done;
}

// Messages may have the right to stay, or leave a marker behind.
bool Stream::expire_singly(Sequence end) {
  const auto everything = log_->select({});
  store::Message message;
  Sequence at = std::max(aged_below_, log_->totals().first);
  for (std::size_t i = 0; i < slice; ++i) {
    const store::Found found = log_->next(*everything, at);
    if (found.kind != store::Found::Kind::message || found.sequence >= end) {
      aged_below_ = end;
      return false;
    }
    at = found.sequence + 1;
    if (log_->read(found.sequence, message) != store::Read::found) continue;
    const auto ttl = bus::find_header(message.headers, "Nats-TTL").value_or("");
    if (parse_message_ttl(ttl).kind != MessageTtl::Kind::never) expire_one(message);
  }
  aged_below_ = at;
  return true;
}

bool Stream::expire_due() {
  store::Message message;
  for (std::size_t i = 0; i < slice; ++i) {
    if (deadlines_.empty() || deadlines_.next().at > branch_.now()) return false;
    const Sequence sequence = deadlines_.next().sequence;
    const store::Read read = log_->read(sequence, message);
    if (read == store::Read::later) {
      log_->fetch(sequence, lifeline_.bind([this] { branch_.mark(*this); }));
      return false;
    }
    deadlines_.drop_next();
    if (read == store::Read::found) expire_one(message);
  }
  return true;
}

void Stream::expire_one(const store::Message& message) {
  const std::string subject(message.subject);
  const store::SubjectTotals ahead = log_->ahead_of(subject);
  const bool leaves_marker = config_.subject_delete_marker_ttl > base::Duration{} &&
                             ahead.last == message.sequence && !is_marker(message.headers);
  const Sequence sequence = message.sequence;
  if (!erase_message(sequence, Leaving::singly)) return;
  counts_.expired.add();
  if (leaves_marker) place_marker(subject, sequence);
}

// The last message of its subject has expired: readers of the subject learn it from this one.
void Stream::place_marker(std::string_view subject, Sequence expired) {
  const base::Duration ttl = config_.subject_delete_marker_ttl;
  const std::string headers = fmt::format(
      "NATS/1.0\r\nNats-Marker-Reason: MaxAge\r\nNats-TTL: {}\r\nNats-Rollup: sub\r\n\r\n",
      go_duration_text(ttl));
  const store::Appending marker{
      .subject = subject, .headers = headers, .payload = {}, .time = branch_.now()};
  const Sequence sequence = log_->append(marker);
  republish_later(sequence, marker, expired);
  unsaid_ = true;
  erase_subject_below(subject, sequence);
  deadlines_.add(sequence, branch_.now() + ttl);
}

// Administration.

std::optional<ApiError> Stream::delete_message(Sequence sequence) {
  if (log_->subject_of(sequence).empty()) {
    return api_error(Err::sequence_not_found, sequence);
  }
  erase_message(sequence, Leaving::singly);
  branch_.mark(*this);
  return std::nullopt;
}

void Stream::purge(PurgeRequest request, base::Done<std::uint64_t> done) {
  after_commit(
      lifeline_.bind([this, request = std::move(request), done = std::move(done)]() mutable {
        begin_purge(std::move(request), std::move(done));
      }));
}

void Stream::begin_purge(PurgeRequest request, base::Done<std::uint64_t> done) {
  const bool all = request.filter.empty() || request.filter == ">";
  auto filter = subject::parse_nats_filter(all ? ">" : request.filter);
  if (!filter) return done(0);  // no subject matches it
  auto purge = std::make_unique<Purge>();
  const store::Totals& totals = log_->totals();
  purge->from = totals.first;
  purge->up_to = request.up_to == 0 ? totals.last : request.up_to - 1;
  purge->left = totals.messages;
  if (!all || request.keep != 0) {
    std::vector<subject::Filter> filters;
    if (!all) filters.push_back(*std::move(filter));
    purge->selection = log_->select(std::move(filters));
  }
  if (request.keep != 0) {
    std::uint64_t selected = 0;
    store::Found at{store::Found::Kind::more, 1};
    while (at.kind == store::Found::Kind::more) {
      at = log_->count(*purge->selection, at.sequence, selected);
    }
    purge->left = selected > request.keep ? selected - request.keep : 0;
  }
  purge->request = std::move(request);
  purge->done = std::move(done);
  purges_.push_back(std::move(purge));
  branch_.mark(*this);
}

// A slice of the first purge; true: there is more to do.
bool Stream::continue_purge() {
  if (erasing_through_ != 0) {
    unsaid_ = true;
    if (!log_->erase_through(erasing_through_)) return true;
    erasing_through_ = 0;
  }
  if (purges_.empty()) return false;
  Purge& purge = *purges_.front();
  const bool done = purge.selection == nullptr ? purge_through(purge) : purge_selected(purge);
  if (!done) return true;
  after_commit([done = std::move(purge.done), purged = purge.purged]() mutable { done(purged); });
  const bool singly = purge.selection != nullptr;
  purges_.pop_front();
  const Sequence first = log_->ahead().first;
  for (auto& [name, consumer] : consumers_) {
    if (singly) {
      consumer->raise_to(first);
    } else {
      consumer->on_erased_below(first, Leaving::purged);
    }
  }
  return !purges_.empty();
}

bool Stream::purge_through(Purge& purge) {
  const std::uint64_t before = log_->ahead().messages;
  unsaid_ = true;
  const bool done = purge.up_to == 0 || log_->erase_through(purge.up_to);
  purge.purged += before - log_->ahead().messages;
  return done;
}

bool Stream::purge_selected(Purge& purge) {
  for (std::size_t i = 0; i < slice; ++i) {
    if (purge.purged >= purge.left) return true;
    const store::Found found = log_->next(*purge.selection, purge.from);
    if (found.kind == store::Found::Kind::none) return true;
    purge.from = found.sequence;
    if (found.kind == store::Found::Kind::more) return false;
    if (found.sequence > purge.up_to) return true;
    ++purge.from;
    if (erase_message(found.sequence, Leaving::purged)) ++purge.purged;
  }
  return false;
}

// Interest and work queues.

bool Stream::is_wanted(Sequence sequence) const {
  const std::string_view subject = log_->subject_of(sequence);
  bool wanted = std::any_of(unfiltered_.begin(), unfiltered_.end(),
                            [&](const Consumer* consumer) { return consumer->needs(sequence); });
  filters_.match(subject, [&](const std::vector<Consumer*>& consumers) {
    for (const Consumer* consumer : consumers) wanted = wanted || consumer->needs(sequence);
  });
  return wanted;
}

void Stream::on_settled(Sequence sequence) {
  if (config_.retention == Retention::limits) return;
  if (log_->subject_of(sequence).empty() || is_wanted(sequence)) return;
  unsaid_ = true;
  log_->erase(sequence);
  branch_.mark(*this);
}

// A consumer of an interest stream is gone or wants less: what nobody wants now goes.
void Stream::drop_unwanted() {
  sweep_from_ = log_->totals().first;
  branch_.mark(*this);
}

bool Stream::continue_sweep() {
  if (sweep_from_ == 0) return false;
  const auto everything = log_->select({});
  for (std::size_t i = 0; i < slice; ++i) {
    const store::Found found = log_->next(*everything, sweep_from_);
    if (found.kind != store::Found::Kind::message) {
      sweep_from_ = 0;
      return false;
    }
    sweep_from_ = found.sequence + 1;
    if (!is_wanted(found.sequence)) erase_message(found.sequence, Leaving::purged);
  }
  return true;
}

}  // namespace spanwire::jetstream
