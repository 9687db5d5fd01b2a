// What permissions, mappings, stream imports and last values cost a message that is routed to one
// subscriber, through the bus alone.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "bridges/kit/last_values.h"
#include "tests/support/serving_world.h"
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

struct Load {
  int allowed = 0;  // rules of the publisher
  int denied = 0;
  int subjects = 1;       // in turn
  bool mapped = false;    // what is published is mapped to the same subjects as without
  bool imported = false;  // the subscriber is of another account
  bool kept = false;      // the last value of each subject
};

constexpr base::AccountId exporter = 1;
constexpr base::AccountId importer = 2;

bus::OwnedPort open_publisher(bus::Router& router, const Load& load, Silent& silent) {
  const auto set = load.allowed == 0 ? nullptr : set_of(load.allowed, load.denied);
  return router.open(test::principal_with(set, exporter), silent, nullptr);
}

bus::OwnedPort open_listener(bus::Router& router, const Load& load, Silent& silent) {
  const auto principal = test::anybody(load.imported ? importer : exporter);
  auto listener = router.open(principal, silent, nullptr);
  static_cast<void>(listener->subscribe(test::filter_of(load.imported ? "their.>" : "area.>"), {}));
  return listener;
}

// 128 bytes to one subscriber.
void route(benchmark::State& state, Load load) {
  test::ServingWorld serving({.loops = 1});
  bus::Hub& hub = serving.world().hub();
  bus::Router& router = serving.world().router(0);
  const auto account = test::anybody(exporter)->account;
  if (load.mapped) {
    const bus::Mapping::Destination destination{"area.$1.room.$2"};
    std::vector<bus::Mapping> mappings = {*bus::Mapping::make("at.*.*", {&destination, 1})};
    hub.interest(account).set_mappings(base::make_ref<bus::Mappings>(std::move(mappings)));
  }
  if (load.imported) {
    static_cast<void>(
        hub.import_stream(test::anybody(importer)->account, account, "area.>", "their.>"));
  }
  kit::LastValuesGroup group;
  std::unique_ptr<kit::LastValues> values;
  if (load.kept) {
    values =
        std::make_unique<kit::LastValues>(serving.services(0), group, kit::LastValuesSettings{});
  }
  Silent silent;
  const auto listener = open_listener(router, load, silent);
  const auto publisher = open_publisher(router, load, silent);
  std::vector<std::string> names;
  for (int i = 0; i < load.subjects; ++i) {
    names.push_back((load.mapped ? "at.99." : "area.99.room.") + std::to_string(i));
  }
  const std::string payload(128, 'x');
  std::size_t next = 0;
  for (auto _ : state) {
    bus::MessageView message = test::message_to(names[next], payload);
    if (++next == names.size()) next = 0;
    const auto admitted = publisher->admit(message);
    if (!admitted) return state.SkipWithError("denied");
    if (publisher->route(*admitted).targets != 1) return state.SkipWithError("not delivered");
  }
}

// 1,000 of 100,000 devices are heard of, in turn, and before each tenth message a filter comes and
// goes: another device's, an inbox, or none. The time is that of a message, with its share of that.
void fleet(benchmark::State& state, const char* passing) {
  test::Sites sites(1);
  Silent silent;
  const auto listener = sites[0].open(test::anybody(), silent, nullptr);
  for (int i = 0; i < 100'000; ++i) {
    static_cast<void>(
        listener->subscribe(test::filter_of("devices." + std::to_string(i) + ".*"), {}));
  }
  const auto passer = sites[0].open(test::anybody(), silent, nullptr);
  const auto publisher = sites[0].open(test::anybody(), silent, nullptr);
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i) names.push_back("devices." + std::to_string(i) + ".state");
  std::size_t next = 0;
  std::uint64_t passed = 0;
  for (auto _ : state) {
    if (*passing != '\0' && next % 10 == 0) {
      const std::string filter = passing + std::to_string(1'000'000 + passed++ % 20'000) + ".*";
      passer->unsubscribe(*passer->subscribe(test::filter_of(filter), {}));
    }
    bus::MessageView message = test::message_to(names[next], "0123456789abcdef");
    if (++next == names.size()) next = 0;
    if (publisher->route(*publisher->admit(message)).targets != 1) {
      return state.SkipWithError("not delivered");
    }
  }
}

