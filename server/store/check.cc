#include "store/check.h"

#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "store/journal.h"
#include "store/segment_header.h"
#include "store/segment_set.h"
#include "store/sidecar.h"
#include "store/snapshot.h"
#include "store/store_folder.h"
#include "store/store_view.h"
#include "store/whole_file.h"

namespace spanwire::store {

namespace {

// More of one kind in one segment would only hide the rest.
constexpr std::uint64_t most_findings_a_segment = 20;

// Which messages are there, and what their records take.
class LiveMessages {
 public:
  void add(Sequence sequence, std::uint32_t bytes) {
    messages_.push_back({sequence, bytes});
    ++count_;
    bytes_ += bytes;
  }

  void erase(Sequence first, Sequence last) {
    skip_erased();
    const auto begin = messages_.begin() + static_cast<std::ptrdiff_t>(first_);
    auto at = std::lower_bound(begin, messages_.end(), first,
                               [](const Entry& e, Sequence s) { return e.sequence < s; });
    for (; at != messages_.end() && at->sequence <= last; ++at) {
      if (at->bytes == 0) continue;
      bytes_ -= std::exchange(at->bytes, 0);
      --count_;
    }
  }

  std::uint64_t count() const { return count_; }
  std::uint64_t bytes() const { return bytes_; }
  Sequence first() {
    skip_erased();
    return first_ == messages_.size() ? 0 : messages_[first_].sequence;
  }
  Sequence last() const {
    const auto found = std::find_if(messages_.rbegin(), messages_.rend(),
                                    [](const Entry& entry) { return entry.bytes != 0; });
    return found == messages_.rend() ? 0 : found->sequence;
  }

 private:
  struct Entry {
    Sequence sequence = 0;
    std::uint32_t bytes = 0;  // 0: it is gone
  };

  void skip_erased() {
    while (first_ < messages_.size() && messages_[first_].bytes == 0) ++first_;
  }

  std::vector<Entry> messages_;
  std::size_t first_ = 0;  // all before are gone
  std::uint64_t count_ = 0;
  std::uint64_t bytes_ = 0;
};

// One stream.
class StreamChecker final : public LogVisitor {
 public:
  StreamChecker(StoreView& view, std::uint64_t stream, CheckListener& listener)
      : view_(view), listener_(listener) {
    check_.number = stream;
  }

  StreamCheck run() {
    read_settings();
    auto read = view_.read(check_.number, *this);
    if (!read) {
      report(Weight::unreadable, stream_folder(check_.number), read.error().text);
    } else {
      read_ = std::move(*read);
      check_snapshot();
      check_names();
      for (std::size_t i = 0; i < read_.segments.size(); ++i) check_segment(i);
    }
    check_.segments = read_.segments.size();
    check_.messages = live_.count();
    check_.live_bytes = live_.bytes();
    check_.first = live_.first();
    check_.last = live_.last();
    return std::move(check_);
  }

  void on_segment(const FoundSegment& segment) override {
    path_ = segment_path(check_.number, segment.file->number);
    number_ = segment.file->number;
    findings_ = 0;
    listener_.on_segment(path_);
  }

  void on_record(const Record& record, std::uint64_t offset) override {
    switch (record.kind) {
      case RecordKind::message:
        return take_message(record, offset);
      case RecordKind::erase:
        return live_.erase(record.first, std::min(record.last, last_));
      case RecordKind::through:
        live_.erase(1, record.last);
        last_ = std::max(last_, record.last);
        return;
      case RecordKind::mark:
        last_ = std::max(last_, record.mark.last);
        return;
      case RecordKind::note:
      case RecordKind::batch:
        return;
    }
  }

  void on_damage(std::uint64_t offset, std::uint64_t bytes) override {
    damaged_.insert(number_);
    report_here(
        fmt::format("{} bytes at {} are not what was acknowledged: a start skips them, and "
                    "what they held is gone",
                    bytes, offset));
  }

