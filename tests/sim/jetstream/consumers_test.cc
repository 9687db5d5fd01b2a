// Consumers end to end: who gets what, and what becomes of it.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <string>
#include <vector>

#include "json/writer.h"
#include "tests/sim/jetstream/consumer_fixture.h"

using namespace spanwire;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::JetStreamClient;
using test::JetStreamWorld;
using test::member_of;
using Fixture = test::ConsumerFixture;

namespace {

std::string error_of(const std::string& answer) {
  return member_of(answer, "err_code");
}

constexpr const char* explicit_ack = R"("ack_policy":"explicit")";

}  // namespace

TEST_CASE("jetstream consumer: a pull brings as much as was asked for, with where it stands") {
  Fixture f(5);
  f.consumer("c", explicit_ack);
  CHECK(f.pulled("c", R"({"batch":2,"no_wait":true})") == "1 2");
  CHECK(f.got[0].subject == "s.1");
  CHECK(f.got[0].reply.starts_with("$JS.ACK.S.c.1.1.1."));
  CHECK(f.got[0].reply.ends_with(".4"));
  CHECK(f.got[1].reply.starts_with("$JS.ACK.S.c.1.2.2."));
  CHECK(f.pulled("c", "2") == "3 4");
  CHECK(f.pulled("c", "") == "5");
  CHECK(f.info("c", "num_ack_pending") == "5");
  CHECK(f.info("c", "num_pending") == "0");
}

TEST_CASE("jetstream consumer: a request that does not wait hears that there is nothing") {
  Fixture f(1);
  f.consumer("c", explicit_ack);
  CHECK(f.pulled("c", R"({"batch":3,"no_wait":true})") == "1 404 No Messages");
  CHECK(f.pulled("c", R"({"batch":1,"no_wait":true})") == "404 No Messages");
  f.pull("c", R"({"batch":5,"no_wait":true,"expires":1000000000})");
  CHECK(f.heard().empty());
  f.publish(1);
  CHECK(f.heard() == "2 404 No Messages");
}

TEST_CASE(
    "jetstream consumer: a request that does not wait ends with its heartbeat if it had some") {
  Fixture f(3);
  f.consumer("c", R"("ack_policy":"explicit","max_ack_pending":2)");
  f.pull("c", R"({"batch":5,"no_wait":true,"expires":2000000000,"idle_heartbeat":100000000})");
  CHECK(f.heard() == "1 2");
  f.world.advance(milliseconds(150));
  CHECK(f.heard() == "404 No Messages");
  CHECK(f.info("c", "num_waiting") == "0");
}

TEST_CASE("jetstream consumer: a request waits until it expires, and hears its heartbeats") {
  Fixture f;
  f.consumer("c", explicit_ack);
  f.pull("c", R"({"batch":2,"expires":1000000000,"idle_heartbeat":400000000})");
  CHECK(f.heard().empty());
  CHECK(f.info("c", "num_waiting") == "1");
  f.publish(1);
  CHECK(f.heard() == "1");
  f.world.advance(milliseconds(500));
  CHECK(f.heard() == "100 Idle Heartbeat");
  f.world.advance(milliseconds(600));
  CHECK(f.heard().ends_with("408 Request Timeout"));
  CHECK(f.got.back().headers.find("Nats-Pending-Messages: 1\r\n") != std::string::npos);
  CHECK(f.info("c", "num_waiting") == "0");
  CHECK(f.pulled("c", R"({"expires":-1})").starts_with("408 Request Timeout"));
  CHECK(f.pulled("c", R"({"expires":1000000,"idle_heartbeat":1000000})") ==
        "400 Bad Request - heartbeat value too large");
}

TEST_CASE("jetstream consumer: a request is bounded in bytes") {
  Fixture f(5);
  f.consumer("c", explicit_ack);
  CHECK(f.pulled("c", R"({"batch":5,"max_bytes":5,"no_wait":true})") ==
        "409 Message Size Exceeds MaxBytes");
  // A message is counted with its subject and its acknowledgement's.
  CHECK(f.pulled("c", R"({"batch":2,"max_bytes":10000})") == "1 2 409 Batch Completed");
}

