// The match cache (bus/match.h): who enters, who leaves, and that no match outlives its truth.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "bus/match.h"
#include "tests/unit/bus/seats.h"

using namespace spanwire;
using bus::Match;
using bus::MatchCache;
using test::anybody;
using test::filter_of;
using test::Recorder;
using test::Sites;

namespace {

constexpr std::size_t roomy = 1U << 20;

struct Fixture {
  explicit Fixture(std::size_t loops = 1) : sites(loops) {
    for (std::size_t i = 0; i < loops; ++i) {
      ports.push_back(sites[i].open(anybody(), recorder, nullptr));
    }
  }
  base::SubId subscribe(std::string_view filter, std::size_t loop = 0, std::string queue = {}) {
    return *ports[loop]->subscribe(filter_of(filter), {.queue = queue});
  }
  const bus::Interest& interest() { return sites.hub.interest(anybody()->account); }
  // As the router looks a subject up.
  Match& look_up(MatchCache& cache, std::string_view subject) {
    const Match::Key key = MatchCache::key_of(interest(), subject);
    Match* match = cache.find(key);
    return match != nullptr ? *match : cache.make(key);
  }
  bool keeps(MatchCache& cache, std::string_view subject) {
    return cache.find(MatchCache::key_of(interest(), subject)) != nullptr;
  }

  Recorder recorder;
  Sites sites;
  std::vector<bus::OwnedPort> ports;
};

// Two subjects whose literal generations share a slot.
std::pair<std::string, std::string> slot_sharers(const bus::Interest& interest) {
  std::map<std::uint64_t, std::string> seen;
  for (int i = 0;; ++i) {
    const std::string subject = "s." + std::to_string(i);
    const std::uint64_t slot = interest.hash(subject) % bus::Generations::literal_slots;
    const auto [at, fresh] = seen.emplace(slot, subject);
    if (!fresh) return {at->second, subject};
  }
}

}  // namespace

TEST_CASE("match cache: a subject enters when it is seen a second time") {
  Fixture f;
  MatchCache cache(0, roomy);
  CHECK_FALSE(cache.keeps(f.look_up(cache, "a")));
  CHECK_FALSE(f.keeps(cache, "a"));
  CHECK(cache.keeps(f.look_up(cache, "a")));
  CHECK(f.keeps(cache, "a"));
  CHECK(cache.size() == 1);
}

TEST_CASE("match cache: subjects that are seen once push nobody out") {
  Fixture f;
  MatchCache cache(0, 8 * 1024);
  f.look_up(cache, "kept");
  f.look_up(cache, "kept");
  for (int i = 0; i < 5000; ++i) f.look_up(cache, "_INBOX." + std::to_string(i));
  CHECK(f.keeps(cache, "kept"));
}

TEST_CASE("match cache: its bytes stay within the budget, and the used stay longest") {
  Fixture f;
  f.subscribe("s.>");
  const std::size_t budget = 64 * 1024;
  MatchCache cache(0, budget);
  const std::uint64_t before = cache.epoch();
  for (int i = 0; i < 2000; ++i) {
    f.look_up(cache, "s." + std::to_string(i));
    f.look_up(cache, "s." + std::to_string(i));
    CHECK(f.keeps(cache, "s.0"));  // looked at between any two evictions
    REQUIRE(cache.size_bytes() <= budget);
  }
  CHECK(cache.size() < 2000);
  CHECK(cache.size() > 50);
  CHECK(cache.epoch() > before);
}

