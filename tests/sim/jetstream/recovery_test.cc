// Streams in files: what was acknowledged is there when the server comes back.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/sim/jetstream/machine.h"

using namespace spanwire;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::JetStreamClient;
using test::JetStreamWorld;
using test::Machine;
using test::member_of;

namespace {

std::string error_of(const std::string& answer) {
  return member_of(answer, "err_code");
}

constexpr const char* s_config = R"({"name":"S","subjects":["s.>"]})";

}  // namespace

TEST_CASE("jetstream recovery: streams come back with their messages and configurations") {
  Machine machine(3);
  CHECK(machine.world->server().ready());
  machine.api("STREAM.CREATE.S", s_config);
  machine.api("STREAM.CREATE.T", R"({"name":"T","subjects":["t"],"first_seq":7})");
  machine.api("STREAM.CREATE.U", R"({"name":"U","subjects":["u"]})");
  for (int i = 1; i <= 5; ++i) {
    CHECK(machine.client->request("s.1", "x") == fmt::format(R"({{"stream":"S","seq":{}}})", i));
  }
  CHECK(machine.client->request("t", "x") == R"({"stream":"T","seq":7})");
  machine.api("STREAM.MSG.DELETE.S", R"({"seq":3})");
  machine.api("STREAM.UPDATE.S", R"({"name":"S","subjects":["s.>","more"],"max_msgs":10})");
  machine.api("STREAM.DELETE.U");
  const std::string before = machine.state("S");
  machine.restart();
  CHECK(machine.world->server().ready());
  CHECK(machine.world->server().failed() == 0);
  CHECK(machine.state("S") == before);
  CHECK(machine.client->request("more", "x") == R"({"stream":"S","seq":6})");
  CHECK(machine.client->request("t", "x") == R"({"stream":"T","seq":8})");
  CHECK(machine.client->request("u", "x") == "503");
  CHECK(member_of(machine.api("STREAM.NAMES"), "total") == "2");
  CHECK(member_of(machine.api("INFO"), "streams") == "2");
  CHECK(error_of(machine.api("STREAM.CREATE.S", R"({"name":"S","subjects":["s.>"]})")) == "10058");
}

TEST_CASE("jetstream recovery: a lower limit that the power was cut under is kept afterwards") {
  for (const char* limit : {R"("max_msgs_per_subject":1)", R"("max_msgs":2)"}) {
    CAPTURE(limit);
    Machine machine;
    machine.api("STREAM.CREATE.S", s_config);
    for (int i = 0; i < 5; ++i) machine.client->request("s.1", "x");
    machine.client->request("s.2", "x");
    machine.holds_commits = true;  // nothing that leaves has left on the disk
    machine.client->publish("$JS.API.STREAM.UPDATE.S",
                            fmt::format(R"({{"name":"S","subjects":["s.>"],{}}})", limit));
    machine.world->settle();
    machine.disk.cut_power(machine.random);
    machine.holds_commits = false;
    machine.end();
    machine.start();
    CHECK(machine.api("STREAM.INFO.S").find(limit) != std::string::npos);
    CHECK(member_of(machine.state("S"), "messages") == "2");
    CHECK(member_of(machine.state("S"), "first_seq") == "5");
  }
}

TEST_CASE("jetstream recovery: an id that was stored is a duplicate after the restart too") {
  Machine machine;
  machine.api("STREAM.CREATE.S", s_config);
  CHECK(machine.client->request("s.1", "x", "Nats-Msg-Id: a\r\n") == R"({"stream":"S","seq":1})");
  for (const bool power : {false, true}) {
    if (power) {
      machine.cut_power();
    } else {
      machine.restart();
    }
    CHECK(machine.client->request("s.1", "x", "Nats-Msg-Id: a\r\n") ==
          R"({"stream":"S","seq":1,"duplicate": true})");
  }
}

