#include "bridges/kit/last_values.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "subject/slash.h"
#include "tests/support/line_session.h"
#include "tests/support/serving_world.h"
#include "tests/support/world.h"

using namespace spanwire;
using kit::LastValues;
using test::TestPeer;

namespace {

struct Keepers {
  explicit Keepers(std::size_t loops, kit::LastValuesSettings settings = {})
      : serving({.loops = loops}), world(serving.world()) {
    for (std::size_t i = 0; i < loops; ++i) {
      values.push_back(std::make_unique<LastValues>(serving.services(i), group, settings));
      publishers.push_back(&test::connect_line(world, i));
    }
  }
  ~Keepers() {
    for (TestPeer* publisher : publishers) publisher->hang_up();
    world.settle();
  }

  void publish(std::size_t loop, std::string_view subject, std::string_view text) {
    publishers[loop]->write("pub " + std::string(subject) + " " + std::string(text) + "\n");
    world.settle();
  }
  // `subject=text`, `-` for nothing, `refused`.
  std::string find(kit::ValueQuery query, std::size_t loop = 0) {
    std::optional<std::string> got;
    values[loop]->find(std::move(query), [&got](const LastValues::Answer& answer) {
      if (!answer) {
        got = "refused";
      } else if (!*answer) {
        got = "-";
      } else {
        const bus::MessageView view = (*answer)->view();
        got = std::string(view.route) + "=" + std::string(view.payload);
      }
    });
    CHECK_FALSE(got);  // never inside the call
    world.settle();
    REQUIRE(got);
    return *got;
  }
  std::string find(std::string_view filter, std::size_t loop = 0) {
    return find({.filter = *subject::parse_nats_filter(filter)}, loop);
  }
  std::size_t entries() const {
    std::size_t sum = 0;
    for (const auto& of_loop : values) sum += of_loop->stats().entries.get();
    return sum;
  }

  test::ServingWorld serving;
  test::World& world;
  kit::LastValuesGroup group;
  std::vector<std::unique_ptr<LastValues>> values;
  std::vector<TestPeer*> publishers;
};

}  // namespace

TEST_CASE("last values: a subject's last value is found, by name and by wildcard") {
  Keepers keepers(1);
  CHECK(keepers.find("a.b") == "-");
  keepers.publish(0, "a.b", "1");
  keepers.publish(0, "a.c", "2");
  CHECK(keepers.find("a.b") == "a.b=1");
  CHECK(keepers.find("a.c") == "a.c=2");
  CHECK(keepers.find("a.*") == "a.c=2");
  keepers.publish(0, "a.b", "3");
  CHECK(keepers.find("a.b") == "a.b=3");
  CHECK(keepers.find(">") == "a.b=3");
  CHECK(keepers.find("a") == "-");
  CHECK(keepers.find("*") == "-");
}

TEST_CASE("last values: the newest of all loops wins, whoever asks") {
  Keepers keepers(3);
  for (std::size_t from = 0; from < 3; ++from) {
    for (std::size_t to = 0; to < 3; ++to) {
      keepers.publish(from, "a.b", "first");
      keepers.publish(to, "a.b", "second");
      for (std::size_t asker = 0; asker < 3; ++asker) {
        CHECK(keepers.find("a.b", asker) == "a.b=second");
        CHECK(keepers.find("a.>", asker) == "a.b=second");
      }
    }
  }
}

TEST_CASE("last values: dollar subjects and inboxes are not kept") {
  Keepers keepers(1);
  for (const char* subject : {"$SYS.a", "$a", "_INBOX.x.1"}) {
    CAPTURE(subject);
    keepers.publish(0, subject, "x");
    CHECK(keepers.find({.filter = subject::literal_filter(subject)}) == "-");
  }
  CHECK(keepers.entries() == 0);
  keepers.publish(0, "_INBOX", "x");
  keepers.publish(0, "a.$b", "x");
  CHECK(keepers.entries() == 2);
}

TEST_CASE("last values: only what the setting names is kept") {
  Keepers keepers(1, {.keep = {*subject::parse_nats_filter("a.>"), subject::literal_filter("b")}});
  for (const char* subject : {"a.b", "a.b.c", "b"}) {
    keepers.publish(0, subject, "x");
    CHECK(keepers.find(subject) == std::string(subject) + "=x");
  }
  for (const char* subject : {"a", "b.c", "c"}) {
    keepers.publish(0, subject, "x");
    CHECK(keepers.find(subject) == "-");
  }
}