constexpr int watches = 10'000;

void watch_all(bus::Port& port, int& called) {
  for (int i = 0; i < watches; ++i) {
    port.watch("deliver." + std::to_string(i), [&called] { ++called; });
  }
}

// A subscription to an inbox that comes and goes, on one of four loops, 100 a turn. On another one
// nobody watches, or a listener is waited for on 10,000 subjects; the time is that of both.
void subscribe(benchmark::State& state, const char* filter, bool watched) {
  test::Sites sites(4);
  Silent silent;
  const auto port = sites[0].open(test::anybody(), silent, nullptr);
  const auto watcher = sites[1].open(test::anybody(), silent, nullptr);
  int called = 0;
  if (watched) watch_all(*watcher, called);
  std::uint64_t passed = 0;
  for (auto _ : state) {
    const subject::Filter inbox =
        test::filter_of("_INBOX." + std::to_string(passed++ % 20'000) + filter);
    port->unsubscribe(*port->subscribe(inbox, {}));
    if (passed % 100 != 0) continue;
    sites[0].hand_over();
    sites[1].drain();
  }
}

// One filter comes that all of 10,000 watches may wait for, and what it is to the loop that has
// them: each is looked at, and called if the filter matches.
void arrive(benchmark::State& state, const char* filter) {
  test::Sites sites(2);
  Silent silent;
  const auto port = sites[0].open(test::anybody(), silent, nullptr);
  int called = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto watcher = sites[1].open(test::anybody(), silent, nullptr);
    watch_all(*watcher, called);
    state.ResumeTiming();
    const base::SubId sub = *port->subscribe(test::filter_of(filter), {});
    sites[0].hand_over();
    do {
      sites[1].drain();
    } while (!sites[1].idle());
    state.PauseTiming();
    port->unsubscribe(sub);
    watcher.reset();
    state.ResumeTiming();
  }
  state.counters["called"] = benchmark::Counter(called, benchmark::Counter::kAvgIterations);
}

BENCHMARK_CAPTURE(subscribe, literal, "", false);
BENCHMARK_CAPTURE(subscribe, wildcard, ".*", false);
BENCHMARK_CAPTURE(subscribe, literal_watched, "", true);
BENCHMARK_CAPTURE(subscribe, wildcard_watched, ".*", true);
BENCHMARK_CAPTURE(arrive, for_all, "deliver.*");
BENCHMARK_CAPTURE(arrive, for_none, "*.none");
BENCHMARK_CAPTURE(fleet, steady, "");
BENCHMARK_CAPTURE(fleet, inboxes_pass, "_INBOX.");
BENCHMARK_CAPTURE(fleet, devices_pass, "devices.");
BENCHMARK_CAPTURE(route, one_subject, {});
BENCHMARK_CAPTURE(route, one_subject_120_rules, {.allowed = 100, .denied = 20});
BENCHMARK_CAPTURE(route, one_subject_mapped, {.mapped = true});
BENCHMARK_CAPTURE(route, one_subject_imported, {.imported = true});
BENCHMARK_CAPTURE(route, one_subject_120_rules_mapped_imported,
                  {.allowed = 100, .denied = 20, .mapped = true, .imported = true});
BENCHMARK_CAPTURE(route, one_subject_kept, {.kept = true});
BENCHMARK_CAPTURE(route, one_subject_120_rules_mapped_imported_kept,
                  {.allowed = 100, .denied = 20, .mapped = true, .imported = true, .kept = true});
BENCHMARK_CAPTURE(route, fifty_subjects, {.subjects = 50});
BENCHMARK_CAPTURE(route, fifty_subjects_120_rules, {.allowed = 100, .denied = 20, .subjects = 50});
BENCHMARK_CAPTURE(route, fifty_subjects_120_rules_mapped_imported,
                  {.allowed = 100, .denied = 20, .subjects = 50, .mapped = true, .imported = true});

}  // namespace
BENCHMARK_MAIN();
