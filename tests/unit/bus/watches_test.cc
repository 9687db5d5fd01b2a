// Watches (bus/watches.h): who waits for a listener is called when one comes, in a later turn.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/bus/seats.h"

using namespace spanwire;
using test::anybody;
using test::filter_of;
using test::Recorder;
using test::Sites;

namespace {

struct Fixture {
  explicit Fixture(std::size_t loops = 2, bus::RouterSettings settings = {})
      : sites(loops, settings), waiter(sites[0].open(anybody(), recorder, nullptr)) {
    for (std::size_t i = 0; i < loops; ++i) {
      listeners.push_back(sites[i].open(anybody(), recorder, nullptr));
    }
  }
  // Notes the subject when it is called.
  bus::Watched watch(std::string subject) {
    return waiter->watch(subject, [this, subject] { called.push_back(subject); });
  }
  base::SubId listen(std::size_t loop, std::string_view filter, std::string_view queue = {}) {
    return *listeners[loop]->subscribe(filter_of(filter), {.queue = queue});
  }
  std::uint64_t waiting() { return sites[0].stats().watches.get(); }
  std::vector<std::string> told() {
    sites.settle();
    return std::exchange(called, {});
  }

  Recorder recorder;
  Sites sites;
  bus::OwnedPort waiter;
  std::vector<bus::OwnedPort> listeners;
  std::vector<std::string> called;
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("watch: called once, in a later turn, whatever loop the listener is on") {
  for (std::size_t loop = 0; loop < 2; ++loop) {
    CAPTURE(loop);
    Fixture f;
    CHECK(f.watch("a.b").id != bus::WatchId::none);
    CHECK(f.told().empty());
    f.listen(loop, "a.b");
    CHECK(f.called.empty());  // not inside subscribe()
    CHECK(f.told() == Texts{"a.b"});
    f.listen(loop, "a.b");
    CHECK(f.told().empty());
    CHECK(f.waiting() == 0);
  }
}

TEST_CASE("watch: with a group, only who subscribes to the very subject in that group counts") {
  for (const std::string group : {"", "g"}) {
    CAPTURE(group);
    Fixture f;
    for (const char* filter : {"a.*", ">", "a", "a.b.c"}) f.listen(1, filter, group);
    f.listen(1, "a.b", group.empty() ? "g" : "");
    f.listen(1, "a.b", "other");
    CHECK(f.waiter->interested("a.b"));
    CHECK_FALSE(f.waiter->listens("a.b", group));
    CHECK(f.waiter
              ->watch(
                  "a.b", [&f] { f.called.emplace_back("a.b"); }, group)
              .id != bus::WatchId::none);
    const base::SubId sub = f.listen(1, "a.b", group);
    CHECK(f.waiter->listens("a.b", group));
    CHECK(f.told() == Texts{"a.b"});
    CHECK(f.waiter
              ->watch(
                  "a.b", [] {}, group)
              .interested);
    f.listeners[1]->unsubscribe(sub);
    CHECK_FALSE(f.waiter->listens("a.b", group));
  }
}

TEST_CASE("watch: where somebody listens already nothing is watched") {
  Fixture f;
  f.listen(1, "a.*");
  const bus::Watched watched = f.watch("a.b");
  CHECK(watched.interested);
  CHECK(watched.id == bus::WatchId::none);
  CHECK(f.waiting() == 0);
  f.listen(1, "a.b");
  CHECK(f.told().empty());
}

TEST_CASE("watch: every kind of subscription counts, and none of another subject") {
  for (const char* const filter : {"a.b", "a.*", "a.>", "*.b", "*.*", ">"}) {
    CAPTURE(filter);
    Fixture f;
    f.watch("a.b");
    for (const char* const other : {"a", "a.b.c", "a.c", "b.b", "a.b.>", "*", "c.*", "*.c"}) {
      f.listen(1, other);
    }
    CHECK(f.told().empty());
    f.listen(1, filter, "group");
    CHECK(f.told() == Texts{"a.b"});
  }
}

TEST_CASE("watch: a filter that ends in none or more tokens counts where it has none") {
  Fixture f;
  f.watch("a.b");
  f.watch("a.bc");
  subject::Filter filter = filter_of("a.b");
  filter.add(subject::TokenKind::tail_or_here);
  REQUIRE(f.listeners[1]->subscribe(filter, {}));
  CHECK(f.told() == Texts{"a.b"});
}

TEST_CASE("watch: who gets another account's messages by an import counts there") {
  Fixture f;
  REQUIRE(f.sites.hub.import_stream(anybody(7)->account, anybody()->account, "a.>", "their.>"));
  const auto importer = f.sites[1].open(anybody(7), f.recorder, nullptr);
  f.watch("a.b");
  REQUIRE(importer->subscribe(filter_of("their.c"), {}));
  CHECK(f.told().empty());
  REQUIRE(importer->subscribe(filter_of("their.b"), {}));
  CHECK(f.told() == Texts{"a.b"});
}

TEST_CASE("watch: who may not receive the subject is told of at most, and waited for no longer") {
  Fixture f;
  auto set = base::make_ref<account::PermissionSet>();
  set->subscribe_deny.push_back(filter_of("a.b"));
  const auto denied = f.sites[1].open(
      test::principal_with(base::Ref<const account::PermissionSet>(set)), f.recorder, nullptr);
  f.watch("a.b");
  REQUIRE(denied->subscribe(filter_of("a.*"), {}));
  f.told();
  CHECK_FALSE(f.waiter->interested("a.b"));
  const bus::Watched again = f.watch("a.b");  // does not take the denied one for a listener
  CHECK_FALSE(again.interested);
  CHECK(f.told().empty());
  f.listen(1, "a.b");
  CHECK(f.told() == Texts{"a.b"});
}

TEST_CASE("watch: those who wait again for somebody who is denied are not called again for him") {
  Fixture f;
  auto set = base::make_ref<account::PermissionSet>();
  set->subscribe_deny.push_back(filter_of("a.b"));
  const auto denied = f.sites[1].open(
      test::principal_with(base::Ref<const account::PermissionSet>(set)), f.recorder, nullptr);
  constexpr std::size_t count = 2 * bus::Watches::slice;
  std::size_t called = 0;
  for (std::size_t i = 0; i < count; ++i) {
    f.waiter->watch("a.b", [&] {
      ++called;
      f.watch("a.b");
    });
  }
  REQUIRE(denied->subscribe(filter_of("a.*"), {}));
  f.sites.settle();
  CHECK(f.sites[0].idle());
  CHECK(called == count);
  CHECK(f.called.empty());
  CHECK(f.waiting() == count);
}

TEST_CASE("watch: what is taken back is not called, and to take it back again does nothing") {
  Fixture f;
  const bus::Watched one = f.watch("a");
  const bus::Watched other = f.watch("a");
  f.waiter->unwatch(one.id);
  f.waiter->unwatch(one.id);
  f.waiter->unwatch(bus::WatchId::none);
  CHECK(f.waiting() == 1);
  f.listen(1, "a");
  f.sites[1].hand_over();
  CHECK(f.told() == Texts{"a"});
  f.waiter->unwatch(other.id);
  CHECK(f.waiting() == 0);
}

TEST_CASE("watch: one that is called may take back another that would be called with it") {
  Fixture f;
  bus::WatchId second = bus::WatchId::none;
  f.waiter->watch("a", [&] { f.waiter->unwatch(second); });
  second = f.watch("a").id;
  f.listen(0, "a");
  CHECK(f.told().empty());
  CHECK(f.waiting() == 0);
}

TEST_CASE("watch: a port that goes takes its watches along, and no other's") {
  Fixture f;
  auto leaving = f.sites[0].open(anybody(), f.recorder, nullptr);
  for (int i = 0; i < 10; ++i) leaving->watch("a", [&f] { f.called.emplace_back("left"); });
  f.watch("a");
  CHECK(f.waiting() == 11);
  leaving.reset();
  CHECK(f.waiting() == 1);
  f.listen(1, "a");
  CHECK(f.told() == Texts{"a"});
}

TEST_CASE("watch: where nobody watches, subscribing tells nobody") {
  Fixture f;
  f.listen(1, "a");
  const bus::Watched watched = f.watch("b");
  f.waiter->unwatch(watched.id);
  f.listen(1, "b");
  const auto elsewhere = f.sites[0].open(anybody(3), f.recorder, nullptr);
  elsewhere->watch("c", [] {});
  f.listen(1, "c");
  f.sites.settle();
  CHECK(f.sites[1].stats().arrivals_told.get() == 0);
  elsewhere->unwatch(f.watch("c").id);
}

TEST_CASE("watch: one task tells a loop of all that came before a hand-over, however much it is") {
  Fixture f(3);
  for (int i = 0; i < 1000; ++i) f.watch("a." + std::to_string(i));
  for (int i = 0; i < 500; ++i) f.listen(1, "a." + std::to_string(i));
  for (int i = 500; i < 600; ++i) f.listen(1, "b." + std::to_string(i));
  f.sites[1].hand_over();
  CHECK(f.sites[1].stats().arrivals_told.get() == 1);
  CHECK(f.told().size() == 500);
  CHECK(f.waiting() == 500);
}

TEST_CASE("watch: many are called in slices, those that watch again for the same listener too") {
  Fixture f;
  std::size_t called = 0;
  std::size_t again = 0;
  constexpr std::size_t count = 10 * bus::Watches::slice;
  for (std::size_t i = 0; i < count; ++i) {
    f.waiter->watch("a." + std::to_string(i % 300), [&] {
      ++called;
      f.waiter->watch("b", [&again] { ++again; });
    });
  }
  f.listen(1, ">");
  f.sites[1].hand_over();
  std::size_t before = 0;
  for (std::size_t turns = 0; called != count && turns < 100; ++turns) {
    f.sites[0].drain();
    CHECK(called - before <= 2 * bus::Watches::slice);
    before = called;
  }
  CHECK(called == count);
  f.sites.settle();
  CHECK(again == 0);  // `>` was there when they began
}

TEST_CASE("watch: many of one subject are called in slices too") {
  Fixture f;
  constexpr std::size_t count = 3 * bus::Watches::slice;
  for (std::size_t i = 0; i < count; ++i) f.watch("a");
  f.listen(1, "a");
  f.sites[1].hand_over();
  f.sites[0].drain();
  CHECK(f.called.size() >= bus::Watches::slice);
  CHECK(f.called.size() <= 2 * bus::Watches::slice);
  CHECK(f.told().size() == count);
}

TEST_CASE("watch: what comes while watches are looked at is looked for behind that") {
  Fixture f;
  constexpr std::size_t count = 4 * bus::Watches::slice;
  for (std::size_t i = 0; i < count; ++i) f.watch("a." + std::to_string(1000 + i));
  f.listen(1, "*.none");
  f.sites[1].hand_over();
  f.sites[0].drain();  // it has looked at the first ones
  f.listen(1, "a.*");
  f.sites[1].hand_over();
  f.sites[0].drain();
  for (int turn = 0; turn < 20; ++turn) f.sites[0].drain();
  CHECK(f.called.size() == count);
}

TEST_CASE("watch: a loop has so many, then they are refused and counted") {
  Fixture f(1, {.watch_limit = 2});
  CHECK(f.watch("a").id != bus::WatchId::none);
  const bus::Watched second = f.watch("b");
  const bus::Watched refused = f.watch("c");
  CHECK(refused.id == bus::WatchId::none);
  CHECK_FALSE(refused.interested);
  CHECK(f.sites[0].stats().watches_refused.get() == 1);
  f.listen(0, "d");
  CHECK(f.watch("d").interested);
  CHECK(f.sites[0].stats().watches_refused.get() == 1);
  f.waiter->unwatch(second.id);
  CHECK(f.watch("c").id != bus::WatchId::none);
}