TEST_CASE("match cache: inboxes that have come and gone make room, well within the budget") {
  Fixture f;
  MatchCache cache(0, roomy);
  for (int i = 0; i < 40; ++i) {
    const std::string subject = "live." + std::to_string(i);
    f.subscribe(subject);
    f.look_up(cache, subject);
    f.look_up(cache, subject);
  }
  for (int i = 0; i < 1000; ++i) {
    const std::string inbox = "_INBOX." + std::to_string(i);
    const base::SubId sub = f.subscribe(inbox);
    for (int message = 0; message < 3; ++message) f.look_up(cache, inbox);
    f.ports[0]->unsubscribe(sub);
    REQUIRE(cache.size() <= 3 * 40);
  }
  CHECK(cache.size_bytes() < roomy / 4);
  int kept = 0;  // but for those whose slot an inbox shares
  for (int i = 0; i < 40; ++i) kept += f.keeps(cache, "live." + std::to_string(i)) ? 1 : 0;
  CHECK(kept >= 35);
}

TEST_CASE("match cache: a match that is asked for again and again stays, however it changes") {
  Fixture f;
  MatchCache cache(0, roomy);
  f.look_up(cache, "kept");
  f.look_up(cache, "kept");
  for (int i = 0; i < 200; ++i) {
    const base::SubId sub = f.subscribe("*");
    f.look_up(cache, "other." + std::to_string(i));
    f.look_up(cache, "other." + std::to_string(i));
    f.ports[0]->unsubscribe(sub);
    CHECK(f.keeps(cache, "kept"));
  }
}

TEST_CASE("match cache: the epoch stands still while nothing is destroyed") {
  Fixture f;
  MatchCache cache(0, roomy);
  for (int i = 0; i < 100; ++i) f.look_up(cache, "s." + std::to_string(i % 10));
  CHECK(cache.epoch() == 0);
}

TEST_CASE("match cache: matches that grow in place stay within the budget too") {
  Fixture f;
  const std::size_t budget = 64 * 1024;
  MatchCache cache(0, budget);
  for (int i = 0; i < 100; ++i) {
    f.look_up(cache, "s." + std::to_string(i));
    f.look_up(cache, "s." + std::to_string(i));
  }
  REQUIRE(cache.size() == 100);
  for (int i = 0; i < 50; ++i) f.subscribe("s.*");
  for (int i = 0; i < 100; ++i) {
    const Match& match = f.look_up(cache, "s." + std::to_string(i));
    CHECK(match.targets.size() == 50);
    REQUIRE(cache.size_bytes() <= budget);
  }
}

TEST_CASE(
    "match cache: no more subjects are kept than come from memory as fast as they are matched") {
  Fixture f;
  MatchCache cache(0, std::size_t{64} << 20);
  for (std::size_t i = 0; i < 2 * bus::max_cached_matches; ++i) {
    const std::string subject = "s." + std::to_string(i);
    f.look_up(cache, subject);
    f.look_up(cache, subject);
    REQUIRE(cache.size() <= bus::max_cached_matches);
  }
  CHECK(cache.size() == bus::max_cached_matches);
}

// A match stands on five generations. Each has a filter here that only it knows of.
TEST_CASE("match cache: a change makes stale what its filter can match, and little else") {
  Fixture f;
  MatchCache cache(0, roomy);
  const auto rebuilt_by = [&](const std::string& filter, const std::string& subject = "a.b.c") {
    f.look_up(cache, subject);
    f.look_up(cache, subject);
    const std::uint64_t before = cache.builds();
    const base::SubId sub = f.subscribe(filter);
    f.look_up(cache, subject);
    const bool after_subscribe = cache.builds() != before;
    f.ports[0]->unsubscribe(sub);
    f.look_up(cache, subject);
    CHECK((cache.builds() == before + 2) == after_subscribe);
    return after_subscribe;
  };
  using bus::Generations;
  const auto share = [&f](std::string_view one, std::string_view other, std::size_t slots) {
    return f.interest().hash(one) % slots == f.interest().hash(other) % slots;
  };
  CHECK(rebuilt_by("a.b.c"));  // the subject's own slot
  CHECK(rebuilt_by("a.b.d") == share("a.b.d", "a.b.c", Generations::literal_slots));
  CHECK(rebuilt_by("a.b") == share("a.b", "a.b.c", Generations::literal_slots));
  CHECK(rebuilt_by("a.b.*"));  // wildcards behind its first two tokens
  CHECK(rebuilt_by("a.b.>"));
  CHECK(rebuilt_by("a.c.*") == share("a.c", "a.b", Generations::pair_slots));
  CHECK(rebuilt_by("b.b.*") == share("b.b", "a.b", Generations::pair_slots));
  CHECK(rebuilt_by("a.*.c"));  // wildcards behind its first token
  CHECK(rebuilt_by("a.>"));
  CHECK(rebuilt_by("a.*", "a.b"));
  CHECK(rebuilt_by("b.*.c") == share("b", "a", Generations::prefix_slots));
  CHECK(rebuilt_by("*.b.c"));  // wildcards whose first token is one
  CHECK(rebuilt_by(">"));
  CHECK(rebuilt_by("*", "a"));
  const std::uint64_t before = cache.builds();  // what the account is set to
  f.sites.hub.interest(anybody()->account).set_mappings(nullptr);
  f.look_up(cache, "a.b.c");
  CHECK(cache.builds() == before + 1);
}

