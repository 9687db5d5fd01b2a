#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "store/round_committer.h"

namespace spanwire::store {

namespace {

// What linux/ioprio.h says; as a header of C++ it cannot be read.
constexpr int class_shift = 13;
constexpr int real_time_class = 1;
constexpr int best_effort_class = 2;
constexpr int this_thread = 1;  // IOPRIO_WHO_PROCESS, with 0 as the process

// Where the disk's scheduler knows priorities, a round does not wait behind what another process
// writes in bulk. The first class is for the privileged, the highest of the usual one for all.
void go_first_at_the_disk() {
  for (const int priority : {real_time_class << class_shift, best_effort_class << class_shift}) {
    if (::syscall(SYS_ioprio_set, this_thread, 0, priority) == 0) return;
  }
}

}  // namespace

RoundCommitter::RoundCommitter(Journal& journal, Helpers& helpers, CommitterSettings settings)
    : journal_(journal), helpers_(helpers), settings_(std::move(settings)) {}

void RoundCommitter::submit(Write write) {
  BASE_ASSERT(write.segment && write.bytes && write.loop != nullptr);
  base::MutexLock lock(mutex_);
  submitted_.push_back(std::move(write));
}

void RoundCommitter::settle(base::Loop& loop, base::Done<base::Status> done) {
  base::MutexLock lock(mutex_);
  settle_wanted_.push_back({&loop, std::move(done)});
}

bool RoundCommitter::step() {
  gather();
  if (parts_.empty()) {
    if (settling_.empty()) return false;
    settle_journal();
    return true;
  }
  const base::Time begin = settings_.now();
  mend_journal();
  write_groups();
  make_durable();
  counters_.round_time.add(settings_.now() - begin);
  tell();
  if (waiting_.empty()) settle_journal();
  return true;
}

void RoundCommitter::settle_journal() {
  if (settling_.empty()) return;
  const base::Status settled = journal_.settle();
  for (Settling& each : std::exchange(settling_, {})) {
    each.loop->post([done = std::move(each.done), settled]() mutable { done(settled); });
  }
}

// The first writes of what waits, as many as one block of the journal takes.
void RoundCommitter::gather() {
  {
    base::MutexLock lock(mutex_);
    std::move(submitted_.begin(), submitted_.end(), std::back_inserter(waiting_));
    submitted_.clear();
    std::move(settle_wanted_.begin(), settle_wanted_.end(), std::back_inserter(settling_));
    settle_wanted_.clear();
  }
  ++round_;
  journal_need_ = 0;
  while (!waiting_.empty() && place(waiting_.front())) waiting_.pop_front();
}

std::size_t RoundCommitter::journalled_limit() const {
  return std::min(settings_.journalled_bytes, journal_.capacity() - redo_header_bytes);
}

std::size_t RoundCommitter::journal_bytes(std::size_t bytes, std::size_t runs) const {
  return bytes > journalled_limit() ? 0 : bytes + runs * redo_header_bytes;
}

// Takes the write into the round. False: the journal's next block has no room for it.
bool RoundCommitter::place(Write& write) {
  SegmentFile::Commit& commit = write.segment->commit;
  if (!commit.failure.empty()) {
    parts_.push_back({.write = std::move(write)});
    return true;
  }
  const std::string_view text = write.bytes->text;
  Group* group = commit.round == round_ ? &groups_[commit.group] : nullptr;
  const bool goes_on = group != nullptr && !group->runs.empty() &&
                       group->runs.back().offset + group->runs.back().bytes == write.offset;
  const std::size_t new_runs = goes_on || text.empty() ? 0 : 1;
  const std::size_t runs = group == nullptr ? 0 : group->runs.size();
  const std::size_t bytes = group == nullptr ? 0 : group->bytes;
  const std::size_t need = journal_need_ - journal_bytes(bytes, runs) +
                           journal_bytes(bytes + text.size(), runs + new_runs);
  if (need > journal_.capacity() && !parts_.empty()) return false;
  journal_need_ = need;
  if (group == nullptr) {
    commit.round = round_;
    commit.group = groups_.size();
    group = &groups_.emplace_back();
    group->segment = write.segment;
  }
  if (new_runs != 0) group->runs.push_back({.offset = write.offset, .bytes = 0, .parts = {}});
  if (!text.empty()) {
    group->runs.back().parts.push_back(text);
    group->runs.back().bytes += text.size();
  }
  group->bytes += text.size();
  group->wants_sync = group->wants_sync || write.sync;
  counters_.bytes.add(text.size());
  parts_.push_back({.write = std::move(write), .group = commit.group});
  return true;
}

void RoundCommitter::mend_journal() {
  if (!journal_.broken()) return;
  const bool needed = std::any_of(groups_.begin(), groups_.end(),
                                  [](const Group& group) { return group.wants_sync; });
  if (!needed) return;
  const base::Status mended = journal_.mend();
  if (mended) return;
  for (Group& group : groups_) {
    if (group.wants_sync) fail(group, mended.error());
  }
}

void RoundCommitter::write_groups() {
  for (Group& group : groups_) {
    for (const Run& run : group.runs) {
      if (!group.status) break;
      const base::Status written = group.segment->file->write_at(run.offset, run.parts);
      if (!written) fail(group, written.error());
    }
  }
}

// Everything that this needs is on the disk before any Done of the round.
void RoundCommitter::make_durable() {
  for (Group& group : groups_) choose_way(group);
  const std::unique_ptr<Helpers::Batch> batch = sync_in_place(!journal_.empty());
  commit_journal();
  if (batch) batch->wait();
  for (Group& group : groups_) {
    if (group.in_place) after_sync(group);
  }
}

void RoundCommitter::choose_way(Group& group) {
  if (!group.status) return;
  SegmentFile::Commit& commit = group.segment->commit;
  if (!group.wants_sync) {
    commit.unsynced = commit.unsynced || group.bytes > 0;
    return;
  }
  // What was written before and not synced would be a hole before what the journal brings back.
  if (commit.unsynced || group.bytes > journalled_limit()) {
    group.in_place = true;
    return;
  }
  for (const Run& run : group.runs) journal_.add(group.segment, run.offset, run.parts);
}

// `beside`: the caller has something to do meanwhile. A round waits for these, and for no part of
// the ring behind which they would have to stand.
std::unique_ptr<Helpers::Batch> RoundCommitter::sync_in_place(bool beside) {
  std::vector<base::Task> tasks;
  for (Group& group : groups_) {
    if (!group.in_place) continue;
    tasks.emplace_back([&group] { group.status = group.segment->file->sync(); });
  }
  counters_.file_syncs.add(tasks.size());
  if (tasks.empty()) return nullptr;
  if (beside || tasks.size() > 1) return helpers_.start_first(std::move(tasks));
  tasks.front()();
  return nullptr;
}

void RoundCommitter::commit_journal() {
  if (journal_.empty()) return;
  counters_.journal_syncs.add();
  const base::Status committed = journal_.commit();
  if (committed) return;
  for (Group& group : groups_) {
    if (group.wants_sync && !group.in_place) fail(group, committed.error());
  }
}

void RoundCommitter::after_sync(Group& group) {
  SegmentFile::Commit& commit = group.segment->commit;
  if (group.status) {
    commit.unsynced = false;
    Journal::forget(*group.segment);
    return;
  }
  commit.failure = group.status.error().text;
}

void RoundCommitter::fail(Group& group, const base::Error& error) {
  if (!group.status) return;
  group.status = base::fail(error.text);
  group.segment->commit.failure = error.text;
}

// One task for each loop: handing a task to a loop may wake its thread.
void RoundCommitter::tell() {
  struct Told {
    base::Done<base::Status> done;
    base::Status status;
  };
  struct OnLoop {
    base::Loop* loop = nullptr;
    std::vector<Told> told;
  };
  std::vector<OnLoop> loops;
  for (Part& part : parts_) {
    base::Status status;
    if (part.group == no_group) {
      status = base::fail(part.write.segment->commit.failure);
    } else {
      status = groups_[part.group].status;
    }
    if (!status) counters_.failures.add();
    auto found = std::find_if(loops.begin(), loops.end(),
                              [&](const OnLoop& entry) { return entry.loop == part.write.loop; });
    if (found == loops.end()) {
      loops.emplace_back().loop = part.write.loop;
      found = loops.end() - 1;
    }
    found->told.push_back({std::move(part.write.done), std::move(status)});
  }
  counters_.rounds.add();
  counters_.writes.add(parts_.size());
  parts_.clear();
  groups_.clear();
  for (OnLoop& entry : loops) {
    entry.loop->post([all = std::move(entry.told)]() mutable {
      for (Told& each : all) each.done(std::move(each.status));
    });
  }
}

CommitterThread::CommitterThread(RoundCommitter& rounds, Journal& journal)
    : rounds_(rounds), journal_(journal), thread_([this] { run(); }) {}

CommitterThread::~CommitterThread() {
  stopping_.store(true, std::memory_order_release);
  call();
  thread_.join();
}

void CommitterThread::submit(Write write) {
  rounds_.submit(std::move(write));
  call();
}

void CommitterThread::settle(base::Loop& loop, base::Done<base::Status> done) {
  rounds_.settle(loop, std::move(done));
  call();
}

void CommitterThread::call() {
  if (state_.exchange(called, std::memory_order_acq_rel) != asleep) return;
  ::syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

// Not std::atomic::wait(), which yields some times before it sleeps: each of these turns may leave
// the core to another process for as long as that may have it at once.
void CommitterThread::await_call() {
  static_assert(sizeof state_ == sizeof(std::uint32_t));
  std::uint32_t seen = idle;
  if (state_.compare_exchange_strong(seen, asleep, std::memory_order_acq_rel)) seen = asleep;
  while (seen == asleep) {
    ::syscall(SYS_futex, &state_, FUTEX_WAIT_PRIVATE, asleep, nullptr, nullptr, 0);
    seen = state_.load(std::memory_order_acquire);
  }
}

void CommitterThread::run() {
  go_first_at_the_disk();
  for (;;) {
    await_call();
    // Before looking: what is submitted from here on calls again, and what was asked by the call
    // that is taken off here is seen.
    state_.exchange(idle, std::memory_order_acq_rel);
    const bool last = stopping_.load(std::memory_order_acquire);
    while (rounds_.step()) {
    }
    if (last) break;
  }
  // If it fails, what is left is replayed at the next start.
  static_cast<void>(journal_.settle());
}

}  // namespace spanwire::store
