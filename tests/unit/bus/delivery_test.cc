// How a router gives messages to its sessions (bus/receiver.h): in one call each, jobs to one
// member, limits to the message, and what sessions do meanwhile afterwards.
#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/bus/seats.h"

using namespace spanwire;
using bus::Taken;
using test::anybody;
using test::filter_of;
using test::message_to;
using test::Sites;
using Tags = std::vector<std::uint64_t>;

namespace {

// A session that keeps each call apart, and may do something within it.
struct Seat final : bus::Receiver {
  explicit Seat(bus::Router& router, base::Ref<bus::Gate> gate = nullptr)
      : port(router.open(anybody(), *this, std::move(gate))) {}

  base::SubId subscribe(std::string_view filter, std::uint64_t tag = 0,
                        std::string_view queue = {}) {
    return *port->subscribe(filter_of(filter), {.tag = tag, .queue = queue});
  }
  bus::Routed publish(std::string_view subject, std::string_view payload = "x") {
    bus::MessageView message = message_to(subject, payload);
    return port->route(*port->admit(message));
  }
  Taken on_message(std::span<const bus::Target> targets, const bus::MessageView& message) override {
    calls.emplace_back();
    for (const bus::Target& target : targets) {
      calls.back().push_back(target.tag);
      lasts.push_back(target.last);
    }
    payloads.emplace_back(message.payload);
    if (within) std::exchange(within, nullptr)();
    return answer;
  }
  void on_relief() override { ++reliefs; }

  std::vector<Tags> calls;
  std::vector<bool> lasts;
  std::vector<std::string> payloads;
  Taken answer = Taken::all;
  std::function<void()> within;
  int reliefs = 0;
  bus::OwnedPort port;
};

std::uint64_t dropped(Sites& sites) {
  std::uint64_t total = 0;
  for (const auto& site : sites.sites) total += site->router.stats().dropped_queue.get();
  return total;
}

}  // namespace

TEST_CASE("delivery: a session gets a message in one call, its plain subscriptions first") {
  for (const std::size_t from : {0, 1}) {
    CAPTURE(from);
    Sites sites(2);
    Seat session(sites[0]);
    Seat beside(sites[0]);
    session.subscribe("a", 1, "b-group");
    beside.subscribe("a", 9, "c-group");
    session.subscribe("a", 2);
    session.subscribe("*", 3, "d-group");
    session.subscribe("*", 4);
    Seat publisher(sites[from]);
    for (int i = 0; i < 3; ++i) publisher.publish("a");
    sites.settle();
    CHECK(session.calls == std::vector<Tags>(3, Tags{2, 4, 1, 3}));
    CHECK(beside.calls == std::vector<Tags>(3, Tags{9}));
  }
}

TEST_CASE("delivery: drawn members of one session get a message in one call, without plain ones") {
  Sites sites(1);
  Seat session(sites[0]);
  Seat beside(sites[0]);
  session.subscribe("a", 1, "b-group");
  beside.subscribe("a", 2, "c-group");
  session.subscribe("a", 3, "d-group");
  Seat publisher(sites[0]);
  publisher.publish("a");
  CHECK(session.calls == std::vector<Tags>{{1, 3}});
  CHECK(beside.calls == std::vector<Tags>{{2}});
}

TEST_CASE("delivery: where only the plain part is taken, the jobs are drawn again") {
  Sites sites(1);
  Seat plain(sites[0]);
  plain.answer = Taken::plain;
  plain.subscribe("a", 1);
  plain.subscribe("a", 2, "group");
  Seat worker(sites[0]);
  worker.subscribe("a", 3, "group");
  Seat publisher(sites[0]);
  for (int i = 0; i < 30; ++i) CHECK(publisher.publish("a").targets == 2);
  CHECK(plain.calls.size() == 30);
  CHECK(worker.calls == std::vector<Tags>(30, Tags{3}));
}

TEST_CASE("delivery: a subscription with a limit is told its last message and leaves with it") {
  for (const std::size_t from : {0, 1}) {
    CAPTURE(from);
    Sites sites(2);
    Seat session(sites[0]);
    const base::SubId sub = session.subscribe("a");
    Seat publisher(sites[from]);
    publisher.publish("a");
    sites.settle();
    REQUIRE(session.port->unsubscribe(sub, 3));
    publisher.publish("a");
    sites.settle();
    CHECK(session.port->unsubscribe(sub, 3));  // one more
    CHECK(session.port->subscriptions() == 1);
    for (int i = 0; i < 3; ++i) publisher.publish("a");
    sites.settle();
    CHECK(session.lasts == std::vector<bool>{false, false, true});
    CHECK(session.port->subscriptions() == 0);
    CHECK_FALSE(session.port->unsubscribe(sub, 9));
    CHECK(publisher.publish("a").targets == 0);
  }
}

TEST_CASE("delivery: a limit that is reached already ends the subscription at once") {
  Sites sites(1);
  Seat session(sites[0]);
  const base::SubId sub = session.subscribe("a");
  for (int i = 0; i < 2; ++i) session.publish("a");
  CHECK_FALSE(session.port->unsubscribe(sub, 2));
  CHECK(session.publish("a").targets == 0);
}

