// Mappings of an account (bus/mappings.h): what is published to one subject goes to another.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "bus/mappings.h"
#include "tests/unit/bus/seats.h"

using namespace spanwire;
using bus::Mapping;
using bus::Mappings;
using test::anybody;
using test::filter_of;
using test::message_to;
using test::Recorder;
using test::Sites;

namespace {

using Destinations = std::vector<Mapping::Destination>;

Mapping mapping(std::string_view source, const Destinations& destinations) {
  auto made = Mapping::make(source, destinations);
  REQUIRE_MESSAGE(made, (made ? std::string() : made.error().text));
  return std::move(*made);
}

std::string error_of(std::string_view source, const Destinations& destinations) {
  const auto made = Mapping::make(source, destinations);
  return made ? "" : made.error().text;
}

base::Ref<const Mappings> all(std::vector<Mapping> list) {
  return base::make_ref<Mappings>(std::move(list));
}

struct Fixture {
  explicit Fixture(std::size_t loops = 1) : sites(loops) {
    for (std::size_t i = 0; i < loops; ++i) {
      listeners.push_back(sites[i].open(anybody(), heard[i], nullptr));
      REQUIRE(listeners[i]->subscribe(filter_of(">"), {}));
    }
    publisher = sites[0].open(anybody(), silent, nullptr);
  }
  bus::Interest& interest() { return sites.hub.interest(anybody()->account); }
  void map(std::vector<Mapping> list) { interest().set_mappings(all(std::move(list))); }
  std::uint32_t publish(std::string_view subject, std::string_view payload = "x") {
    return publish_from(*publisher, subject, payload);
  }
  std::uint32_t publish_from(bus::Port& port, std::string_view subject,
                             std::string_view payload = "x") {
    bus::MessageView message = message_to(subject, payload);
    const auto admitted = port.admit(message);
    REQUIRE(admitted);
    return port.route(*admitted).targets;
  }
  std::string last() { return heard[0].subjects.empty() ? "" : heard[0].subjects.back(); }

  Recorder silent;
  Recorder heard[2];
  Sites sites;
  std::vector<bus::OwnedPort> listeners;
  bus::OwnedPort publisher;
};

}  // namespace

TEST_CASE("mapping: a message goes to the destination, and receivers see that subject") {
  Fixture f;
  f.map({mapping("src.*", {{"dst.$1"}})});
  Recorder original;
  const auto listener = f.sites[0].open(anybody(), original, nullptr);
  REQUIRE(listener->subscribe(filter_of("src.>"), {}));
  for (int i = 0; i < 3; ++i) {  // passing, entering the cache, cached
    CHECK(f.publish("src.a") == 1);
    CHECK(f.last() == "dst.a");
    CHECK(f.publish("other") == 1);
    CHECK(f.last() == "other");
  }
  CHECK(original.subjects.empty());
}

TEST_CASE("mapping: the first that applies counts, and what it yields is not mapped again") {
  Fixture f(2);
  f.map({mapping("a.b", {{"literal"}}), mapping("a.*", {{"b.$1"}}), mapping("b.*", {{"c.$1"}})});
  for (int i = 0; i < 3; ++i) {
    f.publish("a.b");
    CHECK(f.last() == "literal");
    f.publish("a.x");
    CHECK(f.last() == "b.x");
  }
  f.sites.settle();
  CHECK(f.heard[1].subjects == f.heard[0].subjects);
}

TEST_CASE("mapping: a port of the server itself is not mapped, beside one that is") {
  Fixture f;
  f.map({mapping("a", {{"b"}})});
  const auto server = f.sites[0].open(anybody(), f.silent, nullptr, {.maps = false});
  for (int i = 0; i < 3; ++i) {
    f.publish("a");
    CHECK(f.last() == "b");
    f.publish_from(*server, "a");
    CHECK(f.last() == "a");
  }
}

