// Searching in what an index knows.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/assert.h"
#include "store/index.h"

namespace spanwire::store {
namespace {

// What a message found costs whose state is looked at, and a node of the tree that is entered, in
// messages scanned: both are seldom in a cache.
constexpr std::size_t looked_at = 10;
constexpr std::size_t entered = 100;

// One filter's subjects, at the next of them.
struct Source {
  SubjectTree::Walk walk;
  SubjectTree::Walk::Step step;
};

// The smallest comes last; of two with one text the one that stands there comes before a pause.
bool comes_later(const Source* a, const Source* b) {
  const int order = a->walk.text().compare(b->walk.text());
  return order != 0 ? order > 0 : a->step > b->step;
}

// The first position that may be selected; `only` is the one subject that is, or no_subject.
std::size_t next_candidate(const IndexSegment& segment, std::size_t from, std::size_t end,
                           const IndexSelection& selection, SubjectId only) {
  if (selection.all() || only != no_subject) return segment.next_live(from, end, only);
  return segment.next_live_unless(from, end,
                                  [&selection](SubjectId id) { return selection.refuses(id); });
}

}  // namespace

SubjectTotals Index::named(const IndexSelection& selection, SubjectId& only) const {
  SubjectTotals sum;
  only = no_subject;
  for (const subject::Filter& filter : selection.filters()) {
    const SubjectId id = subjects_.find(filter.literal_text());
    if (id == no_subject || subjects_[id].messages == 0) continue;
    only = sum.messages == 0 ? id : no_subject;
    sum.messages += subjects_[id].messages;
    sum.last = std::max(sum.last, last_of(id));
  }
  return sum;
}

Found Index::next(IndexSelection& selection, Sequence from, std::size_t& budget) const {
  budget = std::max<std::size_t>(budget, 1);
  from = std::max(from, totals_.first);
  Sequence up_to = totals_.last;
  SubjectId only = no_subject;
  if (selection.literals()) {
    const SubjectTotals named_ones = named(selection, only);
    if (named_ones.messages == 0) return {};
    up_to = named_ones.last;
    if (from <= up_to && (named_ones.messages == 1 || from == up_to)) {
      return {Found::Kind::message, up_to};
    }
  }
  if (totals_.messages == 0 || from > up_to) return {};
  if (only == no_subject) selection.renew(subjects_);
  for (std::size_t at = segment_from(from); at < segments_.size(); ++at) {
    const IndexSegment& segment = *segments_[at];
    if (segment.first() > up_to) break;
    const std::size_t end =
        segment.last() <= up_to ? segment.size() : segment.lower_bound(up_to + 1);
    for (std::size_t i = segment.lower_bound(from); i < end;) {
      const std::size_t stop = i + std::min(end - i, budget);
      const std::size_t live = next_candidate(segment, i, stop, selection, only);
      budget -= live - i;
      i = live;
      if (live < stop) {
        const Sequence sequence = segment.sequence(live);
        if (only != no_subject || selection.selects(subjects_, segment.subject(live), budget)) {
          return {Found::Kind::message, sequence};
        }
        budget -= std::min<std::size_t>(budget, 1);
        ++i;
      }
      if (budget == 0) {
        const Sequence reached = i < end ? segment.sequence(i) : segment.last() + 1;
        return reached > up_to ? Found{} : Found{Found::Kind::more, reached};
      }
    }
  }
  return {};
}

Found Index::last(IndexSelection& selection, Sequence up_to, std::size_t& budget) const {
  budget = std::max<std::size_t>(budget, 1);
  up_to = std::min(up_to, totals_.last);
  SubjectId only = no_subject;
  if (selection.literals()) {
    const SubjectTotals named_ones = named(selection, only);
    if (named_ones.messages == 0) return {};
    if (up_to >= named_ones.last) return {Found::Kind::message, named_ones.last};
    if (named_ones.messages == 1) return {};
  }
  if (totals_.messages == 0 || up_to < totals_.first) return {};
  if (only == no_subject) selection.renew(subjects_);
  for (std::size_t at = std::min(segment_from(up_to) + 1, segments_.size()); at > 0; --at) {
    const IndexSegment& segment = *segments_[at - 1];
    if (segment.last() < totals_.first) return {};
    std::size_t i = segment.lower_bound(up_to + 1);
    while (i > 0) {
      const std::size_t stop = i - std::min(i, budget);
      const std::size_t live = segment.last_live(i, stop, only);
      const bool any = live != segment.size();
      budget -= i - (any ? live + 1 : stop);
      i = any ? live : stop;
      if (any &&
          (only != no_subject || selection.selects(subjects_, segment.subject(live), budget))) {
        return {Found::Kind::message, segment.sequence(live)};
      }
      if (any) budget -= std::min<std::size_t>(budget, 1);
      if (budget != 0) continue;
      const Sequence reached = i > 0 ? segment.sequence(i - 1) : segment.first() - 1;
      return reached < totals_.first ? Found{} : Found{Found::Kind::more, reached};
    }
  }
  return {};
}

bool Index::erasing() const {
  return !part_.erased.empty() || std::any_of(parts_.begin(), parts_.end(), [](const Part& part) {
    return !part.erased.empty();
  });
}

Found Index::count(IndexSelection& selection, Sequence from, Sequence up_to, std::uint64_t& count,
                   std::size_t budget) const {
  budget = std::max<std::size_t>(budget, 1);
  from = std::max(from, totals_.first);
  up_to = std::min(up_to, totals_.last);
  if (totals_.messages == 0 || from > up_to) return {};
  const bool whole = from == totals_.first && up_to == totals_.last && !erasing();
  if (whole && selection.all()) {
    count += totals_.messages;
    return {};
  }
  selection.renew(subjects_);
  if (whole && selection.knows_all(subjects_)) {
    selection.each_selected([&](SubjectId id) { count += subjects_[id].messages; });
    return {};
  }
  for (std::size_t at = std::min(segment_from(up_to) + 1, segments_.size()); at > 0; --at) {
    const IndexSegment& segment = *segments_[at - 1];
    if (segment.last() < from) return {};
    const std::size_t begin = segment.lower_bound(from);
    std::size_t i = segment.lower_bound(up_to + 1);
    if (selection.all() && begin == 0 && i == segment.size()) {
      count += segment.staying();
      i = 0;
      --budget;
    }
    while (i > begin && budget != 0) {
      --i;
      --budget;
      if (segment.leaving(i)) continue;
      if (selection.selects(subjects_, segment.subject(i), budget)) ++count;
    }
    if (budget != 0) continue;
    const Sequence reached = i > begin ? segment.sequence(i - 1) : segment.first() - 1;
    return reached < from ? Found{} : Found{Found::Kind::more, reached};
  }
  return {};
}

Found Index::each_last(IndexSelection& selection, Sequence from,
                       absl::FunctionRef<void(Sequence sequence)> visit, std::size_t budget) const {
  budget = std::max<std::size_t>(budget, 1);
  while (true) {
    const Found found = next(selection, from, budget);
    if (found.kind != Found::Kind::message) return found;
    const Spot at = spot(found.sequence);
    if (last_of(at.segment->subject(at.position)) == found.sequence) visit(found.sequence);
    from = found.sequence + 1;
    budget -= std::min(budget, looked_at);
    if (budget == 0) return {Found::Kind::more, from};
  }
}

Walked Index::each_subject(
    const IndexSelection& selection, std::string_view after,
    absl::FunctionRef<bool(std::string_view subject, const SubjectTotals& totals)> visit,
    std::size_t budget) const {
  using Step = SubjectTree::Walk::Step;
  budget /= entered;
  std::vector<std::unique_ptr<Source>> sources;
  std::vector<Source*> heap;
  for (std::size_t i = 0; i < std::max<std::size_t>(selection.filters().size(), 1); ++i) {
    const subject::Filter* filter = selection.all() ? nullptr : &selection.filters()[i];
    auto source = std::make_unique<Source>(
        Source{SubjectTree::Walk(subjects_.tree(), filter, after), Step::end});
    source->step = source->walk.next(budget);
    if (source->step == Step::end) continue;
    heap.push_back(source.get());
    sources.push_back(std::move(source));
  }
  std::make_heap(heap.begin(), heap.end(), comes_later);
  std::string previous;
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), comes_later);
    Source& source = *heap.back();
    const std::string_view text = source.walk.text();
    if (source.step == Step::paused) return {.all = false, .after = std::string(text)};
    const SubjectId id = source.walk.id();
    const bool again = sources.size() > 1 && text == previous;
    if (!again && subjects_[id].messages != 0) {
      if (!visit(text, {.messages = subjects_[id].messages, .last = last_of(id)})) {
        return {.all = false, .after = std::string(text)};
      }
    }
    if (sources.size() > 1) previous = text;
    source.step = source.walk.next(budget);
    if (source.step == Step::end) {
      heap.pop_back();
    } else {
      std::push_heap(heap.begin(), heap.end(), comes_later);
    }
  }
  return {};
}

Found Index::first_since(base::WallTime time) const {
  const auto found =
      std::partition_point(segments_.begin(), segments_.end(),
                           [time](const auto& segment) { return segment->last_time() < time; });
  if (totals_.messages == 0 || found == segments_.end()) return {};
  const IndexSegment& segment = **found;
  const IndexSegment::Between between = segment.since(time);
  const std::size_t end = std::min(between.to, visible_end(segment));
  std::vector<Sequence> unclear;
  for (std::size_t i = segment.next_live(std::min(between.from, end), end, no_subject); i < end;
       i = segment.next_live(i + 1, end, no_subject)) {
    unclear.push_back(segment.sequence(i));
  }
  const auto first =
      std::partition_point(unclear.begin(), unclear.end(),
                           [this, time](Sequence sequence) { return time_of_(sequence) < time; });
  if (first != unclear.end()) return {Found::Kind::message, *first};
  IndexSelection everything({});
  const Sequence from =
      between.to < segment.size() ? segment.sequence(between.to) : segment.last() + 1;
  std::size_t budget = SIZE_MAX;
  return next(everything, from, budget);
}

}  // namespace spanwire::store
