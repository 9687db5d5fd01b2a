#include "jetstream/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "bus/headers.h"
#include "jetstream/advisory.h"
#include "jetstream/consumer.h"
#include "jetstream/consumer_notes.h"
#include "jetstream/intake.h"
#include "jetstream/subjects.h"
#include "subject/subject.h"

namespace spanwire::jetstream {
namespace {

// A plain acknowledgement is on disk this soon; a crash before that delivers again.
constexpr base::Duration note_delay = std::chrono::milliseconds(50);
// How long consumers are served in one step; the one that is being served ends its slice.
constexpr base::Duration slice_time = std::chrono::milliseconds(1);
// Of a consumer that no commit has yet.
constexpr store::Ticket never_committed = std::numeric_limits<store::Ticket>::max();

subject::Filter filter_of(std::string_view text) {
  auto filter = subject::parse_nats_filter(text);
  BASE_ASSERT(filter);  // it was checked with the configuration
  return *std::move(filter);
}

std::string json_text(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

}  // namespace

Stream::Stream(Branch& branch, StreamConfig config, base::WallTime created)
    : branch_(branch), config_(std::move(config)), created_(created) {
  configure();
}

Stream::~Stream() {
  BASE_ASSERT(subs_.empty());
}

void Stream::configure() {
  ack_prefix_ = "{\"stream\":" + json_text(config_.name);
  if (const std::string& domain = branch_.settings().domain; !domain.empty()) {
    ack_prefix_ += ",\"domain\":" + json_text(domain);
  }
  ack_prefix_ += ",\"seq\":";
  duplicates_.set_window(config_.duplicate_window);
  transform_.reset();
  republish_.reset();
  if (config_.subject_transform) {
    const SubjectTransformConfig& wanted = *config_.subject_transform;
    const std::string_view source = wanted.source.empty() ? ">" : std::string_view(wanted.source);
    if (auto made = subject::Transform::parse(source, wanted.destination)) transform_ = *made;
  }
  if (config_.republish) {
    const RepublishConfig& wanted = *config_.republish;
    const std::string_view source = wanted.source.empty() ? ">" : std::string_view(wanted.source);
    if (auto made = subject::Transform::parse(source, wanted.destination)) republish_ = *made;
  }
}

void Stream::start(std::unique_ptr<store::Log> log) {
  log_ = std::move(log);
  everything_ = log_->select({});
  if (config_.first_seq > 1 && log_->ahead().last == 0) {
    const bool all = log_->erase_through(config_.first_seq - 1);
    BASE_ASSERT(all);  // there is nothing to erase
    commit_all();
  }
  open();
}

void Stream::open() {
  opened_ = true;
  visible_ = log_->totals().last;
  report_usage();
  branch_.usage().consumers.fetch_add(consumers_.size(), std::memory_order_relaxed);
  listen();
  listen_for_consumers();
  for (auto& [name, consumer] : consumers_) consumer->start();
  enforce_all_limits();  // they may be lower than those under which the messages came
  arm_expiry();
}

void Stream::listen() {
  for (const std::string& subject : config_.subjects) {
    subs_.push_back(branch_.seat().capture(filter_of(subject), *this));
  }
}

void Stream::end_listening() {
  for (const base::SubId sub : subs_) branch_.seat().end(sub);
  subs_.clear();
}

// What is said to a consumer that is not there must be nobody's (503) or nothing, so the requests
// of all consumers come here, and the answer is given by hand.
void Stream::listen_for_consumers() {
  Seat& seat = branch_.seat();
  const auto listen = [&](const std::string& pattern, Listener& listener) {
    const std::string text = fmt::format(fmt::runtime(pattern), name());
    consumer_subs_.push_back(seat.listen(filter_of(text), listener));
  };
  listen("$JS.ACK.{}.>", acknowledgements_);
  listen("$JS.ACK.*.*.{}.>", acknowledgements_);
  listen("$JS.API.CONSUMER.MSG.NEXT.{}.*", requests_);
  if (const std::string& domain = branch_.settings().domain; !domain.empty()) {
    listen("$JS." + domain + ".API.CONSUMER.MSG.NEXT.{}.*", requests_);
  }
  listen("$JS.FC.{}.>", flow_replies_);
}

bool Stream::captures(std::string_view subject) const {
  return subject::is_literal(subject) &&
         std::any_of(config_.subjects.begin(), config_.subjects.end(),
                     [&](const std::string& its) { return subjects_collide(its, subject); });
}

void Stream::Acknowledgements::on_heard(const bus::MessageView& message) {
  const auto parsed = parse_ack_subject(message.subject);
  if (!parsed || parsed->stream != stream.name()) return;
  Consumer* consumer = stream.find_consumer(parsed->consumer);
  if (consumer != nullptr && consumer->config().ack_policy != AckPolicy::none) {
    consumer->acknowledge(parsed->delivery, message.reply, message.payload);
  } else if (!message.reply.empty()) {
    stream.branch_.say_nobody(message.reply, message.subject);
  }
}

void Stream::Requests::on_heard(const bus::MessageView& message) {
  const std::string_view name = message.subject.substr(message.subject.rfind('.') + 1);
  if (Consumer* consumer = stream.find_consumer(name)) {
    consumer->pull(message.reply, message.payload);
  } else if (!message.reply.empty()) {
    stream.branch_.say_nobody(message.reply, message.subject);
  }
}

void Stream::FlowReplies::on_heard(const bus::MessageView& message) {
  subject::Tokens tokens(message.subject);
  std::string_view name;
  for (int i = 0; i < 4; ++i) {
    if (!tokens.next(name)) return;
  }
  if (Consumer* consumer = stream.find_consumer(name)) consumer->on_flow_reply(message.subject);
}

void Stream::stop(bool deleted) {
  const bool served = !consumer_subs_.empty();  // not one that was being filled
  end_listening();
  for (const base::SubId sub : consumer_subs_) branch_.seat().end(sub);
  consumer_subs_.clear();
  for (auto& [name, consumer] : consumers_) consumer->stop(deleted);
  if (!deleted && log_ != nullptr) write_notes();  // closing the log commits them
  if (deleted && served) end_waiting();
  branch_.loop().cancel_timer(expiry_timer_);
  branch_.loop().cancel_timer(note_timer_);
  branch_.forget(*this);
  if (deleted) leave_publishers();  // else closing the log commits what they wait for
  std::atomic<std::uint64_t>& used = config_.storage == store::Storage::memory
                                         ? branch_.usage().memory_bytes
                                         : branch_.usage().file_bytes;
  used -= reported_bytes_;
  reported_bytes_ = 0;
  if (std::exchange(opened_, false)) {
    branch_.usage().consumers.fetch_sub(consumers_.size(), std::memory_order_relaxed);
  }
}

// What was asked for after the deletion, and was to be there when that was committed.
void Stream::end_waiting() {
  while (!tasks_.empty() || !purges_.empty()) {
    if (!tasks_.empty()) {
      base::Done<bool> task = std::move(tasks_.front().run);
      tasks_.pop_front();
      task(false);
    } else {
      const std::unique_ptr<Purge> purge = std::move(purges_.front());
      purges_.pop_front();
      purge->done(purge->purged);
    }
  }
}

void Stream::update(StreamConfig config) {
  const bool other_subjects = config.subjects != config_.subjects;
  config_ = std::move(config);
  configure();
  if (other_subjects) {
    end_listening();
    listen();
  }
  enforce_all_limits();
  arm_expiry();
}

void Stream::on_heard(const bus::MessageView& message) {
  Intake(*this, message).run();
  branch_.mark(*this);
}

// A message with a receipt is answered by that alone.
Stream::Publisher Stream::publisher_of(const bus::MessageView& message) {
  if (message.receipt != bus::ReceiptId::none) {
    branch_.seat().claim(message.receipt);
    return {.receipt = message.receipt};
  }
  if (config_.no_ack) return {};
  return {.reply = std::string(message.reply)};
}

void Stream::wait_for_commit(Sequence sequence, Publisher publisher, bool duplicate) {
  unsaid_ = true;
  if (!publisher.waits()) return;
  waiting_.push_back(
      {last_ticket_ + 1, sequence, std::move(publisher), duplicate, branch_.loop().now()});
}

store::Ticket Stream::commit_all() {
  unsaid_ = false;
  branch_.loop().cancel_timer(note_timer_);
  note_timer_ = base::TimerId::none;
  // A log in memory tells of the commit before commit() returns its number.
  const store::Ticket ticket = last_ticket_ + 1;
  last_ticket_ = ticket;
  write_notes();
  const store::Ticket given = log_->commit();
  BASE_ASSERT(given == ticket);
  return ticket;
}

void Stream::write_notes() {
  for (Consumer* consumer : gathering_) consumer->write_notes();
  gathering_.clear();
}

bool Stream::serve() {
  for (const Refused& refused : std::exchange(refused_, {})) {
    refuse(refused.publisher, refused.error, refused.store_failed);
  }
  if (unsaid_) commit_all();
  bool more = continue_purge();
  more |= continue_limits();
  more |= continue_sweep();
  more |= expire();
  serve_consumers();
  if (unsaid_) commit_all();
  report_usage();
  return more || !ready_.empty();
}

// Those for whom there is no time come first in the next turn.
void Stream::serve_consumers() {
  const base::Loop& loop = branch_.loop();
  const base::Time end = loop.exact_now() + slice_time;
  std::vector<Consumer*> ready = std::exchange(ready_, {});
  auto at = ready.begin();
  do {
    if (at == ready.end()) return;
    Consumer* consumer = *at++;
    consumer->marked_ = false;
    if (consumer->serve()) serve_later(*consumer);
  } while (loop.exact_now() < end);
  ready_.insert(ready_.begin(), at, ready.end());
}

void Stream::serve_later(Consumer& consumer) {
  if (consumer.marked_) return;
  consumer.marked_ = true;
  ready_.push_back(&consumer);
  branch_.mark(*this);
}

void Stream::after_commit(base::Task task) {
  when_committed([task = std::move(task)](bool) mutable { task(); });
}

void Stream::when_committed(base::Done<bool> task) {
  if (!unsaid_ && committed_ == last_ticket_) return task(log_->failed() == nullptr);
  tasks_.push_back({unsaid_ ? last_ticket_ + 1 : last_ticket_, std::move(task)});
  branch_.mark(*this);
}

void Stream::on_committed(store::Ticket ticket, const base::Status& status) {
  committed_ = std::max(committed_, ticket);
  if (status) {
    kept_ = std::max(kept_, ticket);
  } else {
    fall_back();
  }
  const Sequence last = log_->totals().last;
  if (last > visible_) {
    const Sequence first = visible_ + 1;
    visible_ = last;
    on_visible(first, last);
  }
  const base::Time now = waiting_.empty() ? base::Time() : branch_.loop().exact_now();
  while (!waiting_.empty() && waiting_.front().ticket <= ticket) {
    const Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    if (status) {
      branch_.stored_after().add(now - waiting.taken);
      acknowledge(waiting);
    } else {
      refuse(waiting.publisher, api_error(Err::stream_store_failed, status.error().text), true);
    }
  }
  while (!tasks_.empty() && tasks_.front().ticket <= ticket) {
    base::Done<bool> task = std::move(tasks_.front().run);
    tasks_.pop_front();
    task(status.has_value());
  }
}

// What was not committed never was: its ids may be used again, and consumers that were made with it
// are none.
void Stream::fall_back() {
  duplicates_.forget_above(log_->totals().last);
  republishing_.clear();
  std::vector<Consumer*> lost;
  for (const auto& [name, consumer] : consumers_) {
    if (consumer->made_ > kept_) lost.push_back(consumer.get());
  }
  for (Consumer* consumer : lost) {
    advise_consumer(branch_, name(), consumer->name(), "delete");
    forget_consumer(*consumer);
  }
}

void Stream::acknowledge(const Waiting& waiting) {
  const Publisher& publisher = waiting.publisher;
  if (publisher.receipt != bus::ReceiptId::none) {
    return branch_.seat().answer(
        publisher.receipt,
        {.targets = 1, .sequence = waiting.sequence, .duplicate = waiting.duplicate});
  }
  scratch_ = ack_prefix_;
  const fmt::format_int sequence(waiting.sequence);
  scratch_.append(sequence.data(), sequence.size());
  scratch_ += waiting.duplicate ? ",\"duplicate\": true}" : "}";
  branch_.seat().publish({.route = publisher.reply, .payload = scratch_});
}

std::string Stream::error_text(const ApiError& error) const {
  std::string text;
  json::Writer writer(text);
  writer.begin_object().key("error");
  write_api_error(writer, error);
  writer.member("stream", config_.name).member("seq", 0U).end_object();
  return text;
}

void Stream::refuse(const Publisher& publisher, const ApiError& error, bool store_failed) {
  using Outcome = bus::Storing::Outcome;
  if (publisher.receipt == bus::ReceiptId::none) {
    branch_.seat().publish({.route = publisher.reply, .payload = error_text(error)});
    return;
  }
  branch_.seat().answer(publisher.receipt,
                        {.outcome = store_failed ? Outcome::unknown : Outcome::refused,
                         .code = static_cast<std::uint32_t>(error.err_code),
                         .reason = error.description});
}

void Stream::refuse_later(Publisher publisher, const ApiError& error) {
  if (publisher.waits()) {
    refused_.push_back({std::move(publisher), error, log_->failed() != nullptr});
  }
}

// Nobody else will answer those who wait for a receipt.
void Stream::leave_publishers() {
  for (const Waiting& waiting : std::exchange(waiting_, {})) {
    if (waiting.publisher.receipt == bus::ReceiptId::none) continue;
    refuse(waiting.publisher, api_error(Err::stream_store_failed, "the stream ends"), true);
  }
  for (const Refused& refused : std::exchange(refused_, {})) {
    if (refused.publisher.receipt == bus::ReceiptId::none) continue;
    refuse(refused.publisher, refused.error, refused.store_failed);
  }
}

void Stream::on_visible(Sequence first, Sequence last) {
  republish_through(last);
  if (!unfiltered_.empty()) {
    std::uint64_t staying = 0;
    const store::Found all = log_->count(*everything_, first, last, staying, SIZE_MAX);
    BASE_ASSERT(all.kind == store::Found::Kind::none);
    for (Consumer* consumer : unfiltered_) consumer->on_new(first, last, staying);
  }
  if (filters_.size() == 0) return;
  for (Sequence sequence = first; sequence <= last; ++sequence) {
    if (!log_->has_ahead(sequence)) continue;
    filters_.match(log_->subject_of(sequence), [sequence](const std::vector<Consumer*>& consumers) {
      for (Consumer* consumer : consumers) consumer->on_new(sequence, sequence, 1);
    });
  }
}

void Stream::report_usage() {
  const std::uint64_t bytes = log_->ahead().bytes;
  if (bytes == reported_bytes_) return;
  std::atomic<std::uint64_t>& used = config_.storage == store::Storage::memory
                                         ? branch_.usage().memory_bytes
                                         : branch_.usage().file_bytes;
  used.fetch_add(bytes - reported_bytes_, std::memory_order_relaxed);
  reported_bytes_ = bytes;
}

bool Stream::store_is_full(std::size_t more) const {
  const bool memory = config_.storage == store::Storage::memory;
  const Settings& settings = branch_.settings();
  const std::uint64_t limit = memory ? settings.max_memory_store : settings.max_file_store;
  const Usage& usage = branch_.usage();
  const std::uint64_t used = memory ? usage.memory_bytes : usage.file_bytes;
  return used + more + log_->ahead().bytes - reported_bytes_ > limit;
}

// Consumers.

Consumer* Stream::find_consumer(std::string_view name) const {
  const auto found = consumers_.find(name);
  return found == consumers_.end() ? nullptr : found->second.get();
}

bool Stream::has_consumer_for(std::string_view subject) const {
  if (!unfiltered_.empty()) return true;
  bool any = false;
  filters_.match(subject, [&any](const std::vector<Consumer*>&) { any = true; });
  return any;
}

void Stream::index_consumer(Consumer& consumer) {
  const std::vector<std::string> filters = consumer.config().filters();
  if (filters.empty()) unfiltered_.push_back(&consumer);
  for (const std::string& filter : filters) {
    filters_.insert(filter_of(filter)).push_back(&consumer);
  }
}

void Stream::unindex_consumer(Consumer& consumer) {
  std::erase(unfiltered_, &consumer);
  for (const std::string& text : consumer.config().filters()) {
    const subject::Filter filter = filter_of(text);
    std::vector<Consumer*>& there = filters_.insert(filter);
    std::erase(there, &consumer);
    if (there.empty()) filters_.erase(filter);
  }
}

std::string Stream::draw_consumer_name() {
  constexpr std::size_t bytes = 8;  // as nats-server draws them
  constexpr std::string_view digits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string name;
  do {
    name.clear();
    for (std::size_t i = 0; i < bytes; ++i) {
      name += digits[branch_.random().below(static_cast<std::uint32_t>(digits.size()))];
    }
  } while (find_consumer(name) != nullptr);
  return name;
}

Consumer& Stream::add_consumer(ConsumerConfig config) {
  std::string name = config.durable.empty() ? config.name : config.durable;
  if (name.empty()) name = draw_consumer_name();
  auto made = std::make_unique<Consumer>(*this, ++last_consumer_, std::move(name),
                                         std::move(config), branch_.now());
  Consumer& consumer = *made;
  by_id_.emplace(consumer.id(), &consumer);
  consumers_.emplace(consumer.name(), std::move(made));
  index_consumer(consumer);
  branch_.usage().consumers.fetch_add(1, std::memory_order_relaxed);
  consumer.made_ = never_committed;
  consumer.begin();
  consumer.start();
  return consumer;
}

void Stream::on_placed(Consumer& consumer) {
  consumer.made_ = last_ticket_ + 1;
  note_all_of(consumer);
  note_written(true);
}

void Stream::update_consumer(Consumer& consumer, ConsumerConfig config) {
  unindex_consumer(consumer);
  consumer.update(std::move(config));
  index_consumer(consumer);
  note_all_of(consumer);
  if (config_.retention == Retention::interest) drop_unwanted();
  note_written(true);
}

void Stream::delete_consumer(Consumer& consumer) {
  if (keeps(consumer)) log_->note(note_gone, encode_consumer_gone(consumer.id()));
  forget_consumer(consumer);
  if (config_.retention == Retention::interest) drop_unwanted();
  note_written(true);
}

void Stream::forget_consumer(Consumer& consumer) {
  consumer.stop(true);
  unindex_consumer(consumer);
  std::erase(ready_, &consumer);
  std::erase(gathering_, &consumer);
  branch_.usage().consumers.fetch_sub(1, std::memory_order_relaxed);
  by_id_.erase(consumer.id());
  consumers_.erase(consumers_.find(consumer.name()));
}

std::optional<Sequence> Stream::reset_consumer(Consumer& consumer, Sequence from,
                                               std::string_view& error) {
  const std::optional<Sequence> first = consumer.reset(from, error);
  if (!first) return std::nullopt;
  note_all_of(consumer);
  note_written(true);
  if (config_.retention == Retention::interest) drop_unwanted();  // it has no need of what it skips
  return first;
}

// A consumer in memory ends with the process, and nobody waits for a disk for it.
bool Stream::keeps(const Consumer& consumer) const {
  return keeps_notes() && !consumer.config().mem_storage && consumer.placed();
}

void Stream::note_all_of(Consumer& consumer) {
  consumer.drop_notes();
  if (keeps(consumer)) log_->note(note_consumer, consumer.full_note());
}

Consumer* Stream::find_consumer(std::uint32_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

void Stream::end_inactive(Consumer& consumer) {
  advise_consumer(branch_, name(), consumer.name(), "delete");
  delete_consumer(consumer);
}

void Stream::advise_pause(const Consumer& consumer) {
  Advisory event(branch_, "advisory.v1.consumer_pause");
  event.member("stream", name()).member("consumer", consumer.name());
  event.member("paused", consumer.paused());
  if (const auto until = consumer.config().pause_until) {
    event.member("pause_until", *until);
  } else {
    event.member("pause_until", json::zero_time);
  }
  branch_.advise(fmt::format("$JS.EVENT.ADVISORY.CONSUMER.PAUSE.{}.{}", name(), consumer.name()),
                 event.text());
}

void Stream::note_written(bool at_once) {
  if (at_once) {
    unsaid_ = true;
    branch_.mark(*this);
    return;
  }
  if (unsaid_ || note_timer_ != base::TimerId::none) return;
  note_timer_ = branch_.loop().start_timer(note_delay, lifeline_.bind([this] {
    note_timer_ = base::TimerId::none;
    unsaid_ = true;
    branch_.mark(*this);
  }));
}

}  // namespace spanwire::jetstream
