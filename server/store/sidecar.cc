#include "store/sidecar.h"

#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/crc32c.h"
#include "base/text_hash.h"
#include "store/each_record.h"
#include "store/saved_bytes.h"
#include "store/segment_set.h"
#include "store/whole_file.h"

namespace spanwire::store {

namespace {

constexpr std::string_view magic = "SPWSIDE\n";
constexpr std::uint64_t sidecar_version = 1;

// A sidecar's file, in parts that lie behind one another: there may be megabytes of each.
struct Encoded {
  std::string head;  // the sum first
  std::string subjects;
  std::string messages;
  std::array<std::string_view, 3> parts() const { return {head, subjects, messages}; }
};

// The subjects of a segment's messages, each once, as the sidecar lists them.
class SubjectList {
 public:
  SubjectList() = default;
  SubjectList(const SubjectList&) = delete;
  SubjectList& operator=(const SubjectList&) = delete;

  // Its place in the list.
  SubjectId number(std::string_view subject);
  std::size_t size() const { return starts_.size(); }
  // The list is complete: what it was built with is given back.
  std::string take_saved();

 private:
  struct Hash {
    using is_transparent = void;
    const SubjectList* list;
    std::size_t operator()(std::string_view text) const { return base::TextHash()(text); }
    std::size_t operator()(SubjectId id) const { return (*this)(list->text(id)); }
  };
  struct Equal {
    using is_transparent = void;
    const SubjectList* list;
    bool operator()(SubjectId a, SubjectId b) const { return a == b; }
    bool operator()(SubjectId id, std::string_view text) const { return list->text(id) == text; }
    bool operator()(std::string_view text, SubjectId id) const { return list->text(id) == text; }
  };
  std::string_view text(SubjectId id) const { return SavedReader(tail(id)).text(); }
  std::string_view tail(SubjectId id) const { return std::string_view(saved_).substr(starts_[id]); }

  std::string saved_;
  std::vector<std::uint32_t> starts_;  // in saved_; a segment's texts are below its largest offset
  absl::flat_hash_set<SubjectId, Hash, Equal> known_{0, Hash{this}, Equal{this}};
};

SubjectId SubjectList::number(std::string_view subject) {
  const auto found = known_.find(subject);
  if (found != known_.end()) return *found;
  const auto fresh = static_cast<SubjectId>(starts_.size());
  starts_.push_back(static_cast<std::uint32_t>(saved_.size()));
  SavedWriter(saved_).text(subject);
  known_.insert(fresh);
  return fresh;
}

std::string SubjectList::take_saved() {
  known_ = decltype(known_)(0, Hash{this}, Equal{this});
  starts_ = {};
  return std::exchange(saved_, {});
}

// Collects what a segment's records say.
class Gathering {
 public:
  explicit Gathering(std::uint64_t number) : messages_(number) {}

  void take(const Record& record, std::uint64_t offset);
  // Ends it.
  Encoded encode(const SegmentFile& segment, std::uint64_t end);

 private:
  void take_message(const Message& message, std::uint64_t offset);
  void erase(Sequence first, Sequence last);

  Sequence last_ = 0;
  base::WallTime last_time_{};
  std::uint64_t erase_bytes_ = 0;
  std::vector<Sidecar::Range> erased_;
  SubjectList subjects_;
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
                   subjects_.number(message.subject), last_time_);
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

Encoded Gathering::encode(const SegmentFile& segment, std::uint64_t end) {
  Encoded encoded;
  encoded.head.assign(sum_bytes, '\0');
  encoded.head += magic;
  SavedWriter writer(encoded.head);
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
  writer.number(subjects_.size());
  encoded.subjects = subjects_.take_saved();
  if (!messages_.empty()) messages_.save(encoded.messages);
  put_sum(encoded.head, {encoded.subjects, encoded.messages});
  return encoded;
}

base::Result<Encoded> encode_sidecar(const SegmentFile& segment, std::uint64_t end) {
  Gathering gathering(segment.number);
  const base::Status read =
      each_record(segment, end, [&](const Record& record, std::uint64_t offset) {
        gathering.take(record, offset);
        return base::Status();
      });
  if (!read) return tl::unexpected(read.error());
  return gathering.encode(segment, end);
}

}  // namespace

std::string sidecar_name(std::uint64_t segment) {
  return fmt::format("{}.idx", segment);
}

std::string sidecar_path(std::uint64_t stream, std::uint64_t segment) {
  return fmt::format("{}/{}", stream_folder(stream), sidecar_name(segment));
}

base::Result<std::string> make_sidecar(const SegmentFile& segment, std::uint64_t end) {
  const auto encoded = encode_sidecar(segment, end);
  if (!encoded) return tl::unexpected(encoded.error());
  std::string bytes;
  bytes.reserve(encoded->head.size() + encoded->subjects.size() + encoded->messages.size());
  for (const std::string_view part : encoded->parts()) bytes += part;
  return bytes;
}

base::Status write_sidecar(Files& files, const SegmentFile& segment, std::uint64_t end) {
  const auto encoded = encode_sidecar(segment, end);
  if (!encoded) return tl::unexpected(encoded.error());
  return replace_file(files, stream_folder(segment.stream), sidecar_name(segment.number),
                      encoded->parts());
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