TEST_CASE("match cache: a limit that is set makes the match look at each delivery") {
  Fixture f;
  MatchCache cache(0, roomy);
  const base::SubId sub = f.subscribe("a");
  f.look_up(cache, "a");
  CHECK_FALSE(f.look_up(cache, "a").runs.at(0).picky);
  f.ports[0]->unsubscribe(sub, 5);
  CHECK(f.look_up(cache, "a").runs.at(0).picky);
}

TEST_CASE("match cache: subjects that share a slot are rebuilt needlessly, never kept wrongly") {
  Fixture f;
  MatchCache cache(0, roomy);
  const auto [one, other] = slot_sharers(f.interest());
  for (int i = 0; i < 2; ++i) {
    f.look_up(cache, one);
    f.look_up(cache, other);
  }
  const std::uint64_t before = cache.builds();
  f.subscribe(one);
  CHECK(f.look_up(cache, one).targets.size() == 1);
  CHECK(f.look_up(cache, other).targets.empty());
  CHECK(cache.builds() == before + 2);
}

TEST_CASE("match cache: a subject with an empty token matches nothing") {
  Fixture f;
  MatchCache cache(0, roomy);
  f.subscribe(">");
  f.subscribe("*.*");
  f.subscribe(">", 0, "q");
  for (const char* subject : {"a.", ".a", "a..b", "."}) CHECK(f.look_up(cache, subject).empty());
  CHECK_FALSE(f.look_up(cache, "a.b").empty());
}

TEST_CASE("match cache: notes come with the second sight, to all of up to a thousand targets") {
  Fixture f;
  MatchCache cache(0, 4 * roomy);
  for (std::size_t i = 0; i < bus::max_noted_targets; ++i) f.subscribe("a");
  CHECK(f.look_up(cache, "a").targets[0].note == nullptr);
  Match& noted = f.look_up(cache, "a");
  std::set<bus::Note*> notes;
  for (const bus::Target& target : noted.targets) notes.insert(target.note);
  CHECK(notes.size() == bus::max_noted_targets);
  CHECK_FALSE(notes.contains(nullptr));
  noted.targets[0].note->used = 9;
  f.subscribe("a");
  CHECK(f.look_up(cache, "a").targets[0].note == nullptr);  // one too many
}

TEST_CASE("match cache: a note is empty again after its match was rebuilt") {
  Fixture f;
  MatchCache cache(0, roomy);
  f.subscribe("a");
  f.look_up(cache, "a");
  f.look_up(cache, "a").targets[0].note->used = 9;
  f.subscribe("a");
  CHECK(f.look_up(cache, "a").targets[0].note->used == 0);
}

