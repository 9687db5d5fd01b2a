#include "jetstream/intake.h"

#include <fmt/format.h>

#include "bus/headers.h"
#include "jetstream/go_time.h"
#include "subject/filter.h"
#include "subject/subject.h"

namespace spanwire::jetstream {
namespace {

constexpr std::string_view ttl_header = "Nats-TTL";

// A block without the headers of this name.
std::string without_header(std::string_view block, std::string_view name) {
  std::string out = "NATS/1.0\r\n";
  bus::HeaderLines lines(block);
  bus::Header header;
  while (lines.next(header)) {
    if (header.name != name) out += fmt::format("{}: {}\r\n", header.name, header.value);
  }
  return out + "\r\n";
}

}  // namespace

Intake::Intake(Stream& stream, const bus::MessageView& message)
    : stream_(stream), message_(message), subject_(message.subject), headers_(message.headers) {}

void Intake::run() {
  const StreamConfig& config = stream_.config_;
  if (stream_.transform_ && subject::matches(stream_.transform_->source(), subject_)) {
    stream_.transform_->apply(subject_, stream_.branch_.random().next(), transformed_);
    subject_ = transformed_;
  }
  if (!headers_.empty()) asked_ = parse_publish_headers(headers_);
  if (config.sealed) return refuse(api_error(Err::stream_sealed));
  if (const auto error = check()) return refuse(*error);
  if (answer_duplicate()) return;
  if (!asked_.expected_last_msg_id.empty() && asked_.expected_last_msg_id != stream_.last_msg_id_) {
    return refuse(api_error(Err::wrong_last_msg_id, stream_.last_msg_id_));
  }
  if (const auto error = check_rollup()) return refuse(*error);
  if (const auto error = check_sizes()) return refuse(*error);
  if (const auto error = check_limits()) return refuse(*error);
  wanted_ = config.retention != Retention::interest || stream_.has_consumer_for(subject_);
  if (wanted_) {  // what nobody wants only takes a number
    if (const auto error = check_new_for_old()) return refuse(*error);
    if (const auto error = read_ttl()) return refuse(*error);
  }
  store_message();
}

std::optional<ApiError> Intake::check() {
  if (asked_.has_increment) return api_error(Err::message_incr_disabled);
  if (asked_.has_batch) return api_error(Err::atomic_publish_disabled);
  if (!asked_.expected_stream.empty() && asked_.expected_stream != stream_.name()) {
    return api_error(Err::expected_stream_mismatch);
  }
  const MessageTtl ttl = parse_message_ttl(asked_.ttl);
  const bool has_ttl = ttl.kind == MessageTtl::Kind::never ||
                       (ttl.kind == MessageTtl::Kind::seconds && ttl.seconds != 0);
  if (has_ttl && !stream_.config_.allow_msg_ttl) return api_error(Err::message_ttl_disabled);
  if (auto error = check_expectations()) return error;
  if (asked_.has_schedule) return api_error(Err::message_schedules_disabled);
  return std::nullopt;
}

// Of a subject, or of all that match a pattern.
Sequence Intake::last_of(std::string_view subject) const {
  store::Log& log = *stream_.log_;
  if (subject::is_literal(subject)) return log.ahead_of(subject).last;
  auto filter = subject::parse_nats_filter(subject);
  if (!filter) return 0;
  std::vector<subject::Filter> filters;
  filters.push_back(*std::move(filter));
  const auto selection = log.select(std::move(filters));
  for (Sequence at = log.ahead().last; at > log.totals().last; --at) {
    const std::string_view stored = log.subject_of(at);
    if (!stored.empty() && selection->matches(stored)) return at;
  }
  store::Found found{store::Found::Kind::more, log.totals().last};
  while (found.kind == store::Found::Kind::more) found = log.last(*selection, found.sequence);
  return found.kind == store::Found::Kind::message ? found.sequence : 0;
}

std::optional<ApiError> Intake::check_expectations() {
  if (asked_.expected_last_subject_sequence) {
    const std::string_view of = asked_.expected_last_subject_sequence_subject;
    const Sequence last = last_of(of.empty() ? subject_ : of);
    if (last != *asked_.expected_last_subject_sequence) {
      return api_error(Err::wrong_last_sequence, last);
    }
  } else if (!asked_.expected_last_subject_sequence_subject.empty()) {
    return api_error(Err::stream_expected_last_seq_per_subject_invalid);
  }
  const Sequence last = stream_.log_->ahead().last;
  if (asked_.expected_last_sequence && *asked_.expected_last_sequence != last) {
    return api_error(Err::wrong_last_sequence, last);
  }
  return std::nullopt;
}

// The original may not be committed yet: then its acknowledgement, and this one, wait for that.
bool Intake::answer_duplicate() {
  if (asked_.msg_id.empty()) return false;
  stream_.duplicates_.forget_before(stream_.branch_.now());
  const Sequence stored = stream_.duplicates_.find(asked_.msg_id);
  if (stored == 0) return false;
  stream_.counts_.duplicates.add();
  stream_.wait_for_commit(stored, stream_.publisher_of(message_), true);
  return true;
}

std::optional<ApiError> Intake::check_rollup() const {
  if (asked_.rollup == Rollup::none) return std::nullopt;
  if (!stream_.config_.allow_rollup || stream_.config_.deny_purge) {
    return api_error(Err::stream_rollup_failed, "rollup not permitted");
  }
  if (asked_.rollup == Rollup::invalid) {
    return api_error(Err::stream_rollup_failed,
                     fmt::format("rollup value invalid: \"{}\"", asked_.rollup_text));
  }
  return std::nullopt;
}

std::optional<ApiError> Intake::check_sizes() const {
  const std::int64_t limit = stream_.config_.max_msg_size;
  if (limit >= 0 && message_.body_size() > static_cast<std::size_t>(limit)) {
    return api_error(Err::stream_message_exceeds_maximum);
  }
  if (headers_.size() > max_header_bytes) return api_error(Err::stream_header_exceeds_maximum);
  return std::nullopt;
}

store::Message Intake::as_stored() const {
  store::Message message;
  message.subject = subject_;
  message.headers = headers_;
  message.payload = message_.payload;
  return message;
}

std::optional<ApiError> Intake::check_limits() {
  const store::Log& log = *stream_.log_;
  const Settings& settings = stream_.branch_.settings();
  if (log.failed() != nullptr) return api_error(Err::stream_store_failed, log.failed()->text);
  if (stream_.waiting_.size() >= settings.max_buffered_messages ||
      log.uncommitted_bytes() >= settings.max_buffered_bytes) {
    return api_error(Err::stream_too_many_requests);
  }
  if (!asked_.msg_id.empty() && stream_.duplicates_.full()) {
    return api_error(Err::stream_too_many_requests);
  }
  if (stream_.store_is_full(counted_bytes(log.storage(), as_stored()))) {
    return api_error(Err::insufficient_resources);
  }
  return std::nullopt;
}

// Discard new: the limits refuse, unless the message takes the place of one of its subject.
std::optional<ApiError> Intake::check_new_for_old() const {
  const StreamConfig& config = stream_.config_;
  if (config.discard != Discard::new_messages) return std::nullopt;
  const store::Log& log = *stream_.log_;
  const std::uint64_t of_subject = log.ahead_of(subject_).messages;
  const bool replaces = config.max_msgs_per_subject > 0 &&
                        of_subject >= static_cast<std::uint64_t>(config.max_msgs_per_subject);
  if (replaces && config.discard_new_per_subject && asked_.rollup == Rollup::none) {
    return api_error(Err::stream_store_failed, "maximum messages per subject exceeded");
  }
  if (replaces) return std::nullopt;
  const store::Totals& ahead = log.ahead();
  if (config.max_msgs > 0 && ahead.messages >= static_cast<std::uint64_t>(config.max_msgs)) {
    return api_error(Err::stream_store_failed, "maximum messages exceeded");
  }
  if (config.max_bytes > 0 && ahead.bytes + counted_bytes(log.storage(), as_stored()) >
                                  static_cast<std::uint64_t>(config.max_bytes)) {
    return api_error(Err::stream_store_failed, "maximum bytes exceeded");
  }
  return std::nullopt;
}

std::optional<ApiError> Intake::read_ttl() {
  const MessageTtl ttl = parse_message_ttl(asked_.ttl);
  if (ttl.kind == MessageTtl::Kind::invalid) return api_error(Err::message_ttl_invalid);
  if (ttl.kind != MessageTtl::Kind::seconds) return std::nullopt;
  ttl_seconds_ = ttl.seconds;
  // One that is shorter than a marker's own would leave the subject without either.
  const StreamConfig& config = stream_.config_;
  const std::int64_t least =
      std::chrono::duration_cast<std::chrono::seconds>(config.subject_delete_marker_ttl).count();
  if (ttl_seconds_ > 0 && ttl_seconds_ < least && config.max_msgs_per_subject != 1) {
    ttl_seconds_ = least;
    rewritten_headers_ = without_header(headers_, ttl_header);
    bus::append_header(rewritten_headers_, ttl_header, std::to_string(least));
    headers_ = rewritten_headers_;
  }
  return std::nullopt;
}

void Intake::store_message() {
  store::Log& log = *stream_.log_;
  const base::WallTime now = stream_.branch_.now();
  const Sequence previous = stream_.republish_ ? log.ahead_of(subject_).last : 0;
  const store::Appending message{.subject = subject_,
                                 .headers = headers_,
                                 .payload = message_.payload,
                                 .time = std::max(now, log.ahead().last_time)};
  const Sequence sequence = log.append(message);
  stream_.counts_.captured.add();
  if (!asked_.msg_id.empty()) stream_.duplicates_.add(asked_.msg_id, sequence, now);
  stream_.last_msg_id_ = asked_.msg_id;
  if (!wanted_) {
    log.erase(sequence);
  } else {
    stream_.republish_later(sequence, message, previous);
  }
  if (wanted_ && ttl_seconds_ > 0) {
    stream_.add_deadline(sequence, now + std::chrono::seconds(ttl_seconds_));
  }
  roll_up(sequence);
  stream_.enforce_limits(subject_);
  stream_.wait_for_commit(sequence, stream_.publisher_of(message_), false);
}

void Intake::roll_up(Sequence sequence) {
  if (asked_.rollup == Rollup::all) {
    stream_.erase_below(sequence);
  } else if (asked_.rollup == Rollup::subject) {
    stream_.erase_subject_below(subject_, sequence);
  }
}

void Intake::refuse(const ApiError& error) {
  stream_.counts_.refused.add();
  stream_.refuse_later(stream_.publisher_of(message_), error);
}

}  // namespace spanwire::jetstream
