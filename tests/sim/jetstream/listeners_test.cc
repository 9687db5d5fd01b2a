// Push consumers and those who listen to them: who comes is served at once, without any timer that
// would look for him, and a consumer to which nobody listens ends when it is time.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <string>

#include "tests/support/jetstream_world.h"
#include "tests/support/manual_loop.h"

using namespace spanwire;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::JetStreamClient;
using test::JetStreamWorld;
using test::member_of;

namespace {

// A memory stream S on `s.>`, whose messages are 1, 2, ….
struct Fixture {
  explicit Fixture(test::JetStreamSettings settings = {.loops = 1})
      : loops(settings.loops), world(std::move(settings)), client(world) {
    client.api("STREAM.CREATE.S", R"({"name":"S","subjects":["s.>"],"storage":"memory"})");
  }
  void publish(int messages) {
    for (int i = 0; i < messages; ++i) client.publish("s.1", std::to_string(++published));
    world.settle();
  }
  // A durable push consumer with more members.
  std::string consumer(std::string_view name, std::string_view deliver, std::string_view more) {
    return client.api(fmt::format("CONSUMER.DURABLE.CREATE.S.{}", name),
                      fmt::format(R"({{"stream_name":"S","config":{{"durable_name":"{}",)"
                                  R"("deliver_subject":"{}"{}{}}}}})",
                                  name, deliver, more.empty() ? "" : ",", more));
  }
  bool exists(std::string_view name) {
    const std::string info = client.api(fmt::format("CONSUMER.INFO.S.{}", name));
    return member_of(info, "err_code") != "10014";
  }
  bool has_timers() {
    for (std::size_t i = 0; i < loops; ++i) {
      if (static_cast<test::ManualLoop&>(world.world().loop(i)).has_timers()) return true;
    }
    return false;
  }
  // The payloads that a client has got.
  static std::string heard(JetStreamClient& listener) {
    std::string text;
    for (const auto& got : listener.take()) {
      if (!text.empty()) text += ' ';
      text += got.payload;
    }
    return text;
  }

  std::size_t loops;
  JetStreamWorld world;
  JetStreamClient client;
  int published = 0;
};

constexpr std::string_view no_acks = R"("ack_policy":"none")";

}  // namespace

TEST_CASE("jetstream push: who comes gets what waits for him, and no timer has run for that") {
  Fixture f({.loops = 3});
  f.consumer("c", "push.c", no_acks);
  f.publish(3);
  std::string expected = "1 2 3";
  for (std::size_t loop = 0; loop < 3; ++loop) {
    CAPTURE(loop);
    JetStreamClient listener(f.world, loop);
    f.world.settle();
    CHECK_FALSE(f.has_timers());
    const base::SubId sub = listener.subscribe("push.c");
    f.world.settle();  // time stands still
    CHECK(Fixture::heard(listener) == expected);
    CHECK_FALSE(f.has_timers());
    listener.unsubscribe(sub);
    f.publish(1);
    expected = std::to_string(f.published);
  }
}

TEST_CASE("jetstream push: who hears all by a wildcard takes nothing from whom it is for") {
  Fixture f({.loops = 2});
  f.consumer("c", "push.c", no_acks);
  JetStreamClient watcher(f.world, 1);
  watcher.subscribe("push.*");
  f.publish(2);
  CHECK(Fixture::heard(watcher).empty());
  CHECK_FALSE(f.has_timers());
  JetStreamClient listener(f.world, 1);
  const base::SubId sub = listener.subscribe("push.c");
  f.world.settle();
  CHECK(Fixture::heard(listener) == "1 2");
  CHECK(Fixture::heard(watcher) == "1 2");
  listener.unsubscribe(sub);
  f.publish(1);
  CHECK(Fixture::heard(watcher).empty());
  listener.subscribe("push.c");
  f.world.settle();
  CHECK(Fixture::heard(listener) == "3");
}

TEST_CASE("jetstream push: many wait without a timer, and are all served when one listener comes") {
  Fixture f({.loops = 2});
  constexpr int consumers = 300;
  for (int i = 0; i < consumers; ++i) {
    f.consumer(fmt::format("c{}", i), fmt::format("push.{}", i), no_acks);
  }
  f.publish(1);
  f.world.settle();
  const auto watches = [&f] {
    return f.world.world().router(0).stats().watches.get() +
           f.world.world().router(1).stats().watches.get();
  };
  CHECK(watches() == consumers);
  CHECK_FALSE(f.has_timers());
  JetStreamClient listener(f.world, 1);
  for (int i = 0; i < consumers; ++i) listener.subscribe(fmt::format("push.{}", i));
  f.world.settle();
  CHECK(listener.take().size() == consumers);
  CHECK(watches() == 0);
}

