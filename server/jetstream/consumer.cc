#include "jetstream/consumer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "jetstream/consumer_notes.h"
#include "jetstream/stream.h"

namespace spanwire::jetstream {
namespace {

std::vector<subject::Filter> parsed(const std::vector<std::string>& texts) {
  std::vector<subject::Filter> filters;
  for (const std::string& text : texts) {
    auto filter = subject::parse_nats_filter(text);
    BASE_ASSERT(filter);  // checked with the configuration
    filters.push_back(*std::move(filter));
  }
  return filters;
}

auto writer_to(store::Log& log) {
  return [&log](std::uint32_t kind, std::string_view note) { log.note(kind, note); };
}

}  // namespace

Consumer::Consumer(Stream& stream, std::uint32_t id, std::string name, ConsumerConfig config,
                   base::WallTime created)
    : stream_(stream),
      id_(id),
      config_(std::move(config)),
      name_(std::move(name)),
      created_(created),
      ack_subject_(stream.name(), name_),
      notes_(id) {}

Consumer::~Consumer() {
  BASE_ASSERT(!started_);
}

base::WallTime Consumer::now() const {
  return stream_.branch().now();
}

void Consumer::configure() {
  selection_ = stream_.log().select(parsed(config_.filters()));
  requests_.set_limit(static_cast<std::size_t>(std::max<std::int64_t>(config_.max_waiting, 0)));
  flow_.enable(config_.flow_control);
  rate_.set(config_.rate_limit_bps);
}

void Consumer::begin() {
  configure();
  const store::Totals& totals = stream_.log().totals();
  placing_ = {.at = config_.deliver_policy == DeliverPolicy::last ? totals.last : totals.first,
              .behind = totals.last + 1};
  place();
}

void Consumer::start() {
  if (selection_ == nullptr) {
    configure();
    count_again();
  }
  started_ = true;
  last_request_ = now();
  active_ = !config_.is_pull() && check_interest();
  arm_heartbeat();
  arm_inactivity();
  arm_pause();
  arm_due();
  mark();
}

void Consumer::stop(bool deleted) {
  started_ = false;
  forget_listeners();
  base::Loop& loop = stream_.branch().loop();
  for (base::TimerId* timer : {&wake_timer_, &due_timer_, &request_timer_, &heartbeat_timer_,
                               &unwatched_timer_, &inactivity_timer_, &pause_timer_}) {
    loop.cancel_timer(*timer);
    *timer = base::TimerId::none;
  }
  const std::string_view why = deleted ? "409 Consumer Deleted" : "409 Server Shutdown";
  for (Taker* taker : std::exchange(takers_, {})) taker->on_gone(deleted);
  requests_.filter([&](PullWaiting& request) {
    if (request.taker != nullptr) return false;
    said_.push_back({request.reply, fmt::format("NATS/1.0 {}\r\n\r\n", why), {}});
    return false;
  });
  speak();
  tell_counted(false);
}

void Consumer::update(ConsumerConfig config) {
  const bool other_filters = config.filters() != config_.filters();
  // The countdown begins again with what it is now.
  if (config.inactive_threshold != config_.inactive_threshold) deserted_at_.reset();
  forget_listeners();  // they may be others'
  config_ = std::move(config);
  config_json_.clear();
  if (other_filters) {
    configure();
    count_again();
  } else {
    requests_.set_limit(static_cast<std::size_t>(std::max<std::int64_t>(config_.max_waiting, 0)));
    rate_.set(config_.rate_limit_bps);
  }
  if (!config_.is_pull() && started_) check_interest();
  arm_heartbeat();
  arm_inactivity();
  arm_pause();
  mark();
}

std::optional<Sequence> Consumer::reset(Sequence from, std::string_view& error) {
  if (from == 0) {
    from = ack_floor_.stream + 1;
  } else if (config_.deliver_policy == DeliverPolicy::by_start_sequence) {
    if (from < config_.opt_start_seq) {
      error = "below start seq";
      return std::nullopt;
    }
  } else if (config_.deliver_policy == DeliverPolicy::by_start_time) {
    const store::Found first = stream_.log().first_since(*config_.opt_start_time);
    if (first.kind == store::Found::Kind::message && from < first.sequence) {
      error = "below start time";
      return std::nullopt;
    }
  } else if (config_.deliver_policy != DeliverPolicy::all) {
    error = "not allowed";
    return std::nullopt;
  }
  placing_.reset();
  unacknowledged_.clear();
  skip_list_.clear();
  next_skip_ = 0;
  next_ = from;
  next_delivery_ = 1;
  ack_floor_ = {.consumer = 0, .stream = from - 1, .last_active = std::nullopt};
  last_delivery_.reset();
  count_again();
  mark();
  return from;
}

SequencePair Consumer::delivered() const {
  return {.consumer = next_delivery_ - 1, .stream = next_ - 1, .last_active = last_delivery_};
}

std::size_t Consumer::redelivered() const {
  return config_.max_deliver == 1 ? 0 : unacknowledged_.redelivered();
}

std::size_t Consumer::waiting() {
  settle_requests(false);
  return requests_.size();
}

bool Consumer::paused() const {
  return config_.pause_until && *config_.pause_until > now();
}

void Consumer::mark() {
  if (started_) stream_.serve_later(*this);
}

// Publishes what was said meanwhile.
void Consumer::speak() {
  Seat& seat = stream_.branch().seat();
  events_ = 0;
  for (const Said& said : std::exchange(said_, {})) {
    seat.publish({.route = said.to, .headers = said.headers, .payload = said.payload});
  }
}

// What happens in the stream.

void Consumer::on_new(Sequence first, Sequence last, std::uint64_t messages) {
  if (last < next_) return;  // it begins at a sequence still to come
  pending_ += std::min<std::uint64_t>(messages, last - std::max(first, next_) + 1);
  const bool unwanted = config_.is_pull() ? requests_.empty() : watch_ != bus::WatchId::none;
  if (!unwanted) mark();
}

void Consumer::on_erased(Sequence sequence, Leaving leaving) {
  if (sequence >= next_) {
    if (next_skip_ < skip_list_.size() && sequence < resume_) return drop_skip(sequence);
    if (pending_ != 0 && sequence > uncounted_to_) --pending_;
    if (!takers_.empty()) mark();
    return;
  }
  if (const Unacknowledged* entry = unacknowledged_.find(sequence)) {
    const std::uint64_t delivery = entry->delivery;
    if (leaving == Leaving::singly) say_gone(sequence, delivery);
    unacknowledged_.remove(sequence);
    unacknowledged_.forget_count(sequence);
    move_floor(delivery, sequence);
    note_settled(sequence, delivery);
    mark();
    return;
  }
  unacknowledged_.forget_count(sequence);
}

void Consumer::on_erased_below(Sequence first, Leaving leaving) {
  if (leaving == Leaving::singly && unacknowledged_.lowest() < first) {
    unacknowledged_.for_each([&](Sequence sequence, const Unacknowledged& entry) {
      if (sequence < first) say_gone(sequence, entry.delivery);
    });
  }
  drop_skips_below(first);
  const bool lost = next_ < first;
  raise_to(first);
  // Some of those that were counted are gone.
  if (lost && pending() != 0 && first > uncounted_to_) count_again();
}

void Consumer::raise_to(Sequence first) {
  unacknowledged_.remove_below(first);
  drop_skips_below(first);
  if (next_ < first) next_ = first;
  if (unacknowledged_.empty()) {
    ack_floor_.consumer = next_delivery_ - 1;
    ack_floor_.stream = next_ - 1;
  } else if (ack_floor_.stream + 1 < first) {
    ack_floor_.stream = first - 1;
    ack_floor_.consumer = unacknowledged_.find(unacknowledged_.lowest())->delivery - 1;
  }
  mark();
}

bool Consumer::needs(Sequence sequence) const {
  if (unacknowledged_.redeliveries(sequence) != 0) return true;  // given up ones too
  if (sequence <= ack_floor_.stream) return false;
  if (config_.ack_policy != AckPolicy::each || sequence >= next_) return true;
  return unacknowledged_.contains(sequence);
}

// Notes.

bool Consumer::keeps_notes() const {
  return stream_.keeps_notes() && !config_.mem_storage && config_.ack_policy != AckPolicy::none;
}

std::string Consumer::full_note() const {
  if (config_json_.empty()) {
    json::Writer writer(config_json_);
    write_consumer_config(writer, config_);
  }
  NoteWriter note;
  note.number(id_).text(name_).time(created_).text(config_json_);
  note.number(next_).number(next_delivery_);
  note.number(ack_floor_.consumer).number(ack_floor_.stream);
  note.number(unacknowledged_.size());
  unacknowledged_.for_each([&note](Sequence sequence, const Unacknowledged& entry) {
    note.number(sequence).number(entry.delivery).time(entry.delivered_at);
  });
  note.number(unacknowledged_.redelivered());
  unacknowledged_.for_each_redelivered(
      [&note](Sequence sequence, std::uint64_t count) { note.number(sequence).number(count); });
  note.number(skip_list_.size() - next_skip_).number(resume_);
  for (std::size_t i = next_skip_; i < skip_list_.size(); ++i) note.number(skip_list_[i]);
  return note.take();
}

bool Consumer::restore(NoteReader& note) {
  next_ = std::max<Sequence>(note.number(), 1);
  next_delivery_ = std::max<std::uint64_t>(note.number(), 1);
  ack_floor_.consumer = note.number();
  ack_floor_.stream = note.number();
  for (std::uint64_t left = note.number(); left != 0 && note.ok(); --left) {
    const Sequence sequence = note.number();
    const std::uint64_t delivery = note.number();
    unacknowledged_.delivered(sequence, delivery, note.time(), due_of(sequence));
  }
  for (std::uint64_t left = note.number(); left != 0 && note.ok(); --left) {
    const Sequence sequence = note.number();
    unacknowledged_.set_redeliveries(sequence, note.number());
  }
  std::uint64_t skips = note.number();
  resume_ = note.number();
  for (; skips != 0 && note.ok(); --skips) skip_list_.push_back(note.number());
  return note.ok();
}

bool Consumer::fits(Sequence last) const {
  bool fits = ack_floor_.stream < next_ && resume_ <= last + 1 &&
              ack_floor_.consumer < next_delivery_ &&
              std::is_sorted(skip_list_.begin(), skip_list_.end()) &&
              (skip_list_.empty() || (skip_list_.front() >= next_ && skip_list_.back() <= last));
  unacknowledged_.for_each([&](Sequence sequence, const Unacknowledged& entry) {
    fits = fits && sequence > 0 && sequence < next_ && entry.delivery < next_delivery_;
  });
  return fits;
}

void Consumer::replay(const Delivered& it) {
  if (it.sequence >= next_) next_ = it.sequence + 1;
  if (it.delivery >= next_delivery_) next_delivery_ = it.delivery + 1;
  while (next_skip_ < skip_list_.size() && skip_list_[next_skip_] <= it.sequence) ++next_skip_;
  if (it.deliveries > 1) unacknowledged_.set_redeliveries(it.sequence, it.deliveries - 1);
  last_delivery_ = it.at;
  unacknowledged_.delivered(it.sequence, it.delivery, it.at, due_of(it.sequence));
}

void Consumer::replay(const Settled& it) {
  if (config_.ack_policy == AckPolicy::all) {
    settle_through(it.sequence, it.delivery);
  } else {
    settle(it.sequence, it.delivery);
  }
}

void Consumer::note_delivered(Sequence sequence, std::uint64_t delivery, std::uint64_t deliveries) {
  if (!keeps_notes()) return;
  if (notes_.empty()) stream_.gathers(*this);
  notes_.add(Delivered{sequence, delivery, deliveries, now()}, writer_to(stream_.log()));
  stream_.note_written(false);
}

void Consumer::note_settled(Sequence sequence, std::uint64_t delivery) {
  if (!keeps_notes() || !started_) return;
  if (notes_.empty()) stream_.gathers(*this);
  notes_.add(Settled{sequence, delivery}, writer_to(stream_.log()));
  stream_.note_written(false);
}

void Consumer::write_notes() {
  notes_.flush(writer_to(stream_.log()));
}

}  // namespace spanwire::jetstream
