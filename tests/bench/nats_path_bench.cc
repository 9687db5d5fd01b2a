// The whole path of a NATS message through one loop, from the bytes of a read to the bytes of a
// write, without sockets: what is ours of the cost of a message.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "tests/support/nats_world.h"

namespace {

using namespace spanwire;

constexpr std::size_t read_bytes = 256 * 1024;

std::string publication(std::size_t payload) {
  return "PUB load.a.b " + std::to_string(payload) + "\r\n" + std::string(payload, 'x') + "\r\n";
}

// `deliveries`: how many a message has, or 1 where nobody hears it. The time is for each of them.
void run(benchmark::State& state, const std::string& message, std::size_t subscribers,
         const std::string& sub_line, std::size_t deliveries) {
  test::NatsWorld world(1);
  std::vector<const test::DrainPeer*> heard;
  for (std::size_t i = 0; i < subscribers; ++i) heard.push_back(&world.connect(0, sub_line));
  test::DrainPeer& publisher = world.connect(0);
  std::string block;
  std::size_t count = 0;
  for (; block.size() + message.size() <= read_bytes; ++count) block += message;
  world.feed(publisher, block);
  const auto taken_bytes = [&heard] {
    std::size_t taken = 0;
    for (const test::DrainPeer* peer : heard) taken += peer->taken_bytes();
    return taken;
  };
  const std::size_t before = taken_bytes();
  for (auto _ : state) world.feed(publisher, block);
  const std::size_t taken = taken_bytes() - before;
  const std::size_t sent = static_cast<std::size_t>(state.iterations()) * block.size();
  if (subscribers != 0 && taken < sent * deliveries) state.SkipWithError("messages are missing");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count * deliveries));
}

void publish_only_16(benchmark::State& state) {
  run(state, publication(16), 0, "", 1);
}
void one_to_one_16(benchmark::State& state) {
  run(state, publication(16), 1, "SUB load.a.b 7\r\n", 1);
}
void one_to_one_128(benchmark::State& state) {
  run(state, publication(128), 1, "SUB load.> 7\r\n", 1);
}
void one_to_ten_16(benchmark::State& state) {
  run(state, publication(16), 10, "SUB load.a.b 7\r\n", 10);
}
void queue_of_ten_128(benchmark::State& state) {
  run(state, publication(128), 10, "SUB load.a.b workers 7\r\n", 1);
}
void headers_128(benchmark::State& state) {
  const std::string headers = "NATS/1.0\r\nA: b\r\nC: d\r\n\r\n";
  run(state,
      "HPUB load.a.b " + std::to_string(headers.size()) + " " +
          std::to_string(headers.size() + 128) + "\r\n" + headers + std::string(128, 'x') + "\r\n",
      1, "SUB load.a.b 7\r\n", 1);
}

BENCHMARK(publish_only_16);
BENCHMARK(one_to_one_16);
BENCHMARK(one_to_one_128);
BENCHMARK(one_to_ten_16);
BENCHMARK(queue_of_ten_128);
BENCHMARK(headers_128);

}  // namespace
BENCHMARK_MAIN();