TEST_CASE("jetstream consumer: limits on requests") {
  Fixture f(1);
  f.consumer("c", R"("ack_policy":"explicit","max_batch":2,"max_expires":1000000000,)"
                  R"("max_bytes":1000,"max_waiting":1)");
  CHECK(f.pulled("c", "3") == "409 Exceeded MaxRequestBatch of 2");
  CHECK(f.pulled("c", R"({"expires":2000000000})") == "409 Exceeded MaxRequestExpires of 1s");
  CHECK(f.pulled("c", R"({"max_bytes":1001})") == "409 Exceeded MaxRequestMaxBytes of 1000");
  CHECK(f.pulled("c", "2") == "1");
  CHECK(f.pulled("c", "1") == "409 Exceeded MaxWaiting");
}

TEST_CASE("jetstream consumer: a requester that is gone gets nothing, the next one does") {
  Fixture f;
  f.consumer("c", explicit_ack);
  const base::SubId other = f.client.subscribe("other");
  f.client.publish("$JS.API.CONSUMER.MSG.NEXT.S.c", "1", {}, "other");
  f.world.settle();
  f.client.unsubscribe(other);
  f.pull("c", "1");
  f.publish(1);
  CHECK(f.heard() == "1");
}

TEST_CASE("jetstream consumer: what is acknowledged is not delivered again, what is not is") {
  Fixture f(3);
  f.consumer("c", R"("ack_policy":"explicit","ack_wait":1000000000)");
  CHECK(f.pulled("c", "3") == "1 2 3");
  f.ack(0);
  f.ack(2);
  CHECK(f.info("c", "num_ack_pending") == "1");
  f.pull("c", R"({"batch":5})");
  f.world.advance(milliseconds(1500));
  CHECK(f.heard() == "2");
  CHECK(f.got[0].reply.starts_with("$JS.ACK.S.c.2.2.4."));
  CHECK(f.info("c", "num_redelivered") == "1");
  f.ack(0);
  CHECK(f.info("c", "num_redelivered") == "0");
  const std::string info = f.client.api("CONSUMER.INFO.S.c");
  CHECK(info.find(R"("ack_floor":{"consumer_seq":4,"stream_seq":3,"last_active":)") !=
        std::string::npos);
}

TEST_CASE("jetstream consumer: acknowledging one acknowledges all before it, with that policy") {
  Fixture f(4);
  f.consumer("c", R"("ack_policy":"all")");
  CHECK(f.pulled("c", "4") == "1 2 3 4");
  f.ack(2);
  CHECK(f.info("c", "num_ack_pending") == "1");
}

TEST_CASE("jetstream consumer: an acknowledgement that asks for an answer gets an empty one") {
  Fixture f(1);
  f.consumer("c", explicit_ack);
  CHECK(f.pulled("c", "1") == "1");
  f.client.publish(f.got[0].reply, "+ACK", {}, "in");
  CHECK(f.heard().empty());
  CHECK(f.got.size() == 1);
}

TEST_CASE("jetstream consumer: refused, in progress, terminated, and on to the next") {
  Fixture f(4);
  f.consumer("c", R"("ack_policy":"explicit","ack_wait":1000000000)");
  f.client.subscribe("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.S.c");
  CHECK(f.pulled("c", "1") == "1");
  f.ack(0, "-NAK");
  CHECK(f.pulled("c", "1") == "1");
  f.ack(0, R"(-NAK {"delay": 5000000000})");
  f.pull("c", R"({"batch":1,"no_wait":true})");
  CHECK(f.heard() == "2");
  f.world.advance(milliseconds(700));
  f.ack(0, "+WPI");
  f.world.advance(milliseconds(700));
  f.pull("c", "1");
  CHECK(f.heard() == "3");  // neither 1 nor 2 is due
  f.ack(0, "+TERM because");
  const std::string told = f.heard();
  CHECK(told.find(R"("reason":"because")") != std::string::npos);
  f.pull("c", "1");
  CHECK(f.heard() == "4");
  f.publish(1);
  f.client.publish(f.got[0].reply, "+NXT", {}, "in");
  CHECK(f.heard() == "5");
  f.world.advance(seconds(6));
  f.pull("c", "5");
  const std::string again = f.heard();
  CHECK(again.find('1') != std::string::npos);
  CHECK(again.find('2') != std::string::npos);
  CHECK(again.find('4') == std::string::npos);
}