 private:
  void report(Weight weight, std::string path, std::string text) {
    check_.findings.push_back({weight, std::move(path), std::move(text)});
  }
  void report_here(std::string text) {
    if (++findings_ < most_findings_a_segment)
      return report(Weight::damage, path_, std::move(text));
    if (findings_ == most_findings_a_segment) {
      report(Weight::damage, path_, "and more like that");
    }
  }

  void read_settings();
  void take_message(const Record& record, std::uint64_t offset);
  void check_snapshot();
  void check_names();
  void check_left_aside(const std::string& path, std::uint64_t number);
  void check_segment(std::size_t index);
  void check_sidecar(const FoundSegment& segment);

  StoreView& view_;
  CheckListener& listener_;
  StreamCheck check_;
  StoreView::Read read_;
  LiveMessages live_;
  Sequence last_ = 0;                           // that was given
  absl::flat_hash_set<std::uint64_t> damaged_;  // numbers of segments
  // Of the segment that is being read.
  std::string path_;
  std::uint64_t number_ = 0;
  std::uint64_t findings_ = 0;
};

void StreamChecker::read_settings() {
  auto settings = view_.settings(check_.number);
  const std::string path = fmt::format("{}/{}", stream_folder(check_.number), settings_name);
  if (!settings) return report(Weight::unreadable, path, settings.error().text);
  check_.settings = std::move(*settings);
  if (check_.settings) return;
  report(Weight::damage, path,
         "its sum is wrong: a start leaves the whole stream aside. Restore this file, or the "
         "stream, from a backup");
}

void StreamChecker::take_message(const Record& record, std::uint64_t offset) {
  const Sequence sequence = record.message.sequence;
  if (sequence <= last_) {
    return report_here(
        fmt::format("the message at {} has sequence {} behind {}: a start ignores it", offset,
                    sequence, last_));
  }
  last_ = sequence;
  live_.add(sequence, record.size_bytes);
  if (record.evicted != 0) live_.erase(record.evicted, record.evicted);
}

void StreamChecker::check_snapshot() {
  const std::string path = fmt::format("{}/{}", stream_folder(check_.number), snapshot_name);
  const auto slow = [&](std::string_view text) {
    report(Weight::slow_start, path, fmt::format("{}: the next start reads all segments", text));
  };
  const auto file =
      read_file(view_.files(), stream_folder(check_.number), snapshot_name, most_snapshot_bytes);
  if (!file) return report(Weight::unreadable, path, file.error().text);
  if (!*file) return slow("it is missing");
  const auto snapshot = decode_snapshot(**file);
  if (!snapshot) return slow("it is damaged, or of another version");
  if (read_.snapshot) return;
  const Position position = snapshot->position;
  const auto found = std::find_if(
      read_.segments.begin(), read_.segments.end(),
      [&](const FoundSegment& segment) { return segment.file->number >= position.segment; });
  const std::string segment = segment_path(check_.number, position.segment);
  if (found == read_.segments.end()) {
    report(Weight::damage, segment,
           "it is missing, and the snapshot knows that there was something in it");
  } else if (found->file->number == position.segment && !found->compacted &&
             found->file->salt != snapshot->salt) {
    report(Weight::damage, segment, "it is not the file that the snapshot knows: its salt differs");
  } else {
    slow("it is stale");
  }
}

// All that lies in the folder and is no segment that counts.
void StreamChecker::check_names() {
  const std::string folder = stream_folder(check_.number);
  const auto names = view_.below().list(folder);
  if (!names) return report(Weight::unreadable, folder, names.error().text);
  for (const std::string& name : *names) {
    const std::string path = fmt::format("{}/{}", folder, name);
    if (view_.files().was_removed(path)) {
      report(Weight::note, path, "left behind by an interruption: the next start removes it");
    } else if (const auto number = file_number(name, ".seg")) {
      check_left_aside(path, *number);
    } else if (!file_number(name, ".idx") && name != settings_name && name != snapshot_name) {
      report(Weight::note, path, "not the store's: it is left alone");
    }
  }
}

void StreamChecker::check_left_aside(const std::string& path, std::uint64_t number) {
  const auto& segments = read_.segments;
  const bool counts = std::any_of(segments.begin(), segments.end(), [&](const FoundSegment& found) {
    return found.file->number == number;
  });
  if (counts) return;
  const auto file = view_.files().open(path);
  if (!file) return report(Weight::unreadable, path, file.error().text);
  std::array<char, segment_header_bytes> head{};
  const auto got = (*file)->read_at(0, head);
  if (!got) return report(Weight::unreadable, path, got.error().text);
  const auto header = decode_segment_header({head.data(), *got});
  report(Weight::damage, path,
         fmt::format("{}: a start leaves it aside, with all that it holds",
                     header ? "it is another segment's file" : header.error().text));
}

void StreamChecker::check_segment(std::size_t index) {
  const FoundSegment& segment = read_.segments[index];
  check_.log_bytes += segment.end;
  const std::string path = segment_path(check_.number, segment.file->number);
  if (const auto cut = view_.files().cut_to(path)) {
    report(Weight::note, path,
           fmt::format("what stands behind {} was never acknowledged: the next start cuts it off",
                       *cut));
  }
  if (!damaged_.contains(segment.file->number)) check_sidecar(segment);
}

void StreamChecker::check_sidecar(const FoundSegment& segment) {
  const std::string path = sidecar_path(check_.number, segment.file->number);
  const auto slow = [&](std::string_view text) {
    report(Weight::slow_start, path, fmt::format("{}: the next start reads its segment", text));
  };
  // Without a snapshot none is asked, and what the last says is short, and made with the others.
  const bool is_wanted = read_.snapshot && segment.file->number < read_.snapshot->position.segment;
  if (!segment.has_sidecar) return is_wanted ? slow("it is missing") : void();
  const auto bytes = read_file(view_.files(), path, most_sidecar_bytes);
  if (!bytes) return report(Weight::unreadable, path, bytes.error().text);
  const auto sidecar = decode_sidecar(*bytes);
  if (!sidecar) return slow("it is damaged, or of another version");
  const bool is_its_own = sidecar->number == segment.file->number &&
                          sidecar->salt == segment.file->salt && sidecar->end <= segment.end;
  if (!is_its_own) return slow("it is stale");
  if (is_wanted && sidecar->end != segment.end) return slow("it is stale");
  const auto made = make_sidecar(*segment.file, sidecar->end);
  if (made && *made == *bytes) return;
  report(Weight::damage, path,
         "it is whole, and does not say what its segment says: remove it while the server is "
         "stopped, and it is made anew");
}

class StoreChecker {
 public:
  StoreChecker(StoreView& view, CheckListener& listener) : view_(view), listener_(listener) {}

