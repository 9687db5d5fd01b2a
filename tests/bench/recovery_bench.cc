// How long a start after a crash takes: with what makes it short, without it, and beside both a
// reading of the same files with their sums. From the system's memory, as after a crash of the
// process, and from the disk, as after one of the machine. A small log; one of 5,000,000 messages
// of 128 B on 100,000 subjects where SPANWIRE_LONG is set.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/crc32c.h"
#include "store/files.h"
#include "store/store.h"
#include "tests/support/waiting_loop.h"

namespace {

using namespace spanwire;
namespace fs = std::filesystem;

struct Owner final : store::Log::Owner {
  void on_committed(store::Ticket ticket, const base::Status& /*status*/) override {
    committed = ticket;
  }
  void restore(std::string_view /*state*/) override {}
  void replay_message(const store::Message& /*message*/) override { ++replayed; }
  void replay_erased(store::Sequence /*sequence*/) override {}
  void replay_note(std::uint32_t /*kind*/, std::string_view /*note*/) override {}
  void repeat_notes() override {}
  std::string state() const override { return {}; }

  store::Ticket committed = 0;
  std::uint64_t replayed = 0;
};

// Counts the bytes that are read of files.
class CountingFile final : public store::File {
 public:
  CountingFile(std::unique_ptr<store::File> file, std::atomic<std::uint64_t>& read)
      : file_(std::move(file)), read_(read) {}

  base::Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const override {
    auto got = file_->read_at(offset, into);
    read_ += got.value_or(0);
    return got;
  }
  store::ReadNow read_now(std::uint64_t offset, std::span<char> into,
                          std::size_t& got) const override {
    const store::ReadNow read = file_->read_now(offset, into, got);
    if (read == store::ReadNow::done) read_ += got;
    return read;
  }
  void will_read(std::uint64_t offset, std::uint64_t bytes) const override {
    file_->will_read(offset, bytes);
  }
  base::Status write_at(std::uint64_t offset, std::span<const std::string_view> parts) override {
    return file_->write_at(offset, parts);
  }
  void write_past_cache() override { file_->write_past_cache(); }
  base::Status sync() override { return file_->sync(); }
  base::Status reserve(std::uint64_t bytes) override { return file_->reserve(bytes); }
  base::Status truncate(std::uint64_t bytes) override { return file_->truncate(bytes); }
  base::Result<std::uint64_t> size() const override { return file_->size(); }
  base::Result<std::uint64_t> data_end(std::uint64_t from) const override {
    return file_->data_end(from);
  }

 private:
  const std::unique_ptr<store::File> file_;
  std::atomic<std::uint64_t>& read_;
};

class CountingFiles final : public store::Files {
 public:
  CountingFiles(std::unique_ptr<store::Files> files, std::atomic<std::uint64_t>& read)
      : files_(std::move(files)), read_(read) {}

  base::Result<std::unique_ptr<store::File>> create(std::string_view path) override {
    return counting(files_->create(path));
  }
  base::Result<std::unique_ptr<store::File>> open(std::string_view path) override {
    return counting(files_->open(path));
  }
  base::Status make_folder(std::string_view path) override { return files_->make_folder(path); }
  base::Status rename(std::string_view from, std::string_view to) override {
    return files_->rename(from, to);
  }
  base::Status remove(std::string_view path) override { return files_->remove(path); }
  base::Status remove_tree(std::string_view path) override { return files_->remove_tree(path); }
  base::Status sync_folder(std::string_view path) override { return files_->sync_folder(path); }
  base::Result<std::vector<std::string>> list(std::string_view path) const override {
    return files_->list(path);
  }
  base::Result<std::unique_ptr<store::FolderLock>> lock(std::string_view path) override {
    return files_->lock(path);
  }
  base::Result<store::Space> space() const override { return files_->space(); }
  base::Result<store::Keeping> keeping() const override { return files_->keeping(); }

 private:
  base::Result<std::unique_ptr<store::File>> counting(
      base::Result<std::unique_ptr<store::File>> file) {
    if (!file) return file;
    return std::make_unique<CountingFile>(std::move(*file), read_);
  }

  const std::unique_ptr<store::Files> files_;
  std::atomic<std::uint64_t>& read_;
};

// One thread, first come first served.
class OneWorker final : public store::Workers {
 public:
  ~OneWorker() override {
    jobs_.post([this] { ended_ = true; });
    thread_.join();
  }
  bool run(base::Task work, base::Loop& loop, base::Task done) override {
    jobs_.post([work = std::move(work), &loop, done = std::move(done)]() mutable {
      work();
      loop.post(std::move(done));
    });
    return true;
  }

