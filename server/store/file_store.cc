#include "store/file_store.h"

#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>

#include <atomic>
#include <optional>
#include <random>
#include <utility>

#include "base/assert.h"
#include "base/mutex.h"
#include "logging/logging.h"
#include "store/file_log.h"
#include "store/recovery.h"
#include "store/recovery_queue.h"
#include "store/store_folder.h"
#include "store/whole_file.h"

namespace spanwire::store {

namespace {

// What the tails of all logs may keep in memory; streams beyond it keep a little each.
constexpr std::uint64_t tails_bytes = 256U << 20;
// When the workers have too much to do.
constexpr base::Duration again_after = std::chrono::milliseconds(5);

const logging::Logger& log() {
  static const logging::Logger logger = logging::get("store");
  return logger;
}

std::uint64_t draw() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

std::uint64_t stream_of(const Log& log) {
  BASE_ASSERT(log.storage() == Storage::file);
  return static_cast<const FileLog&>(log).stream();
}

std::uint64_t stream_at(std::string_view path) {
  BASE_ASSERT(path.starts_with(streams_folder));
  const auto stream = file_number(path.substr(streams_folder.size() + 1));
  BASE_ASSERT(stream);
  return *stream;
}

// The folder is a store that this version can read; an empty one becomes one.
base::Status check_version(Files& files) {
  const auto version = read_store_version(files);
  if (!version) return tl::unexpected(version.error());
  if (*version != 0) return {};
  return replace_file(files, ".", "version", fmt::format("{}{}\n", version_words, store_version));
}

class FileStore final : public Store {
 public:
  FileStore(std::unique_ptr<Files> files, const Settings& settings, Workers& workers)
      : files_(std::move(files)), settings_(settings), workers_(workers), tails_(tails_bytes) {}

  base::Status open(const MakeCommitter& make_committer) {
    auto lock = files_->lock("lock");
    if (!lock) return tl::unexpected(lock.error());
    lock_ = std::move(*lock);
    base::Status status = check_version(*files_);
    if (status) status = files_->make_folder(streams_folder);
    if (status) status = files_->sync_folder(".");
    if (!status) return status;
    auto committer = make_committer(*files_);
    if (!committer) return tl::unexpected(committer.error());
    committer_ = std::move(*committer);
    return find_streams();
  }

  const std::vector<StoredStream>& found() const override { return found_; }
  void create(std::optional<std::string> settings, Log::Owner& owner, base::Loop& loop,
              base::Done<base::Result<std::unique_ptr<Log>>> done) override;
  void recover(const std::string& path, Log::Owner& owner, base::Loop& loop,
               base::Done<base::Result<std::unique_ptr<Log>>> done) override;
  void set(const Log& log, std::string settings, base::Loop& loop,
           base::Done<base::Status> done) override;
  void remove(std::unique_ptr<Log> log, base::Loop& loop, base::Done<base::Status> done) override;
  void remove(const std::string& path, base::Loop& loop, base::Done<base::Status> done) override;

  const CommitCounters* commit_counters() const override { return committer_->commit_counters(); }
  base::Result<Space> space() const override { return files_->space(); }
  Keeping keeping() const override { return files_->keeping().value_or(Keeping::disk); }

 private:
  base::Status find_streams();
  base::Status find_stream(std::uint64_t number);
  void recover_failed(std::uint64_t stream, const Position& committed_end, Log::Owner& owner,
                      base::Loop& loop, base::Done<base::Result<std::unique_ptr<Log>>> done);
  void start_recovery(std::uint64_t stream, const SegmentScan::Start& start, Log::Owner& owner,
                      base::Loop& loop, Recovery::Recovered done);
  void remove(std::uint64_t stream, base::Loop& loop, base::Done<base::Status> done);
  LogServices services() { return {*files_, *committer_, workers_, settings_, tails_, failed_}; }
  // Runs `work` on a worker, however long it takes until one is free, then `done` on the loop.
  template <class Result>
  void run(base::Loop& loop, absl::AnyInvocable<Result()> work, base::Done<Result> done);

  base::Status write_settings(std::uint64_t stream, std::uint64_t turn, std::string_view settings);