  void run() {
    check_journal();
    for (const std::string& path : view_.leftovers()) {
      listener_.on_leftover(
          {Weight::note, path, "an interrupted creation or removal: the next start removes it"});
    }
    for (const std::uint64_t stream : view_.streams()) {
      listener_.on_stream(StreamChecker(view_, stream, listener_).run());
    }
  }

 private:
  void check_journal() {
    const StoreView::JournalState& state = view_.journal();
    JournalCheck check;
    const auto report = [&](Weight weight, std::string text) {
      check.findings.push_back({weight, Journal::path, std::move(text)});
    };
    check.is_there = state.file != nullptr;
    if (!check.is_there) {
      report(Weight::note, "there is none: the next start makes one");
    } else if (!state.header) {
      report(Weight::damage,
             "neither of its headers is whole: what only it held is gone. The next start keeps it "
             "as journal.damaged and begins another");
    } else {
      check.ring_bytes = state.header->ring_bytes;
      check.replayed_blocks = state.replayed.blocks;
      check.replayed_bytes = state.replayed.bytes;
    }
    if (state.damaged_block) {
      report(Weight::damage, fmt::format("the block behind the first {} is damaged: a start does "
                                         "not replay it, nor those behind it",
                                         state.replayed.blocks));
    }
    listener_.on_journal(check);
  }

  StoreView& view_;
  CheckListener& listener_;
};

}  // namespace

base::Status check_store(Files& files, CheckListener& listener) {
  auto view = StoreView::open(files);
  if (!view) return tl::unexpected(view.error());
  StoreChecker(**view, listener).run();
  return {};
}

}  // namespace spanwire::store
