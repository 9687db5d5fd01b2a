// Retained, then live: a new subscriber of any loop over three loops, with publishers on all of
// them, in every interleaving that seeded random walks find.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/support/retained_client.h"
#include "tests/support/seeds.h"

using namespace spanwire;
using test::RetainedClient;
using test::ServingWorld;
using Got = RetainedClient::Got;

namespace {

constexpr std::size_t loops = 3;

// One message of a subject, as it was published.
struct Published {
  base::PortId port;
  std::uint64_t number;
  bool retain;
  bool empty;
};

struct Walk {
  Walk(std::uint64_t seed, std::size_t publisher_count, kit::ReplayLimits replay_limits = {})
      : rng(static_cast<unsigned>(seed)),
        serving({.loops = loops, .seed = seed}),
        limits(replay_limits) {
    for (std::size_t i = 0; i < loops; ++i) stores.open(serving.services(i));
    for (std::size_t i = 0; i < publisher_count; ++i) publishers.push_back(client(i % loops));
  }

  std::unique_ptr<RetainedClient> client(std::size_t loop) {
    return std::make_unique<RetainedClient>(serving.services(loop), stores, limits);
  }
  std::size_t random(std::size_t below) { return rng() % below; }

  void publish(std::size_t publisher, const std::string& subject) {
    const bool retain = random(3) != 0;
    const bool empty = retain && random(4) == 0;
    RetainedClient& from = *publishers[publisher];
    const std::uint64_t number =
        from.publish(subject, empty ? "" : std::to_string(++last_payload), retain);
    history[subject].push_back({from.port().id(), number, retain, empty});
  }
  // Something is published, or some loop takes its turn.
  void stir(const std::function<void()>& publish_one) {
    if (random(3) == 0) {
      publish_one();
    } else {
      serving.world().step(random(loops));
    }
  }

  std::mt19937 rng;
  ServingWorld serving;
  kit::RetainedStores stores;
  kit::ReplayLimits limits;
  std::vector<std::unique_ptr<RetainedClient>> publishers;
  std::map<std::string, std::vector<Published>> history;
  std::uint64_t last_payload = 0;
};

std::vector<Got> of_subject(const std::vector<Got>& got, const std::string& subject) {
  std::vector<Got> part;
  std::copy_if(got.begin(), got.end(), std::back_inserter(part),
               [&](const Got& one) { return one.subject == subject; });
  return part;
}

// What a subscription that begins behind the first `from` messages of a subject gets: the retained
// message of that time and all later ones.
std::vector<std::pair<std::uint64_t, bool>> expected_from(const std::vector<Published>& history,
                                                          std::size_t from) {
  std::vector<std::pair<std::uint64_t, bool>> expected;
  for (std::size_t i = from; i-- > 0;) {
    if (!history[i].retain) continue;
    if (!history[i].empty) expected.emplace_back(history[i].number, true);
    break;
  }
  for (std::size_t i = from; i < history.size(); ++i) {
    expected.emplace_back(history[i].number, false);
  }
  return expected;
}

// Whether there is a moment, not after `latest`, at which the subscription may have begun. What was
// retained then need not be heard if it was deleted before the store was asked, for the deletion is
// heard; nor, where holding has ended (`passing`), if it was replaced.
bool explained(const std::vector<Published>& history, const std::vector<Got>& got,
               std::size_t latest, bool passing = false) {
  std::vector<std::pair<std::uint64_t, bool>> heard;
  for (const Got& one : got) heard.emplace_back(one.origin.number, one.retained);
  bool gone = false;
  for (std::size_t from = latest + 1; from-- > 0;) {
    if (from < latest) gone |= history[from].empty || (passing && history[from].retain);
    auto expected = expected_from(history, from);
    if (expected == heard) return true;
    if (!gone || expected.empty() || !expected.front().second) continue;
    expected.erase(expected.begin());
    if (expected == heard) return true;
  }
  return false;
}

std::string subject_of(std::size_t publisher, std::size_t which) {
  return "s." + std::to_string(publisher) + '.' + std::to_string(which);
}

}  // namespace

TEST_CASE("retained: a subscriber gets the state of one moment, then all that follows it") {
  // Each subject has one publisher, so its history has one order.
  for (std::uint64_t seed = 1; seed <= test::seeds(400); ++seed) {
    CAPTURE(seed);
    Walk walk(seed, 4);
    const auto publish_one = [&] {
      const std::size_t publisher = walk.random(4);
      walk.publish(publisher, subject_of(publisher, walk.random(2)));
    };
    for (std::size_t i = walk.random(40); i > 0; --i) walk.stir(publish_one);
    const auto subscriber = walk.client(walk.random(loops));
    subscriber->subscribe("s.>");
    std::map<std::string, std::size_t> acknowledged;  // how much was published before the answer
    for (int i = 0; i < 80; ++i) {
      const bool before = subscriber->subscribed();
      if (!before) {
        for (const auto& [subject, all] : walk.history) acknowledged[subject] = all.size();
      }
      walk.stir(publish_one);
    }
    walk.serving.settle();
    REQUIRE(subscriber->subscribed());
    for (const auto& [name, all] : walk.history) {
      const std::string& subject = name;  // clang 14 captures no structured binding
      CAPTURE(subject);
      CHECK(explained(all, of_subject(subscriber->got(), subject), acknowledged[subject]));
    }
  }
}

