#include "store/segment_scan.h"
#include "store/store_folder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/little_endian.h"
#include "logging/logging.h"
#include "store/segment_header.h"
#include "store/segment_set.h"
#include "store/sidecar.h"

namespace spanwire::store {

namespace {

// What is read at once, and what a chunk has at least unless its segment ends.
constexpr std::uint64_t chunk_bytes = std::uint64_t{1} << 20;
// What a disk is asked for beforehand, while it is looked at what stands before that.
constexpr std::uint64_t read_ahead_bytes = 4 * chunk_bytes;
// A header, and the mark behind it, lie within so many bytes.
constexpr std::size_t head_bytes = 256;
// A preamble is rarely larger.
constexpr std::size_t first_bytes = 4096;
// Where a segment's first batches tell what was durable by then.
constexpr std::size_t probe_bytes = 64U << 10;
// Bytes that a search for the next good record sums up, for each byte that it searches: text that
// was made to look like many records must not cost a day.
constexpr std::uint64_t sums_per_byte = 16;

const logging::Logger& log() {
  static const logging::Logger logger = logging::get("store");
  return logger;
}

bool is_newer_segment(std::string_view head) {
  return head.size() >= segment_header_bytes && head.starts_with("SPWSEG\r\n") &&
         base::read_little_endian<std::uint32_t>(head, 8) > segment_version;
}

bool all_zero(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

// The first good record, or batch, in the bytes that stand at `offset` of a segment; their size if
// there is none.
std::size_t find_good(std::string_view bytes, std::uint64_t salt, std::uint64_t offset,
                      bool batches_only) {
  std::uint64_t budget = bytes.size() * sums_per_byte;
  for (std::size_t at = 0; at + record_head_bytes <= bytes.size(); ++at) {
    const std::string_view here = bytes.substr(at);
    // None begins where its kind would be zero: a stretch of zeros is passed in steps.
    if (here.size() >= 16 && base::read_little_endian<std::uint64_t>(here, 8) == 0) {
      at += 7;
      continue;
    }
    const std::size_t size = record_size(here);
    if (size == 0 || size > here.size()) continue;
    if (batches_only && size != batch_record_bytes) continue;
    if (size > budget) break;
    Record record;
    const Decode decoded = decode_record(here, salt, offset + at, record);
    if (decoded == Decode::ok && (!batches_only || record.kind == RecordKind::batch)) return at;
    budget -= size;
  }
  return bytes.size();
}

// How many of these bytes, which stand behind a segment's header, are good records.
std::size_t good_bytes(std::string_view bytes, std::uint64_t salt) {
  std::size_t at = 0;
  Record record;
  while (at < bytes.size() &&
         decode_record(bytes.substr(at), salt, segment_header_bytes + at, record) == Decode::ok) {
    at += record.size_bytes;
  }
  return at;
}

// The furthest that the good records, one behind the other, name durable.
Position last_durable(std::string_view bytes, std::uint64_t salt, std::uint64_t offset) {
  Position durable;
  Record record;
  while (decode_record(bytes, salt, offset, record) == Decode::ok) {
    durable = std::max(durable, record.durable);
    bytes.remove_prefix(record.size_bytes);
    offset += record.size_bytes;
  }
  return durable;
}

// The mark that a segment begins with, from its first bytes.
Mark read_mark(std::string_view head, std::uint64_t salt) {
  constexpr std::size_t place = segment_header_bytes + batch_record_bytes;
  Record record;
  if (head.size() <= place) return {};
  const Decode decoded = decode_record(head.substr(place), salt, place, record);
  return decoded == Decode::ok && record.kind == RecordKind::mark ? record.mark : Mark{};
}

}  // namespace

base::Status SegmentScan::open(const Start& start) {
  start_ = start;
  durable_ = start.durable;
  const auto listed = list();
  if (!listed) return tl::unexpected(listed.error());
  const std::vector<std::uint64_t>& numbers = listed->segments;
  if (!numbers.empty()) last_number_ = numbers.back();
  for (const std::uint64_t number : numbers) {
    const bool refused = number > start.limit.segment;
    const base::Status opened =
        refused ? remove(number) : open_segment(number, number == numbers.back());
    if (!opened) return opened;
  }
  if (const base::Status dropped = drop_replaced(); !dropped) return dropped;
  if (const base::Status found = find_sidecars(listed->sidecars); !found) return found;
  while (current_ < segments_.size() && segments_[current_].file->number < start.from.segment) {
    ++current_;
  }
  return current_ == segments_.size() ? finish() : base::Status();
}

void SegmentScan::begin_at(Position position, const std::vector<std::uint64_t>& ends) {
  start_.from = position;
  durable_ = std::max(durable_, position);
  notes_from_ = position.segment;
  notes_known_ = true;
  for (std::size_t i = 0; i < ends.size(); ++i) segments_[i].end = ends[i];
  current_ = ends.size();
}

base::Result<SegmentScan::Listed> SegmentScan::list() {
  const auto names = files_.list(stream_folder(stream_));
  if (!names) return tl::unexpected(names.error());
  Listed listed;
  for (const std::string& name : *names) {
    if (const auto number = file_number(name, ".seg")) {
      listed.segments.push_back(*number);
    } else if (const auto described = file_number(name, ".idx")) {
      listed.sidecars.push_back(*described);
    } else if (name.ends_with(".new")) {
      const base::Status removed = files_.remove(stream_folder(stream_) + "/" + name);
      if (!removed) return tl::unexpected(removed.error());
    }
  }
  std::sort(listed.segments.begin(), listed.segments.end());
  std::sort(listed.sidecars.begin(), listed.sidecars.end());
  return listed;
}

base::Status SegmentScan::open_segment(std::uint64_t number, bool is_last) {
  auto file = files_.open(segment_path(stream_, number));
  if (!file) return tl::unexpected(file.error());
  std::string head(head_bytes, '\0');
  const auto got = (*file)->read_at(0, head);
  if (!got) return tl::unexpected(got.error());
  read_bytes_ += *got;
  head.resize(*got);
  const auto header = decode_segment_header(head);
  if (header && header->stream == stream_ && header->number == number) {
    auto segment = base::make_ref<SegmentFile>();
    segment->stream = stream_;
    segment->number = number;
    segment->salt = header->salt;
    segment->file = std::move(*file);
    const std::string_view own(header->reserved.data(), header->reserved.size());
    const auto first = base::read_little_endian<std::uint64_t>(own, 0);
    const auto size = segment->file->size();
    if (!size) return tl::unexpected(size.error());
    segments_.push_back({.file = std::move(segment),
                         .stands_for = first == 0 ? number : first,
                         .compacted = first != 0,
                         .end = *size,
                         .mark = read_mark(head, header->salt)});
    return {};
  }
  if (is_newer_segment(head)) return tl::unexpected(header.error());
  // The last may be one whose making was interrupted: then nothing stands in it.
  const bool unused = head.size() <= segment_header_bytes ||
                      all_zero(std::string_view(head).substr(segment_header_bytes));
  if (is_last && unused) return remove(number);
  ++damaged_;
  left_aside_ = number;
  log().error("{} cannot be read, and is left aside: {}", segment_path(stream_, number),
              header ? "it is another segment's file" : header.error().text);
  return {};
}

base::Status SegmentScan::remove(std::uint64_t number) {
  const base::Status removed = files_.remove(segment_path(stream_, number));
  return removed ? files_.remove(sidecar_path(stream_, number)) : removed;
}

// Those of segments that are gone go too.
base::Status SegmentScan::find_sidecars(const std::vector<std::uint64_t>& sidecars) {
  auto next = segments_.begin();
  for (const std::uint64_t number : sidecars) {
    while (next != segments_.end() && next->file->number < number) ++next;
    if (next != segments_.end() && next->file->number == number) {
      next->has_sidecar = true;
      continue;
    }
    const base::Status removed = files_.remove(sidecar_path(stream_, number));
    if (!removed) return removed;
  }
  return {};
}

// What a compacted segment stands for may still be there.
base::Status SegmentScan::drop_replaced() {
  std::uint64_t stands_for = UINT64_MAX;
  for (std::size_t i = segments_.size(); i-- > 0;) {
    const std::uint64_t number = segments_[i].file->number;
    if (number >= stands_for) {
      if (const base::Status removed = remove(number); !removed) return removed;
      segments_.erase(segments_.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      stands_for = segments_[i].stands_for;
    }
  }
  return {};
}

base::Result<std::string> SegmentScan::read_first_batch(const SegmentFile& segment) {
  std::string bytes(first_bytes, '\0');
  std::size_t wanted = bytes.size();
  for (int round = 0; round < 2; ++round) {
    bytes.resize(wanted);
    const auto got = segment.file->read_at(segment_header_bytes, bytes);
    if (!got) return tl::unexpected(got.error());
    read_bytes_ += *got;
    bytes.resize(*got);
    Record batch;
    const Decode decoded = decode_record(bytes, segment.salt, segment_header_bytes, batch);
    if (decoded != Decode::ok || batch.kind != RecordKind::batch) return std::string();
    if (batch.batch_bytes <= bytes.size()) return bytes.substr(0, batch.batch_bytes);
    wanted = batch.batch_bytes;
  }
  return std::string();
}

// Whether all of this segment that the next one's mark speaks of is there, and all before it.
base::Result<bool> SegmentScan::is_whole(std::size_t index) {
  const SegmentFile& segment = *segments_[index].file;
  const Mark& mark = segments_[index + 1].mark;
  if (mark.previous_salt != segment.salt) return true;  // compacted since: it was sealed
  const Position end{segment.number, mark.previous_end};
  if (durable_ >= end || end.offset <= segment_header_bytes) return true;
  // The next one's first batches nearly always say so.
  const SegmentFile& next = *segments_[index + 1].file;
  std::string bytes(probe_bytes, '\0');
  auto got = next.file->read_at(segment_header_bytes, bytes);
  if (!got) return tl::unexpected(got.error());
  read_bytes_ += *got;
  bytes.resize(*got);
  if (last_durable(bytes, next.salt, segment_header_bytes) >= end) return true;
  bytes.assign(end.offset - segment_header_bytes, '\0');
  got = segment.file->read_at(segment_header_bytes, bytes);
  if (!got) return tl::unexpected(got.error());
  read_bytes_ += *got;
  const bool good = *got == bytes.size() && good_bytes(bytes, segment.salt) == bytes.size();
  return good && index != 0 ? is_whole(index - 1) : base::Result<bool>(good);
}

// The notes of the newest segment that has a whole preamble say all that earlier ones said; but it
// counts only if what came before it is there.
base::Status SegmentScan::find_notes() {
  for (std::size_t i = segments_.size(); i-- > 0;) {
    const SegmentFile& segment = *segments_[i].file;
    const auto batch = read_first_batch(segment);
    if (!batch) return tl::unexpected(batch.error());
    if (batch->empty() || good_bytes(*batch, segment.salt) != batch->size()) continue;
    const base::Result<bool> counts = i == 0 ? true : is_whole(i - 1);
    if (!counts) return tl::unexpected(counts.error());
    if (!*counts) continue;
    notes_from_ = segment.number;
    return {};
  }
  return {};
}

base::Status SegmentScan::begin_segment() {
  FoundSegment& segment = segments_[current_];
  const auto size = segment.file->file->size();
  if (!size) return tl::unexpected(size.error());
  const std::uint64_t number = segment.file->number;
  size_ = number == start_.limit.segment ? std::min(*size, start_.limit.offset) : *size;
  // What a failed write left behind the end that was agreed on is no part of the stream.
  if (const std::uint64_t end = end_by_mark(current_); end != 0) size_ = std::min(size_, end);
  offset_ = number == start_.from.segment ? start_.from.offset : 0;
  offset_ = std::max<std::uint64_t>(offset_, segment_header_bytes);
  data_end_ = std::min(size_, segment.file->file->data_end(offset_).value_or(size_));
  buffer_offset_ = offset_;
  buffer_.clear();
  within_batch_ = false;
  begun_ = true;
  segment.file->file->will_read(offset_, read_ahead_bytes);
  if (current_ + 1 < segments_.size()) {
    segments_[current_ + 1].file->file->will_read(0, read_ahead_bytes);
  }
  return {};
}

std::string_view SegmentScan::rest() const {
  return std::string_view(buffer_).substr(offset_ - buffer_offset_);
}

// Reads on until the buffer has so many bytes from offset_ on, or all that there are. More, as long
// as that are not the zeros at the end; a batch may end with some of them.
base::Status SegmentScan::fill(std::uint64_t bytes) {
  const std::size_t have = buffer_.size();
  const std::uint64_t ahead = std::min(data_end_, offset_ + chunk_bytes);
  const std::uint64_t end = std::min(size_, std::max(offset_ + bytes, ahead));
  const std::uint64_t read_from = buffer_offset_ + have;
  if (end <= read_from) return {};
  buffer_.resize(end - buffer_offset_);
  const File& file = *segments_[current_].file->file;
  file.will_read(end + read_ahead_bytes - chunk_bytes, chunk_bytes);
  const auto got = file.read_at(read_from, buffer_.span().subspan(have));
  buffer_.resize(have + got.value_or(0));
  if (!got) return tl::unexpected(got.error());
  read_bytes_ += *got;
  if (read_from + *got < end) size_ = read_from + *got;  // it became shorter
  return {};
}

SegmentScan::Step SegmentScan::take(std::vector<Run>& runs) {
  const std::string_view bytes = rest();
  const bool is_all = buffer_offset_ + buffer_.size() >= size_;
  Record header;
  const Decode decoded = decode_record(bytes, segments_[current_].file->salt, offset_, header);
  if (decoded == Decode::need_more) return is_all ? Step::bad : Step::need_more;
  if (decoded == Decode::bad) return Step::bad;
  const bool is_batch = header.kind == RecordKind::batch;
  if (!is_batch && !within_batch_) return Step::bad;
  std::size_t taken = header.size_bytes;
  if (is_batch) {
    const Step step = take_batch(bytes, header);
    if (step == Step::need_more && is_all) return Step::bad;
    if (step != Step::taken) return step;
    within_batch_ = false;
    durable_ = std::max(durable_, header.durable);
    taken = header.batch_bytes;
  }
  const std::size_t begin = offset_ - buffer_offset_;
  if (runs.empty() || runs.back().end != begin) runs.push_back({.begin = begin, .end = begin});
  runs.back().end = begin + taken;
  offset_ += taken;
  return Step::taken;
}

// A batch counts as a whole: all its records are good.
SegmentScan::Step SegmentScan::take_batch(std::string_view bytes, const Record& header) {
  if (bytes.size() < header.batch_bytes) return Step::need_more;
  const std::string_view records =
      bytes.substr(header.size_bytes, header.batch_bytes - header.size_bytes);
  const bool good =
      are_good_records(records, segments_[current_].file->salt, offset_ + header.size_bytes);
  return good ? Step::taken : Step::bad;
}

void SegmentScan::emit(Chunk& out) {
  const std::string_view left = rest();
  ReadBuffer next = std::move(out.bytes);
  next.assign(left);
  out.segment = segments_[current_].file;
  out.offset = buffer_offset_;
  out.notes = out.segment->number >= notes_from_;
  buffer_.resize(buffer_.size() - left.size());
  out.bytes = std::exchange(buffer_, std::move(next));
  buffer_offset_ = offset_;
}

base::Result<bool> SegmentScan::next(Chunk& out) {
  out.runs.clear();
  while (!done_) {
    base::Status status;
    if (!std::exchange(notes_known_, true)) status = find_notes();
    if (!status) return tl::unexpected(status.error());
    if (!begun_) status = begin_segment();
    if (!status) return tl::unexpected(status.error());
    const Step step = take(out.runs);
    if (step == Step::taken) continue;
    if (!out.runs.empty()) {
      emit(out);
      return true;
    }
    if (step == Step::need_more) {
      // A batch that is larger than what is read at once says so itself.
      const std::string_view bytes = rest();
      Record header;
      const bool known =
          decode_record(bytes, segments_[current_].file->salt, offset_, header) == Decode::ok &&
          header.kind == RecordKind::batch;
      status = fill(known ? header.batch_bytes : std::max(record_size(bytes), record_head_bytes));
    } else {
      status = pass_bad();
    }
    if (!status) return tl::unexpected(status.error());
  }
  return false;
}

base::Status SegmentScan::pass_bad() {
  bool is_end = offset_ >= size_;
  if (!is_end) {
    const auto zeros = only_zeros_follow();
    if (!zeros) return tl::unexpected(zeros.error());
    is_end = *zeros;
  }
  const bool lacks_some = end_by_mark(current_) > offset_;
  if (is_end && !lacks_some && durable_ <= position()) {
    return position().segment == start_.limit.segment ? cut() : end_segment();
  }
  if (durable_ <= position()) {
    if (const base::Status looked = look_ahead(); !looked) return looked;
  }
  if (durable_ <= position()) return cut();
  if (!is_end) return skip_damage();
  return end_damaged();
}

// Nothing more is here, though more was durable.
base::Status SegmentScan::end_damaged() {
  std::uint64_t end = end_by_mark(current_);
  if (durable_.segment == position().segment) end = std::max(end, durable_.offset);
  if (end > offset_) {
    report(end - offset_);
    offset_ = end;
  }
  return position().segment == start_.limit.segment ? cut() : end_segment();
}

base::Result<bool> SegmentScan::only_zeros_follow() {
  if (!all_zero(rest())) return false;
  std::string bytes(chunk_bytes, '\0');
  for (std::uint64_t at = buffer_offset_ + buffer_.size(); at < data_end_;) {
    const std::size_t wanted = std::min(chunk_bytes, data_end_ - at);
    const auto got = segments_[current_].file->file->read_at(at, std::span(bytes).first(wanted));
    if (!got) return tl::unexpected(got.error());
    read_bytes_ += *got;
    if (!all_zero(std::string_view(bytes).substr(0, *got))) return false;
    if (*got < wanted) break;
    at += *got;
  }
  return true;
}

// Looks for a batch behind this place that knew something beyond it to be durable.
base::Status SegmentScan::look_ahead() {
  const Position here = position();
  for (std::size_t i = current_; i < segments_.size() && durable_ <= here; ++i) {
    const SegmentFile& segment = *segments_[i].file;
    std::uint64_t at = i == current_ ? offset_ : segment_header_bytes;
    const std::uint64_t end = i == current_ ? size_ : segments_[i].end;
    std::string bytes(end > at ? end - at : 0, '\0');
    const auto got = segment.file->read_at(at, bytes);
    if (!got) return tl::unexpected(got.error());
    read_bytes_ += *got;
    std::string_view left(bytes.data(), *got);
    while (!left.empty() && durable_ <= here) {
      const std::size_t skipped = find_good(left, segment.salt, at, true);
      left.remove_prefix(skipped);
      at += skipped;
      Record batch;
      if (decode_record(left, segment.salt, at, batch) != Decode::ok) break;
      durable_ = std::max(durable_, batch.durable);
      left.remove_prefix(batch.size_bytes);
      at += batch.size_bytes;
    }
  }
  return {};
}

// Goes on with the next record that is good.
base::Status SegmentScan::skip_damage() {
  if (const base::Status filled = fill(size_ - offset_); !filled) return filled;
  const std::string_view bytes = rest();
  Record first;
  const bool good_header =
      decode_record(bytes, segments_[current_].file->salt, offset_, first) == Decode::ok;
  // A good batch header whose batch is not: its records count one by one.
  const std::size_t from = good_header ? first.size_bytes : 1;
  const std::size_t skipped =
      good_header ? from
                  : from + find_good(bytes.substr(from), segments_[current_].file->salt,
                                     offset_ + from, false);
  if (!good_header) report(skipped);
  offset_ += skipped;
  within_batch_ = true;
  return {};
}

void SegmentScan::report(std::uint64_t bytes) {
  ++damaged_;
  log().error("{} is damaged: {} bytes at {} are not what was written, and are skipped",
              segment_path(stream_, position().segment), bytes, offset_);
}

std::uint64_t SegmentScan::end_by_mark(std::size_t index) const {
  if (index + 1 >= segments_.size()) return 0;
  const Mark& mark = segments_[index + 1].mark;
  return mark.previous_salt == segments_[index].file->salt ? mark.previous_end : 0;
}

// Without a word of the next one it is one that was compacted, or was cut to its length when it was
// sealed.
std::uint64_t SegmentScan::known_end(std::size_t index) const {
  const std::uint64_t end = end_by_mark(index);
  return end != 0 ? end : segments_[index].end;
}

base::Status SegmentScan::end_segment() {
  segments_[current_].end = offset_;
  begun_ = false;
  return ++current_ == segments_.size() ? finish() : base::Status();
}

// Nothing from here on was acknowledged. What will be written here must never be followed by what
// stands there now.
base::Status SegmentScan::cut() {
  segments_[current_].end = offset_;
  while (segments_.size() > current_ + 1) {
    if (const base::Status removed = remove(segments_.back().file->number); !removed) {
      return removed;
    }
    segments_.pop_back();
  }
  File& file = *segments_[current_].file->file;
  if (const base::Status cut = file.truncate(offset_); !cut) return cut;
  if (const base::Status synced = file.sync(); !synced) return synced;
  return finish();
}

// If a sync of it failed before this start, the system holds what no device does, and calls it
// clean: a sync alone would not bring it there, and what is said behind it from now on would stand
// behind a hole. So what nothing names durable is written again, the header too.
base::Status SegmentScan::make_durable(const FoundSegment& segment) {
  File& file = *segment.file->file;
  const bool is_named = segment.file->number == durable_.segment;
  std::string bytes(chunk_bytes, '\0');
  for (std::uint64_t at = is_named ? durable_.offset : 0; at < segment.end;) {
    const std::size_t wanted = std::min(chunk_bytes, segment.end - at);
    const auto got = file.read_at(at, std::span(bytes).first(wanted));
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) break;
    const std::string_view parts[] = {std::string_view(bytes).substr(0, *got)};
    if (const base::Status written = file.write_at(at, parts); !written) return written;
    at += *got;
  }
  return file.sync();
}

// A segment without its preamble is no place to go on. And what was read is seen from now on, so it
// must be durable, whatever the process that wrote it knew.
base::Status SegmentScan::finish() {
  done_ = true;
  while (segments_.size() > 1 && segments_.back().end <= segment_header_bytes) {
    if (const base::Status removed = remove(segments_.back().file->number); !removed) {
      return removed;
    }
    segments_.pop_back();
  }
  for (const FoundSegment& segment : segments_) {
    if (segment.file->number < durable_.segment) continue;
    if (const base::Status written = make_durable(segment); !written) return written;
  }
  last_number_ = left_aside_;
  if (!segments_.empty()) last_number_ = std::max(last_number_, segments_.back().file->number);
  return files_.sync_folder(stream_folder(stream_));
}

}  // namespace spanwire::store
