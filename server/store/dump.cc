#include "store/dump.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "logging/escape.h"
#include "store/journal_blocks.h"
#include "store/segment_header.h"

namespace spanwire::store {

namespace {

std::string escaped(std::string_view text, std::size_t most_bytes) {
  std::string out;
  logging::append_escaped(out, text, most_bytes);
  return out;
}

std::string time_text(base::WallTime time) {
  const auto since = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z", fmt::gmtime(seconds.count()),
                     (since - seconds).count());
}

std::string range_text(Sequence first, Sequence last) {
  return first == last ? fmt::format("{}", first) : fmt::format("{} to {}", first, last);
}

std::string message_text(const Record& record, const DumpSettings& settings) {
  const Message& message = record.message;
  std::string text = fmt::format("{} {} {}, headers {}, payload {}", message.sequence,
                                 time_text(message.time), escaped(message.subject, SIZE_MAX),
                                 message.headers.size(), message.payload.size());
  if (record.evicted != 0) text += fmt::format(", ends {}", record.evicted);
  for (const std::string_view part : {message.headers, message.payload}) {
    if (!part.empty()) text += fmt::format(" \"{}\"", escaped(part, settings.payload_bytes));
  }
  return text;
}

std::string record_text(const Record& record, const DumpSettings& settings) {
  switch (record.kind) {
    case RecordKind::batch:
      return fmt::format("batch    {} bytes, durable was {}:{}", record.batch_bytes,
                         record.durable.segment, record.durable.offset);
    case RecordKind::message:
      return "message  " + message_text(record, settings);
    case RecordKind::erase:
      return "erase    " + range_text(record.first, record.last);
    case RecordKind::through:
      return fmt::format("through  all up to {}", record.last);
    case RecordKind::note:
      return fmt::format("note     kind {}, {} bytes", record.owner_kind, record.note.size());
    case RecordKind::mark:
      return fmt::format("mark     last {} {}, segment before ends at {}, salt {:016x}",
                         record.mark.last, time_text(record.mark.time), record.mark.previous_end,
                         record.mark.previous_salt);
  }
  return {};
}

class Dumper final : public LogVisitor {
 public:
  Dumper(std::uint64_t stream, const DumpSettings& settings, DumpOut out)
      : stream_(stream), settings_(settings), out_(out) {}

  void on_segment(const FoundSegment& segment) override {
    if (!wants_more()) return;
    const std::uint64_t number = segment.file->number;
    head_ = fmt::format("{}: salt {:016x}", segment_path(stream_, number), segment.file->salt);
    if (segment.compacted) {
      head_ += fmt::format(", stands for {} to {}", segment.stands_for, number);
    }
    head_ += '\n';
    if (begun_) print_head();
  }

  void on_record(const Record& record, std::uint64_t offset) override {
    if (!wants_more()) return;
    if (!begun_) begun_ = settings_.from == 0 || reaches_from(record);
    if (!begun_) return;
    print_head();
    out_(fmt::format("{:>10}  {}\n", offset, record_text(record, settings_)));
    ++printed_;
  }

  void on_damage(std::uint64_t offset, std::uint64_t bytes) override {
    if (!begun_ && settings_.from != 0) return;
    if (!wants_more()) return;
    print_head();
    out_(fmt::format("{:>10}  DAMAGED  {} bytes\n", offset, bytes));
  }

  bool wants_more() const override { return printed_ < settings_.limit; }

 private:
  bool reaches_from(const Record& record) const {
    return record.kind == RecordKind::message && record.message.sequence >= settings_.from;
  }
  void print_head() {
    if (!head_.empty()) out_(head_);
    head_.clear();
  }

  const std::uint64_t stream_;
  const DumpSettings& settings_;
  const DumpOut out_;
  std::string head_;  // of this segment, until something of it is printed
  bool begun_ = false;
  std::uint64_t printed_ = 0;
};

}  // namespace

base::Status dump_journal(const StoreView& view, const DumpSettings& settings, DumpOut out) {
  const StoreView::JournalState& journal = view.journal();
  if (journal.file == nullptr) return {};
  if (!journal.header) {
    out("journal: DAMAGED, neither of its headers is whole\n");
    return {};
  }
  const JournalHeader& header = *journal.header;
  out(
      fmt::format("journal: salt {:016x}, generation {}, ring {} bytes, starts at {} with block "
                  "{}\n",
                  header.salt, header.generation, header.ring_bytes, header.start.position,
                  header.start.number));
  JournalBlocks blocks(*journal.file, header);
  std::vector<Redo> records;
  std::uint64_t printed = 0;
  while (printed < settings.limit) {
    const auto more = blocks.next(records);
    if (!more) return tl::unexpected(more.error());
    if (!*more) break;
    out(fmt::format("{:>10}  block {}, {} records\n", blocks.place().position,
                    blocks.place().number, records.size()));
    for (const Redo& redo : records) {
      if (printed++ == settings.limit) break;
      out(fmt::format("{:>10}    {} bytes for {} at {}, salt {:016x}\n", "", redo.bytes.size(),
                      segment_path(redo.stream, redo.segment), redo.offset, redo.salt));
    }
  }
  if (journal.damaged_block) out("            DAMAGED block: others were written behind it\n");
  return {};
}

base::Status dump_stream(StoreView& view, std::uint64_t stream, const DumpSettings& settings,
                         DumpOut out) {
  Dumper dumper(stream, settings, out);
  const auto read = view.read(stream, dumper);
  if (!read) return tl::unexpected(read.error());
  return {};
}

}  // namespace spanwire::store