TEST_CASE("last values: accounts do not see each other's") {
  Keepers keepers(1);
  TestPeer& other = test::connect_line(keepers.world, 0, nullptr, test::principal_of(7));
  other.write("pub a theirs\n");
  keepers.publish(0, "a", "ours");
  CHECK(keepers.find("a") == "a=ours");
  const auto filter = *subject::parse_nats_filter(">");
  CHECK(keepers.find({.account = 7, .filter = filter}) == "a=theirs");
  CHECK(keepers.find({.account = 8, .filter = filter}) == "-");
}

TEST_CASE("last values: what the asker may not receive or does not accept is passed over") {
  Keepers keepers(2);
  keepers.publish(0, "a.open", "1");
  keepers.publish(1, "a.secret", "2");
  keepers.publish(0, "a.x/y", "3");  // no topic maps to it
  auto permissions = base::make_ref<account::PermissionSet>();
  permissions->subscribe_deny.push_back(subject::literal_filter("a.secret"));
  const auto spelled = [](std::string_view subject) {
    std::string topic;
    return subject::subject_to_topic(subject, topic) == subject::Spelling::ok;
  };
  const auto filter = *subject::parse_nats_filter("a.*");
  CHECK(keepers.find({.filter = filter}) == "a.x/y=3");
  CHECK(keepers.find({.filter = filter, .can_show = spelled}) == "a.secret=2");
  CHECK(keepers.find({.filter = filter, .permissions = permissions, .can_show = spelled}) ==
        "a.open=1");
  CHECK(keepers.find({.filter = subject::literal_filter("a.secret"), .permissions = permissions}) ==
        "-");
}

