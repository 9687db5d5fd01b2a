// A segment of an index as bytes, for sidecars (docs/formats/sidecar.md), and back.
#include <algorithm>
#include <array>
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
  in.equal_items(segment->entries_, 8, [](std::string_view bytes) {
    return Entry{base::read_little_endian<std::uint32_t>(bytes, 0),
                 base::read_little_endian<std::uint32_t>(bytes, 4)};
  });
  in.equal_items(segment->lows_, 2, [](std::string_view bytes) {
    return base::read_little_endian<std::uint16_t>(bytes, 0);
  });
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
  segment->count_live();
  return segment;
}

// What counted() would say of each, without searching for each.
void IndexSegment::count_live() {
  const std::size_t last = entries_.size() - 1;
  std::size_t step = 0;  // in overheads_
  for (std::size_t i = 0; i < last; ++i) {
    while (step + 1 < overheads_.size() && overheads_[step + 1].position <= i) ++step;
    if (gone(i)) continue;
    ++live_;
    live_bytes_ += static_cast<std::uint32_t>(static_cast<std::int32_t>(offset(i + 1) - offset(i)) -
                                              overheads_[step].bytes);
  }
  if (gone(last)) return;
  ++live_;
  live_bytes_ += last_counted_;
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

// Of readers' sight too: nothing is uncommitted.
void Index::adopt_subject(Adopted& adopted) {
  SubjectState& state = subjects_[adopted.id];
  if (state.messages == 0) ++totals_.subjects;
  state.messages += adopted.messages;
  state.ahead = state.messages;
  state.last = adopted.last;
  state.last_stale = 0;
  state.ahead_last = adopted.last;
  state.ahead_stale = 0;
}

void Index::adopt_subjects(std::span<const std::string_view> texts, std::span<Adopted> adopted,
                           KnownSubjects& known) {
  std::array<SubjectId, KnownSubjects::most_together> ids;
  known.find(texts, std::span(ids).first(texts.size()));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (ids[i] != no_subject) prefetch(ids[i]);
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (adopted[i].messages == 0) continue;
    adopted[i].id = ids[i];
    if (ids[i] == no_subject) {
      adopted[i].id = subjects_.number(texts[i]);
      known.remember(texts[i], adopted[i].id);
    }
    adopt_subject(adopted[i]);
  }
}

bool Index::adopt(std::unique_ptr<IndexSegment> segment, std::span<const std::string_view> subjects,
                  KnownSubjects& known) {
  BASE_ASSERT(parts_.empty() && !opened_);
  if (segment->first() <= totals_.last) return false;
  const std::size_t live_begin = segment->next_live(0, segment->size(), no_subject);
  std::vector<Adopted> adopted(subjects.size());
  for (std::size_t i = live_begin; i < segment->size(); ++i) {
    if (segment->gone(i)) continue;
    Adopted& subject = adopted[segment->subject(i)];
    ++subject.messages;
    subject.last = i;
  }
  for (Adopted& each : adopted) each.last = segment->sequence(each.last);
  for (std::size_t at = 0; at < subjects.size(); at += KnownSubjects::most_together) {
    const std::size_t count = std::min(subjects.size() - at, KnownSubjects::most_together);
    adopt_subjects(subjects.subspan(at, count), std::span(adopted).subspan(at, count), known);
  }
  for (std::size_t i = 0; i < segment->size(); ++i) {
    // Of those that are gone nobody asks.
    segment->set_subject(i, segment->gone(i) ? 0 : adopted[segment->subject(i)].id);
  }
  if (totals_.messages == 0 && segment->live() != 0) totals_.first = segment->sequence(live_begin);
  totals_.messages += segment->live();
  totals_.bytes += segment->live_bytes();
  totals_.last = segment->last();
  totals_.last_time = std::max(totals_.last_time, segment->last_time());
  if (totals_.messages == 0) totals_.first = totals_.last + 1;
  ahead_ = totals_;
  if (segment->live() != 0) segments_.push_back(std::move(segment));
  return true;
}

}  // namespace spanwire::store
