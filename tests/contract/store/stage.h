// What the contract of store::Log is held to: a log with all that it needs. Each kind of log has a
// make_stage() of its own, and a test binary with it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/log.h"

namespace spanwire::test {

class LogOwner final : public store::Log::Owner {
 public:
  void on_committed(store::Ticket ticket, const base::Status& status) override {
    committed.emplace_back(ticket, status.has_value());
    if (on_commit) on_commit(ticket);
  }
  void restore(std::string_view state) override { restored = state; }
  void replay_message(const store::Message& message) override {
    replayed.push_back(message.sequence);
  }
  void replay_erased(store::Sequence sequence) override { erased.push_back(sequence); }
  void replay_note(std::uint32_t kind, std::string_view note) override {
    notes.emplace_back(kind, note);
  }
  void repeat_notes() override {}
  std::string state() const override { return "state"; }

  std::vector<std::pair<store::Ticket, bool>> committed;
  std::function<void(store::Ticket)> on_commit;
  std::string restored;
  std::vector<store::Sequence> replayed;
  std::vector<store::Sequence> erased;
  std::vector<std::pair<std::uint32_t, std::string>> notes;
};

// A message whose texts are its own.
struct Stored {
  std::string subject;
  std::string headers;
  std::string payload;
  base::WallTime time{};
  friend bool operator==(const Stored&, const Stored&) = default;
};

class LogStage {
 public:
  virtual ~LogStage() = default;
  virtual store::Log& log() = 0;
  // Does all that the log has asked others for: writes, syncs, reads.
  virtual void settle() = 0;
  // Reads alone: what is not committed stays so.
  virtual void settle_reads() { settle(); }

  // Short words for the tests.
  store::Sequence append(std::string_view subject, std::string_view payload = "x",
                         std::string_view headers = {});
  store::Sequence append_at(std::int64_t seconds, std::string_view subject = "a");
  void commit();
  // Until nothing is left to erase; with commits between the steps.
  void erase_through(store::Sequence sequence);
  // With a fetch if it needs one; none: it is gone.
  std::optional<Stored> read(store::Sequence sequence);
  std::unique_ptr<store::Selection> select(std::vector<std::string_view> filters);
  // Searches to their end, in steps of `budget`.
  store::Found next(store::Selection& selection, store::Sequence from,
                    std::size_t budget = store::search_budget);
  store::Found last(store::Selection& selection, store::Sequence up_to,
                    std::size_t budget = store::search_budget);
  std::vector<store::Sequence> lasts(store::Selection& selection, store::Sequence from,
                                     std::size_t budget = store::search_budget);
  std::uint64_t count(store::Selection& selection, store::Sequence from,
                      std::size_t budget = store::search_budget);
  using Subjects = std::vector<std::pair<std::string, store::SubjectTotals>>;
  Subjects subjects(store::Selection& selection, std::string after = {},
                    std::size_t budget = store::search_budget);
  store::Found first_since(base::WallTime time);

  LogOwner owner;
  base::WallTime now = at_second(1'000'000);

  static base::WallTime at_second(std::int64_t seconds) {
    return base::WallTime(std::chrono::seconds(seconds));
  }
};

std::unique_ptr<LogStage> make_stage();

}  // namespace spanwire::test

namespace spanwire::store {

inline bool operator==(const SubjectTotals& a, const SubjectTotals& b) {
  return a.messages == b.messages && a.last == b.last;
}

}  // namespace spanwire::store