TEST_CASE("jetstream recovery: a consumer goes on where it was") {
  Machine machine;
  machine.api("STREAM.CREATE.S", s_config);
  machine.api("CONSUMER.CREATE.S.c", R"({"stream_name":"S","config":{"durable_name":"c",)"
                                     R"("ack_policy":"explicit","ack_wait":1000000000}})");
  for (int i = 1; i <= 5; ++i) machine.client->publish("s.1", std::to_string(i));
  CHECK(machine.pulled("c", "3") == "1 2 3");
  machine.client->publish(machine.got[0].reply, "+ACK");
  machine.client->publish(machine.got[2].reply, "+ACK");
  machine.world->advance(milliseconds(100));
  for (const bool power : {false, true}) {
    if (power) {
      machine.cut_power();
    } else {
      machine.restart();
    }
    const std::string info = machine.api("CONSUMER.INFO.S.c");
    CHECK(member_of(info, "num_ack_pending") == "1");
    CHECK(member_of(info, "num_pending") == "2");
    CHECK(info.find(R"("ack_floor":{"consumer_seq":1,"stream_seq":1)") != std::string::npos);
  }
  CHECK(member_of(machine.api("INFO"), "consumers") == "1");
  machine.world->advance(seconds(2));
  CHECK(machine.pulled("c", "3") == "2 4 5");
  machine.api("CONSUMER.DELETE.S.c");
  machine.cut_power();
  CHECK(error_of(machine.api("CONSUMER.INFO.S.c")) == "10014");
}

TEST_CASE("jetstream recovery: an orderly end keeps what consumers did the moment before") {
  Machine machine;
  machine.api("STREAM.CREATE.S", s_config);
  machine.api("CONSUMER.CREATE.S.c",
              R"({"stream_name":"S","config":{"durable_name":"c","ack_policy":"explicit"}})");
  for (int i = 1; i <= 3; ++i) machine.client->publish("s.1", std::to_string(i));
  CHECK(machine.pulled("c", "2") == "1 2");
  machine.client->publish(machine.got[0].reply, "+ACK");  // nobody asks for an answer
  machine.world->settle();
  machine.world->stop();
  // Also in the log alone: a snapshot may be lost.
  REQUIRE(machine.disk.open()->remove("streams/1/snapshot"));
  machine.restart();
  const std::string info = machine.api("CONSUMER.INFO.S.c");
  CHECK(member_of(info, "num_ack_pending") == "1");
  CHECK(member_of(info, "num_pending") == "1");
}

TEST_CASE("jetstream recovery: what was acknowledged outlives a power cut at any time") {
  std::uint64_t in_all = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Machine machine;
    machine.random = base::Random(seed);
    machine.api("STREAM.CREATE.S", s_config);
    std::uint64_t acknowledged = 0;
    machine.client->subscribe("acks");
    machine.disk.cut_at(machine.disk.changes() + seed);
    for (int i = 0; i < 40; ++i) {
      machine.client->publish("s.1", std::to_string(i + 1), {}, "acks");
      if (i % 3 == 0) machine.world->settle();
    }
    machine.world->settle();
    for (const auto& ack : machine.client->take()) {
      if (error_of(ack.payload).empty()) {
        acknowledged =
            std::max<std::uint64_t>(acknowledged, std::stoull(member_of(ack.payload, "seq")));
      }
    }
    machine.cut_power();
    in_all += acknowledged;
    const std::string state = machine.state("S");
    CHECK(std::stoull(member_of(state, "last_seq")) >= acknowledged);
    CHECK(std::stoull(member_of(state, "messages")) >= acknowledged);
  }
  CHECK(in_all > 100);
}

TEST_CASE("jetstream recovery: what a failing disk has not stored is promised to nobody") {
  Machine machine;
  machine.api("STREAM.CREATE.S", s_config);
  machine.client->request("s.1", "x");
  machine.api("CONSUMER.CREATE.S.kept", R"({"stream_name":"S","config":{"durable_name":"kept"}})");
  machine.disk.decide([](test::Call call, std::string_view) {
    return call == test::Call::write ? test::Outcome::fails : test::Outcome::fine;
  });
  const char* consumer = R"({"stream_name":"S","config":{"durable_name":"c"}})";
  CHECK(error_of(machine.api("CONSUMER.CREATE.S.c", consumer)) == "10077");
  CHECK(error_of(machine.api("CONSUMER.INFO.S.c")) == "10014");
  CHECK(error_of(machine.api("CONSUMER.CREATE.S.c", consumer)) == "10077");
  CHECK(member_of(machine.api("CONSUMER.NAMES.S"), "total") == "1");
  CHECK(member_of(machine.api("INFO"), "consumers") == "1");
  CHECK(error_of(machine.api("CONSUMER.INFO.S.kept")).empty());
  CHECK(error_of(machine.client->request("s.1", "x")) == "10077");
  CHECK(error_of(machine.api("STREAM.PURGE.S")) == "10077");
  CHECK(machine.state("S").starts_with("\"state\":{\"messages\":1,"));
}

