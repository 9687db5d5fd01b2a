// A segment of an index as bytes, for sidecars (docs/formats/sidecar.md), and back.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/little_endian.h"
#include "store/index.h"
#include "store/saved_bytes.h"

namespace spanwire::store {

void IndexSegment::save(std::string& out) const {
  out.reserve(out.size() + saved_bytes());
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

std::size_t IndexSegment::saved_bytes() const {
  constexpr std::size_t numbers = 6 + 5;  // and the sizes of the lists
  return numbers * 8 + entries_.size() * 8 + lows_.size() * 2 + blocks_.size() * 12 +
         overheads_.size() * 8 + times_.size() * 8;
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
  if (!in.ok() || segment->empty() || !segment->well_formed()) return nullptr;
  for (std::size_t i = 0; i < segment->size(); ++i) {
    if (segment->gone(i)) continue;
    ++segment->live_;
    segment->live_bytes_ += segment->counted(i);
  }
  return segment;
}

// Whether what was read hangs together, so that no question goes astray in it.
bool IndexSegment::well_formed() const {
  const std::size_t count = entries_.size();
  if (times_.size() != (count + time_step - 1) / time_step) return false;
  if (lows_.size() != (dense() ? 0 : count)) return false;
  if (overheads_.empty() ? count > 1 : overheads_.front().position != 0) return false;
  for (std::size_t i = 1; i < overheads_.size(); ++i) {
    if (overheads_[i].position <= overheads_[i - 1].position) return false;
  }
  if (dense()) return first_ != 0 && last_ >= first_ && last_ - first_ == count - 1;
  if (blocks_.front().position != 0 || blocks_.back().position >= count) return false;
  for (std::size_t i = 1; i < blocks_.size(); ++i) {
    if (blocks_[i].position <= blocks_[i - 1].position) return false;
    if (blocks_[i].high <= blocks_[i - 1].high) return false;
  }
  if (sequence(0) != first_ || first_ == 0 || sequence(count - 1) != last_) return false;
  for (std::size_t i = 1; i < count; ++i) {
    if (sequence(i) <= sequence(i - 1)) return false;
  }
  return true;
}

// Nothing is uncommitted: readers see at once what it has.
bool Index::adopt(std::unique_ptr<IndexSegment> segment,
                  std::span<const std::string_view> subjects) {
  BASE_ASSERT(parts_.empty() && !opened_);
  if (segment->first() <= totals_.last) return false;
  std::vector<SubjectId> numbers(subjects.size(), no_subject);
  for (std::size_t i = 0; i < segment->size(); ++i) {
    if (segment->gone(i)) {
      segment->set_subject(i, 0);  // nobody asks
      continue;
    }
    const SubjectId place = segment->subject(i);
    SubjectId& number = numbers[place];
    if (number == no_subject) number = subjects_.number(subjects[place]);
    segment->set_subject(i, number);
    const Sequence sequence = segment->sequence(i);
    SubjectState& state = subjects_[number];
    if (state.messages++ == 0) ++totals_.subjects;
    state.ahead = state.messages;
    state.last = sequence;
    state.last_stale = 0;
    state.ahead_last = sequence;
    state.ahead_stale = 0;
    if (totals_.messages++ == 0) totals_.first = sequence;
  }
  totals_.bytes += segment->live_bytes();
  totals_.last = segment->last();
  totals_.last_time = std::max(totals_.last_time, segment->last_time());
  if (totals_.messages == 0) totals_.first = totals_.last + 1;
  ahead_ = totals_;
  if (segment->live() != 0) segments_.push_back(std::move(segment));
  return true;
}

}  // namespace spanwire::store
