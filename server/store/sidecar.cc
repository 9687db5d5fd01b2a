#include "store/sidecar.h"

#include <absl/container/node_hash_map.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text_hash.h"
#include "store/each_record.h"
#include "store/saved_bytes.h"
#include "store/segment_set.h"
#include "store/whole_file.h"

namespace spanwire::store {

namespace {

constexpr std::string_view magic = "SPWSIDE\n";
constexpr std::uint64_t sidecar_version = 1;

// Collects what a segment's records say.
class Gathering {
 public:
  explicit Gathering(std::uint64_t number) : messages_(number) {}

  void take(const Record& record, std::uint64_t offset);
  std::string encode(const SegmentFile& segment, std::uint64_t end) const;

 private:
  void take_message(const Message& message, std::uint64_t offset);
  void erase(Sequence first, Sequence last);
  SubjectId number(std::string_view subject);

  Sequence last_ = 0;
  base::WallTime last_time_{};
  std::uint64_t erase_bytes_ = 0;
  std::vector<Sidecar::Range> erased_;
  absl::node_hash_map<std::string, SubjectId, base::TextHash, base::TextEqual> numbers_;
  std::vector<const std::string*> subjects_;
  IndexSegment messages_;
  std::size_t gone_before_ = 0;  // this position in messages_ all are erased
};

void Gathering::take(const Record& record, std::uint64_t offset) {
  switch (record.kind) {
    case RecordKind::message:
      take_message(record.message, offset);
      if (record.evicted != 0) erase(record.evicted, record.evicted);
      return;
    case RecordKind::erase:
      erase_bytes_ += record.size_bytes;
      return erase(record.first, record.last);
    case RecordKind::through:
      erase_bytes_ += record.size_bytes;
      erase(1, record.last);
      last_ = std::max(last_, record.last);
      return;
    case RecordKind::mark:
      if (record.mark.last <= last_) return;
      last_ = record.mark.last;
      last_time_ = std::max(last_time_, record.mark.time);
      return;
    case RecordKind::note:
    case RecordKind::batch:
      return;
  }
}

void Gathering::take_message(const Message& message, std::uint64_t offset) {
  if (message.sequence <= last_) return;  // what nobody wrote
  last_ = message.sequence;
  last_time_ = std::max(last_time_, message.time);
  messages_.append(message.sequence, static_cast<std::uint32_t>(offset),
                   static_cast<std::uint32_t>(counted_bytes(Storage::file, message)),
                   number(message.subject), last_time_);
}

// What was there by then: nothing is said about messages that are still to come.
void Gathering::erase(Sequence first, Sequence last) {
  last = std::min(last, last_);
  if (first > last) return;
  if (!messages_.empty() && last >= messages_.first()) {
    const std::size_t end = messages_.lower_bound(last + 1);
    std::size_t at = std::max(messages_.lower_bound(first), gone_before_);
    while ((at = messages_.next_live(at, std::max(at, end), no_subject)) < end) {
      messages_.set_gone(at++);
    }
    if (first > messages_.first()) return;
    gone_before_ = std::max(gone_before_, end);
    if (first == messages_.first()) return;
  }
  if (!erased_.empty() && erased_.back().last + 1 == first) {
    erased_.back().last = last;
  } else {
    erased_.push_back({first, last});
  }
}

SubjectId Gathering::number(std::string_view subject) {
  const auto found = numbers_.find(subject);
  if (found != numbers_.end()) return found->second;
  const auto fresh = static_cast<SubjectId>(subjects_.size());
  subjects_.push_back(&numbers_.emplace(subject, fresh).first->first);
  return fresh;
}

std::string Gathering::encode(const SegmentFile& segment, std::uint64_t end) const {
  std::string bytes(magic);
  SavedWriter writer(bytes);
  writer.number(sidecar_version);
  writer.number(segment.number);
  writer.number(segment.salt);
  writer.number(end);
  writer.number(last_);
  writer.time(last_time_);
  writer.number(erase_bytes_);
  writer.list(erased_, [&](const Sidecar::Range& range) {
    writer.number(range.first);
    writer.number(range.last);
  });
  writer.list(subjects_, [&](const std::string* subject) { writer.text(*subject); });
  if (!messages_.empty()) messages_.save(bytes);
  return with_sum(bytes);
}

}  // namespace

std::string sidecar_name(std::uint64_t segment) {
  return fmt::format("{}.idx", segment);
}

std::string sidecar_path(std::uint64_t stream, std::uint64_t segment) {
  return fmt::format("{}/{}", stream_folder(stream), sidecar_name(segment));
}

base::Result<std::string> make_sidecar(const SegmentFile& segment, std::uint64_t end) {
  Gathering gathering(segment.number);
  const base::Status read =
      each_record(segment, end, [&](const Record& record, std::uint64_t offset) {
        gathering.take(record, offset);
        return base::Status();
      });
  if (!read) return tl::unexpected(read.error());
  return gathering.encode(segment, end);
}

std::optional<Sidecar> decode_sidecar(std::string_view file) {
  const auto bytes = without_sum(file);
  if (!bytes || !bytes->starts_with(magic)) return std::nullopt;
  SavedReader in(bytes->substr(magic.size()));
  if (in.number() != sidecar_version) return std::nullopt;
  Sidecar sidecar;
  sidecar.number = in.number();
  sidecar.salt = in.number();
  sidecar.end = in.number();
  sidecar.last = in.number();
  sidecar.last_time = in.time();
  sidecar.erase_bytes = in.number();
  in.list(sidecar.erased, 16, [&] {
    const Sequence first = in.number();
    return Sidecar::Range{first, in.number()};
  });
  bool is_good = true;
  in.list(sidecar.subjects, 8, [&] {
    const std::string_view subject = in.text();
    is_good = is_good && !subject.empty();
    return subject;
  });
  if (!in.ok() || !is_good) return std::nullopt;
  if (in.at_end()) return sidecar;
  sidecar.messages = IndexSegment::load(in);
  if (sidecar.messages == nullptr || !in.at_end()) return std::nullopt;
  const IndexSegment& messages = *sidecar.messages;
  if (messages.number() != sidecar.number || messages.last() > sidecar.last) return std::nullopt;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (messages.offset(i) >= sidecar.end) return std::nullopt;
    if (!messages.gone(i) && messages.subject(i) >= sidecar.subjects.size()) return std::nullopt;
  }
  return sidecar;
}

}  // namespace spanwire::store
