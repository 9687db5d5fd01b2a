// Retained messages on streams: what was acknowledged survives a power cut, and the bucket that
// holds them is everybody's.
#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/jetstream_machine.h"
#include "tests/support/retained_client.h"

using namespace spanwire;
using kit::Retention;
using test::JetStreamMachine;
using test::member_of;
using test::RetainedClient;

namespace {

const std::string bucket = "$KV.spanwire_retained.";

// The wires of a server, which end with it.
struct Wires {
  explicit Wires(JetStreamMachine& its, kit::RetainedLimits limits = {})
      : machine(its), stores(std::make_unique<kit::RetainedStores>(limits)) {
    for (std::size_t i = 0; i < machine.loops; ++i) stores->open(machine.world->services(i));
    client = open();
  }

  std::unique_ptr<RetainedClient> open(std::size_t loop = 0) {
    return std::make_unique<RetainedClient>(machine.world->services(loop), *stores,
                                            kit::ReplayLimits{},
                                            machine.world->services(loop).anonymous());
  }
  // What became of it, once everything has settled; none: no answer yet.
  std::optional<Retention> retain(std::string_view subject, std::string_view payload) {
    auto told = std::make_shared<std::optional<Retention>>();
    client->publish(subject, payload, true, [told](Retention result) { *told = result; });
    machine.world->settle();
    return *told;
  }
  // What a new subscriber gets.
  std::string retained(std::string_view filter, std::size_t loop = 0) {
    const auto subscriber = open(loop);
    subscriber->subscribe(filter);
    machine.world->settle();
    return subscriber->heard();
  }
  const kit::RetainedStats& stats() {
    const base::LoopId home = machine.world->services(0).home(0, "retained");
    return stores->of(home).stats();
  }

  JetStreamMachine& machine;
  std::unique_ptr<kit::RetainedStores> stores;
  std::unique_ptr<RetainedClient> client;
};

// The server goes, with or without its power, and comes back.
void restart(JetStreamMachine& machine, std::unique_ptr<Wires>& wires, bool power) {
  wires.reset();
  if (power) {
    machine.cut_power();
  } else {
    machine.restart();
  }
  wires = std::make_unique<Wires>(machine);
}

}  // namespace

TEST_CASE("retained on streams: what was acknowledged is there after a power cut and a restart") {
  for (const std::size_t loops : {std::size_t{1}, std::size_t{3}}) {
    JetStreamMachine machine(loops);
    auto wires = std::make_unique<Wires>(machine);
    CHECK(wires->retain("a.1", "old") == Retention::kept);
    CHECK(wires->retain("a.1", "one") == Retention::kept);
    CHECK(wires->retain("a.2", "two") == Retention::kept);
    CHECK(wires->retain("b:c.d|e", "odd") == Retention::kept);
    CHECK(wires->retain("a.2", "") == Retention::deleted);
    for (const bool power : {true, false}) {
      restart(machine, wires, power);
      CHECK(wires->retained("a.*") == "retained:a.1=one");
      CHECK(wires->retained(">") == "retained:a.1=one retained:b:c.d|e=odd");
    }
  }
}

TEST_CASE("retained on streams: nothing is acknowledged before it is on the disk") {
  JetStreamMachine machine(3);
  Wires wires(machine);
  CHECK(wires.retain("a", "first") == Retention::kept);
  auto told = std::make_shared<int>(0);
  machine.holds_commits = true;
  wires.client->publish("a", "second", true, [told](Retention) { ++*told; });
  machine.world->settle();
  CHECK(*told == 0);
  CHECK(wires.retained("a") == "retained:a=second");  // memory is ahead of the disk
  machine.holds_commits = false;
  machine.world->settle();
  CHECK(*told == 1);
}

TEST_CASE("retained on streams: the bucket is one that key-value clients read") {
  JetStreamMachine machine;
  Wires wires(machine);
  wires.retain("plant.7", "42");
  const std::string info = machine.api("STREAM.INFO.KV_spanwire_retained");
  CHECK(member_of(info, "max_msgs_per_subject") == "1");
  CHECK(member_of(info, "allow_direct") == "true");
  CHECK(member_of(info, "deny_delete") == "true");
  CHECK(member_of(info, "messages") == "1");
  CHECK(machine.api("DIRECT.GET.KV_spanwire_retained." + bucket + "plant.7") == "42");
  wires.retain("plant.7", "");
  const auto marker = machine.client->request_message("$JS.API.DIRECT.GET.KV_spanwire_retained." +
                                                      bucket + "plant.7");
  CHECK(marker.headers.find("KV-Operation: PURGE") != std::string::npos);
  machine.world->advance(std::chrono::hours(2));
  CHECK(member_of(machine.api("STREAM.INFO.KV_spanwire_retained"), "messages") == "0");
}

TEST_CASE("retained on streams: what others put, delete and purge there is what subscribers get") {
  JetStreamMachine machine(3);
  Wires wires(machine);
  wires.retain("a", "ours");
  machine.client->request(bucket + "a", "theirs");
  machine.client->request(bucket + "b=3Ac", "new");
  machine.client->request(bucket + "no=zzkey", "nobody's");
  machine.world->settle();
  CHECK(wires.retained(">") == "retained:a=theirs retained:b:c=new");
  machine.client->request(bucket + "a", "", "KV-Operation: DEL\r\n");
  machine.world->settle();
  CHECK(wires.retained(">") == "retained:b:c=new");
  CHECK(wires.retain("b:c", "ours") == Retention::kept);
  CHECK(wires.retained(">") == "retained:b:c=ours");
  CHECK(wires.stats().changed.get() == 3);
}

