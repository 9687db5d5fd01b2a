#include <doctest/doctest.h>

#include "tests/contract/streams/stage.h"

using namespace spanwire;
using namespace spanwire::test;
using namespace std::chrono_literals;
using streams::Failure;
using streams::Verdict;

namespace {

// A stream with `s.a=1` up to `s.a=<count>`, and a durable feed of it.
struct Durable : StreamsTest {
  explicit Durable(int count, streams::FeedSpec wanted = {}) : feed_spec(std::move(wanted)) {
    feed_spec.durable = std::string("d");
    REQUIRE(ensure(spec()));
    for (int i = 1; i <= count; ++i) put("s.a", std::to_string(i));
    attach();
  }
  void attach() { feed = client->attach("S", feed_spec, reader); }
  // Grants, and waits for as many.
  std::string hear(std::size_t count) {
    const std::size_t there = reader.tokens.size();
    feed->grant(count);
    run_until(reader, there + count);
    return reader.take();
  }

  streams::FeedSpec feed_spec;
  TestReader reader;
  std::unique_ptr<streams::Feed> feed;
};

}  // namespace

TEST_CASE("settle: what is done does not come again, after `ack_wait` the rest does") {
  Durable test(3, {.ack_wait = 500ms});
  CHECK(test.hear(3) == "s.a=1 s.a=2 s.a=3");
  test.feed->settle(test.reader.tokens[0], Verdict::done);
  test.feed->settle(test.reader.tokens[2], Verdict::done);
  test.feed->grant(1);
  test.stage->settle();
  CHECK(test.reader.heard.empty());
  test.run_until(test.reader, 4);
  CHECK(test.reader.take() == "s.a=2");
  CHECK(test.reader.tokens[3].sequence == 2);
  CHECK(test.reader.tokens[3].attempt == 2);
  CHECK(test.reader.tokens[3].delivery == 4);
}

TEST_CASE("settle: with a Done the acknowledgement is kept when it is called") {
  Durable test(1);
  CHECK(test.hear(1) == "s.a=1");
  bool called = false;
  test.feed->settle(test.reader.tokens[0], [&](const auto& failure) {
    called = true;
    CHECK(!failure);
  });
  CHECK(!called);
  test.stage->run_until([&] { return called; });
  CHECK(called);
  CHECK(test.stage->api("CONSUMER.INFO.S.d", "").find("\"num_ack_pending\":0") !=
        std::string::npos);
}

TEST_CASE("settle: again brings it again, with a delay not before that") {
  Durable test(2);
  CHECK(test.hear(2) == "s.a=1 s.a=2");
  test.feed->settle(test.reader.tokens[0], Verdict::again);
  CHECK(test.hear(1) == "s.a=1");
  test.feed->settle(test.reader.tokens[1], Verdict::again, 600ms);
  test.feed->grant(1);
  test.stage->settle();
  CHECK(test.reader.heard.empty());
  test.stage->advance(1s);
  test.run_until(test.reader, 4);
  CHECK(test.reader.take() == "s.a=2");
  CHECK(test.reader.tokens[3].attempt == 2);
}

TEST_CASE("settle: never gives it up") {
  Durable test(2, {.ack_wait = 500ms});
  CHECK(test.hear(2) == "s.a=1 s.a=2");
  test.feed->settle(test.reader.tokens[0], Verdict::never);
  test.feed->settle(test.reader.tokens[1], Verdict::done);
  test.feed->grant(2);
  test.stage->advance(1s);
  CHECK(test.reader.heard.empty());
}

TEST_CASE("settle: in progress begins the time anew") {
  Durable test(1, {.ack_wait = 1s});
  CHECK(test.hear(1) == "s.a=1");
  test.feed->grant(1);
  for (int i = 0; i < 3; ++i) {
    test.stage->advance(600ms);
    test.feed->settle(test.reader.tokens[0], Verdict::in_progress);
  }
  test.stage->settle();
  CHECK(test.reader.heard.empty());
  test.stage->advance(1500ms);
  test.run_until(test.reader, 2);
  CHECK(test.reader.take() == "s.a=1");
}