TEST_CASE("jetstream consumer: redelivery follows the backoff and ends with an event") {
  Fixture f(1);
  f.consumer("c", R"("ack_policy":"explicit","max_deliver":3,"backoff":[1000000000,3000000000])");
  JetStreamClient watcher(f.world);
  watcher.subscribe("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.S.c");
  f.pull("c", "10");
  CHECK(f.heard() == "1");
  f.world.advance(milliseconds(900));
  CHECK(f.heard().empty());
  f.world.advance(milliseconds(200));
  CHECK(f.heard() == "1");
  f.world.advance(milliseconds(2500));
  CHECK(f.heard().empty());
  f.world.advance(milliseconds(600));
  CHECK(f.heard() == "1");
  CHECK(f.got[0].reply.starts_with("$JS.ACK.S.c.3."));
  CHECK(watcher.take().empty());
  f.world.advance(seconds(4));
  CHECK(f.heard().empty());
  const auto told = watcher.take();
  REQUIRE(told.size() == 1);
  CHECK(told[0].payload.find(R"("stream":"S","consumer":"c","stream_seq":1,"deliveries":3})") !=
        std::string::npos);
}

TEST_CASE("jetstream consumer: no more than max_ack_pending wait for acknowledgement") {
  Fixture f(5);
  f.consumer("c", R"("ack_policy":"explicit","max_ack_pending":2)");
  CHECK(f.pulled("c", "5") == "1 2");
  f.ack(0);
  CHECK(f.heard() == "3");
}

TEST_CASE("jetstream consumer: where deliveries begin") {
  Fixture f(6);
  const auto first = [&](const char* name, const char* more) {
    f.consumer(name, more);
    return f.pulled(name, R"({"batch":10,"no_wait":true})");
  };
  CHECK(first("a", R"("deliver_policy":"all")") == "1 2 3 4 5 6 404 No Messages");
  CHECK(first("l", R"("deliver_policy":"last")") == "6 404 No Messages");
  CHECK(first("n", R"("deliver_policy":"new")") == "404 No Messages");
  CHECK(first("s", R"("deliver_policy":"by_start_sequence","opt_start_seq":4)") ==
        "4 5 6 404 No Messages");
  CHECK(first("t", R"("deliver_policy":"by_start_time","opt_start_time":"2190-01-01T00:00:00Z")") ==
        "404 No Messages");
  CHECK(first("p", R"("deliver_policy":"last_per_subject","filter_subject":"s.>")") ==
        "5 6 404 No Messages");
  f.publish(1);
  CHECK(f.pulled("p", R"({"batch":10,"no_wait":true})") == "7 404 No Messages");
  CHECK(f.pulled("n", R"({"batch":10,"no_wait":true})") == "7 404 No Messages");
}

TEST_CASE("jetstream consumer: filters, one and several") {
  Fixture f(4);
  f.client.publish("s.x.y", "5");
  f.consumer("one", R"("filter_subject":"s.1")");
  CHECK(f.info("one", "num_pending") == "2");
  CHECK(f.pulled("one", R"({"batch":10,"no_wait":true})") == "1 3 404 No Messages");
  f.consumer("two", R"("filter_subjects":["s.0","s.x.>"])");
  CHECK(f.info("two", "num_pending") == "3");
  CHECK(f.pulled("two", R"({"batch":10,"no_wait":true})") == "2 4 5 404 No Messages");
  f.client.publish("s.x.z", "6");
  f.client.publish("s.1", "7");
  f.world.settle();
  CHECK(f.pulled("two", R"({"batch":10,"no_wait":true})") == "6 404 No Messages");
  CHECK(f.pulled("one", R"({"batch":10,"no_wait":true})") == "7 404 No Messages");
}

TEST_CASE("jetstream consumer: headers alone, with the size of what was left out") {
  Fixture f(1);
  f.consumer("c", R"("headers_only":true)");
  f.pull("c", "1");
  f.heard();
  REQUIRE(f.got.size() == 1);
  CHECK(f.got[0].payload.empty());
  CHECK(f.got[0].headers == "NATS/1.0\r\nNats-Msg-Size: 1\r\n\r\n");
}

