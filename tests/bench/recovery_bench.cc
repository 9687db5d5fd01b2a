// How long a start after a crash takes: with what makes it short, without it, and beside both a
// reading of the same files with their sums. A small log; one of 5,000,000 messages of 128 B on
// 100,000 subjects where SPANWIRE_LONG is set.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/crc32c.h"
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
    const auto begin = std::chrono::steady_clock::now();
    store_->recover("streams/1", owner, loop_, [&log](auto recovered) {
      if (!recovered) std::abort();
      log = std::move(*recovered);
    });
    while (log == nullptr) loop_.run_one();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
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
  double megabytes_of(std::string_view ending) const {
    double bytes = 0;
    for (const auto& entry : fs::directory_iterator(path_ + "/streams/1")) {
      if (entry.path().string().ends_with(ending)) {
        bytes += static_cast<double>(fs::file_size(entry.path()));
      }
    }
    return bytes / 1e6;
  }
  std::uint64_t replayed() const { return replayed_; }

 private:
  void open() {
    store::Settings settings;
    store_ = store::Store::open(store::open_files(path_).value(), settings, worker_).value();
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
  test::WaitingLoop loop_;
  OneWorker worker_;
  std::unique_ptr<store::Store> store_;
  std::uint64_t replayed_ = 0;
};

void start_after_a_crash(benchmark::State& state) {
  KilledStore killed(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    const double beside = killed.megabytes_of(".idx") + killed.megabytes_of("snapshot");
    const double with = killed.recover();
    state.counters["tail_messages"] = static_cast<double>(killed.replayed());
    killed.remove_sidecars_and_snapshot();
    const double reading = killed.read_with_sums();
    const double without = killed.recover();
    state.counters["with_s"] = with;
    state.counters["without_s"] = without;
    state.counters["reading_s"] = reading;
    state.counters["without_to_reading"] = without / reading;
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
