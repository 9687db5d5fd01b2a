// A store without threads, on a disk in memory: every step of a worker and of the committer happens
// when a test says so.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "store/file_store.h"
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

// Writes and syncs each write by itself.
class PlainCommitter final : public store::Committer {
 public:
  void submit(store::Write write) override { waiting_.push_back(std::move(write)); }
  bool step() {
    if (waiting_.empty()) return false;
    store::Write write = std::move(waiting_.front());
    waiting_.pop_front();
    const std::string_view parts[] = {write.bytes ? std::string_view(write.bytes->text) : ""};
    store::File& file = *write.segment->file;
    base::Status status = file.write_at(write.offset, parts);
    if (status && write.sync) status = file.sync();
    write.loop->post([done = std::move(write.done), status]() mutable { done(status); });
    return true;
  }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  std::deque<store::Write> waiting_;
};

class StoreWorld {
 public:
  explicit StoreWorld(store::Settings wanted = {}) : settings(wanted) {}

  base::Status open();
  void close() { store_.reset(); }
  store::Store& store() { return *store_; }

  // The next that waits: of the loop, a worker or the committer. False: nothing does.
  bool step() { return loop.run_posted() || workers.step() || (committer_ && committer_->step()); }
  void settle() {
    while (step()) {
    }
  }
  PlainCommitter& committer() { return *committer_; }

  // Fails the test if it cannot be.
  std::unique_ptr<store::Log> create(store::Log::Owner& owner, std::string words = "s");
  base::Result<std::unique_ptr<store::Log>> recover(store::Log::Owner& owner,
                                                    const std::string& path = "streams/1");

  store::Settings settings;
  MemoryDisk disk;
  ManualLoop loop{0};
  ManualWorkers workers;

 private:
  PlainCommitter* committer_ = nullptr;
  std::unique_ptr<store::Store> store_;
};

}  // namespace spanwire::test
