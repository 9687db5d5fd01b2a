// What looks at a whole stream goes on for many turns, in which the stream and others are served,
// and is right at its end whatever happens to the stream meanwhile.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "base/random.h"
#include "tests/sim/jetstream/machine.h"

using namespace spanwire;
using test::JetStreamClient;
using test::Machine;
using test::member_of;

namespace {

constexpr int messages = 100'000;
constexpr int subjects = 20'000;  // more than a search learns of at once

struct Fixture {
  explicit Fixture(std::string_view config = R"("storage":"file","allow_rollup_hdrs":true)") {
    machine.api("STREAM.CREATE.S", fmt::format(R"({{"name":"S","subjects":["s.>"],{}}})", config));
    machine.api("STREAM.CREATE.O", R"({"name":"O","subjects":["other"],"storage":"memory"})");
    for (int i = 0; i < messages; ++i) {
      publish(fmt::format("s.{}", i % subjects));
      if (i % 1'000 == 999) machine.world->settle();
    }
    machine.client->take();
  }
  JetStreamClient& client() { return *machine.client; }
  void publish(std::string_view subject) { client().publish(subject, "x"); }
  std::string state(std::string_view member) { return member_of(machine.state("S"), member); }
  std::string pending(std::string_view consumer) {
    return member_of(machine.api(fmt::format("CONSUMER.INFO.S.{}", consumer)), "num_pending");
  }
  void ask(std::string_view operation, std::string_view body) {
    client().publish(fmt::format("$JS.API.{}", operation), body, {}, "in");
  }
  // Turns until the answer to what was asked; `between` is called in each, behind the loop's own
  // work. What another stream is given must be stored in the same turn.
  template <class Between>
  std::string answered(int& turns, Between between) {
    const base::SubId acks = client().subscribe("stored");
    for (turns = 1; turns < 10'000; ++turns) {
      client().publish("other", "x", {}, "stored");
      machine.world->world().step(0);
      if (random.below(2) == 0) machine.step();
      bool stored = false;
      std::string answer;
      for (const JetStreamClient::Got& got : client().take()) {
        if (got.subject == "stored") stored = true;
        if (got.subject == "in") answer = got.payload;
      }
      CHECK(stored);
      if (!answer.empty()) {
        client().unsubscribe(acks);
        return answer;
      }
      between(turns);
    }
    return {};
  }
  Machine machine;
  base::Random random{7};
};

}  // namespace

TEST_CASE("jetstream slices: a consumer's count is exact though the stream changes while it runs") {
  for (const std::string_view start :
       {R"("deliver_policy":"all")", R"("deliver_policy":"by_start_sequence","opt_start_seq":9000)",
        R"("deliver_policy":"last_per_subject")"}) {
    CAPTURE(start);
    Fixture f;
    f.ask("CONSUMER.CREATE.S.c",
          fmt::format(R"({{"stream_name":"S","config":{{"name":"c","ack_policy":"none",)"
                      R"("filter_subject":"s.*","mem_storage":true,{}}}}})",
                      start));
    int turns = 0;
    const std::string answer = f.answered(turns, [&f](int turn) {
      f.publish(fmt::format("s.{}", f.random.below(subjects + 10)));
      f.publish("s.not.counted");
      for (int i = 0; i < 5; ++i) {
        const std::uint32_t sequence = 1 + f.random.below(messages);
        f.client().publish("$JS.API.STREAM.MSG.DELETE.S", fmt::format(R"({{"seq":{}}})", sequence));
      }
      if (turn == 3) f.client().publish("$JS.API.STREAM.PURGE.S", R"({"filter":"s.77"})");
      if (turn == 4) f.client().publish("$JS.API.STREAM.PURGE.S", R"({"seq":1000})");
    });
    CHECK(turns > 4);
    CHECK(member_of(answer, "name") == "\"c\"");
    f.machine.world->settle();
    // It gets exactly what it was said to have: the last one says that nothing is left.
    const std::string pending = f.pending("c");
    int got = 0;
    std::string last;
    while (true) {
      const std::string text = f.machine.pulled("c", R"({"batch":5000,"no_wait":true})");
      for (const JetStreamClient::Got& one : f.machine.got) {
        if (one.reply.empty()) continue;
        ++got;
        last = one.reply;
      }
      if (text.ends_with("404 No Messages")) break;
    }
    CHECK(std::to_string(got) == pending);
    CHECK(last.ends_with(".0"));
  }
}

TEST_CASE("jetstream slices: what is erased before a count is done is not counted again") {
  Fixture f;
  f.ask("CONSUMER.CREATE.S.c",
        R"({"stream_name":"S","config":{"name":"c","ack_policy":"none","filter_subject":"s.*"}})");
  int turns = 0;
  f.answered(turns, [&f](int turn) {
    if (turn == 2) f.client().publish("$JS.API.STREAM.PURGE.S", R"({"keep":10})");
  });
  f.machine.world->settle();
  CHECK(f.pending("c") == "10");
  CHECK(f.state("messages") == "10");
  CHECK(member_of(f.machine.api("CONSUMER.LIST.S"), "num_pending") == "10");
}

TEST_CASE(
    "jetstream slices: a consumer that is deleted while it is counted is told of as missing") {
  Fixture f;
  f.ask("CONSUMER.CREATE.S.c",
        R"({"stream_name":"S","config":{"name":"c","ack_policy":"none","filter_subject":"s.*"}})");
  int turns = 0;
  const std::string answer = f.answered(turns, [&f](int turn) {
    if (turn == 2) f.client().publish("$JS.API.CONSUMER.DELETE.S.c", "");
  });
  CHECK(member_of(answer, "err_code") == "10014");
}

TEST_CASE(
    "jetstream slices: lower limits are carried out in slices, and the answer waits for them") {
  Fixture f;
  f.machine.api("CONSUMER.CREATE.S.c",
                R"({"stream_name":"S","config":{"name":"c","filter_subject":"s.5"}})");
  f.ask("STREAM.UPDATE.S", R"({"name":"S","subjects":["s.>"],"allow_rollup_hdrs":true,)"
                           R"("max_msgs_per_subject":2})");
  int turns = 0;
  const std::string answer = f.answered(turns, [&f](int) { f.publish("s.5"); });
  CHECK(turns > 4);
  CHECK(member_of(answer, "messages") == std::to_string(2 * subjects));
  f.machine.world->settle();
  CHECK(f.pending("c") == "2");
  f.ask("STREAM.UPDATE.S",
        R"({"name":"S","subjects":["s.>"],"allow_rollup_hdrs":true,"max_msgs":100})");
  CHECK(member_of(f.answered(turns, [](int) {}), "messages") == "100");
  CHECK(turns > 4);
}

TEST_CASE("jetstream slices: a rollup of a subject with many messages leaves one") {
  Fixture f;
  for (int i = 0; i < 5'000; ++i) f.publish("s.5");
  f.machine.world->settle();
  f.client().publish("s.5", "x", "Nats-Rollup: sub\r\n", "in");
  int turns = 0;
  const std::string answer = f.answered(turns, [](int) {});
  CHECK(member_of(answer, "seq") == std::to_string(messages + 5'001));
  f.machine.world->settle();
  CHECK(f.state("messages") == std::to_string(messages - messages / subjects + 1));
}