TEST_CASE("settle: after `max_deliver` tries it does not come again") {
  Durable test(1, {.max_deliver = 2});
  CHECK(test.hear(1) == "s.a=1");
  test.feed->settle(test.reader.tokens[0], Verdict::again);
  CHECK(test.hear(1) == "s.a=1");
  test.feed->settle(test.reader.tokens[1], Verdict::again);
  test.feed->grant(1);
  test.stage->advance(300ms);
  CHECK(test.reader.heard.empty());
}

TEST_CASE("settle: no more than `max_ack_pending` come until some are settled") {
  Durable test(5, {.max_ack_pending = 2});
  test.feed->grant(5);
  test.run_until(test.reader, 2);
  test.stage->settle();
  CHECK(test.reader.take() == "s.a=1 s.a=2");
  CHECK(!test.settle(*test.feed, test.reader.tokens[0]));
  test.run_until(test.reader, 3);
  test.stage->settle();
  CHECK(test.reader.take() == "s.a=3");
}

TEST_CASE("settle: of a durable that is gone fails") {
  Durable test(1);
  CHECK(test.hear(1) == "s.a=1");
  REQUIRE(test.drop("S", "d"));
  const auto failure = test.settle(*test.feed, test.reader.tokens[0]);
  REQUIRE(failure);
  const bool told = failure->kind == Failure::Kind::not_found;
  CHECK((told || failure->kind == Failure::Kind::unknown));
}

TEST_CASE("durable: goes on after the feed, with what was not settled") {
  Durable test(4, {.ack_wait = 1s});
  test.feed->grant(10);  // more than there is: what was asked for ends with the feed
  test.run_until(test.reader, 4);
  CHECK(test.reader.take() == "s.a=1 s.a=2 s.a=3 s.a=4");
  for (const int i : {0, 1, 3}) REQUIRE(!test.settle(*test.feed, test.reader.tokens[i]));
  test.feed.reset();
  test.put("s.a", "5");
  test.attach();
  test.feed->grant(2);
  test.run_until(test.reader, 6);
  const std::string heard = test.reader.take();
  CHECK(heard.find("s.a=3") != std::string::npos);
  CHECK(heard.find("s.a=5") != std::string::npos);
  CHECK(heard.size() == 11);
}

TEST_CASE("durable: two feeds of one share its messages") {
  Durable test(10);
  TestReader other_reader;
  const auto other_client = test.stage->make_client();
  const auto other = other_client->attach("S", test.feed_spec, other_reader);
  test.stage->settle();
  test.feed->grant(5);
  other->grant(5);
  test.stage->run_until(
      [&] { return test.reader.tokens.size() + other_reader.tokens.size() == 10; });
  CHECK(test.reader.tokens.size() == 5);
  CHECK(other_reader.tokens.size() == 5);
}

TEST_CASE("durable: a feed ends when its consumer is dropped") {
  Durable test(0);
  test.feed->grant(1);
  test.stage->settle();
  REQUIRE(test.drop("S", "d"));
  test.stage->run_until([&] { return test.reader.ended.has_value(); });
  REQUIRE(test.reader.ended);
  CHECK(test.reader.ended->kind == Failure::Kind::not_found);
  CHECK(text_of(test.drop("S", "d")) == "not_found");
}

TEST_CASE("durable: of a work queue, what is settled is gone") {
  StreamsTest test;
  streams::StreamSpec spec = test.spec();
  spec.retention = streams::StreamSpec::Retention::work_queue;
  REQUIRE(test.ensure(spec));
  test.put("s.a", "1");
  test.put("s.a", "2");
  TestReader reader;
  const auto feed = test.client->attach("S", {.durable = "d"}, reader);
  feed->grant(1);
  test.run_until(reader, 1);
  REQUIRE(!reader.tokens.empty());
  CHECK(!test.settle(*feed, reader.tokens[0]));
  test.stage->settle();
  CHECK(test.read_text({.sequence = 1}) == "not_found");
  CHECK(test.read_text({.sequence = 2}) == "2 s.a=2");
}