  const std::unique_ptr<Files> files_;
  const Settings settings_;
  Workers& workers_;
  std::unique_ptr<FolderLock> lock_;
  TailBudget tails_;
  FailedLogs failed_;
  RecoveryQueue recoveries_;
  std::vector<StoredStream> found_;
  std::atomic<std::uint64_t> last_stream_{0};
  std::unique_ptr<Committer> committer_;  // goes first: it may still write

  // Settings are written in the order of the calls; who comes late has been overtaken.
  std::atomic<std::uint64_t> turns_{0};
  base::Mutex settings_mutex_;
  absl::flat_hash_map<std::uint64_t, std::uint64_t> written_ ABSL_GUARDED_BY(settings_mutex_);
};

base::Status FileStore::find_streams() {
  const auto names = files_->list(streams_folder);
  if (!names) return tl::unexpected(names.error());
  for (const std::string& name : *names) {
    std::string_view number_text = name;
    const bool is_removed = number_text.ends_with(removed_suffix);
    if (is_removed) number_text.remove_suffix(removed_suffix.size());
    const auto number = file_number(number_text);
    if (!number) continue;
    last_stream_ = std::max(last_stream_.load(), *number);
    const base::Status status =
        is_removed ? files_->remove_tree(fmt::format("{}/{}", streams_folder, name))
                   : find_stream(*number);
    if (!status) return status;
  }
  return {};
}

base::Status FileStore::find_stream(std::uint64_t number) {
  const std::string path = stream_folder(number);
  const auto file = read_file(*files_, path, settings_name, most_settings_bytes);
  if (!file) return tl::unexpected(file.error());
  // Without settings it was never said to be there.
  if (!*file) return files_->remove_tree(path);
  if (const auto settings = without_sum(**file)) {
    found_.push_back({.path = path, .settings = std::string(*settings)});
  } else {
    log().error("{}/{} is damaged: the stream is left aside", path, settings_name);
  }
  return {};
}

template <class Result>
void FileStore::run(base::Loop& loop, absl::AnyInvocable<Result()> work, base::Done<Result> done) {
  struct Job {
    absl::AnyInvocable<Result()> work;
    base::Done<Result> done;
    std::optional<Result> result;
  };
  auto job = std::make_shared<Job>(Job{std::move(work), std::move(done), std::nullopt});
  // Tries again until it is taken; the job holds no reference to this.
  struct Try {
    static void start(Workers& workers, base::Loop& loop, const std::shared_ptr<Job>& job) {
      const bool runs = workers.run([job] { job->result.emplace(job->work()); }, loop,
                                    [job] { job->done(std::move(*job->result)); });
      if (runs) return;
      loop.start_timer(again_after, [&workers, &loop, job] { start(workers, loop, job); });
    }
  };
  Try::start(workers_, loop, job);
}

base::Status FileStore::write_settings(std::uint64_t stream, std::uint64_t turn,
                                       std::string_view settings) {
  const base::MutexLock lock(settings_mutex_);
  std::uint64_t& written = written_[stream];
  if (written > turn) return {};
  const base::Status status =
      replace_file(*files_, stream_folder(stream), settings_name, with_sum(settings));
  if (status) written = turn;
  return status;
}

void FileStore::create(std::optional<std::string> settings, Log::Owner& owner, base::Loop& loop,
                       base::Done<base::Result<std::unique_ptr<Log>>> done) {
  using Made = base::Result<base::Ref<SegmentFile>>;
  const std::uint64_t stream = ++last_stream_;
  const std::uint64_t turn = ++turns_;
  const std::uint64_t seed = draw();
  auto work = [this, stream, turn, salt = draw(), settings = std::move(settings)]() -> Made {
    if (const base::Status made = files_->make_folder(stream_folder(stream)); !made) {
      return tl::unexpected(made.error());
    }
    Made segment = begin_segment(*files_, stream, 1, salt, settings_.segment_first_bytes);
    if (!segment) return segment;
    // The settings are last: with them the stream is there. With their name the segment's becomes
    // durable; its header may follow, as long as nothing is written behind it.
    base::Status status = settings ? write_settings(stream, turn, *settings)
                                   : files_->sync_folder(stream_folder(stream));
    if (status) status = files_->sync_folder(streams_folder);
    if (!status) return tl::unexpected(status.error());
    return segment;
  };
  auto finish = [this, stream, seed, &owner, &loop, done = std::move(done)](Made made) mutable {
    if (!made) return done(tl::unexpected(made.error()));
    auto log = std::make_unique<FileLog>(services(), loop, owner, stream, seed);
    base::Done<base::Status> header_synced = log->begin(*made);
    run<base::Status>(
        loop, [segment = *std::move(made)] { return segment->file->sync(); },
        std::move(header_synced));
    done(std::unique_ptr<Log>(std::move(log)));
  };
  run<Made>(loop, std::move(work), std::move(finish));
}

void FileStore::recover(const std::string& path, Log::Owner& owner, base::Loop& loop,
                        base::Done<base::Result<std::unique_ptr<Log>>> done) {
  const std::uint64_t stream = stream_at(path);
  if (const auto failed = failed_.find(stream)) {
    // What the log that failed has begun must be over.
    if (!failed->jobs.expired()) {
      loop.start_timer(again_after, [this, path, &owner, &loop, done = std::move(done)]() mutable {
        recover(path, owner, loop, std::move(done));
      });
      return;
    }
    return recover_failed(stream, failed->committed_end, owner, loop, std::move(done));
  }
  start_recovery(stream, {}, owner, loop, std::move(done));
}

void FileStore::start_recovery(std::uint64_t stream, const SegmentScan::Start& start,
                               Log::Owner& owner, base::Loop& loop, Recovery::Recovered done) {
  recoveries_.add(loop, [this, stream, start, &owner, &loop, done = std::move(done)]() mutable {
    auto ended = [this, done = std::move(done)](base::Result<std::unique_ptr<Log>> log) mutable {
      recoveries_.ended();
      done(std::move(log));
    };
    Recovery::start(std::make_unique<FileLog>(services(), loop, owner, stream, draw()), start,
                    std::move(ended));
  });
}

// Of a round that was refused a part may be in the journal. It must be gone from there before the
// log is cut: behind the cut the next start would bring it back.
void FileStore::recover_failed(std::uint64_t stream, const Position& committed_end,
                               Log::Owner& owner, base::Loop& loop,
                               base::Done<base::Result<std::unique_ptr<Log>>> done) {
  auto settled = [this, stream, committed_end, &owner, &loop,
                  done = std::move(done)](const base::Status& status) mutable {
    if (!status) return done(tl::unexpected(status.error()));
    start_recovery(stream, {.limit = committed_end}, owner, loop, std::move(done));
  };
  committer_->settle(loop, std::move(settled));
}

void FileStore::set(const Log& log, std::string settings, base::Loop& loop,
                    base::Done<base::Status> done) {
  const std::uint64_t turn = ++turns_;
  auto work = [this, stream = stream_of(log), turn, settings = std::move(settings)] {
    return write_settings(stream, turn, settings);
  };
  run<base::Status>(loop, std::move(work), std::move(done));
}

void FileStore::remove(std::unique_ptr<Log> log, base::Loop& loop, base::Done<base::Status> done) {
  const std::uint64_t stream = stream_of(*log);
  log.reset();
  remove(stream, loop, std::move(done));
}

void FileStore::remove(const std::string& path, base::Loop& loop, base::Done<base::Status> done) {
  remove(stream_at(path), loop, std::move(done));
}

void FileStore::remove(std::uint64_t stream, base::Loop& loop, base::Done<base::Status> done) {
  auto work = [this, stream]() -> base::Status {
    // Away at once, whatever happens while its files go one by one.
    const std::string path = stream_folder(stream);
    const std::string away = path + std::string(removed_suffix);
    base::Status status = files_->rename(path, away);
    if (status) status = files_->sync_folder(streams_folder);
    if (!status) return status;
    failed_.forget(stream);
    if (const base::Status removed = files_->remove_tree(away); !removed) {
      store::log().warn("{} cannot be removed before the next start: {}", away,
                        removed.error().text);
    }
    return {};
  };
  run<base::Status>(loop, std::move(work), std::move(done));
}

}  // namespace

base::Result<std::unique_ptr<Store>> open_file_store(std::unique_ptr<Files> files,
                                                     const Settings& settings, Workers& workers,
                                                     const MakeCommitter& make_committer) {
  auto store = std::make_unique<FileStore>(std::move(files), settings, workers);
  if (const base::Status opened = store->open(make_committer); !opened) {
    return tl::unexpected(opened.error());
  }
  return store;
}

}  // namespace spanwire::store
