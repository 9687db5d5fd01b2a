// Streams end to end: what publishers hear, and what stays.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/jetstream_world.h"

using namespace spanwire;
using test::JetStreamClient;
using test::JetStreamWorld;
using test::member_of;

namespace {

std::string error_of(const std::string& answer) {
  return member_of(answer, "err_code");
}

// A memory stream S on `s.>` with more members of its configuration.
struct Fixture {
  explicit Fixture(std::string_view more = {}, std::size_t loops = 1)
      : world({.loops = loops}), client(world) {
    const std::string made = client.api("STREAM.CREATE.S", config(more));
    REQUIRE_MESSAGE(error_of(made).empty(), made);
  }
  static std::string config(std::string_view more) {
    return fmt::format(R"({{"name":"S","subjects":["s.>"],"storage":"memory"{}{}}})",
                       more.empty() ? "" : ",", more);
  }
  std::string publish(std::string_view subject, std::string_view payload,
                      std::string_view headers = {}) {
    return client.request(subject, payload, headers);
  }
  std::string info(std::string_view name) { return member_of(client.api("STREAM.INFO.S"), name); }
  // The subjects of what is there, with their counts.
  std::string subjects() {
    const std::string all = client.api("STREAM.INFO.S", R"({"subjects_filter":">"})");
    const std::size_t at = all.find(R"("subjects":{)");
    if (at == std::string::npos) return {};
    return all.substr(at + 12, all.find('}', at) - at - 12);
  }
  JetStreamWorld world;
  JetStreamClient client;
};

}  // namespace

TEST_CASE("jetstream stream: a message with an id is stored once within the window") {
  Fixture f(R"("duplicate_window":1000000000)");
  CHECK(f.publish("s.1", "x", "Nats-Msg-Id: a\r\n") == R"({"stream":"S","seq":1})");
  CHECK(f.publish("s.1", "x", "Nats-Msg-Id: a\r\n") ==
        R"({"stream":"S","seq":1,"duplicate": true})");
  CHECK(f.publish("s.1", "x", "Nats-Msg-Id: b\r\n") == R"({"stream":"S","seq":2})");
  f.world.advance(std::chrono::seconds(2));
  CHECK(f.publish("s.1", "x", "Nats-Msg-Id: a\r\n") == R"({"stream":"S","seq":3})");
}

TEST_CASE("jetstream stream: expectations of a publisher") {
  Fixture f;
  CHECK(f.publish("s.1", "x", "Nats-Expected-Stream: T\r\n") ==
        R"({"error":{"code":400,"err_code":10060,"description":"expected stream does not match"},)"
        R"("stream":"S","seq":0})");
  CHECK(error_of(f.publish("s.1", "x", "Nats-Expected-Last-Sequence: 1\r\n")) == "10071");
  CHECK(error_of(f.publish("s.1", "x", "Nats-Expected-Last-Sequence: 0\r\n")).empty());
  CHECK(error_of(f.publish("s.2", "x", "Nats-Expected-Last-Subject-Sequence: 1\r\n")) == "10071");
  CHECK(error_of(f.publish("s.2", "x", "Nats-Expected-Last-Subject-Sequence: 0\r\n")).empty());
  CHECK(error_of(f.publish("s.3", "x",
                           "Nats-Expected-Last-Subject-Sequence: 1\r\n"
                           "Nats-Expected-Last-Subject-Sequence-Subject: s.1\r\n"))
            .empty());
  CHECK(f.publish("s.4", "x",
                  "Nats-Expected-Last-Subject-Sequence: 2\r\n"
                  "Nats-Expected-Last-Subject-Sequence-Subject: s.*\r\n")
            .find("wrong last sequence: 3") != std::string::npos);
  CHECK(error_of(f.publish("s.4", "x",
                           "Nats-Expected-Last-Subject-Sequence: 3\r\n"
                           "Nats-Expected-Last-Subject-Sequence-Subject: s.*\r\n"))
            .empty());
  CHECK(error_of(f.publish("s.1", "x", "Nats-Expected-Last-Msg-Id: q\r\n")) == "10070");
}

