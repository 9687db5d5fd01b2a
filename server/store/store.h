// The store of a process: one folder, one lock, one committer, and the logs of all streams.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/done.h"
#include "base/loop.h"
#include "base/result.h"
#include "store/committer.h"
#include "store/files.h"
#include "store/log.h"

namespace spanwire::store {

struct Settings {
  std::uint64_t journal_bytes = 256U << 20;        // at most; it grows up to that as it is needed
  std::uint64_t segment_first_bytes = 256U << 10;  // reserved in steps that double from here
  std::uint64_t segment_bytes = 64U << 20;         // a segment is sealed when it is as large
  std::uint64_t journalled_bytes = 64U << 10;  // more of one stream in a round is synced in place
  base::Duration sync_interval{};  // zero: a commit is durable before it is told; else as late
};

// Runs what may block, on threads; `done` on the loop afterwards. False: too much waits.
class Workers {
 public:
  virtual ~Workers() = default;
  virtual bool run(base::Task work, base::Loop& loop, base::Task done) = 0;
};

// A stream that was found in the folder when it was opened.
struct StoredStream {
  std::string path;      // streams/<number>
  std::string settings;  // what create() or set() was given last
};

class Store {
 public:
  // Takes the lock, replays the journal into the segments, and lists what there is. Blocks: before
  // the loops start.
  static base::Result<std::unique_ptr<Store>> open(std::unique_ptr<Files> files,
                                                   const Settings& settings, Workers& workers);
  virtual ~Store() = default;

  virtual const std::vector<StoredStream>& found() const = 0;

  // The rest comes from loops; each Done is called on `loop`. The log is used there.
  // A new stream; its settings and its folder are durable when `done` is called. Without settings
  // it is gone with the process, unless set() has given it some.
  virtual void create(std::optional<std::string> settings, Log::Owner& owner, base::Loop& loop,
                      base::Done<base::Result<std::unique_ptr<Log>>> done) = 0;
  // One that was found: replays it into its owner, in slices.
  virtual void recover(const std::string& path, Log::Owner& owner, base::Loop& loop,
                       base::Done<base::Result<std::unique_ptr<Log>>> done) = 0;
  virtual void set(const Log& log, std::string settings, base::Loop& loop,
                   base::Done<base::Status> done) = 0;
  // Destroys the log with its folder.
  virtual void remove(std::unique_ptr<Log> log, base::Loop& loop,
                      base::Done<base::Status> done) = 0;
  // One that was found and could not be recovered.
  virtual void remove(const std::string& path, base::Loop& loop, base::Done<base::Status> done) = 0;

  virtual base::Result<Space> space() const = 0;
  virtual Keeping keeping() const = 0;
  // From any thread. Null: what commits does not count.
  virtual const CommitCounters* commit_counters() const = 0;
};

// A log that no file holds. Lives as long as the process at most.
std::unique_ptr<Log> make_memory_log(Log::Owner& owner);

}  // namespace spanwire::store
