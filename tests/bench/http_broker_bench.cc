// What a request costs, from bytes to bytes, without sockets: 16 of them in one read.
#include <benchmark/benchmark.h>

#include "tests/support/broker_world.h"

namespace {

using namespace spanwire;

constexpr int requests_a_read = 16;

void run(benchmark::State& state, const std::string& request) {
  test::BrokerWorld broker(1);
  test::TestPeer& client = broker.connect(0);
  client.write(test::http_request("POST", "/broker/sensors/kitchen", "21.5"));
  std::string input;
  for (int i = 0; i < requests_a_read; ++i) input += request;
  for (auto _ : state) {
    client.write(input);
    broker.world.settle();
    benchmark::DoNotOptimize(client.take());
  }
  state.SetItemsProcessed(state.iterations() * requests_a_read);
}

void post(benchmark::State& state) {
  run(state, test::http_request("POST", "/broker/sensors/kitchen", "21.5",
                                "User-Agent: curl/7.88.1\r\nAccept: */*\r\n"));
}
BENCHMARK(post);

void get(benchmark::State& state) {
  run(state, test::http_request("GET", "/broker/sensors/kitchen", "",
                                "User-Agent: curl/7.88.1\r\nAccept: */*\r\n"));
}
BENCHMARK(get);

void get_wildcard(benchmark::State& state) {
  run(state, test::http_request("GET", "/broker/sensors/+"));
}
BENCHMARK(get_wildcard);

void not_found(benchmark::State& state) {
  run(state, test::http_request("GET", "/nowhere"));
}
BENCHMARK(not_found);

}  // namespace
BENCHMARK_MAIN();
