// Rules of consumers that are easily missed: as nats-server 2.14.5 has them.
#include <doctest/doctest.h>

#include <string>

#include "tests/sim/jetstream/consumer_fixture.h"

using namespace spanwire;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::JetStreamClient;
using test::JetStreamWorld;
using test::member_of;
using Fixture = test::ConsumerFixture;

namespace {

constexpr const char* explicit_ack = R"("ack_policy":"explicit")";
// Whether whoever asks hears that nobody listens there.
bool nobody(Fixture& f, std::string_view subject, std::string_view body) {
  return f.client.request_message(subject, body).headers.starts_with("NATS/1.0 503");
}

std::string update(Fixture& f, std::string_view more) {
  return f.client.api(
      "STREAM.UPDATE.S",
      fmt::format(R"({{"name":"S","subjects":["s.>"],"storage":"memory",{}}})", more));
}

}  // namespace

TEST_CASE("jetstream consumer: a message that leaves before its acknowledgement is reported") {
  Fixture f(4);
  f.consumer("c", explicit_ack);
  f.consumer("none", R"("ack_policy":"none")");
  CHECK(f.pulled("none", "4") == "1 2 3 4");
  CHECK(f.pulled("c", "3") == "1 2 3");
  JetStreamClient watcher(f.world);
  watcher.subscribe("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.S.>");
  f.client.api("STREAM.MSG.DELETE.S", R"({"seq":2})");
  f.client.api("STREAM.MSG.DELETE.S", R"({"seq":4})");  // was not delivered
  auto told = watcher.take();
  REQUIRE(told.size() == 1);
  CHECK(member_of(told[0].payload, "stream_seq") == "2");
  CHECK(member_of(told[0].payload, "consumer_seq") == "2");
  CHECK(member_of(told[0].payload, "deliveries") == "1");
  CHECK(told[0].payload.find(R"("reason":"Unacknowledged message was deleted")") !=
        std::string::npos);

  update(f, R"("max_age":1000000000)");
  f.world.advance(seconds(2));
  told = watcher.take();
  REQUIRE(told.size() == 2);
  CHECK(member_of(told[0].payload, "stream_seq") == "1");
  CHECK(member_of(told[1].payload, "stream_seq") == "3");
  CHECK(f.info("c", "num_ack_pending") == "0");
}

TEST_CASE("jetstream consumer: what is said of messages that leave together is bounded") {
  Fixture f(5000);
  f.consumer("c", R"("ack_policy":"explicit","max_ack_pending":-1)");
  f.pulled("c", "5000");
  JetStreamClient watcher(f.world);
  watcher.subscribe("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.S.c");
  update(f, R"("max_age":1000000000)");
  f.world.advance(seconds(2));
  CHECK(watcher.take().size() == 4096);
  CHECK(f.info("c", "num_ack_pending") == "0");
  f.publish(1);  // and it goes on
  f.pulled("c", "1");
  f.client.api("STREAM.MSG.DELETE.S", R"({"seq":5001})");
  CHECK(watcher.take().size() == 1);
}

TEST_CASE("jetstream consumer: a publish that pushes out an unacknowledged message reports it") {
  Fixture f(1);
  f.consumer("c", explicit_ack);
  update(f, R"("max_msgs":1)");
  CHECK(f.pulled("c", "1") == "1");
  JetStreamClient watcher(f.world);
  watcher.subscribe("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.S.c");
  f.publish(1);
  const auto told = watcher.take();
  REQUIRE(told.size() == 1);
  CHECK(member_of(told[0].payload, "stream_seq") == "1");
}

TEST_CASE("jetstream consumer: a purge is not reported message by message") {
  Fixture f(2);
  f.consumer("c", explicit_ack);
  CHECK(f.pulled("c", "2") == "1 2");
  JetStreamClient watcher(f.world);
  watcher.subscribe("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.S.>");
  f.client.api("STREAM.PURGE.S");
  CHECK(watcher.take().empty());
  CHECK(f.info("c", "num_ack_pending") == "0");
}

