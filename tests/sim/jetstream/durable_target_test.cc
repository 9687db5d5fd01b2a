// Streams as durable targets (design.md, durable targets): who publishes with a receipt hears when
// every stream that captures the subject has committed, never before.
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/lifeline.h"
#include "tests/support/jetstream_machine.h"

using namespace spanwire;
using bus::Storing;
using test::JetStreamMachine;
using test::member_of;

namespace {

// A wire's session that acknowledges what it publishes.
struct Publisher final : bus::Receiver {
  explicit Publisher(JetStreamMachine& its, std::size_t loop = 0)
      : machine(its),
        port(its.world->services(loop).open(its.world->services(loop).anonymous(), *this,
                                            nullptr)) {}

  // Whether anybody keeps it.
  bool publish(std::string_view subject, std::string_view payload = "x",
               std::string_view headers = {}, std::string_view reply = {}) {
    std::string block;
    if (!headers.empty()) block = "NATS/1.0\r\n" + std::string(headers) + "\r\n";
    bus::MessageView message;
    message.route = message.subject = subject;
    message.payload = payload;
    message.headers = block;
    message.reply = reply;
    return port
        ->publish(*port->admit(message),
                  lifeline.bind([this](Storing storing) { told.push_back(std::move(storing)); }))
        .awaited;
  }
  std::vector<Storing> settled() {
    machine.world->settle();
    return std::exchange(told, {});
  }
  bus::Taken on_message(std::span<const bus::Target>, const bus::MessageView&) override {
    return bus::Taken::all;
  }
  void on_relief() override {}

  JetStreamMachine& machine;
  std::vector<Storing> told;
  bus::OwnedPort port;
  base::Lifeline lifeline;
};

constexpr const char* s_config = R"({"name":"S","subjects":["s.>"]})";

}  // namespace

TEST_CASE(
    "durable targets: a publisher hears nothing before the commit, and then that it is stored") {
  for (const std::size_t loops : {std::size_t{1}, std::size_t{3}}) {
    JetStreamMachine machine(loops);
    machine.api("STREAM.CREATE.S", s_config);
    for (std::size_t loop = 0; loop < loops; ++loop) {
      Publisher publisher(machine, loop);
      machine.holds_commits = true;
      CHECK(publisher.publish("s.1"));
      CHECK(publisher.publish("s.2"));
      CHECK_FALSE(publisher.publish("t"));
      CHECK(publisher.settled().empty());
      machine.holds_commits = false;
      const std::vector<Storing> told = publisher.settled();
      REQUIRE(told.size() == 2);
      CHECK(told[0].outcome == Storing::Outcome::stored);
      CHECK(told[0].targets == 1);
      CHECK(told[0].sequence == 2 * loop + 1);
      CHECK(told[1].sequence == 2 * loop + 2);
    }
  }
}

TEST_CASE("durable targets: what a publisher was told of is there after a power cut") {
  JetStreamMachine machine(3);
  machine.api("STREAM.CREATE.S", s_config);
  std::size_t stored = 0;
  {
    Publisher publisher(machine, 1);
    for (int i = 0; i < 20; ++i) publisher.publish("s.1");
    stored = publisher.settled().size();
    machine.holds_commits = true;
    for (int i = 0; i < 20; ++i) publisher.publish("s.1");
    CHECK(publisher.settled().empty());
  }
  machine.holds_commits = false;
  machine.cut_power();
  CHECK(stored == 20);
  CHECK(std::stoul(member_of(machine.api("STREAM.INFO.S"), "messages")) >= stored);
}

TEST_CASE("durable targets: several streams count, also those in memory and on other loops") {
  JetStreamMachine machine(3);
  machine.api("STREAM.CREATE.S", s_config);
  machine.api("STREAM.CREATE.M", R"({"name":"M","subjects":["m.>"],"storage":"memory"})");
  for (std::size_t loop = 0; loop < 3; ++loop) {
    Publisher publisher(machine, loop);
    machine.holds_commits = true;
    CHECK(publisher.publish("m.1"));
    CHECK(publisher.settled().size() == 1);
    CHECK(publisher.publish("s.1"));
    CHECK(publisher.settled().empty());
    machine.holds_commits = false;
    CHECK(publisher.settled().size() == 1);
  }
}