TEST_CASE("jetstream consumer: pushed to who listens, and only while somebody does") {
  Fixture f(2);
  f.consumer("c", R"("ack_policy":"explicit","deliver_subject":"push")");
  f.publish(1);
  CHECK(f.info("c", "push_bound").empty());
  const base::SubId sub = f.client.subscribe("push");
  CHECK(f.heard() == "1 2 3");
  CHECK(f.got[0].subject == "s.1");
  CHECK(f.info("c", "push_bound") == "true");
  f.publish(1);
  CHECK(f.heard() == "4");
  f.client.unsubscribe(sub);
  f.publish(1);
  CHECK(f.heard().empty());
  f.client.subscribe("push");
  CHECK(f.heard() == "5");
  f.client.publish("$JS.API.CONSUMER.MSG.NEXT.S.c", "1", {}, "in");
  CHECK(f.heard() == "409 Consumer is push based");
}

TEST_CASE("jetstream consumer: an idle push consumer says that it lives") {
  Fixture f;
  f.client.subscribe("push");
  f.consumer("c", R"("deliver_subject":"push","idle_heartbeat":1000000000)");
  f.world.advance(milliseconds(1100));
  CHECK(f.heard() == "100 Idle Heartbeat");
  CHECK(f.got[0].headers.find("Nats-Last-Consumer: 0\r\nNats-Last-Stream: 0\r\n") !=
        std::string::npos);
}

TEST_CASE("jetstream consumer: a heartbeat comes when there was silence for so long, not before") {
  Fixture f;
  f.client.subscribe("push");
  f.consumer("c", R"("deliver_subject":"push","idle_heartbeat":1000000000)");
  f.world.advance(milliseconds(600));
  f.publish(1);
  CHECK(f.heard() == "1");
  f.world.advance(milliseconds(600));  // since the consumer was made it is more
  CHECK(f.heard().empty());
  f.world.advance(milliseconds(600));
  CHECK(f.heard() == "100 Idle Heartbeat");
}

