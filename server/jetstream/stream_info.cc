#include "jetstream/stream_info.h"

#include "json/writer.h"
#include "subject/filter.h"

namespace spanwire::jetstream {
namespace {

constexpr Sequence deleted_a_slice = 50'000;

void write_time(json::Writer& writer, std::string_view name, base::WallTime time) {
  if (time == base::WallTime{}) {
    writer.member(name, json::zero_time);
  } else {
    writer.member(name, time);
  }
}

}  // namespace

bool StreamDetails::gather(Stream& stream) {
  return gather_subjects(stream) && gather_deleted(stream.log());
}

bool StreamDetails::gather_subjects(Stream& stream) {
  if (filter_.empty() || subjects_done_) return true;
  if (selection_ == nullptr) {
    auto filter = subject::parse_nats_filter(filter_);
    if (!filter) {
      subjects_done_ = true;
      return true;
    }
    std::vector<subject::Filter> filters;
    filters.push_back(*std::move(filter));
    selection_ = stream.log().select(std::move(filters));
  }
  const store::Walked walked = stream.log().each_subject(
      *selection_, after_, [this](std::string_view subject, const store::SubjectTotals& totals) {
        const std::uint64_t number = subjects_total_++;
        if (number < offset_ || number - offset_ >= max_subject_details) return true;
        if (!subjects_.empty()) subjects_ += ',';
        json::append_string(subjects_, subject);
        subjects_ += ':';
        subjects_ += std::to_string(totals.messages);
        return true;
      });
  after_ = walked.after;
  subjects_done_ = walked.all;
  if (subjects_done_) selection_.reset();
  return subjects_done_;
}

bool StreamDetails::gather_deleted(const store::Log& log) {
  if (!wants_deleted_) return true;
  const store::Totals& totals = log.totals();
  if (totals.messages == 0) return true;
  next_ = std::max(next_, totals.first);
  const Sequence end = std::min(totals.last, next_ + deleted_a_slice);
  for (; next_ <= end; ++next_) {
    if (log.has(next_)) continue;
    if (!deleted_.empty()) deleted_ += ',';
    deleted_ += std::to_string(next_);
  }
  return next_ > totals.last;
}

void StreamDetails::write_subjects(json::Writer& writer) const {
  if (!subjects_.empty()) writer.key("subjects").raw("{" + subjects_ + "}");
}

void StreamDetails::write_deleted(json::Writer& writer) const {
  if (!deleted_.empty()) writer.key("deleted").raw("[" + deleted_ + "]");
}

void write_stream_state(json::Writer& writer, Stream& stream, const StreamDetails* details) {
  const store::Totals& totals = stream.log().totals();
  const bool untouched = totals.messages == 0 && totals.last == 0 && totals.first == 1 &&
                         stream.config().first_seq == 0;
  writer.key("state").begin_object();
  writer.member("messages", totals.messages)
      .member("bytes", totals.bytes)
      .member("first_seq", untouched ? 0 : totals.first);
  write_time(writer, "first_ts", totals.messages == 0 ? base::WallTime{} : totals.first_time);
  writer.member("last_seq", totals.last);
  write_time(writer, "last_ts", totals.last_time);
  if (totals.subjects != 0) writer.member("num_subjects", totals.subjects);
  if (details != nullptr) details->write_subjects(writer);
  if (totals.deleted() != 0) writer.member("num_deleted", totals.deleted());
  if (details != nullptr) details->write_deleted(writer);
  writer.member("consumer_count", stream.consumers().size()).end_object();
}

void write_stream_info(json::Writer& writer, Stream& stream, const StreamInfoStyle& style) {
  const Settings& settings = stream.branch().settings();
  writer.key("config");
  write_stream_config(writer, stream.config(), style.version);
  writer.member("created", stream.created());
  write_stream_state(writer, stream, style.details);
  if (style.domain && !settings.domain.empty()) writer.member("domain", settings.domain);
  if (style.cluster) {
    writer.key("cluster").begin_object().member("leader", settings.server_name).end_object();
  }
  writer.member("ts", stream.branch().now());
}

}  // namespace spanwire::jetstream
