// How publishers are held up and let go again (design.md, back-pressure): once, by the last of the
// reasons, and never in vain.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/bus/seats.h"

using namespace spanwire;
using std::chrono::milliseconds;
using test::anybody;
using test::filter_of;
using test::message_to;
using test::Sites;

namespace {

struct Seat final : bus::Receiver {
  explicit Seat(bus::Router& router)
      : gate(base::make_ref<bus::Gate>()), port(router.open(anybody(), *this, gate)) {}

  void subscribe(std::string_view filter) { REQUIRE(port->subscribe(filter_of(filter), {})); }
  bool publish(std::string_view subject, std::size_t bytes = 1) {
    const std::string payload(bytes, 'x');
    bus::MessageView message = message_to(subject, payload);
    return port->route(*port->admit(message)).pressure;
  }
  // It is slow, but takes bytes.
  void congest() {
    gate->set(bus::GateState::congested);
    gate->took(1);
  }
  bus::Taken on_message(std::span<const bus::Target>, const bus::MessageView&) override {
    return bus::Taken::all;
  }
  void on_relief() override { ++reliefs; }

  int reliefs = 0;
  base::Ref<bus::Gate> gate;
  bus::OwnedPort port;
};

void end_stalls(Sites& sites, std::size_t loop) {
  test::ManualLoop& manual = sites.sites[loop]->loop;
  manual.set_now(manual.now() + milliseconds(10));
  manual.run_timers();
}

// A loop takes what it has been handed and hands over what it has to say.
void serve(Sites& sites, std::size_t loop) {
  sites[loop].drain();
  sites[loop].hand_over();
}

}  // namespace

TEST_CASE("relief: a lane is relieved once, when what it holds is down to the relief limit") {
  bus::Exchange exchange(2);
  std::vector<std::unique_ptr<bus::Parcel>> parcels(2);
  for (int i = 0; i < 4; ++i) {
    exchange.set_wake(1, [] {});
    parcels[1] = exchange.fresh(0, 1);
    parcels[1]->add([] {});
    exchange.hand_over(0, parcels);
  }
  const std::size_t one = exchange.lane_bytes(0, 1) / 4;
  exchange.wait_for(0, 1);
  CHECK_FALSE(exchange.drained(1, 0, one, 2 * one));
  CHECK(exchange.drained(1, 0, one, 2 * one));
  CHECK_FALSE(exchange.drained(1, 0, one, 2 * one));
  exchange.wait_for(0, 1);
  CHECK(exchange.drained(1, 0, one, 2 * one));
}

TEST_CASE("relief: a lane that drains during the hand-over itself is not waited for in vain") {
  // A lane that tasks have filled only the hand-over finds full.
  for (const bool tasks : {false, true}) {
    CAPTURE(tasks);
    Sites sites(2, {.lane_limit_bytes = 20'000});
    Seat subscriber(sites[1]);
    subscriber.subscribe("a");
    Seat publisher(sites[0]);
    // The destination sleeps, is woken and done before the source goes on.
    sites.hub.exchange.set_wake(1, [&] { serve(sites, 1); });
    REQUIRE(sites.hub.exchange.fall_asleep(1));
    if (tasks) {
      for (int i = 0; i < 2000; ++i) sites[0].post(1, [] {});
    } else {
      publisher.publish("a", 30'000);
    }
    sites[0].hand_over();
    CHECK_FALSE(sites[0].may_read());
    sites[0].drain();
    CHECK(sites[0].may_read());
  }
}

TEST_CASE("relief: one lane that has drained does not open the others") {
  Sites sites(3, {.lane_limit_bytes = 20'000});
  Seat near(sites[1]);
  Seat far(sites[2]);
  near.subscribe("a");
  far.subscribe("a");
  Seat publisher(sites[0]);
  publisher.publish("a", 30'000);
  sites[0].hand_over();
  CHECK_FALSE(sites[0].may_read());
  serve(sites, 1);
  sites[0].drain();
  CHECK_FALSE(sites[0].may_read());
  serve(sites, 2);
  sites[0].drain();
  CHECK(sites[0].may_read());
}

TEST_CASE("relief: a publisher that waits for a peer and for a lane goes on after both") {
  for (const bool lane_first : {false, true}) {
    CAPTURE(lane_first);
    Sites sites(2, {.lane_limit_bytes = 20'000});
    Seat slow(sites[0]);
    Seat far(sites[1]);
    slow.subscribe("a");
    far.subscribe("a");
    slow.congest();
    Seat publisher(sites[0]);
    CHECK(publisher.publish("a", 16'000));
    sites[0].hand_over();
    for (const bool lane : {lane_first, !lane_first}) {
      CHECK(publisher.reliefs == 0);
      if (lane) {
        serve(sites, 1);
        sites[0].drain();
      } else {
        end_stalls(sites, 0);
      }
    }
    CHECK(publisher.reliefs == 1);
    slow.gate->set(bus::GateState::open);
    CHECK_FALSE(publisher.publish("a"));
  }
}

TEST_CASE("relief: a publisher that is stalled already is not stalled again") {
  Sites sites(1);
  Seat slow(sites[0]);
  slow.subscribe("a");
  Seat publisher(sites[0]);
  for (int i = 0; i < 3; ++i) {
    slow.congest();
    CHECK(publisher.publish("a"));
  }
  CHECK(sites[0].stats().stalls.get() == 1);
  end_stalls(sites, 0);
  CHECK(publisher.reliefs == 1);
}

TEST_CASE("relief: a loop sends one stall notice for a port and turn") {
  Sites sites(2);
  Seat one(sites[1]);
  Seat other(sites[1]);
  one.subscribe("a");
  other.subscribe("a");
  Seat publisher(sites[0]);
  for (int i = 0; i < 2; ++i) publisher.publish("a");
  sites[0].hand_over();
  one.congest();
  other.congest();
  serve(sites, 1);
  CHECK(sites.hub.exchange.lane_bytes(1, 0) == sizeof(base::Task));
  sites[0].drain();
  CHECK(sites[0].stats().stalls.get() == 1);
}