TEST_CASE("jetstream consumer: flow control waits for the receiver's answer") {
  Fixture f;
  const std::string big(100'000, 'x');
  for (int i = 0; i < 60; ++i) f.client.publish("s.1", big);
  f.client.subscribe("push");
  f.consumer("c", R"("deliver_subject":"push","flow_control":true,"idle_heartbeat":1000000000)");
  f.world.settle();
  std::size_t delivered = 0;
  std::string ask;
  const auto take = [&] {
    ask.clear();
    for (const auto& one : f.client.take()) {
      if (one.payload.size() == big.size()) ++delivered;
      if (one.headers.starts_with("NATS/1.0 100 FlowControl")) ask = one.reply;
    }
  };
  take();
  CHECK(delivered < 30);  // of 2 MiB
  REQUIRE(ask.starts_with("$JS.FC.S.c."));
  f.world.advance(milliseconds(1100));
  const auto beat = f.client.take();
  REQUIRE(beat.size() == 1);
  CHECK(beat[0].headers.find("Nats-Consumer-Stalled: " + ask) != std::string::npos);
  for (int i = 0; i < 20 && !ask.empty(); ++i) {
    f.client.publish(ask, "");
    f.world.settle();
    take();
  }
  CHECK(delivered == 60);
}

TEST_CASE("jetstream consumer: an ordered consumer begins again where it has lost something") {
  Fixture f(5);
  f.client.subscribe("push");
  const auto make = [&](const char* name, const char* start) {
    return f.client.api(
        fmt::format("CONSUMER.CREATE.S.{}", name),
        fmt::format(R"({{"stream_name":"S","config":{{"name":"{}","deliver_subject":"push",)"
                    R"("ack_policy":"none","max_deliver":1,"flow_control":true,)"
                    R"("idle_heartbeat":5000000000,"mem_storage":true,"num_replicas":1{}}}}})",
                    name, start));
  };
  CHECK(error_of(make("o1", "")).empty());
  CHECK(f.heard() == "1 2 3 4 5");
  CHECK(member_of(f.client.api("CONSUMER.DELETE.S.o1"), "success") == "true");
  CHECK(error_of(make("o2", R"(,"deliver_policy":"by_start_sequence","opt_start_seq":4)")).empty());
  CHECK(f.heard() == "4 5");
  CHECK(f.got[0].reply.starts_with("$JS.ACK.S.o2.1.4.1."));
}

TEST_CASE("jetstream consumer: a consumer that nobody uses ends, and says so") {
  Fixture f;
  JetStreamClient watcher(f.world);
  watcher.subscribe("$JS.EVENT.ADVISORY.CONSUMER.DELETED.>");
  f.client.api("CONSUMER.CREATE.S.e", R"({"stream_name":"S","config":{"name":"e",)"
                                      R"("inactive_threshold":2000000000}})");
  f.world.advance(milliseconds(1500));
  CHECK(f.info("e", "name") == "\"e\"");
  f.pull("e", R"({"expires":3000000000})");
  f.world.advance(milliseconds(2900));
  CHECK(f.info("e", "name") == "\"e\"");
  f.world.advance(seconds(4));
  CHECK(error_of(f.client.api("CONSUMER.INFO.S.e")) == "10014");
  CHECK(watcher.take().size() == 1);
}

TEST_CASE("jetstream consumer: who waits hears that the consumer was deleted") {
  Fixture f;
  f.consumer("c");
  f.pull("c", "1");
  f.world.settle();
  f.client.api("CONSUMER.DELETE.S.c");
  CHECK(f.heard() == "409 Consumer Deleted");
}

TEST_CASE("jetstream consumer: paused, it delivers nothing until then") {
  Fixture f(1);
  f.consumer("c");
  const auto until = f.world.services(0).loop().wall_now() + seconds(10);
  std::string time;
  json::append_time(time, until);
  f.client.api("CONSUMER.PAUSE.S.c", fmt::format(R"({{"pause_until":"{}"}})", time));
  f.pull("c", "1");
  CHECK(f.heard().empty());
  f.world.advance(seconds(11));
  CHECK(f.heard() == "1");
}

TEST_CASE("jetstream consumer: reset, it begins again") {
  Fixture f(3);
  f.consumer("c", explicit_ack);
  CHECK(f.pulled("c", "3") == "1 2 3");
  f.ack(0);
  CHECK(member_of(f.client.api("CONSUMER.RESET.S.c"), "reset_seq") == "2");
  CHECK(f.pulled("c", "2") == "2 3");
  CHECK(f.got[0].reply.starts_with("$JS.ACK.S.c.1.2.1."));
  CHECK(member_of(f.client.api("CONSUMER.RESET.S.c", R"({"seq":1})"), "reset_seq") == "1");
  CHECK(f.pulled("c", "1") == "1");
}

TEST_CASE("jetstream consumer: purged messages are neither pending nor waited for") {
  Fixture f(6);
  f.consumer("c", explicit_ack);
  CHECK(f.pulled("c", "2") == "1 2");
  CHECK(f.info("c", "num_pending") == "4");
  f.client.api("STREAM.PURGE.S", R"({"seq":5})");
  CHECK(f.info("c", "num_ack_pending") == "0");
  CHECK(f.info("c", "num_pending") == "2");
  CHECK(f.pulled("c", "5") == "5 6");
}

TEST_CASE("jetstream consumer: replayed at the pace of the publishers, or at a rate") {
  Fixture f(1);
  f.world.advance(seconds(2));
  f.publish(1);
  f.client.subscribe("push");
  f.consumer("c", R"("deliver_subject":"push","replay_policy":"original")");
  CHECK(f.heard() == "1");
  f.world.advance(milliseconds(1900));
  CHECK(f.heard().empty());
  f.world.advance(milliseconds(200));
  CHECK(f.heard() == "2");
}

TEST_CASE("jetstream consumer: the members of a deliver group share the messages") {
  Fixture f;
  f.consumer("c", R"("deliver_subject":"push","deliver_group":"g")");
  CHECK(f.info("c", "push_bound").empty());
}

TEST_CASE("jetstream consumer: on three loops each message is delivered once and in order") {
  Fixture f(0, 3);
  f.consumer("c", R"("ack_policy":"explicit","deliver_subject":"push")");
  JetStreamClient receiver(f.world, 1);
  receiver.subscribe("push");
  JetStreamClient publisher(f.world, 2);
  for (int i = 0; i < 1000; ++i) {
    publisher.publish("s.1", std::to_string(i));
    if (i % 50 == 0) f.world.settle();
  }
  f.world.advance(milliseconds(200));
  int next = 0;
  for (int round = 0; round < 10; ++round) {
    for (const auto& one : receiver.take()) {
      CHECK(one.payload == std::to_string(next++));
      receiver.publish(one.reply, "");
    }
    f.world.settle();
  }
  CHECK(next == 1000);
  CHECK(f.info("c", "num_ack_pending") == "0");
}
