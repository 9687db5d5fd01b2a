// Stream imports over three loops: order and queue groups hold for messages of another account too,
// whatever subscriptions come and go.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/support/line_session.h"
#include "tests/support/seeds.h"
#include "tests/support/world.h"

using namespace spanwire;
using test::connect_line;
using test::TestPeer;
using test::World;

namespace {

constexpr base::AccountId exporter = 1;
constexpr base::AccountId importer = 2;

TestPeer& connect(World& world, std::size_t loop, base::AccountId account) {
  return connect_line(world, loop, nullptr, test::principal_of(account));
}

void import(World& world, std::string_view from, std::string_view to) {
  REQUIRE(world.hub().import_stream(test::principal_of(importer)->account,
                                    test::principal_of(exporter)->account, from, to));
}

std::size_t shadows(World& world) {
  return world.hub().interest(test::principal_of(exporter)->account).subscriptions();
}

std::size_t count(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("import: messages of one publisher reach subscribers of both accounts in their order") {
  for (std::uint64_t seed = 1; seed <= test::seeds(40); ++seed) {
    CAPTURE(seed);
    std::mt19937 rng(static_cast<unsigned>(seed));
    World world({.loops = 3, .seed = seed});
    import(world, "a.*", "l.$1");
    std::vector<TestPeer*> near;
    std::vector<TestPeer*> far;
    for (std::size_t loop = 0; loop < 3; ++loop) {
      near.push_back(&connect(world, loop, exporter));
      near.back()->write("sub a.b\n");
      far.push_back(&connect(world, loop, importer));
      far.back()->write(loop == 1 ? "sub l.*\n" : "sub l.b\n");
    }
    TestPeer& publisher = connect(world, rng() % 3, exporter);
    publisher.set_read_limit(64);
    world.settle();
    std::string expected;
    for (int i = 0; i < 100; ++i) {
      const std::string text = std::string(i % 10 == 9 ? 9000 : 1, 'x') + std::to_string(i);
      publisher.write("pub a.b " + text + "\n");
      expected += "msg a.b " + text + "\n";
      if (rng() % 4 == 0) world.step(rng() % 3);
    }
    world.settle_at_random(rng);
    for (TestPeer* peer : near) CHECK(peer->received() == expected);
    for (std::size_t at = 0; (at = expected.find("a.b", at)) != std::string::npos;) {
      expected.replace(at, 3, "l.b");
    }
    for (TestPeer* peer : far) CHECK(peer->received() == expected);
  }
}

TEST_CASE("import: members of both accounts come and go, and each message goes to one of them") {
  for (std::uint64_t seed = 1; seed <= test::seeds(60); ++seed) {
    CAPTURE(seed);
    std::mt19937 rng(static_cast<unsigned>(seed));
    World world({.loops = 3, .seed = seed});
    import(world, "jobs.*", "l.$1");
    import(world, "jobs.>", "m.>");
    TestPeer& steady = connect(world, rng() % 3, importer);
    steady.write("sub l.* q\n");
    std::vector<TestPeer*> fickle;
    for (std::size_t i = 0; i < 6; ++i) {
      fickle.push_back(&connect(world, i % 3, i < 2 ? exporter : importer));
      fickle.back()->write(i < 2 ? "sub jobs.a q\n" : i < 4 ? "sub l.a q\n" : "sub m.* q\n");
    }
    TestPeer& publisher = connect(world, 0, exporter);
    world.settle();
    for (int i = 0; i < 90; ++i) {
      publisher.write("pub jobs.a x\n");
      if (i == 30) fickle[3]->write("unsub 0 4\n");
      if (i == 45) {
        for (TestPeer* peer : fickle) peer->write("unsub 0\n");
      }
      world.step(rng() % 3);
    }
    world.settle_at_random(rng);
    std::size_t total = count(steady.received());
    for (TestPeer* peer : fickle) total += count(peer->received());
    CHECK(total == 90);
    CHECK(shadows(world) == 1);
  }
}

TEST_CASE("import: a limit of N deliveries gives exactly N of both accounts together") {
  for (std::uint64_t seed = 1; seed <= test::seeds(60); ++seed) {
    CAPTURE(seed);
    std::mt19937 rng(static_cast<unsigned>(seed));
    World world({.loops = 3, .seed = seed});
    import(world, "a.*", "l.$1");
    TestPeer& limited = connect(world, 1, importer);
    limited.write("sub l.*\nunsub 0 25\n");
    TestPeer& near = connect(world, 0, importer);
    TestPeer& far = connect(world, 2, exporter);
    world.settle();
    for (int i = 0; i < 20; ++i) {
      near.write("pub l.1 x\n");
      far.write("pub a.1 x\n");
      if (rng() % 2 == 0) world.step(rng() % 3);
    }
    world.settle_at_random(rng);
    CHECK(count(limited.received()) == 25);
    CHECK(shadows(world) == 0);
  }
}

TEST_CASE("import: a shadow is visible to every loop when subscribe() returns") {
  for (std::size_t from = 0; from < 3; ++from) {
    for (std::size_t to = 0; to < 3; ++to) {
      World world({.loops = 3});
      import(world, "s.*", "l.$1");
      TestPeer& subscriber = connect(world, to, importer);
      TestPeer& publisher = connect(world, from, exporter);
      publisher.write("pub s.t 0\npub s.t 0\npub s.t 0\n");
      world.settle();
      subscriber.write("sub l.*\n");
      world.step(to);
      publisher.write("pub s.t 1\n");
      world.settle();
      CAPTURE(from);
      CAPTURE(to);
      CHECK(subscriber.received() == "msg l.t 1\n");
    }
  }
}
