// Who waits for durable targets (design.md, durable targets): an answer comes once, after every
// target on every loop has answered, never before and never inside the call.
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/keeper.h"
#include "tests/unit/bus/seats.h"

using namespace spanwire;
using bus::Storing;
using test::anybody;
using test::filter_of;
using test::message_to;
using test::Sites;

namespace {

// Keeps the receipts of what it gets, to answer them when a test says so.
struct Keeper final : test::Keeper {
  explicit Keeper(bus::Router& router, base::AccountId account = 0)
      : test::Keeper([&](bus::Receiver& receiver) {
          return router.open(anybody(account), receiver, nullptr);
        }) {}
};

// Publishes and remembers what it was told.
struct Publisher final : bus::Receiver {
  explicit Publisher(bus::Router& router, base::AccountId account = 0)
      : port(router.open(anybody(account), *this, nullptr)) {}

  bool publish(std::string_view subject, std::size_t bytes = 1) {
    const std::string payload(bytes, 'x');
    bus::MessageView message = message_to(subject, payload);
    inside = true;
    const auto admitted = port->admit(message);
    const bool kept = admitted->is_kept();
    const bus::Routed routed = port->publish(*admitted, [this](Storing storing) {
      CHECK_FALSE(inside);
      told.push_back(std::move(storing));
    });
    inside = false;
    CHECK(kept == routed.awaited);
    return routed.awaited;
  }
  bus::Taken on_message(std::span<const bus::Target>, const bus::MessageView&) override {
    return bus::Taken::all;
  }
  void on_relief() override {}

  bool inside = false;
  std::vector<Storing> told;
  bus::OwnedPort port;
};

void pass(Sites& sites, base::Duration time) {
  for (auto& site : sites.sites) {
    site->loop.set_now(site->loop.now() + time);
    site->loop.run_timers();
  }
  sites.settle();
}

}  // namespace

TEST_CASE("receipts: a message that no durable target gets is not awaited") {
  Sites sites(2);
  test::Recorder plain;
  const bus::OwnedPort here = sites[0].open(anybody(), plain, nullptr);
  const bus::OwnedPort there = sites[1].open(anybody(), plain, nullptr);
  REQUIRE(here->subscribe(filter_of("a.*"), {}));
  REQUIRE(there->subscribe(filter_of("a.>"), {}));
  Publisher publisher(sites[0]);
  CHECK_FALSE(publisher.publish("a.b"));
  CHECK_FALSE(publisher.publish("nobody"));
  sites.settle();
  CHECK(plain.subjects.size() == 2);
  CHECK(publisher.told.empty());
  CHECK(sites[0].receipts().size() == 0);
}

TEST_CASE("receipts: the publisher hears when the last durable target has answered, not before") {
  Sites sites(3);
  Keeper here(sites[0]);
  Keeper there(sites[1]);
  Keeper beside(sites[1]);
  Keeper other(sites[2]);
  here.keep("a.*");
  there.keep("a.>");
  beside.keep("*.b");
  other.keep("b.*");
  Publisher publisher(sites[0]);
  CHECK(publisher.publish("a.b"));
  sites.settle();
  here.answer();
  there.answer();
  sites.settle();
  CHECK(publisher.told.empty());
  beside.answer({.targets = 1, .sequence = 7});
  CHECK(publisher.told.empty());  // it is on its way
  sites.settle();
  REQUIRE(publisher.told.size() == 1);
  CHECK(publisher.told[0].outcome == Storing::Outcome::stored);
  CHECK(publisher.told[0].targets == 3);
  CHECK(publisher.told[0].sequence == 7);
  CHECK(other.messages == 0);
  CHECK(sites[0].receipts().size() == 0);
  CHECK(sites[1].receipts().size() == 0);
}

TEST_CASE("receipts: of several answers the worst is told, unknown before refused") {
  Sites sites(2);
  Keeper first(sites[0]);
  Keeper second(sites[0]);
  Keeper third(sites[1]);
  first.keep("a");
  second.keep("a");
  third.keep("a");
  Publisher publisher(sites[0]);
  CHECK(publisher.publish("a"));
  sites.settle();
  third.answer({.outcome = Storing::Outcome::unknown, .reason = "disk"});
  first.answer({.outcome = Storing::Outcome::refused, .reason = "full"});
  second.answer();
  sites.settle();
  REQUIRE(publisher.told.size() == 1);
  CHECK(publisher.told[0].outcome == Storing::Outcome::unknown);
  CHECK(publisher.told[0].reason == "disk");
  CHECK(publisher.told[0].targets == 1);
}

