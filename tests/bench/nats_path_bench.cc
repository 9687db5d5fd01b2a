// The whole path of a NATS message through one loop, from the bytes of a read to the bytes of a
// write, without sockets: what is ours of the cost of a message.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "nats/bridge.h"
#include "tests/support/serving_world.h"

namespace {

using namespace spanwire;

constexpr std::size_t read_bytes = 256 * 1024;

// A connection whose peer takes everything at once.
class Drain final : public session::Peer {
 public:
  Drain(session::Turn& turn, std::uint64_t id) : Peer(turn, id, "127.0.0.1:1") {}
  void attach(std::unique_ptr<session::Session> session) {
    session_ = std::move(session);
    set_session(session_.get());
    session_->on_open();
  }
  session::Session& session() { return *session_; }
  std::size_t taken = 0;

  void pause() override {}
  void resume() override {}
  base::TimerId arm(base::Duration after) override {
    return turn().loop().start_timer(after, [] {});
  }
  void disarm(base::TimerId timer) override { turn().loop().cancel_timer(timer); }

 private:
  void flush() override {
    taken += outbox_.size();
    wrote(outbox_.size());
  }
  void finish_close(std::string_view, session::Ending) override {}
  void drop() override {}

  std::unique_ptr<session::Session> session_;
};

class Bench {
 public:
  Bench() : wire_(nats::make_wire({}, 0)), bridge_(wire_.start(serving_.services(0))) {}
  ~Bench() {
    for (auto& peer : peers_) peer->session().on_closed("done");
  }

  Drain& connect(const std::string& lines) {
    session::Turn& turn = serving_.world().turn(0);
    peers_.push_back(std::make_unique<Drain>(turn, peers_.size() + 1));
    peers_.back()->attach(wire_.open(*peers_.back(), *bridge_));
    feed(*peers_.back(),
         "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true}\r\n" + lines);
    return *peers_.back();
  }
  void feed(Drain& peer, std::string_view bytes) {
    session::Turn& turn = serving_.world().turn(0);
    turn.drain();
    benchmark::DoNotOptimize(peer.session().on_bytes(bytes));
    turn.finish([] { return false; });
  }

 private:
  test::ServingWorld serving_;
  wire::Wire wire_;
  std::unique_ptr<wire::Bridge> bridge_;
  std::vector<std::unique_ptr<Drain>> peers_;
};

std::string publication(std::size_t payload) {
  return "PUB load.a.b " + std::to_string(payload) + "\r\n" + std::string(payload, 'x') + "\r\n";
}

// `deliveries`: how many a message has, or 1 where nobody hears it. The time is for each of them.
void run(benchmark::State& state, const std::string& message, std::size_t subscribers,
         const std::string& sub_line, std::size_t deliveries) {
  Bench bench;
  std::vector<Drain*> heard;
  for (std::size_t i = 0; i < subscribers; ++i) heard.push_back(&bench.connect(sub_line));
  Drain& publisher = bench.connect("");
  std::string block;
  std::size_t count = 0;
  for (; block.size() + message.size() <= read_bytes; ++count) block += message;
  bench.feed(publisher, block);
  for (Drain* peer : heard) peer->taken = 0;
  for (auto _ : state) bench.feed(publisher, block);
  std::size_t taken = 0;
  for (const Drain* peer : heard) taken += peer->taken;
  const std::size_t sent = static_cast<std::size_t>(state.iterations()) * block.size();
  if (subscribers != 0 && taken < sent * deliveries) state.SkipWithError("messages are missing");
  const auto units = static_cast<double>(state.iterations()) * static_cast<double>(count) *
                     static_cast<double>(deliveries);
  state.counters["ns"] =
      benchmark::Counter(units / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

double least(const std::vector<double>& all) {
  return *std::min_element(all.begin(), all.end());
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

BENCHMARK(publish_only_16)->ComputeStatistics("min", least);
BENCHMARK(one_to_one_16)->ComputeStatistics("min", least);
BENCHMARK(one_to_one_128)->ComputeStatistics("min", least);
BENCHMARK(one_to_ten_16)->ComputeStatistics("min", least);
BENCHMARK(queue_of_ten_128)->ComputeStatistics("min", least);
BENCHMARK(headers_128)->ComputeStatistics("min", least);

}  // namespace
BENCHMARK_MAIN();
