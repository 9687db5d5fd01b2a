#include "store/indexed_log.h"

#include "store/index_selection.h"

namespace spanwire::store {
namespace {

IndexSelection& own(Selection& selection) {
  return static_cast<IndexSelection&>(selection);
}

}  // namespace

std::unique_ptr<Selection> IndexedLog::select(std::vector<subject::Filter> filters) const {
  return std::make_unique<IndexSelection>(std::move(filters));
}

Found IndexedLog::next_within(Selection& selection, Sequence from, std::size_t& budget) const {
  return index_.next(own(selection), from, budget);
}

Found IndexedLog::last_within(Selection& selection, Sequence up_to, std::size_t& budget) const {
  return index_.last(own(selection), up_to, budget);
}

Found IndexedLog::count(Selection& selection, Sequence from, Sequence up_to, std::uint64_t& count,
                        std::size_t budget) const {
  return index_.count(own(selection), from, up_to, count, budget);
}

Found IndexedLog::each_last(Selection& selection, Sequence from,
                            absl::FunctionRef<void(Sequence sequence)> visit,
                            std::size_t budget) const {
  return index_.each_last(own(selection), from, visit, budget);
}

Walked IndexedLog::each_subject(
    Selection& selection, std::string_view after,
    absl::FunctionRef<bool(std::string_view subject, const SubjectTotals& totals)> visit,
    std::size_t budget) const {
  return index_.each_subject(own(selection), after, visit, budget);
}

}  // namespace spanwire::store
