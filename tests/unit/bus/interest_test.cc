// The interest tree (bus/interest.h): lists that change in O(1) stay right.
#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/bus/seats.h"

using namespace spanwire;
using test::anybody;
using test::filter_of;
using test::Recorder;
using test::Sites;

namespace {

// Each list's entries know where they stand in it.
void check_positions(const bus::FilterEntry& entry) {
  for (const bus::LoopPlain& plain : entry.plain) {
    REQUIRE_FALSE(plain.subscriptions.empty());
    for (std::size_t i = 0; i < plain.subscriptions.size(); ++i) {
      CHECK(plain.subscriptions[i]->position == i);
      CHECK(plain.subscriptions[i]->entry == &entry);
      CHECK(base::loop_of(plain.subscriptions[i]->id) == plain.loop);
    }
  }
  if (entry.groups == nullptr) return;
  for (const auto& group : *entry.groups) {
    REQUIRE_FALSE(group->members.empty());
    for (std::size_t i = 0; i < group->members.size(); ++i) {
      const bus::Subscription& subscription = *group->members[i].subscription;
      CHECK(subscription.position == i);
      CHECK(subscription.group == group.get());
      CHECK(subscription.id == group->members[i].id);
    }
  }
}

// Each filter's, of those that the test subscribes to.
std::set<const bus::FilterEntry*> entries_of(const bus::Interest& interest) {
  std::set<const bus::FilterEntry*> entries;
  for (const char* const subject : {"a", "a.x", "b.c.d"}) {
    interest.match(0, subject, [&](const bus::FilterEntry& entry) { entries.insert(&entry); });
  }
  return entries;
}

}  // namespace

TEST_CASE("interest: positions and counts stay right while members of all loops come and go") {
  constexpr std::size_t loops = 3;
  for (unsigned seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    std::mt19937 rng(seed);
    Sites sites(loops);
    Recorder recorder;
    std::vector<bus::OwnedPort> ports;
    for (std::size_t i = 0; i < loops * 2; ++i) {
      ports.push_back(sites[i % loops].open(anybody(), recorder, nullptr));
    }
    const bus::Interest& interest = sites.hub.interest(anybody()->account);
    struct Held {
      base::SubId id;
      std::size_t port;
    };
    std::vector<Held> held;
    for (int step = 0; step < 1500; ++step) {
      // Grows, then shrinks, and so on.
      if (held.empty() || rng() % 10 < (step / 300 % 2 == 0 ? 7U : 3U)) {
        const std::size_t port = rng() % ports.size();
        const char* const filters[] = {"a", "a.*", ">", "b.c.d"};
        const char* const queues[] = {"", "", "q", "r"};
        const auto id =
            ports[port]->subscribe(filter_of(filters[rng() % 4]), {.queue = queues[rng() % 4]});
        held.push_back({*id, port});
      } else {
        const std::size_t victim = rng() % held.size();
        ports[held[victim].port]->unsubscribe(held[victim].id);
        held[victim] = held.back();
        held.pop_back();
      }
      REQUIRE(interest.subscriptions() == held.size());
      if (step % 10 != 0) continue;
      std::size_t seen = 0;
      for (const bus::FilterEntry* const entry : entries_of(interest)) {
        check_positions(*entry);
        for (const bus::LoopPlain& plain : entry->plain) seen += plain.subscriptions.size();
        if (entry->groups == nullptr) continue;
        for (const auto& group : *entry->groups) seen += group->members.size();
      }
      REQUIRE(seen == held.size());
    }
    ports.clear();
    CHECK(interest.subscriptions() == 0);
    CHECK(entries_of(interest).empty());
  }
}

TEST_CASE("interest: a port that is closed takes its subscriptions along, and no other's") {
  Sites sites(2);
  Recorder recorder;
  auto leaving = sites[0].open(anybody(), recorder, nullptr);
  auto staying = sites[0].open(anybody(), recorder, nullptr);
  for (int i = 0; i < 50; ++i) {
    leaving->subscribe(filter_of("a." + std::to_string(i % 5)), {.tag = 1});
    staying->subscribe(filter_of("a." + std::to_string(i % 5)), {.tag = 2});
  }
  leaving.reset();
  const auto publisher = sites[1].open(anybody(), recorder, nullptr);
  bus::MessageView message = test::message_to("a.3");
  publisher->route(*publisher->admit(message));
  sites.settle();
  CHECK(recorder.tags == std::vector<std::uint64_t>(10, 2));
}
