// What one command costs to read and one delivery's line to write. The goal for a small PUB, on a
// machine of 2024, is 13 ns.
#include <benchmark/benchmark.h>

#include <array>
#include <string>

#include "nats/codec.h"
#include "nats/encode.h"

namespace {

using namespace spanwire;

// Decodes a read buffer's worth of one command again and again, as a session meets it in a stream.
void decode_stream(benchmark::State& state, const std::string& command) {
  std::string buffer;
  while (buffer.size() < 64 * 1024) buffer += command;
  const nats::Limits limits{.headers = true};
  std::int64_t count = 0;
  for (auto _ : state) {
    std::string_view in = buffer;
    nats::Command out;
    while (true) {
      const auto [result, consumed] = nats::decode(in, limits, out);
      if (result != nats::Decode::ok) break;  // at the end of the buffer
      benchmark::DoNotOptimize(out.message.payload.data());
      in.remove_prefix(consumed);
      ++count;
    }
  }
  if (count == 0) state.SkipWithError("the command is refused");
  state.SetItemsProcessed(count);
  state.counters["ns"] = benchmark::Counter(
      static_cast<double>(count) / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void pub(benchmark::State& state) {
  decode_stream(state, "PUB orders.eu.new 16\r\n0123456789abcdef\r\n");
}
void pub_reply(benchmark::State& state) {
  decode_stream(state, "PUB svc.echo _INBOX.Tq3lY9Wm0bCkPz.42 16\r\n0123456789abcdef\r\n");
}
void pub_128(benchmark::State& state) {
  decode_stream(state, "PUB orders.eu.new 128\r\n" + std::string(128, 'x') + "\r\n");
}
void hpub(benchmark::State& state) {
  decode_stream(state, "HPUB orders.eu.new 18 34\r\nNATS/1.0\r\nA: b\r\n\r\n0123456789abcdef\r\n");
}
void sub(benchmark::State& state) {
  decode_stream(state, "SUB orders.*.new workers 4711\r\n");
}
void ping(benchmark::State& state) {
  decode_stream(state, "PING\r\n");
}

void write_delivery(benchmark::State& state) {
  std::array<char, 64 * 1024> buffer{};  // g++ sees how large a text may be, not how large it is
  std::array<char, 64> prefix{};
  const auto prefix_end = nats::write_prefix(prefix.data(), "orders.eu.new", "4711");
  const std::string_view cached(prefix.data() + 1,
                                static_cast<std::size_t>(prefix_end - prefix.data() - 1));
  std::uint32_t size = 0;
  for (auto _ : state) {
    char* out = base::put_text(buffer.data(), cached);
    out = nats::write_msg_tail(out, "", size++ % 1024);
    benchmark::DoNotOptimize(out);
    benchmark::ClobberMemory();
  }
}

BENCHMARK(pub);
BENCHMARK(pub_reply);
BENCHMARK(pub_128);
BENCHMARK(hpub);
BENCHMARK(sub);
BENCHMARK(ping);
BENCHMARK(write_delivery);

}  // namespace

BENCHMARK_MAIN();
