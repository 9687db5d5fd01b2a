#include <doctest/doctest.h>

#include "tests/contract/streams/stage.h"

using namespace spanwire;
using namespace spanwire::test;
using streams::Failure;
using From = streams::FeedSpec::From;

namespace {

// What a feed of the spec brings of `s.a=1 s.b=2 s.a=3 s.c=4`, then of `s.a=5`.
std::string fed(streams::FeedSpec spec) {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  for (const char* each : {"s.a=1", "s.b=2", "s.a=3", "s.c=4"}) {
    const std::string_view text(each);
    test.put(text.substr(0, 3), text.substr(4));
  }
  TestReader reader;
  const auto feed = test.client->attach("S", std::move(spec), reader);
  feed->grant(100);
  test.stage->run_until([&] { return reader.caught_up != 0; });
  CHECK(reader.caught_up == 1);
  reader.heard += " |";
  const std::size_t there = reader.tokens.size();
  test.put("s.a", "5");
  test.run_until(reader, there + 1);
  test.stage->settle();
  CHECK(!reader.ended);
  return reader.heard;
}

}  // namespace

TEST_CASE("feed: from the first, a sequence, the last of each subject, or new messages") {
  CHECK(fed({}) == "s.a=1 s.b=2 s.a=3 s.c=4 | s.a=5");
  CHECK(fed({.from = From::sequence, .sequence = 3}) == "s.a=3 s.c=4 | s.a=5");
  CHECK(fed({.from = From::last_of_each_subject}) == "s.b=2 s.a=3 s.c=4 | s.a=5");
  CHECK(fed({.from = From::new_messages}) == " | s.a=5");
}

TEST_CASE("feed: only what one of the filters matches") {
  CHECK(fed({.filters = {"s.a"}}) == "s.a=1 s.a=3 | s.a=5");
  CHECK(fed({.filters = {"s.a", "s.c"}}) == "s.a=1 s.a=3 s.c=4 | s.a=5");
  CHECK(fed({.filters = {"s.a", "s.c"}, .from = From::last_of_each_subject}) ==
        "s.a=3 s.c=4 | s.a=5");
}

TEST_CASE("feed: nothing comes that was not granted") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  for (int i = 0; i < 50; ++i) test.put("s.a", std::to_string(i));
  TestReader reader;
  const auto feed = test.client->attach("S", {}, reader);
  test.stage->settle();
  CHECK(reader.heard.empty());
  CHECK(reader.caught_up == 0);
  std::size_t granted = 0;
  for (const std::size_t more : {1, 1, 2, 1, 5, 3, 1}) {
    feed->grant(more);
    granted += more;
    test.run_until(reader, granted);
    test.stage->settle();
    CHECK(reader.tokens.size() == granted);
  }
  CHECK(reader.pending.back() == 50 - granted);
}

TEST_CASE("feed: credit that is granted by each delivery keeps it going") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  test.append_all(std::vector<streams::Appending>(3000, {.subject = "s.a"}));
  TestReader reader;
  const auto feed = test.client->attach("S", {}, reader);
  reader.on_each = [&](const auto&) { feed->grant(1); };
  feed->grant(10);
  test.run_until(reader, 3000);
  REQUIRE(reader.tokens.size() == 3000);
  for (std::size_t i = 0; i < 3000; ++i) REQUIRE(reader.tokens[i].sequence == i + 1);
  CHECK(reader.caught_up == 1);
}

TEST_CASE("feed: caught up with an empty stream at once, also without credit") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  TestReader reader;
  const auto feed = test.client->attach("S", {}, reader);
  CHECK(reader.caught_up == 0);
  test.stage->run_until([&] { return reader.caught_up != 0; });
  CHECK(reader.caught_up == 1);
  test.put("s.a", "x");
  feed->grant(2);
  test.run_until(reader, 1);
  CHECK(reader.take() == "s.a=x");
  CHECK(reader.caught_up == 1);
}

TEST_CASE("feed: attach comes after what was asked of the stream before") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  TestReader reader;
  test.client->append("S", {{.subject = "s.a", .payload = "old"}}, [](const auto&) {});
  const auto feed = test.client->attach("S", {.from = From::new_messages}, reader);
  test.client->append("S", {{.subject = "s.a", .payload = "new"}}, [](const auto&) {});
  feed->grant(10);
  test.run_until(reader, 1);
  test.stage->settle();
  CHECK(reader.heard == "s.a=new");
}