TEST_CASE("mapping: permission is asked for the destination, which a refusal names") {
  Fixture f;
  f.map({mapping("src.*", {{"dst.$1"}})});
  auto set = base::make_ref<account::PermissionSet>();
  set->publish_deny.push_back(filter_of("dst.no"));
  set->publish_deny.push_back(filter_of("src.yes"));
  const auto bound = f.sites[0].open(
      test::principal_with(base::Ref<const account::PermissionSet>(set)), f.silent, nullptr);
  for (int i = 0; i < 3; ++i) {
    bus::MessageView denied = message_to("src.no");
    const auto refusal = bound->admit(denied);
    REQUIRE_FALSE(refusal);
    CHECK(refusal.error() == bus::Refusal::publish_denied);
    CHECK(denied.subject == "dst.no");
    bus::MessageView allowed = message_to("src.yes");
    CHECK(bound->admit(allowed));
    CHECK(allowed.route == "dst.yes");
    CHECK(allowed.shows_route());
  }
}

TEST_CASE("mapping: one that comes into force, changes or goes takes the next message along") {
  Fixture f;
  auto set = base::make_ref<account::PermissionSet>();
  set->publish_deny.push_back(filter_of("no"));
  const auto bound = f.sites[0].open(
      test::principal_with(base::Ref<const account::PermissionSet>(set)), f.silent, nullptr);
  const auto expect = [&f, &bound](std::string_view subject) {
    for (int i = 0; i < 3; ++i) {
      f.publish("a");
      CHECK(f.last() == subject);
      bus::MessageView message = message_to("a");
      CHECK(bound->admit(message).has_value() == (subject != "no"));
    }
  };
  expect("a");
  f.map({mapping("a", {{"b"}})});
  expect("b");
  f.map({mapping("a", {{"no"}})});
  expect("no");
  f.map({mapping("a", {{"b", 0}})});
  expect("a");
  f.map({});
  CHECK_FALSE(f.interest().has_mappings());
  expect("a");
  f.map({mapping("a", {{"b"}})});
  f.interest().set_mappings(nullptr);
  expect("a");
}

TEST_CASE("mapping: a mapped match stands on the destination's interest") {
  Fixture f;
  f.map({mapping("src.*", {{"dst.$1"}})});
  for (int i = 0; i < 3; ++i) f.publish("src.a");
  for (const char* filter : {"dst.a", "dst.*", "*.a"}) {
    Recorder late;
    const auto listener = f.sites[0].open(anybody(), late, nullptr);
    const auto sub = listener->subscribe(filter_of(filter), {});
    REQUIRE(sub);
    CHECK(f.publish("src.a") == 2);
    CHECK(late.subjects == std::vector<std::string>{"dst.a"});
    listener->unsubscribe(*sub);
    CHECK(f.publish("src.a") == 1);
  }
}

TEST_CASE("mapping: what is published inside a delivery is mapped once, when it is admitted") {
  struct Answerer final : bus::Receiver {
    bus::Taken on_message(std::span<const bus::Target>, const bus::MessageView& got) override {
      subjects.emplace_back(got.subject);
      if (subjects.size() > 1) return bus::Taken::all;
      bus::MessageView message = message_to("a.x");
      const auto admitted = port->admit(message);
      REQUIRE(admitted);
      port->route(*admitted);
      subjects.emplace_back(got.subject);  // the outer message is as it was
      return bus::Taken::all;
    }
    void on_relief() override {}
    bus::Port* port = nullptr;
    std::vector<std::string> subjects;
  };
  Fixture f;
  f.map({mapping("a.*", {{"b.$1"}}), mapping("b.*", {{"c.$1"}})});
  Answerer answerer;
  const auto port = f.sites[0].open(anybody(), answerer, nullptr);
  answerer.port = port.get();
  REQUIRE(port->subscribe(filter_of("b.q"), {}));
  REQUIRE(port->subscribe(filter_of("b.x"), {}));
  REQUIRE(port->subscribe(filter_of("c.x"), {}));
  f.publish_from(*port, "a.q");
  CHECK(answerer.subjects == std::vector<std::string>{"b.q", "b.q", "b.x"});
}