TEST_CASE(
    "retained on streams: of writes from both sides what the stream has last holds everywhere") {
  for (std::uint32_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    std::mt19937 rng(seed);
    JetStreamMachine machine(3);
    auto wires = std::make_unique<Wires>(machine);
    wires->retain("a", "0");
    for (int i = 1; i <= 40; ++i) {
      const std::string value = std::to_string(i);
      switch (rng() % 5) {
        case 0:
          machine.client->publish(bucket + "a", value);
          break;
        case 1:
          machine.client->publish(bucket + "a", "", "KV-Operation: PURGE\r\n");
          break;
        case 2:
          wires->client->publish("a", "", true);
          break;
        default:
          wires->client->publish("a", value, true);
      }
      for (auto steps = rng() % 6; steps != 0; --steps) machine.world->world().step(rng() % 3);
      if (rng() % 3 == 0) machine.step();
    }
    machine.world->settle();
    const std::string before = wires->retained("a");
    restart(machine, wires, true);
    CHECK(wires->retained("a") == before);
  }
}

TEST_CASE("retained on streams: what a limit refuses is gone from the disk too") {
  JetStreamMachine machine;
  auto wires = std::make_unique<Wires>(machine, kit::RetainedLimits{.max_bytes = 1000});
  CHECK(wires->retain("a", "small") == Retention::kept);
  CHECK(wires->retain("a", std::string(2000, 'x')) == Retention::refused);
  CHECK(wires->retained("a") == "");
  restart(machine, wires, true);
  CHECK(wires->retained("a") == "");
}

TEST_CASE("retained on streams: what the stream refuses is gone, and what was put since stays") {
  JetStreamMachine machine(2);
  auto wires = std::make_unique<Wires>(machine);
  CHECK(wires->retain("a", "1") == Retention::kept);
  CHECK(wires->retain("b", "1") == Retention::kept);
  machine.api("STREAM.UPDATE.KV_spanwire_retained",
              R"({"name":"KV_spanwire_retained","subjects":["$KV.spanwire_retained.>"],)"
              R"("max_msgs_per_subject":1,"discard":"new","allow_rollup_hdrs":true,)"
              R"("allow_msg_ttl":true,"deny_delete":true,"allow_direct":true,"max_msg_size":100})");
  const std::string large(200, 'x');
  CHECK(wires->retain("a", large) == Retention::refused);
  wires->client->publish("b", large, true);
  CHECK(wires->retain("b", "2") == Retention::kept);
  CHECK(wires->retained("*") == "retained:b=2");
  restart(machine, wires, true);
  CHECK(wires->retained("*") == "retained:b=2");
}

TEST_CASE("retained on streams: a failed disk is said, and nothing more is acknowledged") {
  JetStreamMachine machine;
  Wires wires(machine);
  CHECK(wires.retain("a", "1") == Retention::kept);
  machine.disk.decide([](test::Call call, std::string_view) {
    return call == test::Call::sync ? test::Outcome::fails : test::Outcome::fine;
  });
  CHECK(wires.retain("a", "2") == Retention::unknown);
  CHECK(wires.retain("a", "3") == Retention::unknown);
  CHECK(wires.stats().not_stored.get() == 2);
}

TEST_CASE("retained on streams: a bucket that somebody deletes is made again, empty") {
  JetStreamMachine machine(2);
  Wires wires(machine);
  wires.retain("a", "1");
  machine.api("STREAM.DELETE.KV_spanwire_retained");
  machine.world->settle();
  CHECK(wires.retain("a", "2") == Retention::unknown);
  CHECK(wires.retained("a") == "");
  machine.world->advance(std::chrono::seconds(6));
  CHECK(wires.retain("a", "3") == Retention::kept);
  CHECK(wires.retained("a") == "retained:a=3");
}

TEST_CASE("retained on streams: while others hold its subjects nothing is kept, then it is") {
  JetStreamMachine machine(2);
  machine.api("STREAM.CREATE.MINE", R"({"name":"MINE","subjects":["$KV.spanwire_retained.x"]})");
  Wires wires(machine);
  CHECK(wires.retain("a", "1") == Retention::unknown);
  machine.api("STREAM.DELETE.MINE");
  machine.world->advance(std::chrono::seconds(6));
  CHECK(wires.retain("a", "2") == Retention::kept);
}

TEST_CASE("retained on streams: questions wait until the bucket is read") {
  JetStreamMachine machine(3);
  auto wires = std::make_unique<Wires>(machine);
  for (int i = 0; i < 3000; ++i) {
    wires->client->publish("a." + std::to_string(i), "x", true);
    if (i % 100 == 0) machine.world->settle();
  }
  machine.world->settle();
  restart(machine, wires, true);
  const auto early = wires->open(1);
  early->subscribe("a.*");
  machine.world->settle();
  CHECK(early->got().size() == 3000);
}

TEST_CASE("retained on streams: of those that wait for the bucket only so many do") {
  JetStreamMachine machine;
  Wires wires(machine, {.max_waiting = 3});
  machine.holds_commits = true;
  auto told = std::make_shared<std::vector<Retention>>();
  for (int i = 0; i < 5; ++i) {
    wires.client->publish("a", "x", true, [told](Retention result) { told->push_back(result); });
  }
  machine.world->settle();
  machine.holds_commits = false;
  machine.world->settle();
  REQUIRE(told->size() == 5);
  CHECK(std::count(told->begin(), told->end(), Retention::unknown) == 2);
  CHECK(std::count(told->begin(), told->end(), Retention::kept) == 3);
}