TEST_CASE("jetstream stream: of two publishers at once with one expectation one is refused") {
  Fixture f({}, 3);
  JetStreamClient other(f.world, 2);
  f.client.subscribe("one");
  other.subscribe("two");
  f.client.publish("s.1", "x", "Nats-Expected-Last-Sequence: 0\r\n", "one");
  other.publish("s.1", "y", "Nats-Expected-Last-Sequence: 0\r\n", "two");
  f.world.settle();
  const std::string answers = f.client.heard() + other.heard();
  CHECK(answers.find(R"("seq":1)") != std::string::npos);
  CHECK(answers.find("10071") != std::string::npos);
  CHECK(f.info("messages") == "1");
}

TEST_CASE("jetstream stream: a full stream gives up its oldest, or refuses the newest") {
  Fixture old(R"("max_msgs":3)");
  for (int i = 0; i < 5; ++i) old.publish("s.1", "x");
  CHECK(old.info("messages") == "3");
  CHECK(old.info("first_seq") == "3");
  Fixture fresh(R"("max_msgs":3,"discard":"new")");
  for (int i = 0; i < 3; ++i) CHECK(error_of(fresh.publish("s.1", "x")).empty());
  CHECK(fresh.publish("s.1", "x").find("maximum messages exceeded") != std::string::npos);
  CHECK(fresh.info("last_seq") == "3");
}

TEST_CASE("jetstream stream: limits in bytes, of a message and of a subject") {
  Fixture bytes(R"("max_bytes":200)");
  for (int i = 0; i < 20; ++i) bytes.publish("s.1", "0123456789");
  CHECK(bytes.info("messages") == "6");  // of 29 bytes each
  Fixture size(R"("max_msg_size":10)");
  CHECK(error_of(size.publish("s.1", "0123456789")).empty());
  CHECK(error_of(size.publish("s.1", "0123456789a")) == "10054");
  Fixture subject(R"("max_msgs_per_subject":2)");
  for (int i = 0; i < 5; ++i) {
    subject.publish("s.1", "x");
    subject.publish("s.2", "x");
  }
  CHECK(subject.subjects() == R"("s.1":2,"s.2":2)");
  Fixture refusing(R"("max_msgs_per_subject":1,"discard":"new","discard_new_per_subject":true)");
  CHECK(error_of(refusing.publish("s.1", "x")).empty());
  CHECK(refusing.publish("s.1", "x").find("maximum messages per subject exceeded") !=
        std::string::npos);
  CHECK(error_of(refusing.publish("s.2", "x")).empty());
}

TEST_CASE("jetstream stream: messages leave at their age, and when the limit is lowered") {
  Fixture f(R"("max_age":1000000000)");
  f.publish("s.1", "x");
  f.world.advance(std::chrono::milliseconds(600));
  f.publish("s.2", "x");
  f.world.advance(std::chrono::milliseconds(600));
  CHECK(f.subjects() == R"("s.2":1)");
  f.world.advance(std::chrono::milliseconds(600));
  CHECK(f.info("messages") == "0");
  CHECK(f.info("first_seq") == "3");
  for (int i = 0; i < 5; ++i) f.publish("s.1", "x");
  f.client.api("STREAM.UPDATE.S", Fixture::config(R"("max_msgs":2)"));
  CHECK(f.info("messages") == "2");
}

TEST_CASE("jetstream stream: where new messages are refused, a lower limit takes none away") {
  Fixture f;
  for (int i = 0; i < 5; ++i) f.publish("s.1", "x");
  f.client.api("STREAM.UPDATE.S", Fixture::config(R"("max_msgs":2,"discard":"new")"));
  CHECK(f.info("messages") == "5");
  CHECK(error_of(f.publish("s.1", "x")) == "10077");
  f.client.api("STREAM.UPDATE.S", Fixture::config(R"("max_bytes":60,"discard":"new")"));
  CHECK(f.info("messages") == "5");
  f.client.api("STREAM.UPDATE.S", Fixture::config(R"("max_msgs":2)"));
  CHECK(f.info("messages") == "2");
}