TEST_CASE("retained: publishers of one subject on all loops: none missing, none twice") {
  for (std::uint64_t seed = 1; seed <= test::seeds(400); ++seed) {
    CAPTURE(seed);
    Walk walk(seed, 3);
    const auto publish_one = [&] { walk.publish(walk.random(3), walk.random(2) != 0 ? "a" : "b"); };
    for (std::size_t i = walk.random(20); i > 0; --i) walk.stir(publish_one);
    const auto subscriber = walk.client(walk.random(loops));
    subscriber->subscribe("*");
    while (!subscriber->subscribed()) walk.stir(publish_one);
    const auto acknowledged = walk.history;
    for (int i = 0; i < 20; ++i) walk.stir(publish_one);
    walk.serving.settle();
    std::set<std::pair<base::PortId, std::uint64_t>> heard;
    std::map<std::pair<std::string, base::PortId>, std::uint64_t> last;
    std::map<std::string, bool> live;
    for (const Got& one : subscriber->got()) {
      CHECK(heard.emplace(one.origin.port, one.origin.number).second);
      auto& before = last[{one.subject, one.origin.port}];
      CHECK(one.origin.number > before);
      before = one.origin.number;
      CHECK_FALSE((one.retained && live[one.subject]));
      live[one.subject] |= !one.retained;
    }
    for (const auto& [subject, all] : walk.history) {
      const std::size_t known =
          acknowledged.count(subject) == 0 ? 0 : acknowledged.at(subject).size();
      for (std::size_t i = known; i < all.size(); ++i) {
        CHECK(heard.count({all[i].port, all[i].number}) == 1);
      }
    }
    // And the state that stands in the end is known, whoever came last.
    kit::RetainedAnswer state;
    subscriber->retained().get(account::global_account, {*subject::parse_nats_filter("*")},
                               [&](kit::RetainedAnswer answer) { state = std::move(answer); });
    walk.serving.settle();
    for (const kit::RetainedMessage& one : state) {
      CHECK(heard.count({one.origin.port, one.origin.number}) == 1);
    }
  }
}

TEST_CASE("retained: an older subscription of the session loses nothing, state is never outdated") {
  for (std::uint64_t seed = 1; seed <= test::seeds(400); ++seed) {
    CAPTURE(seed);
    Walk walk(seed, 3);
    const auto publish_one = [&] {
      const std::size_t publisher = walk.random(3);
      walk.publish(publisher, subject_of(publisher, walk.random(2)));
    };
    const auto subscriber = walk.client(walk.random(loops));
    subscriber->subscribe("s.>");
    walk.serving.settle();
    for (std::size_t i = walk.random(20); i > 0; --i) walk.stir(publish_one);
    const std::size_t publisher = walk.random(3);
    subscriber->subscribe("s." + std::to_string(publisher) + ".*");
    for (int i = 0; i < 40; ++i) walk.stir(publish_one);
    walk.serving.settle();
    for (const auto& [name, all] : walk.history) {
      const std::string& subject = name;  // clang 14 captures no structured binding
      CAPTURE(subject);
      // What the second round brought again is left out; the rest is the whole history.
      std::vector<std::uint64_t> numbers;
      std::uint64_t newest_of_round = 0;
      for (const Got& one : of_subject(subscriber->got(), subject)) {
        if (one.retained) CHECK(one.origin.number >= newest_of_round);
        if (one.round == 2) newest_of_round = std::max(newest_of_round, one.origin.number);
        const bool again = one.retained && !numbers.empty() && one.origin.number <= numbers.back();
        if (!again) numbers.push_back(one.origin.number);
      }
      std::vector<std::uint64_t> published;
      for (const Published& one : all) published.push_back(one.number);
      CHECK(numbers == published);
    }
  }
}

TEST_CASE("retained: where too much would have to be held, nothing is missing or doubled") {
  std::uint64_t overflows = 0;
  for (std::uint64_t seed = 1; seed <= test::seeds(400); ++seed) {
    CAPTURE(seed);
    Walk walk(seed, 3, {.held_messages = 3});
    const auto publish_one = [&] {
      const std::size_t publisher = walk.random(3);
      walk.publish(publisher, subject_of(publisher, 0));
    };
    for (std::size_t i = walk.random(20); i > 0; --i) walk.stir(publish_one);
    const auto subscriber = walk.client(walk.random(loops));
    subscriber->subscribe("s.>");
    for (int i = 0; i < 60; ++i) walk.stir(publish_one);
    walk.serving.settle();
    CHECK_FALSE(subscriber->busy());
    for (const auto& [name, all] : walk.history) {
      const std::string& subject = name;  // clang 14 captures no structured binding
      CAPTURE(subject);
      std::vector<Got> got = of_subject(subscriber->got(), subject);
      // The retained one may come late; it is in its place among the others by its number.
      std::stable_sort(got.begin(), got.end(), [](const Got& a, const Got& b) {
        return a.origin.number < b.origin.number;
      });
      CHECK(explained(all, got, all.size(), true));
    }
    for (std::size_t i = 0; i < loops; ++i)
      overflows += walk.stores.of(static_cast<base::LoopId>(i)).stats().overflows.get();
  }
  CHECK(overflows > 20);
}