TEST_CASE("delivery: a job that is drawn again counts for its member's limit") {
  Sites sites(1);
  Seat refusing(sites[0]);
  refusing.answer = Taken::none;
  refusing.subscribe("a", 1, "group");
  Seat limited(sites[0]);
  for (int i = 0; i < 20; ++i) {
    REQUIRE(limited.port->unsubscribe(limited.subscribe("a", 2, "group"), 1));
    for (int k = 0; k < 2; ++k) refusing.publish("a");
    CHECK(limited.port->subscriptions() == 0);
  }
  CHECK(limited.lasts == std::vector<bool>(20, true));
  CHECK(dropped(sites) == 20);
}

TEST_CASE("delivery: a job is offered to each member once, until one takes it") {
  Sites sites(2);
  std::vector<std::unique_ptr<Seat>> refusing;
  for (std::size_t i = 0; i < 4; ++i) {
    refusing.push_back(std::make_unique<Seat>(sites[i % 2]));
    refusing.back()->answer = Taken::none;
    refusing.back()->subscribe("a", i, "group");
  }
  Seat publisher(sites[0]);
  for (int i = 0; i < 30; ++i) publisher.publish("a");
  sites.settle();
  CHECK(dropped(sites) == 30);
  for (const auto& one : refusing) CHECK(one->calls.size() == 30);
  Seat worker(sites[1]);
  worker.subscribe("a", 9, "group");
  for (int i = 0; i < 30; ++i) publisher.publish("a");
  sites.settle();
  CHECK(worker.calls.size() == 30);
  CHECK(dropped(sites) == 30);
  for (const auto& one : refusing) CHECK(one->calls.size() <= 60);
}

TEST_CASE("delivery: a job that is drawn again reaches no plain subscription twice") {
  Sites sites(3);
  Seat refusing(sites[1]);
  refusing.answer = Taken::none;
  refusing.subscribe("a", 1, "group");
  Seat worker(sites[2]);
  worker.subscribe("a", 2, "group");
  std::vector<std::unique_ptr<Seat>> plain;
  for (std::size_t i = 0; i < 3; ++i) {
    plain.push_back(std::make_unique<Seat>(sites[i]));
    plain.back()->subscribe("a", 3);
  }
  Seat publisher(sites[0]);
  for (int i = 0; i < 30; ++i) publisher.publish("a");
  sites.settle();
  CHECK(refusing.calls.size() > 3);  // 15 expected; chance of 3 or fewer below 1e-5
  CHECK(worker.calls.size() == 30);
  for (const auto& one : plain) CHECK(one->calls.size() == 30);
}

TEST_CASE("delivery: a member whose peer has closed is not drawn, neither first nor again") {
  Sites sites(3);
  std::vector<std::unique_ptr<Seat>> closed;
  for (std::size_t i = 0; i < 3; ++i) {
    auto gate = base::make_ref<bus::Gate>();
    gate->set(bus::GateState::closed);
    closed.push_back(std::make_unique<Seat>(sites[i], gate));
    closed.back()->subscribe("a", 1, "group");
  }
  Seat publisher(sites[0]);
  CHECK(publisher.publish("a").targets == 0);
  Seat refusing(sites[1]);
  refusing.answer = Taken::none;
  refusing.subscribe("a", 2, "group");
  for (int i = 0; i < 20; ++i) publisher.publish("a");
  sites.settle();
  CHECK(refusing.calls.size() == 20);
  CHECK(dropped(sites) == 20);
  for (const auto& one : closed) CHECK(one->calls.empty());
}

TEST_CASE("delivery: a member that has left is not drawn while it still stands in the tree") {
  Sites sites(1);
  Seat publisher(sites[0]);
  auto leaving = std::make_unique<Seat>(sites[0]);
  leaving->subscribe("a", 1, "group");
  for (int i = 0; i < 1000; ++i) leaving->subscribe("b." + std::to_string(i));
  leaving.reset();
  REQUIRE_FALSE(sites[0].idle());
  for (int i = 0; i < 5; ++i) CHECK(publisher.publish("a").targets == 0);
  CHECK(dropped(sites) == 0);
}

TEST_CASE("delivery: what is published inside on_message follows in its order") {
  Sites sites(1);
  Seat asked(sites[0]);
  asked.subscribe("ask");
  Seat listener(sites[0]);
  listener.subscribe("answer");
  asked.within = [&] {
    for (const char* text : {"1", "2", "3"}) asked.publish("answer", text);
    CHECK(listener.payloads.empty());
  };
  Seat publisher(sites[0]);
  publisher.publish("ask");
  CHECK(listener.payloads == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE("delivery: a subscription that ends inside on_message gets nothing more") {
  Sites sites(1);
  Seat session(sites[0]);
  const base::SubId sub = session.subscribe("a");
  session.within = [&] { CHECK_FALSE(session.port->unsubscribe(sub)); };
  Seat publisher(sites[0]);
  for (int i = 0; i < 3; ++i) publisher.publish("a");
  CHECK(session.calls.size() == 1);
  CHECK(session.port->subscriptions() == 0);
}

TEST_CASE("delivery: a tap sees the number that its port has given to a message") {
  struct Log final : bus::Tap {
    void on_routed(const bus::MessageView& message, base::AccountId) override {
      origins.push_back(message.origin);
    }
    std::vector<bus::Origin> origins;
  };
  Sites sites(1);
  Seat publisher(sites[0]);
  Log log;
  sites[0].add_tap(log);
  publisher.publish("a");
  publisher.publish("a", std::string(10'000, 'x'));
  sites[0].remove_tap(log);
  publisher.publish("a");
  REQUIRE(log.origins.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(log.origins[i].port == publisher.port->id());
    CHECK(log.origins[i].number == i + 1);
  }
}
