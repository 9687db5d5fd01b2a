// What a commit costs on a real disk (the system's folder for temporary files): one waiting writer
// beside a bare write and fdatasync of as many bytes in the same loop, rounds of many logs, and a
// log with a window. Real time; p50 and p99 in microseconds.
#include <benchmark/benchmark.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "store/round_committer.h"
#include "tests/support/commit_world.h"
#include "tests/support/waiting_loop.h"

namespace {

using namespace spanwire;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t reserved = 8U << 20;  // of each segment

void must(const base::Status& status) {
  if (!status) {
    std::fprintf(stderr, "%s\n", status.error().text.c_str());
    std::abort();
  }
}

template <class Value>
Value must(base::Result<Value> result) {
  if (!result) must(base::Status(base::fail(result.error().text)));
  return std::move(*result);
}

// A store's folder with a committer on its thread, and some segments.
class Committing {
 public:
  explicit Committing(std::size_t logs) : folder_(make_folder()), next_(logs) {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    for (std::size_t stream = 1; stream <= logs; ++stream) {
      segments_.push_back(must(test::make_segment(*files_, stream, 1, 1)));
      must(segments_.back()->file->reserve(reserved / (logs > 100 ? 16 : 1)));
      must(segments_.back()->file->sync());
    }
  }
  ~Committing() {
    thread_.reset();
    std::filesystem::remove_all(folder_);
  }
  Committing(const Committing&) = delete;
  Committing& operator=(const Committing&) = delete;

  void submit(std::size_t log, const base::Ref<const store::Bytes>& bytes) {
    std::uint64_t& at = next_[log];
    if (at + bytes->text.size() > *segments_[log]->file->size()) at = 0;
    at = std::max<std::uint64_t>(at, store::segment_header_bytes);
    thread_->submit({.segment = segments_[log],
                     .offset = at,
                     .bytes = bytes,
                     .loop = &loop_,
                     .done = [this](const base::Status& status) {
                       must(status);
                       --waiting;
                     }});
    at += bytes->text.size();
    ++waiting;
  }
  void hear() { loop_.run_one(); }
  store::Files& files() { return *files_; }
  const store::RoundCommitter& rounds() const { return rounds_; }

  std::size_t waiting = 0;  // writes that were told nothing yet

 private:
  static std::string make_folder() {
    std::string path = std::filesystem::temp_directory_path() / "spanwire-bench-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) std::abort();
    return path;
  }

  const std::string folder_;
  test::WaitingLoop loop_;
  std::unique_ptr<store::Files> files_ = must(store::open_files(folder_));
  std::unique_ptr<store::Helpers> helpers_ = store::make_helpers(8);
  std::unique_ptr<store::Journal> journal_ =
      must(store::Journal::open(*files_, *helpers_, store::JournalSettings()));
  store::RoundCommitter rounds_{*journal_, *helpers_};
  std::unique_ptr<store::CommitterThread> thread_ =
      std::make_unique<store::CommitterThread>(rounds_, *journal_);
  std::vector<base::Ref<store::SegmentFile>> segments_;
  std::vector<std::uint64_t> next_;
};

class Times {
 public:
  template <class Work>
  void measure(const Work& work) {
    const auto begin = Clock::now();
    work();
    taken_.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
  }
  double below(double share) {
    std::sort(taken_.begin(), taken_.end());
    return taken_[static_cast<std::size_t>(share * static_cast<double>(taken_.size() - 1))];
  }

 private:
  std::vector<double> taken_;
};

// A file as the journal's: written through, so that a sync touches no metadata.
std::unique_ptr<store::File> written_file(store::Files& files) {
  auto file = must(files.create("bare"));
  const std::string zeros(1U << 20, '\0');
  must(file->write_at(0, std::array{std::string_view(zeros)}));
  must(file->sync());
  return file;
}

// The ratio is what the committer adds to the disk's own time.
void one_waiting_writer(benchmark::State& state) {
  Committing committing(1);
  const auto bare = written_file(committing.files());
  const auto bytes = base::make_ref<const store::Bytes>(std::string(200, 'x'));
  std::uint64_t at = 0;
  Times by_hand;
  Times committed;
  for (auto _ : state) {
    by_hand.measure([&] {
      must(bare->write_at(at, std::array{std::string_view(bytes->text)}));
      must(bare->sync());
    });
    at = (at + store::journal_page_bytes) % (1U << 20);
    committed.measure([&] {
      committing.submit(0, bytes);
      while (committing.waiting > 0) committing.hear();
    });
  }
  state.counters["bare_p50"] = by_hand.below(0.5);
  state.counters["p50"] = committed.below(0.5);
  state.counters["p99"] = committed.below(0.99);
  state.counters["ratio"] = committed.below(0.5) / by_hand.below(0.5);
}
BENCHMARK(one_waiting_writer)->UseRealTime()->Iterations(1'000);

void round_of_logs(benchmark::State& state) {
  const auto logs = static_cast<std::size_t>(state.range(0));
  Committing committing(logs);
  const auto bytes = base::make_ref<const store::Bytes>(std::string(200, 'x'));
  Times rounds;
  for (auto _ : state) {
    rounds.measure([&] {
      for (std::size_t log = 0; log < logs; ++log) committing.submit(log, bytes);
      while (committing.waiting > 0) committing.hear();
    });
  }
  state.counters["p50"] = rounds.below(0.5);
  state.counters["p99"] = rounds.below(0.99);
  const auto& counters = committing.rounds().counters();
  state.counters["rounds_each"] =
      static_cast<double>(counters.rounds.get()) / static_cast<double>(state.iterations());
  const auto& ring = committing.rounds().journal_counters();
  state.counters["growths"] = static_cast<double>(ring.growths.get());
}
BENCHMARK(round_of_logs)->Arg(16)->UseRealTime()->Iterations(500);
BENCHMARK(round_of_logs)->Arg(1'000)->UseRealTime()->Iterations(100);

// Each message a write of its own, 256 of them on their way.
void window_of_256(benchmark::State& state) {
  Committing committing(1);
  const auto bytes = base::make_ref<const store::Bytes>(std::string(160, 'x'));
  for (auto _ : state) {
    committing.submit(0, bytes);
    while (committing.waiting >= 256) committing.hear();
  }
  while (committing.waiting > 0) committing.hear();
  state.SetItemsProcessed(state.iterations());
  state.counters["writes_a_round"] =
      static_cast<double>(committing.rounds().counters().writes.get()) /
      static_cast<double>(committing.rounds().counters().rounds.get());
}
BENCHMARK(window_of_256)->UseRealTime()->Iterations(100'000);

}  // namespace

BENCHMARK_MAIN();