TEST_CASE("match cache: the subject that a port publishes to all the time counts as used") {
  Sites sites(1, {.match_cache_bytes = 16 * 1024});
  Recorder recorder;
  const auto steady = sites[0].open(anybody(), recorder, nullptr);
  const auto other = sites[0].open(anybody(), recorder, nullptr);
  const auto publish = [](bus::Port& port, const std::string& subject) {
    bus::MessageView message = test::message_to(subject);
    port.route(*port.admit(message));
  };
  publish(*steady, "hot");
  publish(*steady, "hot");
  std::uint64_t rebuilt = 0;
  for (int i = 0; i < 1000; ++i) {
    publish(*other, "cold." + std::to_string(i));
    publish(*other, "cold." + std::to_string(i));
    const std::uint64_t before = sites[0].cache().builds();
    publish(*steady, "hot");
    rebuilt += sites[0].cache().builds() - before;
  }
  CHECK(sites[0].cache().epoch() > 500);  // many were pushed out
  CHECK(rebuilt == 0);
}

// Everything that a match says, against the plain model: a list of filters.
TEST_CASE("match cache: through any churn a match is what the list of filters says") {
  constexpr std::size_t loops = 3;
  struct Held {
    base::SubId id;
    std::string filter;
    std::string queue;
    std::size_t loop;
  };
  const std::vector<std::string> filters = {"a",   "a.b", "a.*",   "a.>",   "*.b",
                                            ">",   "*",   "a.b.c", "a.*.c", "b.*",
                                            "*.*", "b.b", "c.>",   "a.b.*", "a.b.>"};
  const std::vector<std::string> subjects = {"a",   "b",   "a.b", "a.c",   "b.b",
                                             "c.b", "c.d", "d",   "a.b.c", "a.c.c"};
  for (unsigned seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    std::mt19937 rng(seed);
    Fixture f(loops);
    std::vector<std::unique_ptr<MatchCache>> caches;
    for (std::size_t loop = 0; loop < loops; ++loop) {
      // Some so small that matches come and go.
      const std::size_t budget = seed % 2 == 0 ? roomy : 2048;
      caches.push_back(std::make_unique<MatchCache>(static_cast<base::LoopId>(loop), budget));
    }
    std::vector<Held> held;
    for (int step = 0; step < 600; ++step) {
      if (held.empty() || rng() % 5 < 3) {
        const std::string& filter = filters[rng() % filters.size()];
        const std::string queue = rng() % 3 == 0 ? "q" + std::to_string(rng() % 2) : "";
        const std::size_t loop = rng() % loops;
        held.push_back({f.subscribe(filter, loop, queue), filter, queue, loop});
      } else {
        const std::size_t victim = rng() % held.size();
        f.ports[held[victim].loop]->unsubscribe(held[victim].id);
        held[victim] = held.back();
        held.pop_back();
      }
      const std::size_t loop = rng() % loops;
      const std::string& subject = subjects[rng() % subjects.size()];
      const Match& match = f.look_up(*caches[loop], subject);
      std::set<base::SubId> plain;
      std::set<std::pair<std::string, base::SubId>> members;
      std::uint64_t elsewhere = 0;
      for (const Held& one : held) {
        if (!subject::matches(filter_of(one.filter), subject)) continue;
        if (!one.queue.empty()) {
          members.emplace(one.queue, one.id);
        } else if (one.loop == loop) {
          plain.insert(one.id);
        } else {
          elsewhere |= std::uint64_t{1} << one.loop;
        }
      }
      std::set<base::SubId> got_plain;
      for (const bus::Run& run : match.runs) {
        for (std::uint32_t i = run.first; i < run.first + run.count; ++i) {
          got_plain.insert(match.targets[i].sub);
          CHECK(match.subscriptions[i]->id == match.targets[i].sub);
          CHECK(match.subscriptions[i]->port == run.port);
        }
      }
      std::set<std::pair<std::string, base::SubId>> got_members;
      for (const bus::Draw& draw : match.draws) {
        for (const bus::DrawMember& member : draw.members) {
          got_members.emplace(draw.group, member.id);
        }
      }
      REQUIRE(got_plain == plain);
      REQUIRE(got_members == members);
      REQUIRE(match.remote_loops == elsewhere);
      REQUIRE(match.targets.size() == plain.size());
    }
  }
}