 private:
  test::WaitingLoop jobs_;
  bool ended_ = false;
  std::thread thread_{[this] {
    while (!ended_) jobs_.run_one();
  }};
};

// A folder with one stream, whose process was killed.
class KilledStore {
 public:
  explicit KilledStore(std::size_t messages) {
    path_ = (fs::temp_directory_path() / "spanwire-recovery-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
    open();
    fill(messages);
    kill();
  }
  ~KilledStore() { fs::remove_all(path_); }

  // Seconds.
  double recover() {
    open();
    Owner owner;
    std::unique_ptr<store::Log> log;
    const std::uint64_t read_before = read_bytes_;
    const auto begin = std::chrono::steady_clock::now();
    store_->recover("streams/1", owner, loop_, [&log](auto recovered) {
      if (!recovered) std::abort();
      log = std::move(*recovered);
    });
    while (log == nullptr) loop_.run_one();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    read_megabytes_ = static_cast<double>(read_bytes_ - read_before) / 1e6;
    replayed_ = owner.replayed;
    log.reset();
    kill();
    return took.count();
  }
  double read_with_sums() const {
    const auto files = store::open_files(path_).value();
    const auto begin = std::chrono::steady_clock::now();
    std::string bytes(1U << 20, '\0');
    std::uint32_t sum = 0;
    const std::vector<std::string> names = files->list("streams/1").value();
    for (const std::string& name : names) {
      if (!name.ends_with(".seg")) continue;
      const auto file = files->open("streams/1/" + name).value();
      const std::uint64_t end = file->data_end(0).value();
      for (std::uint64_t at = 0; at < end; at += bytes.size()) {
        const std::size_t got = file->read_at(at, bytes).value();
        sum = base::crc32c(std::string_view(bytes).substr(0, got), sum);
      }
    }
    benchmark::DoNotOptimize(sum);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  void remove_sidecars_and_snapshot() const {
    for (const auto& entry : fs::directory_iterator(path_ + "/streams/1")) {
      if (entry.path().extension() == ".idx" || entry.path().filename() == "snapshot") {
        fs::remove(entry.path());
      }
    }
  }
  // The system has nothing of the files in its memory any more.
  void forget_cache() const {
    for (const auto& entry : fs::directory_iterator(path_ + "/streams/1")) {
      const int file = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
      if (file < 0) std::abort();
      if (::fsync(file) != 0 || ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) != 0) std::abort();
      ::close(file);
    }
  }
  double megabytes_of(std::string_view ending) const {
    double bytes = 0;
    for (const auto& entry : fs::directory_iterator(path_ + "/streams/1")) {
      if (entry.path().string().ends_with(ending)) {
        bytes += static_cast<double>(fs::file_size(entry.path()));
      }
    }
    return bytes / 1e6;
  }
  // In the last recovery.
  std::uint64_t replayed() const { return replayed_; }
  double read_megabytes() const { return read_megabytes_; }

 private:
  void open() {
    store::Settings settings;
    auto files = std::make_unique<CountingFiles>(store::open_files(path_).value(), read_bytes_);
    store_ = store::Store::open(std::move(files), settings, worker_).value();
  }
  // As the system does it: but what the worker has begun needs the store to its end.
  void kill() {
    wait_for_worker();
    store_.reset();
  }
  void fill(std::size_t messages) {
    Owner owner;
    std::unique_ptr<store::Log> log;
    store_->create("s", owner, loop_, [&log](auto created) { log = std::move(created.value()); });
    while (log == nullptr) loop_.run_one();
    const std::string payload(128, 'p');
    for (std::size_t i = 0; i < messages; ++i) {
      const std::string subject = "devices.site-" + std::to_string(i * 7'919 % 100'000) + ".state";
      log->append(
          {.subject = subject, .payload = payload, .time = base::WallTime(base::Duration(1))});
      if (i % 1000 != 999 && i + 1 != messages) continue;
      const store::Ticket ticket = log->commit();
      while (owner.committed < ticket) loop_.run_one();
    }
    // Each turn of the worker may give it the next sidecar to write.
    for (int i = 0; i < 200; ++i) wait_for_worker();
  }
  void wait_for_worker() {
    bool done = false;
    worker_.run([] {}, loop_, [&done] { done = true; });
    while (!done) loop_.run_one();
  }

  std::string path_;
  std::atomic<std::uint64_t> read_bytes_{0};
  test::WaitingLoop loop_;
  OneWorker worker_;
  std::unique_ptr<store::Store> store_;
  std::uint64_t replayed_ = 0;
  double read_megabytes_ = 0;
};

void start_after_a_crash(benchmark::State& state) {
  KilledStore killed(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    const double beside = killed.megabytes_of(".idx") + killed.megabytes_of("snapshot");
    const double with = killed.recover();
    state.counters["tail_messages"] = static_cast<double>(killed.replayed());
    state.counters["with_read_MB"] = killed.read_megabytes();
    killed.remove_sidecars_and_snapshot();
    const double reading = killed.read_with_sums();
    const double without = killed.recover();
    state.counters["with_s"] = with;
    state.counters["without_s"] = without;
    state.counters["without_read_MB"] = killed.read_megabytes();
    state.counters["reading_s"] = reading;
    state.counters["without_to_reading"] = without / reading;
    killed.remove_sidecars_and_snapshot();
    killed.forget_cache();
    const double disk_reading = killed.read_with_sums();
    killed.forget_cache();
    const double disk_without = killed.recover();
    state.counters["disk_reading_s"] = disk_reading;
    state.counters["disk_without_s"] = disk_without;
    state.counters["disk_without_to_reading"] = disk_without / disk_reading;
    state.counters["sidecars_MB"] = beside;
    state.counters["segments_MB"] = killed.megabytes_of(".seg");
  }
}
BENCHMARK(start_after_a_crash)
    ->Arg(std::getenv("SPANWIRE_LONG") != nullptr ? 5'000'000 : 20'000)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
