// The committer over the commit journal, and the thread that runs it.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/counter.h"
#include "base/histogram.h"
#include "base/mutex.h"
#include "store/committer.h"
#include "store/helpers.h"
#include "store/journal.h"

namespace spanwire::store {

struct CommitterSettings {
  std::size_t journalled_bytes = 64U << 10;  // more of one segment in a round is synced in place
  std::function<base::Time()> now = [] { return base::Time(base::Time::clock::now()); };
};

// Carries out one round at a time, when it is told to: by a CommitterThread, or by a simulation.
//
// All writes of a round go to their segments, one call each where they lie behind one another. Then
// those of the segments with little go into the journal, with one sync; the others are synced in
// place, beside it. Then the Dones are posted, one task for each loop, in the order of submit().
//
// A segment whose write or sync failed is refused from then on. If the journal fails, that is so
// for all of the round, and for those of later rounds until the journal could be begun anew:
// nothing is acknowledged while a failed round might still be replayed.
class RoundCommitter final : public Committer {
 public:
  RoundCommitter(Journal& journal, Helpers& helpers, CommitterSettings settings = {});

  void submit(Write write) override;
  void settle(base::Loop& loop, base::Done<base::Status> done) override;
  // One round of what was submitted. False: there was nothing.
  bool step();

  const CommitCounters& counters() const { return counters_; }
  const JournalCounters& journal_counters() const { return journal_.counters(); }

 private:
  struct Run {
    std::uint64_t offset = 0;
    std::size_t bytes = 0;
    std::vector<std::string_view> parts;
  };
  // What a round writes of one segment.
  struct Group {
    base::Ref<SegmentFile> segment;
    std::vector<Run> runs;
    std::size_t bytes = 0;
    bool wants_sync = false;
    bool in_place = false;
    base::Status status;
  };
  static constexpr std::size_t no_group = ~std::size_t{0};
  struct Part {
    Write write;
    std::size_t group = no_group;  // none: its segment was refused
  };

  struct Settling {
    base::Loop* loop = nullptr;
    base::Done<base::Status> done;
  };

  void gather();
  bool place(Write& write);
  std::size_t journalled_limit() const;
  std::size_t journal_bytes(std::size_t bytes, std::size_t runs) const;
  void mend_journal();
  void write_groups();
  void make_durable();
  void choose_way(Group& group);
  void commit_journal();
  std::unique_ptr<Helpers::Batch> sync_in_place(bool beside);
  void after_sync(Group& group);
  static void fail(Group& group, const base::Error& error);
  void tell();
  void settle_journal();

  Journal& journal_;
  Helpers& helpers_;
  const CommitterSettings settings_;

  base::Mutex mutex_;
  std::vector<Write> submitted_ ABSL_GUARDED_BY(mutex_);
  std::vector<Settling> settle_wanted_ ABSL_GUARDED_BY(mutex_);

  // The rest is the thread's that steps.
  std::deque<Write> waiting_;       // did not fit into the round before
  std::vector<Settling> settling_;  // when nothing waits
  std::uint64_t round_ = 0;
  std::size_t journal_need_ = 0;
  std::vector<Part> parts_;
  std::vector<Group> groups_;
  CommitCounters counters_;
};

// Runs rounds on a thread of its own, as long as it lives; what it asks of the disk goes before
// what others ask, as far as the system lets us. The destructor commits what was submitted, and
// leaves nothing to be replayed.
class CommitterThread final : public Committer {
 public:
  CommitterThread(RoundCommitter& rounds, Journal& journal);
  ~CommitterThread() override;
  CommitterThread(const CommitterThread&) = delete;
  CommitterThread& operator=(const CommitterThread&) = delete;

  void submit(Write write) override;
  void settle(base::Loop& loop, base::Done<base::Status> done) override;

 private:
  void call();
  void await_call();
  void run();

  RoundCommitter& rounds_;
  Journal& journal_;
  std::atomic<bool> stopping_{false};
  // What the thread does, or that something was submitted since it looked.
  static constexpr std::uint32_t idle = 0;
  static constexpr std::uint32_t called = 1;
  static constexpr std::uint32_t asleep = 2;
  std::atomic<std::uint32_t> state_{idle};
  std::thread thread_;
};

}  // namespace spanwire::store