TEST_CASE("jetstream consumer: pending are only the messages from where it begins") {
  Fixture f(1);
  const std::string from = R"("ack_policy":"explicit","deliver_policy":"by_start_sequence",)"
                           R"("opt_start_seq":4)";
  f.consumer("c", from);
  f.consumer("one", from + R"(,"filter_subject":"s.1")");
  f.publish(2);
  CHECK(f.info("c", "num_pending") == "0");
  f.publish(2);
  CHECK(f.info("c", "num_pending") == "2");
  CHECK(f.info("one", "num_pending") == "1");
  CHECK(f.pulled("c", "1") == "4");
  CHECK(f.got[0].reply.ends_with(".1"));
}

TEST_CASE("jetstream consumer: whose last messages there are none of, it begins at the front") {
  Fixture f(3);
  f.consumer("last", R"("deliver_policy":"last","filter_subject":"s.9","ack_policy":"explicit")");
  CHECK(member_of(f.client.api("CONSUMER.INFO.S.last"), "stream_seq") == "0");
  f.consumer(
      "each",
      R"("deliver_policy":"last_per_subject","filter_subject":"s.9","ack_policy":"explicit")");
  CHECK(member_of(f.client.api("CONSUMER.INFO.S.each"), "stream_seq") == "2");
  f.client.publish("s.9", "nine");
  CHECK(f.pulled("last", "2") == "nine");
  CHECK(f.pulled("each", "2") == "nine");
}

TEST_CASE("jetstream consumer: nobody listens to acknowledgements where there are none") {
  Fixture f(2);
  f.consumer("c", explicit_ack);
  f.consumer("none", R"("ack_policy":"none")");
  CHECK(f.pulled("none", "1") == "1");
  CHECK(nobody(f, f.got[0].reply, "+ACK"));
  f.client.publish(f.got[0].reply, "+NXT", {}, "in");
  CHECK(f.heard() == "503");
  CHECK(f.pulled("c", "1") == "1");
  f.client.api("CONSUMER.DELETE.S.c");
  CHECK(nobody(f, f.got[0].reply, "+ACK"));
}

TEST_CASE("jetstream consumer: a request that says no batch brings one, and tells of none") {
  Fixture f(1);
  f.consumer("c", explicit_ack);
  CHECK(f.pulled("c", R"({"expires":1000000000})") == "1");
  f.pull("c", R"({"expires":1000000000})");
  f.world.advance(milliseconds(1100));
  CHECK(f.heard() == "408 Request Timeout");
  CHECK(f.got[0].headers.find("Nats-Pending-Messages: 0\r\n") != std::string::npos);
}

TEST_CASE("jetstream consumer: one that is paused says so whenever it is asked for again") {
  Fixture f;
  JetStreamClient watcher(f.world);
  watcher.subscribe("$JS.EVENT.ADVISORY.CONSUMER.PAUSE.S.c");
  const std::string paused = R"("ack_policy":"explicit","pause_until":"2099-01-01T00:00:00Z")";
  f.consumer("c", paused);
  CHECK(watcher.take().size() == 1);
  f.consumer("c", explicit_ack);
  const auto told = watcher.take();
  REQUIRE(told.size() == 1);
  CHECK(member_of(told[0].payload, "paused") == "true");
  f.client.api("CONSUMER.PAUSE.S.c");
  const auto ended = watcher.take();
  REQUIRE(ended.size() == 1);
  CHECK(member_of(ended[0].payload, "paused") == "false");
  CHECK(member_of(ended[0].payload, "pause_until") == R"("0001-01-01T00:00:00Z")");
}

TEST_CASE("jetstream consumer: a stream's limits cannot fall below its consumers'") {
  Fixture f;
  f.consumer("a", R"("ack_policy":"explicit","max_ack_pending":50)");
  f.consumer("b",
             R"("ack_policy":"explicit","max_ack_pending":9,"inactive_threshold":60000000000)");
  f.consumer("c", R"("ack_policy":"explicit","max_ack_pending":60)");
  const std::string refused = update(f, R"("consumer_limits":{"max_ack_pending":10})");
  CHECK(member_of(refused, "err_code") == "10069");
  CHECK(refused.find("change to limits violates consumers: a, c\"") != std::string::npos);
  CHECK(update(f, R"("consumer_limits":{"inactive_threshold":1000000000})").find(": b\"") !=
        std::string::npos);
  CHECK(member_of(update(f, R"("consumer_limits":{"max_ack_pending":60})"), "err_code").empty());
}