TEST_CASE("jetstream recovery: a stream whose messages are read back from the disk") {
  Machine machine;
  machine.api("STREAM.CREATE.S", R"({"name":"S","subjects":["s.>"],"allow_direct":true})");
  for (int i = 1; i <= 50; ++i) machine.client->publish(fmt::format("s.{}", i), std::to_string(i));
  machine.world->settle();
  machine.restart();
  machine.disk.set_cold(true);
  machine.client->publish("$JS.API.DIRECT.GET.S", R"({"seq":1,"batch":50})", {}, "in");
  machine.world->settle();
  CHECK(machine.client->take().size() == 51);
  CHECK(machine.client->request("$JS.API.DIRECT.GET.S.s.7") == "7");
  CHECK(member_of(machine.api("STREAM.MSG.GET.S", R"({"last_by_subj":"s.9"})"), "seq") == "9");
  machine.api("CONSUMER.CREATE.S.c", R"({"stream_name":"S","config":{"durable_name":"c"}})");
  CHECK(machine.pulled("c", R"({"batch":3,"expires":1000000000})") == "1 2 3");
}

TEST_CASE("jetstream recovery: a value that is replaced while it is read is given as it is then") {
  Machine machine;
  machine.api("STREAM.CREATE.S", R"({"name":"S","subjects":["s.>"],"max_msgs_per_subject":1,)"
                                 R"("allow_direct":true})");
  machine.client->publish("s.1", "old");
  machine.client->publish("s.2", "kept");
  machine.world->settle();
  machine.restart();
  machine.disk.set_cold(true);
  machine.client->publish("$JS.API.DIRECT.GET.S.s.1", "", {}, "in");
  machine.client->publish("s.1", "new");
  machine.world->settle();
  const auto got = machine.client->take();
  REQUIRE(got.size() == 1);
  CHECK(got[0].payload == "new");
  CHECK(machine.client->request("$JS.API.DIRECT.GET.S.s.2") == "kept");
}

TEST_CASE(
    "jetstream recovery: a stream that cannot be read refuses everything until it is deleted") {
  Machine machine(2);
  machine.api("STREAM.CREATE.S", s_config);
  machine.api("STREAM.CREATE.T", R"({"name":"T","subjects":["t"]})");
  machine.client->request("s.1", "x");
  machine.end();
  std::string segment = machine.disk.content("streams/1/1.seg");
  segment[8] = 2;  // of a newer server
  machine.disk.change("streams/1/1.seg", segment);
  machine.start();
  CHECK(machine.world->server().failed() == 1);
  CHECK(error_of(machine.api("STREAM.INFO.S")) == "10194");
  CHECK(error_of(machine.api("STREAM.CREATE.S", s_config)) == "10194");
  CHECK(error_of(machine.api("STREAM.CREATE.N", R"({"name":"N","subjects":["s.1"]})")) == "10065");
  machine.disk.decide([](test::Call call, std::string_view) {
    return call == test::Call::rename ? test::Outcome::fails : test::Outcome::fine;
  });
  CHECK(error_of(machine.api("STREAM.DELETE.S")) == "10050");
  machine.disk.decide({});
  CHECK(error_of(machine.api("STREAM.INFO.S")) == "10194");
  CHECK(machine.api("STREAM.DELETE.S").find(R"("success":true)") != std::string::npos);
  CHECK(machine.world->server().failed() == 0);
  CHECK_FALSE(machine.disk.has("streams/1/1.seg"));
  CHECK(error_of(machine.api("STREAM.INFO.S")) == "10059");
  machine.api("STREAM.CREATE.S", s_config);
  CHECK(machine.client->request("s.1", "x") == R"({"stream":"S","seq":1})");
  machine.restart();
  CHECK(machine.world->server().failed() == 0);
  CHECK(member_of(machine.api("STREAM.NAMES"), "total") == "2");
}