TEST_CASE("feed: an ordered one goes on when its consumer is lost") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  for (int i = 1; i <= 5; ++i) test.put("s.a", std::to_string(i));
  TestReader reader;
  const auto feed = test.client->attach("S", {}, reader);
  feed->grant(3);
  test.run_until(reader, 3);
  test.lose_consumers();
  feed->grant(3);  // while nobody is there
  test.run_until(reader, 5);
  test.stage->settle();
  CHECK(reader.take() == "s.a=1 s.a=2 s.a=3 s.a=4 s.a=5");
  test.lose_consumers();  // while one message is asked for
  test.put("s.a", "6");
  test.put("s.a", "7");
  test.run_until(reader, 6);
  test.stage->settle();
  CHECK(reader.take() == "s.a=6");
  feed->grant(1);
  test.run_until(reader, 7);
  CHECK(reader.take() == "s.a=7");
  CHECK(!reader.ended);
}

TEST_CASE("feed: one of new messages misses none when its consumer is lost before the first") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  test.put("s.a", "old");
  TestReader reader;
  const auto feed = test.client->attach("S", {.from = From::new_messages}, reader);
  test.stage->run_until([&] { return reader.caught_up != 0; });
  test.lose_consumers();
  test.put("s.a", "new");
  feed->grant(5);
  test.run_until(reader, 1);
  test.stage->settle();
  CHECK(reader.heard == "s.a=new");
}

TEST_CASE("feed: of last messages one that is lost goes on with those that are left") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  for (const char* subject : {"s.a", "s.b", "s.a", "s.c"}) test.put(subject, subject);
  TestReader reader;
  const auto feed = test.client->attach("S", {.from = From::last_of_each_subject}, reader);
  feed->grant(1);
  test.run_until(reader, 1);
  CHECK(reader.take() == "s.b=s.b");
  test.lose_consumers();
  feed->grant(5);
  test.run_until(reader, 3);
  test.stage->settle();
  CHECK(reader.take() == "s.a=s.a s.c=s.c");
  CHECK(reader.caught_up == 1);
}

TEST_CASE("feed: ends when its stream is dropped") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  TestReader reader, durable_reader;
  const auto feed = test.client->attach("S", {}, reader);
  const auto durable = test.client->attach("S", {.durable = "d"}, durable_reader);
  feed->grant(1);
  durable->grant(1);
  test.stage->settle();
  REQUIRE(test.drop("S"));
  test.stage->run_until([&] { return reader.ended && durable_reader.ended; });
  REQUIRE(reader.ended);
  REQUIRE(durable_reader.ended);
  CHECK(reader.ended->kind == Failure::Kind::not_found);
  CHECK(durable_reader.ended->kind == Failure::Kind::not_found);
}

TEST_CASE("feed: of a stream that is not there ends, and of a spec that cannot be") {
  StreamsTest test;
  const auto ended = [&](std::string_view stream, streams::FeedSpec spec) {
    TestReader reader;
    const auto feed = test.client->attach(stream, std::move(spec), reader);
    feed->grant(1);
    CHECK(!reader.ended);
    test.stage->run_until([&] { return reader.ended.has_value(); });
    return std::string(reader.ended ? name_of(reader.ended->kind) : "not ended");
  };
  CHECK(ended("S", {}) == "not_found");
  REQUIRE(test.ensure(test.spec()));
  CHECK(ended("S", {.durable = "a b"}) == "refused");
  CHECK(ended("S", {.filters = {"s..a"}}) == "refused");
  CHECK(ended("S", {.filters = {"s.a\r\nPUB x 0"}}) == "refused");
  CHECK(ended("a b", {}) == "refused");
}

TEST_CASE("feed: its reader may destroy it when it ends") {
  struct Quitter final : streams::Reader {
    void on_delivery(const streams::Delivery&) override {}
    void on_ended(const Failure&) override {
      feed.reset();
      ended = true;
    }
    std::unique_ptr<streams::Feed> feed;
    bool ended = false;
  };
  StreamsTest test;
  Quitter reader;
  reader.feed = test.client->attach("S", {}, reader);
  test.stage->run_until([&] { return reader.ended; });
  CHECK(reader.feed == nullptr);
}

TEST_CASE("feed: a destroyed one hears nothing, and leaves no consumer") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  TestReader reader, early;
  auto feed = test.client->attach("S", {}, reader);
  feed->grant(10);
  test.stage->settle();
  test.client->attach("S", {}, early).reset();  // before its consumer is there
  feed.reset();
  test.put("s.a", "x");
  test.stage->settle();
  CHECK(reader.heard.empty());
  CHECK(!reader.ended);
  CHECK(test.stage->api("CONSUMER.NAMES.S", "").find("\"total\":0") != std::string::npos);
}