TEST_CASE("jetstream consumer: what a reset skips is not kept for it by interest") {
  Fixture f;
  f.client.api("STREAM.CREATE.I",
               R"({"name":"I","subjects":["i"],"storage":"memory","retention":"interest"})");
  f.client.api("CONSUMER.CREATE.I.c",
               R"({"stream_name":"I","config":{"durable_name":"c","ack_policy":"explicit"}})");
  for (int i = 0; i < 4; ++i) f.client.publish("i", "x");
  CHECK(member_of(f.client.api("CONSUMER.RESET.I.c", R"({"seq":3})"), "reset_seq") == "3");
  CHECK(member_of(f.client.api("STREAM.INFO.I"), "messages") == "2");
  CHECK(member_of(f.client.api("STREAM.INFO.I"), "first_seq") == "3");
}

TEST_CASE("jetstream consumer: a durable one that is changed by its name alone stays") {
  Fixture f;
  f.consumer("c", explicit_ack);
  const std::string body = R"({"stream_name":"S","config":{"name":"c","ack_policy":"explicit"}})";
  CHECK(member_of(f.client.api("CONSUMER.CREATE.S.c", body), "inactive_threshold").empty());
  f.world.advance(seconds(10));
  CHECK(f.info("c", "err_code").empty());
  const std::string fresh = R"({"stream_name":"S","config":{"name":"d","ack_policy":"explicit"}})";
  CHECK(member_of(f.client.api("CONSUMER.CREATE.S.d", fresh), "inactive_threshold") ==
        "5000000000");
}

TEST_CASE("jetstream consumer: one that is not durable keeps its end when it is changed") {
  Fixture f;
  const auto asked = [&](std::string_view more) {
    return f.client.api(
        "CONSUMER.CREATE.S.c",
        fmt::format(R"({{"stream_name":"S","config":{{"name":"c","ack_policy":"explicit"{}}}}})",
                    more));
  };
  asked(R"(,"inactive_threshold":60000000000)");
  const std::string changed = asked(R"(,"durable_name":"c")");
  CHECK(member_of(changed, "inactive_threshold") == "5000000000");
}

TEST_CASE("jetstream consumer: a purge of its filter leaves nothing pending") {
  Fixture f(4);
  f.consumer("c", R"("ack_policy":"explicit","filter_subject":"s.1")");
  f.consumer("all", explicit_ack);
  CHECK(f.info("c", "num_pending") == "2");
  f.client.api("STREAM.PURGE.S", R"({"filter":"s.1"})");
  CHECK(f.info("c", "num_pending") == "0");
  CHECK(f.info("all", "num_pending") == "2");
  CHECK(f.pulled("all", R"({"batch":9,"no_wait":true})") == "2 4 404 No Messages");
}

TEST_CASE("jetstream consumer: paused, it has nothing for requests that do not wait") {
  Fixture f(1);
  f.consumer("c", R"("ack_policy":"explicit","pause_until":"2099-01-01T00:00:00Z")");
  CHECK(f.pulled("c", R"({"batch":1,"no_wait":true})") == "404 No Messages");
  CHECK(f.pulled("c", R"({"batch":1,"expires":1000000000})").empty());
}

TEST_CASE("jetstream consumer: one that is not durable is created once, unless its end is said") {
  Fixture f;
  const auto created = [&](std::string_view name, std::string_view more) {
    return f.client.api(
        fmt::format("CONSUMER.CREATE.S.{}", name),
        fmt::format(R"({{"stream_name":"S","action":"create","config":{{"name":"{}"{}}}}})", name,
                    more));
  };
  const std::string threshold = R"(,"inactive_threshold":60000000000)";
  const std::string durable = R"(,"durable_name":"d")";
  for (int i = 0; i < 2; ++i) {
    CHECK(member_of(created("a", threshold), "err_code").empty());
    CHECK(member_of(created("d", durable), "err_code").empty());
    CHECK(member_of(created("b", {}), "err_code") == (i == 0 ? "" : "10148"));
  }
}
