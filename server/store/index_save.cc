// An index as bytes, for snapshots (docs/formats/snapshot.md), and back. Nothing is uncommitted
// then.
#include <bit>
#include <cstring>

#include "base/assert.h"
#include "base/little_endian.h"
#include "store/index.h"
#include "store/saved_bytes.h"

namespace spanwire::store {

void IndexSegment::save(std::string& out) const {
  SavedWriter writer(out);
  writer.number(number_);
  writer.number(first_);
  writer.number(last_);
  writer.time(last_time_);
  writer.number(last_counted_);
  writer.number(bytes_);
  writer.list(entries_, [&](const Entry& entry) {
    base::append_little_endian(out, entry.place);
    base::append_little_endian(out, entry.subject);
  });
  writer.list(lows_, [&](std::uint16_t low) { base::append_little_endian(out, low); });
  writer.list(blocks_, [&](const Block& block) {
    writer.number(block.high);
    base::append_little_endian(out, block.position);
  });
  writer.list(overheads_, [&](const Overhead& overhead) {
    base::append_little_endian(out, overhead.position);
    base::append_little_endian(out, static_cast<std::uint32_t>(overhead.bytes));
  });
  writer.list(times_, [&](base::WallTime time) { writer.time(time); });
}

std::unique_ptr<IndexSegment> IndexSegment::load(SavedReader& in) {
  auto segment = std::make_unique<IndexSegment>(in.number());
  segment->first_ = in.number();
  segment->last_ = in.number();
  segment->last_time_ = in.time();
  segment->last_counted_ = static_cast<std::uint32_t>(in.number());
  segment->bytes_ = in.number();
  in.list(segment->entries_, 8, [&] {
    const auto place = in.fixed<std::uint32_t>();
    return Entry{place, in.fixed<std::uint32_t>()};
  });
  in.list(segment->lows_, 2, [&] { return in.fixed<std::uint16_t>(); });
  in.list(segment->blocks_, 12, [&] {
    const Sequence high = in.number();
    return Block{high, in.fixed<std::uint32_t>()};
  });
  in.list(segment->overheads_, 8, [&] {
    const auto position = in.fixed<std::uint32_t>();
    return Overhead{position, static_cast<std::int32_t>(in.fixed<std::uint32_t>())};
  });
  in.list(segment->times_, 8, [&] { return in.time(); });
  if (!in.ok() || segment->empty()) return nullptr;
  for (std::size_t i = 0; i < segment->size(); ++i) {
    if (segment->gone(i)) continue;
    ++segment->live_;
    segment->live_bytes_ += segment->counted(i);
  }
  return segment;
}

void SubjectTable::put(SubjectId id, std::string_view subject) {
  while (end_ <= id) {
    if (end_ % page_states == 0) pages_.push_back(std::make_unique<SubjectState[]>(page_states));
    if (end_ < id) free_.push_back(end_);
    ++end_;
  }
  tree_.insert(subject, id);
}

void Index::save(std::string& out) const {
  BASE_ASSERT(parts_.empty());
  SavedWriter writer(out);
  writer.number(totals_.last);
  writer.time(totals_.last_time);
  writer.number(totals_.subjects);
  std::string text;
  for (SubjectId id = 0; id < subjects_.end(); ++id) {
    if (subjects_[id].messages == 0) continue;
    subjects_.tree().text_of(id, text);
    base::append_little_endian(out, id);
    writer.text(text);
  }
  writer.number(segments_.size());
  for (const auto& segment : segments_) segment->save(out);
}

bool Index::load(SavedReader& in) {
  BASE_ASSERT(segments_.empty() && subjects_.end() == 0);
  Totals totals;
  totals.last = in.number();
  totals.last_time = in.time();
  std::vector<std::pair<SubjectId, std::string_view>> subjects;
  const std::uint64_t count = in.number();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const auto id = in.fixed<std::uint32_t>();
    if (!subjects.empty() && subjects.back().first >= id) return false;
    subjects.emplace_back(id, in.text());
  }
  Segments segments;
  const std::uint64_t segment_count = in.number();
  for (std::uint64_t i = 0; i < segment_count && in.ok(); ++i) {
    segments.push_back(IndexSegment::load(in));
    if (segments.back() == nullptr) return false;
  }
  if (!in.ok()) return false;
  for (const auto& [id, text] : subjects) subjects_.put(id, text);
  for (const auto& segment : segments) {
    for (std::size_t i = 0; i < segment->size(); ++i) {
      if (segment->gone(i)) continue;
      if (segment->subject(i) >= subjects_.end()) return false;
      const Sequence sequence = segment->sequence(i);
      SubjectState& state = subjects_[segment->subject(i)];
      if (state.messages++ == 0) ++totals.subjects;
      state.ahead = state.messages;
      state.last = sequence;
      state.ahead_last = sequence;
      if (totals.messages++ == 0) totals.first = sequence;
    }
    totals.bytes += segment->live_bytes();
  }
  if (totals.messages == 0) totals.first = totals.last + 1;
  segments_ = std::move(segments);
  totals_ = totals;
  ahead_ = totals;
  return true;
}

}  // namespace spanwire::store