TEST_CASE("jetstream push: a consumer that is deleted or gets another subject waits no longer") {
  Fixture f;
  const auto watches = [&f] { return f.world.world().router(0).stats().watches.get(); };
  f.consumer("c", "push.c", no_acks);
  f.consumer("d", "push.d", no_acks);
  CHECK(watches() == 2);
  f.client.api("CONSUMER.DELETE.S.d");
  CHECK(watches() == 1);
  f.publish(1);
  f.consumer("c", "push.e", no_acks);
  CHECK(watches() == 1);
  JetStreamClient listener(f.world);
  listener.subscribe("push.c");
  f.world.settle();
  CHECK(Fixture::heard(listener).empty());
  listener.subscribe("push.e");
  f.world.settle();
  CHECK(Fixture::heard(listener) == "1");
}

TEST_CASE("jetstream push: a consumer that may not watch looks each second") {
  Fixture f({.loops = 1, .router = {.watch_limit = 1}});
  f.consumer("c", "push.c", no_acks);
  f.consumer("d", "push.d", no_acks);
  f.publish(1);
  JetStreamClient listener(f.world);
  listener.subscribe("push.d");
  f.world.advance(milliseconds(1100));
  CHECK(Fixture::heard(listener) == "1");
  CHECK_FALSE(f.has_timers());
  CHECK(f.world.world().router(0).stats().watches_refused.get() > 0);
}

// What nats-server does with inactive_threshold of a push consumer: it counts from when the last
// listener left, or from the start; a listener ends the countdown, a word about a delivery and
// another threshold begin it again.

TEST_CASE("jetstream push: to whom nobody listens for as long as its threshold ends") {
  Fixture f;
  f.consumer("c", "push.c", R"("inactive_threshold":2000000000)");
  f.world.advance(milliseconds(1900));
  CHECK(f.exists("c"));
  f.world.advance(milliseconds(200));
  CHECK_FALSE(f.exists("c"));
  CHECK(f.world.world().router(0).stats().watches.get() == 0);
}

TEST_CASE("jetstream push: a listener who comes in time keeps the consumer until he has left") {
  Fixture f;
  f.consumer("c", "push.c", R"("inactive_threshold":2000000000)");
  f.world.advance(milliseconds(1500));
  const base::SubId sub = f.client.subscribe("push.c");
  f.world.advance(seconds(10));
  CHECK(f.exists("c"));
  f.client.unsubscribe(sub);
  f.world.advance(milliseconds(1900));
  CHECK(f.exists("c"));
  f.world.advance(milliseconds(700));  // that he left is seen up to a quarter of the time later
  CHECK_FALSE(f.exists("c"));
}

TEST_CASE("jetstream push: a word about a delivery begins the countdown again") {
  Fixture f;
  JetStreamClient listener(f.world);
  const base::SubId sub = listener.subscribe("push.c");
  f.consumer("c", "push.c",
             R"("ack_policy":"explicit","ack_wait":60000000000,"inactive_threshold":2000000000)");
  f.publish(1);
  const auto got = listener.take();
  REQUIRE(got.size() == 1);
  listener.unsubscribe(sub);
  f.publish(1);  // nobody gets it: now the consumer knows
  f.world.advance(milliseconds(1500));
  listener.publish(got[0].reply, "+WPI");
  f.world.advance(milliseconds(1900));
  CHECK(f.exists("c"));
  f.world.advance(milliseconds(200));
  CHECK_FALSE(f.exists("c"));
}

TEST_CASE("jetstream push: another threshold begins the countdown again") {
  Fixture f;
  f.consumer("c", "push.c", R"("inactive_threshold":2000000000)");
  f.world.advance(milliseconds(1500));
  f.consumer("c", "push.c", R"("inactive_threshold":3000000000)");
  f.world.advance(milliseconds(2900));
  CHECK(f.exists("c"));
  f.world.advance(milliseconds(200));
  CHECK_FALSE(f.exists("c"));
}