TEST_CASE("last values: a payload of any size comes back, shared or copied") {
  Keepers keepers(2);
  TestPeer& subscriber = test::connect_line(keepers.world, 0);
  subscriber.write("sub shared\n");
  keepers.world.settle();
  for (const std::size_t size : {0, 1, 1023, 8191, 8192, 60'000, 10}) {
    const std::string text(size, 's');
    for (const std::string subject : {"shared", "copied"}) {
      keepers.publish(0, subject, text);
      CHECK(keepers.find(subject, 1) == subject + "=" + text);
    }
  }
}

TEST_CASE("last values: memory is bounded, and what was used last stays") {
  Keepers keepers(2, {.bytes = 40'000});
  keepers.publish(0, "old", "x");
  const std::string text(100, 't');
  for (int i = 0; i < 500; ++i) {
    keepers.publish(0, "s." + std::to_string(i), text);
    if (i % 10 == 0) CHECK(keepers.find("old") == "old=x");
  }
  const kit::LastValuesStats& stats = keepers.values[0]->stats();
  CHECK(stats.bytes.get() <= 20'000);
  CHECK(stats.bytes.get() > 15'000);
  CHECK(stats.evicted.get() + stats.entries.get() == 501);
  CHECK(keepers.find("s.499") == "s.499=" + text);
  CHECK(keepers.find("s.0") == "-");
}

TEST_CASE("last values: a value is not found rather than an older one of another loop") {
  Keepers keepers(2, {.bytes = 40'000});
  keepers.publish(1, "a", "old");
  keepers.publish(0, "a", "new");
  const std::string text(100, 't');
  for (int i = 0; i < 500; ++i) keepers.publish(0, "s." + std::to_string(i), text);
  CHECK(keepers.find("a") == "-");
  CHECK(keepers.find("a.>") == "-");
  CHECK(keepers.values[1]->stats().entries.get() == 0);
  keepers.publish(1, "a", "newer");
  CHECK(keepers.find("a") == "a=newer");
}

TEST_CASE("last values: what a loop got since another gave its value up stays") {
  Keepers keepers(2, {.bytes = 20'000});
  keepers.publishers[0]->write("pub a " + std::string(10'000, 'x') + "\n");
  keepers.world.step(0);
  REQUIRE(keepers.values[0]->stats().too_large.get() == 1);
  keepers.publishers[1]->write("pub a newer\n");
  keepers.world.step(1);
  keepers.world.settle();
  CHECK(keepers.find("a") == "a=newer");
}

TEST_CASE("last values: a payload larger than all the memory leaves nothing behind") {
  Keepers keepers(2, {.bytes = 20'000});
  keepers.publish(1, "a", "elsewhere");
  keepers.publish(0, "a", "small");
  keepers.publish(0, "b", "stays");
  keepers.publish(0, "a", std::string(10'000, 'x'));
  CHECK(keepers.find("a") == "-");
  CHECK(keepers.find("b") == "b=stays");
  CHECK(keepers.values[0]->stats().too_large.get() == 1);
  keepers.publish(0, "a", "again");
  CHECK(keepers.find("a") == "a=again");
}

TEST_CASE("last values: a walk over many is cut, and misses nothing while the list changes") {
  Keepers keepers(1, {.bytes = 8 << 20});
  std::string batch;
  for (int i = 0; i < 12'000; ++i) batch += "pub s." + std::to_string(i) + " x\n";
  keepers.publishers[0]->write(batch);
  keepers.world.settle();
  keepers.publish(0, "s.9000", "newest");
  std::vector<std::string> got;
  for (int i = 0; i < 3; ++i) {
    keepers.values[0]->find(
        {.filter = *subject::parse_nats_filter("s.*")},
        [&got](const LastValues::Answer& answer) { got.emplace_back((*answer)->view().route); });
  }
  int steps = 0;
  for (; got.empty(); ++steps) {
    keepers.world.step(0);
    keepers.publishers[0]->write("pub t." + std::to_string(steps) + " x\n");
    REQUIRE(steps < 100);
  }
  CHECK(steps >= 3);
  keepers.world.settle();
  CHECK(got == std::vector<std::string>(3, "s.9000"));
}

TEST_CASE("last values: eviction under a walk does not end it") {
  Keepers keepers(1, {.bytes = 2 << 20});
  std::string batch;
  for (int i = 0; i < 9'000; ++i) batch += "pub s." + std::to_string(i) + " x\n";
  keepers.publishers[0]->write(batch);
  keepers.world.settle();
  int answers = 0;
  keepers.values[0]->find({.filter = *subject::parse_nats_filter("s.*")},
                          [&answers](const LastValues::Answer&) { ++answers; });
  for (int i = 0; i < 20; ++i) {
    keepers.world.step(0);
    std::string more;
    for (int k = 0; k < 1'000; ++k) {
      more += "pub t." + std::to_string(i) + "." + std::to_string(k) + " x\n";
    }
    keepers.publishers[0]->write(more);
  }
  keepers.world.settle();
  CHECK(answers == 1);
  CHECK(keepers.values[0]->stats().evicted.get() > 9'000);
}

TEST_CASE("last values: a walk whose next entry is evicted goes on with the one behind it") {
  Keepers keepers(1, {.bytes = 3 << 20});
  std::string batch;
  for (int i = 0; i < 6'000; ++i) batch += "pub s." + std::to_string(i) + " x\n";
  keepers.publishers[0]->write(batch);
  keepers.world.settle();
  REQUIRE(keepers.values[0]->stats().entries.get() == 6'000);
  std::string newest;
  keepers.values[0]->find(
      {.filter = *subject::parse_nats_filter("s.*")},
      [&newest](const LastValues::Answer& answer) { newest = (*answer)->view().route; });
  keepers.world.step(0);  // the question arrives
  // As many that 5,000 have to go.
  const std::size_t room = (3 << 20) / (keepers.values[0]->stats().bytes.get() / 6'000);
  std::string more;
  for (std::size_t i = 0; i < room - 1'000; ++i) more += "pub t." + std::to_string(i) + " x\n";
  keepers.publishers[0]->write(more);
  keepers.world.step(0);  // a first slice of the walk; what it would go on with is evicted
  REQUIRE(newest.empty());
  REQUIRE(keepers.values[0]->stats().evicted.get() > 4'500);
  REQUIRE(keepers.values[0]->stats().evicted.get() < 5'500);
  keepers.world.settle();
  CHECK(newest == "s.5999");
}

TEST_CASE("last values: a walk ends, however many new subjects there are meanwhile") {
  Keepers keepers(1);
  std::string batch;
  for (int i = 0; i < 6'000; ++i) batch += "pub s." + std::to_string(i) + " x\n";
  keepers.publishers[0]->write(batch);
  keepers.world.settle();
  bool answered = false;
  keepers.values[0]->find({.filter = *subject::parse_nats_filter("s.*")},
                          [&answered](const LastValues::Answer&) { answered = true; });
  for (int step = 0; step < 8; ++step) {
    batch.clear();
    for (int i = 0; i < 5'000; ++i) {
      batch += "pub t." + std::to_string(step) + '.' + std::to_string(i) + " x\n";
    }
    keepers.publishers[0]->write(batch);
    keepers.world.step(0);
  }
  CHECK(answered);
  keepers.world.settle();
}

TEST_CASE("last values: only so many questions with wildcards wait on a loop") {
  Keepers keepers(1);
  keepers.publish(0, "a", "x");
  int answered = 0;
  int refused = 0;
  for (int i = 0; i < 1'100; ++i) {
    keepers.values[0]->find(
        {.filter = *subject::parse_nats_filter(">")},
        [&](const LastValues::Answer& answer) { ++(answer ? answered : refused); });
  }
  keepers.world.settle();
  CHECK(answered == 1'024);
  CHECK(refused == 76);
  CHECK(keepers.values[0]->stats().refused.get() == 76);
}