TEST_CASE("mapping: of several destinations each gets its weight, the original the rest") {
  Fixture f;
  f.map({mapping("w.*", {{"one.$1", 30}, {"two.$1", 20}})});
  std::map<std::string, int> counts;
  for (int i = 0; i < 10'000; ++i) {
    CHECK(f.publish("w.a") == 1);
    ++counts[f.last()];
  }
  CHECK(counts.size() == 3);
  // The deviation is 46 of ten thousand for 30 in a hundred: six of them.
  CHECK(std::abs(counts["one.a"] - 3000) < 280);
  CHECK(std::abs(counts["two.a"] - 2000) < 280);
  CHECK(std::abs(counts["w.a"] - 5000) < 300);
}

TEST_CASE("mapping: what a source leaves of itself is lost, and reaches nobody") {
  Fixture f;
  f.map({mapping("w", {{"w", 50}})});
  std::uint32_t reached = 0;
  for (int i = 0; i < 10'000; ++i) reached += f.publish("w");
  CHECK(std::abs(static_cast<int>(reached) - 5000) < 300);
  CHECK(f.heard[0].subjects.size() == reached);
}

TEST_CASE("mapping: random() draws for each message, and an empty token reaches nobody") {
  Fixture f;
  f.map({mapping("r.*", {{"s.{{random(2)}}"}}), mapping("t.*", {{"u.{{split(1,-)}}"}})});
  std::map<std::string, int> counts;
  for (int i = 0; i < 200; ++i) {
    f.publish("r.a");
    ++counts[f.last()];
  }
  CHECK(counts.size() == 2);
  CHECK(counts["s.0"] > 50);
  CHECK(counts["s.1"] > 50);
  for (int i = 0; i < 3; ++i) {
    CHECK(f.publish("t.-") == 0);
    CHECK(f.publish("t.a-b") == 1);
    CHECK(f.last() == "u.a.b");
  }
}

TEST_CASE("mapping: a large message keeps its new subject wherever it goes, and is not copied") {
  struct Keeper final : bus::Receiver {
    bus::Taken on_message(std::span<const bus::Target>, const bus::MessageView& got) override {
      kept = got.keep();
      return bus::Taken::all;
    }
    void on_relief() override {}
    base::Ref<const bus::Message> kept;
  };
  Fixture f(2);
  f.map({mapping("src.*", {{"dst.$1"}})});
  Keeper keepers[2];
  const auto here = f.sites[0].open(anybody(), keepers[0], nullptr);
  const auto there = f.sites[1].open(anybody(), keepers[1], nullptr);
  REQUIRE(here->subscribe(filter_of("dst.*"), {}));
  REQUIRE(there->subscribe(filter_of("dst.*"), {}));
  const base::Ref<const bus::Message> body =
      bus::Message::copy(message_to("src.a", std::string(20'000, 'x')));
  bus::MessageView message = body->view();
  const auto admitted = f.publisher->admit(message);
  REQUIRE(admitted);
  f.publisher->route(*admitted);
  f.sites.settle();
  for (const Keeper& keeper : keepers) {
    REQUIRE(keeper.kept);
    CHECK(keeper.kept->view().subject == "dst.a");
    CHECK(keeper.kept->view().shows_route());
    CHECK(keeper.kept->view().payload.data() == body->view().payload.data());
  }
  CHECK(f.heard[1].subjects == std::vector<std::string>{"dst.a"});
}

TEST_CASE("mapping: what has no sense is refused") {
  CHECK(error_of("a.*", {{"b.$2"}}).starts_with("invalid mapping destination"));
  CHECK(error_of("a", {{"b", 60}, {"c", 50}}) == "total weight needs to be <= 100");
  CHECK(error_of("a", {{"b", 101}}) == "individual weights need to be <= 100");
  CHECK(error_of("a", {{"b", 10}, {"b", 10}}).starts_with("duplicate entry for \"b\""));
  CHECK(error_of("a..b", {}).starts_with("invalid subject"));
  CHECK(error_of("a.*.*", {{"b", 10}}).empty());
}
