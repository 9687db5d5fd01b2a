// What both kinds of log know from their index alone: totals, subjects, and all searches.
#pragma once

#include <absl/functional/function_ref.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "store/index.h"
#include "store/log.h"
#include "subject/filter.h"

namespace spanwire::store {

class IndexedLog : public Log {
 public:
  const Totals& ahead() const override { return index_.ahead(); }
  SubjectTotals ahead_of(std::string_view subject) const override {
    return index_.ahead_of(subject);
  }
  Sequence ahead_first() const override { return index_.ahead_first(); }
  Sequence ahead_first_of(std::string_view subject) override {
    return index_.ahead_first_of(subject);
  }

  const Totals& totals() const override { return index_.totals(); }
  SubjectTotals of(std::string_view subject) const override { return index_.of(subject); }
  bool has(Sequence sequence) const override { return index_.has(sequence); }
  bool has_ahead(Sequence sequence) const override { return index_.is_ahead(sequence); }
  std::string_view subject_of(Sequence sequence) const override {
    return index_.subject_of(sequence);
  }

  std::unique_ptr<Selection> select(std::vector<subject::Filter> filters) const override;
  Found next_within(Selection& selection, Sequence from, std::size_t& budget) const override;
  Found last_within(Selection& selection, Sequence up_to, std::size_t& budget) const override;
  Found first_since(base::WallTime time) override { return index_.first_since(time); }
  Found count(Selection& selection, Sequence from, Sequence up_to, std::uint64_t& count,
              std::size_t budget) const override;
  Found each_last(Selection& selection, Sequence from,
                  absl::FunctionRef<void(Sequence sequence)> visit,
                  std::size_t budget) const override;
  Walked each_subject(
      Selection& selection, std::string_view after,
      absl::FunctionRef<bool(std::string_view subject, const SubjectTotals& totals)> visit,
      std::size_t budget) const override;

 protected:
  // `time_of` reads the time of a message that is there.
  explicit IndexedLog(Index::TimeOf time_of) : index_(std::move(time_of)) {}

  Index index_;
};

}  // namespace spanwire::store