TEST_CASE("durable targets: the answer goes to the receipt alone, never to the message's reply") {
  JetStreamMachine machine;
  machine.api("STREAM.CREATE.S", s_config);
  machine.api("STREAM.CREATE.Q", R"({"name":"Q","subjects":["q"],"no_ack":true})");
  Publisher publisher(machine);
  publisher.publish("s.1", "x", {}, "in");
  publisher.publish("q", "x", {}, "in");
  CHECK(publisher.settled().size() == 2);
  CHECK(machine.client->take().empty());
}

TEST_CASE("durable targets: a limit refuses, with JetStream's number and text") {
  JetStreamMachine machine(2);
  machine.api("STREAM.CREATE.S", R"({"name":"S","subjects":["s.>"],"max_msgs":1,"discard":"new"})");
  Publisher publisher(machine, 1);
  publisher.publish("s.1");
  publisher.publish("s.2");
  const std::vector<Storing> told = publisher.settled();
  REQUIRE(told.size() == 2);
  const bool first = told[0].outcome == Storing::Outcome::stored;
  const Storing& refused = told[first ? 1 : 0];
  CHECK(told[first ? 0 : 1].outcome == Storing::Outcome::stored);
  CHECK(refused.outcome == Storing::Outcome::refused);
  CHECK(refused.code == 10077);
  CHECK(refused.reason == "maximum messages exceeded");
}

TEST_CASE("durable targets: a message id within the window is stored once and told of twice") {
  JetStreamMachine machine;
  machine.api("STREAM.CREATE.S", s_config);
  Publisher publisher(machine);
  publisher.publish("s.1", "x", "Nats-Msg-Id: a\r\n");
  publisher.publish("s.1", "x", "Nats-Msg-Id: a\r\n");
  const std::vector<Storing> told = publisher.settled();
  REQUIRE(told.size() == 2);
  CHECK_FALSE(told[0].duplicate);
  CHECK(told[1].duplicate);
  CHECK(told[1].sequence == 1);
}

TEST_CASE("durable targets: after a failed disk it is unknown, at once and ever after") {
  JetStreamMachine machine;
  machine.api("STREAM.CREATE.S", s_config);
  Publisher publisher(machine);
  machine.disk.decide([](test::Call call, std::string_view) {
    return call == test::Call::sync ? test::Outcome::fails : test::Outcome::fine;
  });
  publisher.publish("s.1");
  std::vector<Storing> told = publisher.settled();
  REQUIRE(told.size() == 1);
  CHECK(told[0].outcome == Storing::Outcome::unknown);
  CHECK_FALSE(told[0].reason.empty());
  publisher.publish("s.1");
  told = publisher.settled();
  REQUIRE(told.size() == 1);
  CHECK(told[0].outcome == Storing::Outcome::unknown);
}

TEST_CASE("durable targets: a stream that is deleted answers all who wait for it first") {
  JetStreamMachine machine(3);
  std::mt19937 rng(1);
  std::size_t unknown = 0;
  for (int round = 0; round < 60; ++round) {
    machine.api("STREAM.CREATE.S", s_config);
    Publisher publisher(machine, rng() % 3);
    std::size_t awaited = 0;
    const auto publish = [&] {
      for (auto left = rng() % 3; left != 0; --left) awaited += publisher.publish("s.1") ? 1 : 0;
    };
    publish();
    machine.client->publish("$JS.API.STREAM.DELETE.S", "", {}, "in");
    for (int step = 0; step < 40; ++step) {
      machine.world->world().step(rng() % 3);
      if (rng() % 4 == 0) machine.step();
      publish();
    }
    const std::vector<Storing> told = publisher.settled();  // no time passes: no deadline
    CHECK(told.size() == awaited);
    for (const Storing& storing : told) {
      if (storing.outcome == Storing::Outcome::unknown) ++unknown;
    }
  }
  CHECK(unknown != 0);  // some came too late for the last commit
}
