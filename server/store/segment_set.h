// The files of a log: the one that is written, those that are sealed, and the next one, which is
// made ahead of need. Belongs to its log's loop; what blocks runs on workers.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/lifeline.h"
#include "base/loop.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/ref.h"
#include "base/result.h"
#include "store/committer.h"
#include "store/files.h"
#include "store/record.h"
#include "store/store.h"
#include "store/tail_cache.h"

namespace spanwire::store {

// Held by all that workers do to the files of one log, so that whoever opens these anew can wait
// for its end.
struct LogJobs {
  std::atomic<bool> cancelled{false};  // the log is gone: what has not begun has no purpose
};

// Logs that could not write, and where what is committed of them ends: they are cut there when they
// are opened again. Used by all loops.
class FailedLogs {
 public:
  struct Failed {
    Position committed_end;
    std::weak_ptr<LogJobs> jobs;
  };
  void add(std::uint64_t stream, Failed failed) {
    const base::MutexLock lock(mutex_);
    logs_[stream] = std::move(failed);
  }
  void forget(std::uint64_t stream) {
    const base::MutexLock lock(mutex_);
    logs_.erase(stream);
  }
  std::optional<Failed> find(std::uint64_t stream) {
    const base::MutexLock lock(mutex_);
    const auto found = logs_.find(stream);
    return found == logs_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  base::Mutex mutex_;
  absl::flat_hash_map<std::uint64_t, Failed> logs_ ABSL_GUARDED_BY(mutex_);
};

// What all logs of a store share.
struct LogServices {
  Files& files;
  Committer& committer;
  Workers& workers;
  const Settings& settings;
  TailBudget& tails;
  FailedLogs& failed;
};

std::string stream_folder(std::uint64_t stream);

// A new segment, of which nothing is durable when it returns. Blocks.
base::Result<base::Ref<SegmentFile>> begin_segment(Files& files, std::uint64_t stream,
                                                   std::uint64_t number, std::uint64_t salt,
                                                   std::uint64_t reserved_bytes);
// One whose header, size and name are durable when it returns. Blocks.
base::Result<base::Ref<SegmentFile>> make_segment(Files& files, std::uint64_t stream,
                                                  std::uint64_t number, std::uint64_t salt,
                                                  std::uint64_t reserved_bytes);

struct LogSegment {
  base::Ref<SegmentFile> file;
  std::uint64_t stands_for = 0;  // the first number of those that it was made from
  std::uint64_t end = 0;         // where the next batch goes; of a sealed one, its last ends
  std::uint64_t readable = 0;    // committed up to here
  std::uint64_t reserved = 0;
  std::uint64_t repeated = 0;  // bytes of its preamble, which live as long as it is open
  bool compacted = false;      // it is one that compaction has written
  bool dead = false;           // no message of it is left
  bool left_alone = false;     // it could not be compacted
  bool compacting = false;
  bool has_sidecar = false;  // of all of it, or it could not be made
  // Of records that end messages elsewhere, as far as that is known.
  std::uint64_t erases_bytes = 0;
  Sequence first = 0;  // of the messages that have a record in it; 0: none has
  Sequence last = 0;
  // Numbers of other segments that still hold records of messages which records here end.
  absl::flat_hash_set<std::uint64_t> ends_in;

  std::uint64_t number() const { return file->number; }
  void saw(Sequence sequence) {
    if (first == 0) first = sequence;
    last = sequence;
  }
};

class SegmentSet {
 public:
  SegmentSet(const LogServices& services, base::Loop& loop, std::uint64_t stream,
             std::uint64_t seed)
      : services_(services), loop_(loop), stream_(stream), random_(seed) {}
  ~SegmentSet() { jobs_->cancelled = true; }

  const std::shared_ptr<LogJobs>& jobs() const { return jobs_; }

  // In the order of their numbers.
  void add(LogSegment segment);
  void forget_last() { segments_.pop_back(); }
  // One that was made by somebody else.
  void set_next(base::Ref<SegmentFile> segment);
  std::uint64_t draw_salt() { return random_.next(); }
  void set_last_number(std::uint64_t number) { last_number_ = number; }

  bool empty() const { return segments_.empty(); }
  LogSegment& open() { return segments_.back(); }
  const LogSegment& open() const { return segments_.back(); }
  LogSegment* find(std::uint64_t number);
  const std::vector<LogSegment>& all() const { return segments_; }
  std::vector<LogSegment>& all() { return segments_; }

  // Sees to it that there is a next segment soon, and takes more room for the open one. Cheap when
  // there is nothing to do.
  void look_ahead(bool next_is_near);
  // The next one, which is not wanted any more; null: there is none.
  base::Ref<SegmentFile> give_next() { return std::exchange(next_, nullptr); }
  bool next_is_ready() const { return next_.get() != nullptr; }
  // The next segment is the open one from now on.
  LogSegment& advance();
  // A segment is as long as it will ever be: gives back what was reserved behind its end.
  void seal(LogSegment& segment);
  // Forgets the dead whose records nobody needs any more.
  std::vector<base::Ref<SegmentFile>> drop_dead();
  // In the place of those from number `first` up to its own, which are returned: it was made from
  // them.
  std::vector<base::Ref<SegmentFile>> replace(std::uint64_t first, LogSegment fresh);
  // Forgets a segment, and removes its file soon. Until that is durable other segments go on to
  // name it in `ends_in`: after a power cut it may be there again.
  void drop(std::uint64_t number);

  std::uint64_t disk_bytes() const;

 private:
  void make_next();
  void grow();
  void remove_dropped();

  const LogServices& services_;
  base::Loop& loop_;
  const std::uint64_t stream_;
  base::Random random_;  // for salts, which only need to differ
  const std::shared_ptr<LogJobs> jobs_ = std::make_shared<LogJobs>();
  std::vector<LogSegment> segments_;
  base::Ref<SegmentFile> next_;
  std::uint64_t next_reserved_ = 0;
  std::uint64_t last_number_ = 0;
  bool making_ = false;
  bool growing_ = false;
  std::vector<std::uint64_t> dropped_;  // files to be removed
  bool removing_ = false;
  base::Time retry_at_{};  // after a failure
  base::Lifeline lifeline_;
};

}  // namespace spanwire::store