TEST_CASE("jetstream stream: a time to live of a message, and its marker") {
  Fixture off;
  CHECK(error_of(off.publish("s.1", "x", "Nats-TTL: 1\r\n")) == "10166");
  Fixture f(R"("allow_msg_ttl":true)");
  CHECK(error_of(f.publish("s.1", "x", "Nats-TTL: bogus\r\n")) == "10165");
  f.publish("s.1", "x", "Nats-TTL: 1\r\n");
  f.publish("s.2", "x");
  f.world.advance(std::chrono::milliseconds(1500));
  CHECK(f.subjects() == R"("s.2":1)");
  Fixture marked(R"("allow_msg_ttl":true,"allow_rollup_hdrs":true,"max_age":1000000000,)"
                 R"("subject_delete_marker_ttl":5000000000)");
  marked.publish("s.1", "x");
  marked.world.advance(std::chrono::milliseconds(1500));
  CHECK(marked.subjects() == R"("s.1":1)");
  CHECK(marked.client.api("STREAM.MSG.GET.S", R"({"last_by_subj":"s.1"})").find("hdrs") !=
        std::string::npos);
  marked.world.advance(std::chrono::seconds(6));
  CHECK(marked.info("messages") == "0");
}

TEST_CASE("jetstream stream: a rollup replaces its subject, or everything") {
  Fixture off;
  CHECK(error_of(off.publish("s.1", "x", "Nats-Rollup: sub\r\n")) == "10111");
  Fixture f(R"("allow_rollup_hdrs":true)");
  for (int i = 0; i < 3; ++i) {
    f.publish("s.1", "x");
    f.publish("s.2", "x");
  }
  f.publish("s.1", "x", "Nats-Rollup: sub\r\n");
  CHECK(f.subjects() == R"("s.1":1,"s.2":3)");
  f.publish("s.*", "x", "Nats-Rollup: sub\r\n");
  f.world.settle();
  CHECK(f.subjects() == R"("s.*":1)");
  f.publish("s.3", "x", "Nats-Rollup: all\r\n");
  CHECK(f.subjects() == R"("s.3":1)");
  CHECK(error_of(f.publish("s.1", "x", "Nats-Rollup: bogus\r\n")) == "10111");
}

TEST_CASE("jetstream stream: a rollup of a subject with wildcards replaces all that they match") {
  Fixture f(R"("allow_rollup_hdrs":true)");
  for (const char* subject : {"s.a.1", "s.b.1", "s.a.2"}) f.publish(subject, "x");
  f.publish("s.a.*", "x", "Nats-Rollup: sub\r\n");
  CHECK(f.subjects() == R"("s.a.*":1,"s.b.1":1)");
}

TEST_CASE("jetstream stream: subjects are transformed and stored messages published again") {
  Fixture f(R"("subject_transform":{"src":"s.*","dest":"t.{{wildcard(1)}}"},)"
            R"("republish":{"src":"t.>","dest":"again.>"})");
  f.client.subscribe("again.>");
  f.publish("s.1", "x");
  CHECK(f.subjects() == R"("t.1":1)");
  const auto got = f.client.take();
  REQUIRE(got.size() == 1);
  CHECK(got[0].subject == "again.1");
  CHECK(got[0].headers.find("Nats-Stream: S\r\nNats-Subject: t.1\r\nNats-Sequence: 1\r\n") !=
        std::string::npos);
  CHECK(got[0].headers.find("Nats-Last-Sequence: 0\r\n") != std::string::npos);
}

