// The table of a loop's subscriptions (bus/subscriptions.h).
#include "bus/subscriptions.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>

using namespace spanwire;
using base::SubId;

TEST_CASE("subscriptions: an id finds its own subscription, at its address, until that is gone") {
  bus::SubscriptionTable table(3);
  std::mt19937 rng(5);
  std::map<SubId, bus::Subscription*> held;
  std::set<SubId> ever;
  for (std::uint64_t step = 1; step <= 20'000; ++step) {
    if (held.empty() || rng() % 3 != 0) {
      bus::Subscription& made = table.add();
      REQUIRE(base::loop_of(made.id) == 3);
      REQUIRE(ever.insert(made.id).second);  // never used again
      REQUIRE(made.tag == 0);
      REQUIRE(made.next == nullptr);
      made.tag = step;
      made.echo = false;
      held.emplace(made.id, &made);
    } else {
      const auto victim = std::next(held.begin(), static_cast<long>(rng() % held.size()));
      table.remove(*victim->second);
      REQUIRE(table.find(victim->first) == nullptr);
      held.erase(victim);
    }
  }
  for (const auto& [id, subscription] : held) CHECK(table.find(id) == subscription);
}

TEST_CASE("subscriptions: ids of nobody, of another loop and of the future are not found") {
  bus::SubscriptionTable table(0);
  const SubId id = table.add().id;
  CHECK(table.find(id) != nullptr);
  CHECK(table.find(SubId::none) == nullptr);
  const auto number = static_cast<std::uint64_t>(id);
  CHECK(table.find(static_cast<SubId>(number | std::uint64_t{1} << 56)) == nullptr);
  CHECK(table.find(static_cast<SubId>(number + 1)) == nullptr);
  CHECK(table.find(static_cast<SubId>(~std::uint64_t{0})) == nullptr);
}
