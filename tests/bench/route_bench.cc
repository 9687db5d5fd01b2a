// What permissions cost a message that is routed to one subscriber, through the bus alone.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "tests/unit/bus/seats.h"

namespace {

using namespace spanwire;

struct Silent final : bus::Receiver {
  bus::Taken on_message(std::span<const bus::Target>, const bus::MessageView& message) override {
    benchmark::DoNotOptimize(message.payload.data());
    return bus::Taken::all;
  }
  void on_relief() override {}
};

base::Ref<const account::PermissionSet> set_of(int allowed, int denied) {
  auto set = base::make_ref<account::PermissionSet>();
  for (int i = 0; i < allowed; ++i) {
    set->publish_allow.push_back(test::filter_of("area." + std::to_string(i) + ".>"));
  }
  for (int i = 0; i < denied; ++i) {
    set->publish_deny.push_back(test::filter_of("area.*.secret." + std::to_string(i)));
  }
  return set;
}

// `subjects` in turn, of a principal with this many rules.
void route(benchmark::State& state, int allowed, int denied, int subjects) {
  test::Sites sites(1);
  Silent silent;
  const auto listener = sites[0].open(test::anybody(), silent, nullptr);
  static_cast<void>(listener->subscribe(test::filter_of("area.>"), {}));
  const auto publisher =
      allowed == 0 ? sites[0].open(test::anybody(), silent, nullptr)
                   : sites[0].open(test::principal_with(set_of(allowed, denied)), silent, nullptr);
  std::vector<std::string> names;
  for (int i = 0; i < subjects; ++i) names.push_back("area.99.room." + std::to_string(i));
  const std::string payload(128, 'x');
  std::size_t next = 0;
  for (auto _ : state) {
    bus::MessageView message = test::message_to(names[next], payload);
    if (++next == names.size()) next = 0;
    const auto admitted = publisher->admit(message);
    if (!admitted) return state.SkipWithError("denied");
    benchmark::DoNotOptimize(publisher->route(*admitted));
  }
}

BENCHMARK_CAPTURE(route, one_subject, 0, 0, 1);
BENCHMARK_CAPTURE(route, one_subject_120_rules, 100, 20, 1);
BENCHMARK_CAPTURE(route, fifty_subjects, 0, 0, 50);
BENCHMARK_CAPTURE(route, fifty_subjects_120_rules, 100, 20, 50);

}  // namespace
BENCHMARK_MAIN();
