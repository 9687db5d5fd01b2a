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
// What looking at the subject of a message and erasing one cost, of a search's budget.
constexpr std::size_t look_cost = 50;
constexpr std::size_t erase_cost = 200;

void spend(std::size_t& budget, std::size_t cost) {
  budget -= std::min(budget, cost);
}

constexpr base::WallTime never{};

bool is_marker(std::string_view headers) {
  return bus::find_header(headers, "Nats-Marker-Reason").has_value() ||
         bus::find_header(headers, "KV-Operation") == "PURGE";
}

}  // namespace

// The log shows it to readers until the erasure is committed; consumers count it out now.
bool Stream::erase_message(Sequence sequence, Leaving leaving) {
  if (!log_->has_ahead(sequence)) return false;
  const std::string_view subject = log_->subject_of(sequence);
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
// matches. What is more than a step goes behind the commit.
void Stream::erase_subject_below(std::string_view subject, Sequence sequence) {
  std::string kept(subject);
  for (std::size_t i = 0; i < slice && subject::is_literal(kept); ++i) {
    const Sequence first = log_->ahead_first_of(kept);
    if (first == 0 || first >= sequence || !erase_message(first, Leaving::purged)) return;
  }
  purge({.filter = std::move(kept), .up_to = sequence}, [](std::uint64_t) {});
}

void Stream::enforce_limits(std::string_view subject) {
  if (config_.max_msgs_per_subject > 0) {
    const auto limit = static_cast<std::uint64_t>(config_.max_msgs_per_subject);
    for (std::size_t i = 0; i < slice && log_->ahead_of(subject).messages > limit; ++i) {
      const Sequence first = log_->ahead_first_of(subject);
      if (first == 0 || !erase_message(first, Leaving::singly)) break;
      counts_.evicted.add();
    }
  }
  if (!evict()) {
    limiting_ = true;
    branch_.mark(*this);
  }
  if (config_.max_age > base::Duration::zero() && expiry_timer_ == base::TimerId::none) {
    arm_expiry();
  }
}

// A slice of what is too much for the whole stream; false: there is more. Where new messages are
// refused, none that is there gives way, to a lower limit either.
bool Stream::evict() {
  if (config_.discard == Discard::new_messages) return true;
  const store::Totals& ahead = log_->ahead();
  const auto over = [&] {
    const bool messages =
        config_.max_msgs > 0 && ahead.messages > static_cast<std::uint64_t>(config_.max_msgs);
    const bool bytes =
        config_.max_bytes > 0 && ahead.bytes > static_cast<std::uint64_t>(config_.max_bytes);
    return ahead.messages != 0 && (messages || bytes);
  };
  for (std::size_t i = 0; over(); ++i) {
    if (i == slice) return false;
    if (!erase_message(log_->ahead_first(), Leaving::singly)) return true;  // the log has failed
    counts_.evicted.add();
  }
  return true;
}

void Stream::enforce_all_limits() {
  const store::Totals& totals = log_->totals();
  const auto limit =
      static_cast<std::uint64_t>(std::max<std::int64_t>(config_.max_msgs_per_subject, 0));
  // If all subjects but one had a single message, that one would have so many.
  const std::uint64_t most = totals.messages - std::min(totals.messages, totals.subjects) + 1;
  limiting_ = true;
  trim_from_ = limit != 0 && most > limit ? totals.first : 0;
  branch_.mark(*this);
}

void Stream::after_limits(base::Task task) {
  if (!limiting_) return after_commit(std::move(task));
  limited_.push_back(std::move(task));
}

// A slice; true: there is more.
bool Stream::continue_limits() {
  if (!limiting_) return false;
  if (!trim_subjects() || !evict()) return true;
  limiting_ = false;
  for (base::Task& task : std::exchange(limited_, {})) after_commit(std::move(task));
  return false;
}

// Who comes by in the order of sequences, and has too many behind it, is its subject's first. What
// is not committed yet was told of the limit when it was appended.
bool Stream::trim_subjects() {
  const auto limit =
      static_cast<std::uint64_t>(std::max<std::int64_t>(config_.max_msgs_per_subject, 0));
  if (limit == 0) trim_from_ = 0;
  std::size_t budget = store::search_budget;
  while (trim_from_ != 0) {
    if (budget == 0) return false;
    const store::Found found = log_->next_within(*everything_, trim_from_, budget);
    trim_from_ = found.kind == store::Found::Kind::none ? 0 : found.sequence;
    if (found.kind != store::Found::Kind::message) continue;
    ++trim_from_;
    spend(budget, look_cost);
    const std::string subject(log_->subject_of(found.sequence));
    if (log_->ahead_of(subject).messages <= limit) continue;
    if (!erase_message(found.sequence, Leaving::singly)) continue;
    spend(budget, erase_cost);
    counts_.evicted.add();
  }
  return true;
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
  store::Message message;
  Sequence at = std::max(aged_below_, log_->totals().first);
  std::size_t budget = store::search_budget;
  while (budget != 0) {
    const store::Found found = log_->next_within(*everything_, at, budget);
    if (found.kind == store::Found::Kind::none || found.sequence >= end) {
      aged_below_ = end;
      return false;
    }
    at = found.sequence;
    if (found.kind == store::Found::Kind::more) break;
    ++at;
    spend(budget, erase_cost);
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
  if (request.keep != 0) purge->uncounted_to = totals.last;
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
  if (!count_for(purge)) return true;
  const bool done = purge.selection == nullptr ? purge_through(purge) : purge_selected(purge);
  const Sequence first = log_->ahead().first;
  for (auto& [name, consumer] : consumers_) {
    if (purge.selection == nullptr) {
      consumer->on_erased_below(first, Leaving::purged);
    } else if (done) {
      consumer->raise_to(first);
    }
  }
  if (!done) return true;
  after_commit([done = std::move(purge.done), purged = purge.purged]() mutable { done(purged); });
  purges_.pop_front();
  return !purges_.empty();
}

// How many are not to be kept. A slice; false: there is more.
bool Stream::count_for(Purge& purge) {
  if (purge.uncounted_to == 0) return true;
  const store::Found found = log_->count(*purge.selection, 1, purge.uncounted_to, purge.counted);
  purge.uncounted_to = found.kind == store::Found::Kind::more ? found.sequence : 0;
  purge.left = purge.counted - std::min(purge.counted, purge.request.keep);
  return purge.uncounted_to == 0;
}

bool Stream::purge_through(Purge& purge) {
  const std::uint64_t before = log_->ahead().messages;
  unsaid_ = true;
  const bool done = purge.up_to == 0 || log_->erase_through(purge.up_to);
  purge.purged += before - log_->ahead().messages;
  return done;
}

bool Stream::purge_selected(Purge& purge) {
  std::size_t budget = store::search_budget;
  while (budget != 0) {
    if (purge.purged >= purge.left) return true;
    const store::Found found = log_->next_within(*purge.selection, purge.from, budget);
    if (found.kind == store::Found::Kind::none || found.sequence > purge.up_to) return true;
    purge.from = found.sequence;
    if (found.kind == store::Found::Kind::more) return false;
    ++purge.from;
    spend(budget, erase_cost);
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
  std::size_t budget = store::search_budget;
  while (sweep_from_ != 0 && budget != 0) {
    const store::Found found = log_->next_within(*everything_, sweep_from_, budget);
    sweep_from_ = found.kind == store::Found::Kind::none ? 0 : found.sequence;
    if (found.kind != store::Found::Kind::message) continue;
    ++sweep_from_;
    spend(budget, erase_cost);
    if (!is_wanted(found.sequence)) erase_message(found.sequence, Leaving::purged);
  }
  return sweep_from_ != 0;
}

}  // namespace spanwire::jetstream