TEST_CASE("receipts: a message from route() carries none, nor does what others publish inside it") {
  Sites sites(2);
  Keeper here(sites[0]);
  Keeper there(sites[1]);
  here.keep("a");
  there.keep("a");
  Publisher publisher(sites[0]);
  bus::MessageView message = message_to("a");
  publisher.port->route(*publisher.port->admit(message));
  sites.settle();
  CHECK(here.messages == 1);
  CHECK(there.messages == 1);
  CHECK(here.receipts.empty());
  CHECK(there.receipts.empty());
}

TEST_CASE("receipts: a large message that is shared carries its receipt to each loop") {
  Sites sites(2);
  Keeper here(sites[0]);
  Keeper there(sites[1]);
  here.keep("a");
  there.keep("a");
  Publisher publisher(sites[0]);
  CHECK(publisher.publish("a", bus::by_reference_bytes));
  sites.settle();
  here.answer();
  there.answer();
  sites.settle();
  REQUIRE(publisher.told.size() == 1);
  CHECK(publisher.told[0].targets == 2);
}

TEST_CASE("receipts: a durable target that left its loop before the message came is answered for") {
  Sites sites(2);
  Publisher publisher(sites[0]);
  {
    Keeper there(sites[1]);
    there.keep("a");
    CHECK(publisher.publish("a"));
  }
  sites.settle();
  REQUIRE(publisher.told.size() == 1);
  CHECK(publisher.told[0].outcome == Storing::Outcome::stored);
  CHECK(publisher.told[0].targets == 0);
}

TEST_CASE("receipts: unsubscribing the last durable target ends the wait for its loop") {
  Sites sites(2);
  Keeper there(sites[1]);
  Keeper plain(sites[1]);
  const auto first = there.port->subscribe(filter_of("a"), {.durable = true});
  const auto second = there.port->subscribe(filter_of("a"), {.durable = true});
  REQUIRE(plain.port->subscribe(filter_of("a"), {}));
  Publisher publisher(sites[0]);
  CHECK(publisher.publish("a"));
  there.port->unsubscribe(*first);
  CHECK(publisher.publish("a"));
  there.port->unsubscribe(*second);
  CHECK_FALSE(publisher.publish("a"));
}

TEST_CASE("receipts: what is not answered in time is unknown, and a late answer is ignored") {
  Sites sites(2);
  Keeper here(sites[0]);
  Keeper there(sites[1]);
  here.keep("a");
  there.keep("b");
  Publisher publisher(sites[0]);
  CHECK(publisher.publish("a"));
  CHECK(publisher.publish("b"));
  sites.settle();
  pass(sites, bus::receipt_deadline / 2);
  CHECK(publisher.publish("a"));
  pass(sites, bus::receipt_deadline / 2);
  REQUIRE(publisher.told.size() == 2);
  CHECK(publisher.told[0].outcome == Storing::Outcome::unknown);
  CHECK(publisher.told[1].outcome == Storing::Outcome::unknown);
  CHECK(sites[0].receipts().expired().get() == 2);
  here.answer();
  there.answer();
  sites.settle();
  REQUIRE(publisher.told.size() == 3);
  CHECK(publisher.told[2].outcome == Storing::Outcome::stored);
  pass(sites, bus::receipt_deadline);
  CHECK(publisher.told.size() == 3);
}

TEST_CASE("receipts: at the limit a message is refused before anybody gets it") {
  Sites sites(1);
  Keeper keeper(sites[0]);
  keeper.keep("a");
  Publisher publisher(sites[0]);
  for (std::size_t i = 0; i < bus::max_open_receipts; ++i) publisher.publish("a");
  const int messages = keeper.messages;
  CHECK(publisher.publish("a"));
  CHECK(publisher.told.empty());
  sites.settle();
  REQUIRE(publisher.told.size() == 1);
  CHECK(publisher.told[0].outcome == Storing::Outcome::refused);
  CHECK(keeper.messages == messages);
  keeper.answer();
  CHECK(publisher.publish("a"));
  CHECK(keeper.messages == messages + 1);
  keeper.answer();
}

TEST_CASE("receipts: an importer's durable target answers for what the exporter publishes") {
  Sites sites(2);
  const auto exporter = anybody(1);
  const auto importer = anybody(2);
  REQUIRE(sites.hub.import_stream(importer->account, exporter->account, "a.>", "b.>"));
  Keeper keeper(sites[1], 2);
  keeper.keep("b.*");
  Publisher publisher(sites[0], 1);
  CHECK(publisher.publish("a.x"));
  sites.settle();
  keeper.answer();
  sites.settle();
  REQUIRE(publisher.told.size() == 1);
  CHECK(publisher.told[0].targets == 1);
}
