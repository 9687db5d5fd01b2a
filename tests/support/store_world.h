// A store without threads, on a disk in memory: every step of a worker and of the committer happens
// when a test says so.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "store/file_store.h"
#include "store/journal.h"
#include "store/round_committer.h"
#include "tests/support/deferred_helpers.h"
#include "tests/support/manual_loop.h"
#include "tests/support/memory_files.h"

namespace spanwire::test {

class ManualWorkers final : public store::Workers {
 public:
  bool run(base::Task work, base::Loop& loop, base::Task done) override {
    if (waiting_.size() >= limit) return false;
    waiting_.push_back({std::move(work), &loop, std::move(done)});
    return true;
  }
  // False: there was nothing to do.
  bool step() {
    if (waiting_.empty()) return false;
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    job.work();
    job.loop->post(std::move(job.done));
    return true;
  }
  void clear() { waiting_.clear(); }

  std::size_t limit = 1000;

 private:
  struct Job {
    base::Task work;
    base::Loop* loop;
    base::Task done;
  };
  std::deque<Job> waiting_;
};

class SteppedCommitter : public store::Committer {
 public:
  // False: nothing was submitted.
  virtual bool step() = 0;
};

// Writes and syncs each write by itself.
class PlainCommitter final : public SteppedCommitter {
 public:
  void submit(store::Write write) override { waiting_.push_back(std::move(write)); }
  bool step() override;

 private:
  std::deque<store::Write> waiting_;
};

// The real one, with its journal.
class JournalledCommitter final : public SteppedCommitter {
 public:
  static base::Result<std::unique_ptr<JournalledCommitter>> open(store::Files& files,
                                                                 DeferredHelpers& helpers,
                                                                 const store::Settings& settings);
  void submit(store::Write write) override { rounds_.submit(std::move(write)); }
  void settle(base::Loop& loop, base::Done<base::Status> done) override {
    rounds_.settle(loop, std::move(done));
  }
  bool step() override { return rounds_.step(); }

 private:
  JournalledCommitter(std::unique_ptr<store::Journal> journal, DeferredHelpers& helpers,
                      const store::Settings& settings);

  const std::unique_ptr<store::Journal> journal_;
  store::RoundCommitter rounds_;
};

class StoreWorld {
 public:
  explicit StoreWorld(store::Settings wanted = {}, bool journalled = false)
      : settings(wanted), journalled_(journalled) {}

  base::Status open();
  // As a process that ends.
  void close();
  store::Store& store() { return *store_; }

  // The next that waits: of the loop, a worker or the committer. False: nothing does.
  bool step() { return loop.run_posted() || workers.step() || (committer_ && committer_->step()); }
  void settle() {
    while (step()) {
    }
  }
  SteppedCommitter& committer() { return *committer_; }

  // Fails the test if it cannot be.
  std::unique_ptr<store::Log> create(store::Log::Owner& owner, std::string words = "s");
  base::Result<std::unique_ptr<store::Log>> recover(store::Log::Owner& owner,
                                                    const std::string& path = "streams/1");

  store::Settings settings;
  MemoryDisk disk;
  ManualLoop loop{0};
  ManualWorkers workers;
  DeferredHelpers helpers;

 private:
  const bool journalled_;
  SteppedCommitter* committer_ = nullptr;
  std::unique_ptr<store::Store> store_;
};

}  // namespace spanwire::test