TEST_CASE("jetstream stream: the first sequence is what was asked for") {
  Fixture f(R"("first_seq":100)");
  const std::string made = f.client.api("STREAM.INFO.S");
  CHECK(member_of(made, "first_seq") == "100");
  CHECK(member_of(made, "last_seq") == "99");
  CHECK(f.publish("s.1", "x") == R"({"stream":"S","seq":100})");
  CHECK(member_of(f.client.api("STREAM.PURGE.S", R"({"seq":500})"), "purged") == "1");
  CHECK(f.publish("s.1", "x") == R"({"stream":"S","seq":500})");
}

TEST_CASE("jetstream stream: without acknowledgements nobody is told") {
  Fixture f(R"("no_ack":true)");
  CHECK(f.publish("s.1", "x").empty());
  CHECK(f.info("messages") == "1");
}

TEST_CASE("jetstream stream: publishers on three loops are all acknowledged, in their order") {
  Fixture f({}, 3);
  std::vector<std::unique_ptr<JetStreamClient>> clients;
  for (std::size_t i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<JetStreamClient>(f.world, i));
    clients.back()->subscribe(fmt::format("acks.{}", i));
  }
  for (int i = 0; i < 300; ++i) {
    const std::size_t loop = static_cast<std::size_t>(i) % 3;
    clients[loop]->publish(fmt::format("s.{}", loop), std::to_string(i), {},
                           fmt::format("acks.{}", loop));
    if (i % 7 == 0) f.world.world().step(loop);
  }
  f.world.settle();
  for (const auto& client : clients) {
    const auto acks = client->take();
    CHECK(acks.size() == 100);
    std::uint64_t last = 0;
    for (const auto& ack : acks) {
      const std::uint64_t sequence = std::stoull(member_of(ack.payload, "seq"));
      CHECK(sequence > last);
      last = sequence;
    }
  }
  CHECK(f.info("messages") == "300");
}

TEST_CASE("jetstream stream: an interest stream keeps what a consumer still wants") {
  Fixture f(R"("retention":"interest")");
  CHECK(f.publish("s.1", "x") == R"({"stream":"S","seq":1})");
  CHECK(f.info("messages") == "0");
  for (const char* name : {"a", "b"}) {
    f.client.api(fmt::format("CONSUMER.CREATE.S.{}", name),
                 fmt::format(R"({{"stream_name":"S","config":{{"durable_name":"{}",)"
                             R"("ack_policy":"explicit"}}}})",
                             name));
  }
  f.publish("s.1", "y");
  CHECK(f.info("messages") == "1");
  const auto next = [&](const char* name) {
    return f.client.request_message(fmt::format("$JS.API.CONSUMER.MSG.NEXT.S.{}", name), "1");
  };
  const auto first = next("a");
  CHECK(first.payload == "y");
  f.client.publish(first.reply, "");
  CHECK(f.info("messages") == "1");
  const auto second = next("b");
  f.client.publish(second.reply, "+TERM");
  CHECK(f.info("messages") == "0");
  f.publish("s.1", "z");
  f.client.api("CONSUMER.DELETE.S.a");
  CHECK(f.info("messages") == "1");
  f.client.api("CONSUMER.DELETE.S.b");
  f.world.settle();
  CHECK(f.info("messages") == "0");
}

TEST_CASE("jetstream stream: a work queue gives each message to one, and then forgets it") {
  Fixture f(R"("retention":"workqueue")");
  f.publish("s.1", "x");
  f.publish("s.2", "y");
  CHECK(error_of(f.client.api("CONSUMER.CREATE.S.n", R"({"stream_name":"S","config":{)"
                                                     R"("durable_name":"n"}})")) == "10084");
  const auto make = [&](const char* name, const char* filter) {
    return error_of(
        f.client.api(fmt::format("CONSUMER.CREATE.S.{}", name),
                     fmt::format(R"({{"stream_name":"S","config":{{"durable_name":"{}",)"
                                 R"("ack_policy":"explicit","filter_subject":"{}"}}}})",
                                 name, filter)));
  };
  CHECK(make("a", "s.1").empty());
  CHECK(make("b", "s.>") == "10100");
  CHECK(make("b", "s.2").empty());
  const auto got = f.client.request_message("$JS.API.CONSUMER.MSG.NEXT.S.a", "1");
  CHECK(got.payload == "x");
  f.client.publish(got.reply, "+ACK");
  f.world.settle();
  CHECK(f.subjects() == R"("s.2":1)");
}

