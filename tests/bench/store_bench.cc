// What the index of a log costs in time and memory, and the log in memory on it.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

#include "base/random.h"
#include "store/index.h"
#include "store/store.h"

namespace {

using namespace spanwire;
using store::Sequence;

struct Owner final : store::Log::Owner {
  void on_committed(store::Ticket /*ticket*/, const base::Status& /*status*/) override {}
  void restore(std::string_view /*state*/) override {}
  void replay_message(const store::Message& /*message*/) override {}
  void replay_erased(Sequence /*sequence*/) override {}
  void replay_note(std::uint32_t /*kind*/, std::string_view /*note*/) override {}
  void repeat_notes() override {}
  std::string state() const override { return {}; }
};

struct MemoryLog {
  Owner owner;
  std::unique_ptr<store::Log> log = store::make_memory_log(owner);

  void append(std::string_view subject, std::string_view payload) {
    log->append({.subject = subject, .headers = {}, .payload = payload, .time = {}});
  }
  void fill(std::size_t messages, std::size_t subjects, std::size_t payload_bytes) {
    const std::string payload(payload_bytes, 'p');
    for (std::size_t i = 0; i < messages; ++i) {
      append("$KV.bucket.device-" + std::to_string(i * 7'919 % subjects), payload);
      if (i % 256 == 0) log->commit();
    }
    log->commit();
  }
  std::unique_ptr<store::Selection> select(std::string_view filter) {
    return log->select({subject::parse_nats_filter(filter).value()});
  }
};

// The index alone: what a million keys, or a million messages of few subjects, take.
void index_memory(benchmark::State& state) {
  constexpr std::size_t messages = 1'000'000;
  const auto subjects = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    store::Index index([](Sequence) { return base::WallTime{}; });
    index.open_segment(1);
    for (std::size_t i = 0; i < messages; ++i) {
      if (index.segment_full()) index.open_segment(i);
      const std::string subject = "$KV.bucket.device-" + std::to_string(i * 7'919 % subjects);
      index.append({.sequence = i + 1,
                    .offset = static_cast<std::uint32_t>(i % 4'000'000 * 128),
                    .counted = 100,
                    .time = {},
                    .subject = subject});
      if (i % 256 == 255) {
        index.end_part(i);
        index.commit(i);
      }
    }
    state.counters["bytes_a_message"] =
        static_cast<double>(index.memory_bytes()) / static_cast<double>(messages);
  }
}
BENCHMARK(index_memory)
    ->Arg(1'000'000)
    ->Arg(100'000)
    ->Arg(10)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

void append_and_commit(benchmark::State& state) {
  MemoryLog it;
  it.fill(1'000, 1'000, 128);
  const std::string payload(128, 'p');
  std::size_t i = 0;
  for (auto _ : state) {
    it.append("bench.subject", payload);
    if (++i % 16 == 0) it.log->commit();
    // A stream with a limit: what is appended takes the place of the oldest.
    if (i > 100'000) it.log->erase(it.log->ahead_first());
  }
}
BENCHMARK(append_and_commit);

void key_value_put(benchmark::State& state) {
  MemoryLog it;
  constexpr std::size_t keys = 1'000'000;
  it.fill(keys, keys, 100);
  const std::string payload(100, 'p');
  base::Random random(1);
  std::size_t i = 0;
  for (auto _ : state) {
    const std::string key = "$KV.bucket.device-" + std::to_string(random.below(keys));
    it.append(key, payload);
    it.log->erase(it.log->ahead_first_of(key));
    if (++i % 16 == 0) it.log->commit();
  }
  state.counters["bytes_a_key"] =
      static_cast<double>(it.log->footprint().memory_bytes) / static_cast<double>(keys);
}
BENCHMARK(key_value_put);

// History 5: the first of the subject's messages has to be known for each put.
void key_value_history(benchmark::State& state) {
  MemoryLog it;
  constexpr std::size_t keys = 100'000;
  const std::string payload(100, 'p');
  base::Random random(1);
  std::size_t i = 0;
  const auto put = [&] {
    const std::string key = "$KV.bucket.device-" + std::to_string(random.below(keys));
    it.append(key, payload);
    if (it.log->ahead_of(key).messages > 5) it.log->erase(it.log->ahead_first_of(key));
    if (++i % 16 == 0) it.log->commit();
  };
  for (std::size_t n = 0; n < keys * 10; ++n) put();
  for (auto _ : state) put();
  state.counters["bytes_a_message"] = static_cast<double>(it.log->footprint().memory_bytes) /
                                      static_cast<double>(it.log->totals().messages);
}
BENCHMARK(key_value_history);

// Filters that select nothing, or one message behind a million others: per message scanned.
void scan(benchmark::State& state, std::string_view filter) {
  MemoryLog it;
  constexpr std::size_t messages = 1'000'000;
  it.fill(messages, 10'000, 16);
  it.append("other.subject", "x");
  it.append("$KV.bucket.device-1", "x");
  it.log->commit();
  const auto selection = it.select(filter);
  std::size_t found = 0;
  for (auto _ : state) {
    found += it.log->next(*selection, 1, 10 * messages).kind == store::Found::Kind::message;
  }
  benchmark::DoNotOptimize(found);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(messages));
}
BENCHMARK_CAPTURE(scan, wildcard, "other.*");
BENCHMARK_CAPTURE(scan, many_wildcards, "*.*.device-99999*");
BENCHMARK_CAPTURE(scan, literal_by_totals, "other.subject");

// One subject's next message, a million messages further on.
void scan_one_subject(benchmark::State& state) {
  MemoryLog it;
  constexpr std::size_t messages = 1'000'000;
  it.append("rare", "x");
  it.fill(messages, 10'000, 16);
  it.append("rare", "x");
  it.append("rare", "x");
  it.log->commit();
  const auto selection = it.select("rare");
  std::uint64_t sum = 0;
  for (auto _ : state) sum += it.log->next(*selection, 2, 10 * messages).sequence;
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(messages));
}
BENCHMARK(scan_one_subject);

void walk_subjects(benchmark::State& state) {
  MemoryLog it;
  constexpr std::size_t keys = 1'000'000;
  it.fill(keys, keys, 1);
  const auto selection = it.select("$KV.bucket.>");
  std::uint64_t visited = 0;
  for (auto _ : state) {
    it.log->each_subject(
        *selection, {},
        [&visited](std::string_view, const store::SubjectTotals&) {
          ++visited;
          return true;
        },
        SIZE_MAX);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(visited));
}
BENCHMARK(walk_subjects)->Unit(benchmark::kMillisecond);

// The longest step of a purge of a million messages, in milliseconds.
void purge(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    MemoryLog it;
    it.fill(1'000'000, 1'000'000, 100);
    state.ResumeTiming();
    double longest = 0;
    for (bool done = false; !done;) {
      const auto begin = std::chrono::steady_clock::now();
      done = it.log->erase_through(1'000'000);
      it.log->commit();
      longest = std::max(longest, std::chrono::duration<double, std::milli>(
                                      std::chrono::steady_clock::now() - begin)
                                      .count());
    }
    state.counters["longest_step_ms"] = longest;
    state.PauseTiming();
    for (int i = 0; i < 400; ++i) it.log->commit();
    state.ResumeTiming();
  }
}
BENCHMARK(purge)->Iterations(3)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