TEST_CASE("jetstream stream: streams end with the server, and their consumers say so") {
  Fixture f;
  f.client.api("CONSUMER.CREATE.S.d", R"({"stream_name":"S","config":{"durable_name":"d"}})");
  f.client.subscribe("waiting");
  f.client.publish("$JS.API.CONSUMER.MSG.NEXT.S.d", "1", {}, "waiting");
  f.world.settle();
  f.world.stop();
  CHECK(f.client.heard() == "waiting=409 Server Shutdown");
  CHECK(f.client.request("s.1", "x") == "503");
}

TEST_CASE("jetstream stream: what no consumer wants takes a number, whatever the limits say") {
  JetStreamWorld world;
  JetStreamClient client(world);
  client.api("STREAM.CREATE.I", R"({"name":"I","subjects":["i.>"],"storage":"memory",)"
                                R"("retention":"interest","discard":"new","max_msgs":1})");
  client.api("CONSUMER.CREATE.I.c",
             R"({"stream_name":"I","config":{"durable_name":"c","ack_policy":"explicit",)"
             R"("filter_subject":"i.1"}})");
  CHECK(client.request("i.1", "x") == R"({"stream":"I","seq":1})");
  CHECK(member_of(client.request("i.1", "x"), "err_code") == "10077");
  CHECK(client.request("i.2", "x") == R"({"stream":"I","seq":2})");
  CHECK(client.request("i.2", "x", "Nats-TTL: 0\r\n") == R"({"stream":"I","seq":3})");
  CHECK(member_of(client.api("STREAM.INFO.I"), "messages") == "1");
}

TEST_CASE("jetstream stream: each message is republished with the one before it, gone or not") {
  JetStreamWorld world;
  JetStreamClient client(world);
  client.api("STREAM.CREATE.R",
             R"({"name":"R","subjects":["r.>"],"storage":"memory",)"
             R"("max_msgs_per_subject":1,"republish":{"src":">","dest":"a.>"}})");
  client.subscribe("a.>");
  for (const char* payload : {"1", "2", "3"}) client.publish("r.x", payload);  // one commit
  world.settle();
  const auto got = client.take();
  REQUIRE(got.size() == 3);
  for (std::size_t i = 0; i < got.size(); ++i) {
    CHECK(got[i].payload == std::to_string(i + 1));
    CHECK(got[i].headers.find(fmt::format("Nats-Sequence: {}\r\n", i + 1)) != std::string::npos);
    CHECK(got[i].headers.find(fmt::format("Nats-Last-Sequence: {}\r\n", i)) != std::string::npos);
  }
}

TEST_CASE("jetstream stream: a marker is republished as what comes after the expired message") {
  JetStreamWorld world;
  JetStreamClient client(world);
  client.api("STREAM.CREATE.R", R"({"name":"R","subjects":["r.>"],"storage":"memory",)"
                                R"("max_age":1000000000,"subject_delete_marker_ttl":60000000000,)"
                                R"("allow_msg_ttl":true,"allow_rollup_hdrs":true,)"
                                R"("republish":{"src":">","dest":"a.>"}})");
  client.publish("r.x", "1");
  client.publish("r.y", "2");
  world.settle();
  client.subscribe("a.r.x");
  world.advance(std::chrono::seconds(2));
  const auto got = client.take();
  REQUIRE(got.size() == 1);
  CHECK(got[0].headers.find("Nats-Marker-Reason: MaxAge\r\n") != std::string::npos);
  CHECK(got[0].headers.find("Nats-Last-Sequence: 1\r\n") != std::string::npos);
}
