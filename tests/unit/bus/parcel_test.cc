// Parcels (bus/exchange.h): what goes in comes out on the other loop, whatever its size.
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "bus/exchange.h"
#include "bus/interest.h"

using namespace spanwire;
using bus::Drawn;
using bus::MessageView;
using bus::Parcel;
using bus::ParcelEntry;

namespace {

struct Fixture {
  std::unique_ptr<bus::Generations> generations = std::make_unique<bus::Generations>();
  bus::Interest interest{base::make_ref<account::Account>(0U, "$G"), *generations, 1};
  Parcel parcel{3};
  ParcelEntry entry;
};

base::SubId sub(std::uint64_t number) {
  return static_cast<base::SubId>(number);
}

}  // namespace

TEST_CASE("parcel: every field of a message comes out as it went in") {
  Fixture f;
  MessageView message;
  message.route = "orders.eu";
  message.subject = "shown.elsewhere";
  message.reply = "_INBOX.1";
  message.headers = "NATS/1.0\r\nA: b\r\n\r\n";
  message.payload = std::string_view("\0payload\r\n", 10);
  message.origin = {static_cast<base::PortId>(77), 12, 2, 1, true, 3};
  const std::vector<Drawn> drawn = {{sub(5), "workers", 6}, {sub(7), "", 0}};
  f.parcel.add(f.interest, message, false, drawn);
  REQUIRE(f.parcel.next(f.entry));
  CHECK(f.entry.interest == &f.interest);
  CHECK(f.entry.message.route == message.route);
  CHECK(f.entry.message.subject == message.subject);
  CHECK(f.entry.message.reply == message.reply);
  CHECK(f.entry.message.headers == message.headers);
  CHECK(f.entry.message.payload == message.payload);
  CHECK(f.entry.message.counted == nullptr);
  const bus::Origin& origin = f.entry.message.origin;
  CHECK(origin.port == message.origin.port);
  CHECK(origin.number == 12);
  CHECK(origin.wire == 2);
  CHECK(origin.qos == 1);
  CHECK(origin.retain);
  CHECK(origin.hops == 3);
  CHECK_FALSE(f.entry.to_plain);
  REQUIRE(f.entry.drawn.size() == 2);
  CHECK(f.entry.drawn[0].sub == sub(5));
  CHECK(f.entry.drawn[0].group == "workers");
  CHECK(f.entry.drawn[0].tried_loops == 6);
  CHECK(f.entry.drawn[1].group.empty());
  CHECK_FALSE(f.parcel.next(f.entry));
  CHECK(f.parcel.source() == 3);
}

TEST_CASE("parcel: a shown subject that is the front of the routed one stays as long as it was") {
  Fixture f;
  const std::string bytes = "orders.eu.new";
  for (const std::size_t body : {std::size_t{4}, bus::by_reference_bytes}) {
    const std::string payload(body, 'p');
    MessageView message;
    message.route = bytes;
    message.subject = std::string_view(bytes).substr(0, 9);
    message.payload = payload;
    f.parcel.add(f.interest, message, true, {});
    REQUIRE(f.parcel.next(f.entry));
    CHECK(f.entry.message.route == "orders.eu.new");
    CHECK(f.entry.message.subject == "orders.eu");
  }
}

TEST_CASE("parcel: as many drawn members as there are groups arrive, however many that is") {
  Fixture f;
  std::vector<Drawn> drawn;
  for (std::uint64_t i = 0; i < 70'000; ++i) drawn.push_back({sub(i + 1), "g", i});
  MessageView message;
  message.route = message.subject = "jobs";
  message.payload = "first";
  f.parcel.add(f.interest, message, true, drawn);
  message.payload = "second";
  f.parcel.add(f.interest, message, true, {});
  REQUIRE(f.parcel.next(f.entry));
  REQUIRE(f.entry.drawn.size() == drawn.size());
  CHECK(f.entry.drawn.back().sub == sub(70'000));
  CHECK(f.entry.message.route == "jobs");
  CHECK(f.entry.message.payload == "first");
  REQUIRE(f.parcel.next(f.entry));
  CHECK(f.entry.message.payload == "second");
  CHECK_FALSE(f.parcel.next(f.entry));
}

TEST_CASE("parcel: bodies from 8 KiB on go by reference, smaller ones are copied") {
  for (const std::size_t body : {bus::by_reference_bytes - 1, bus::by_reference_bytes}) {
    CAPTURE(body);
    Fixture f;
    const std::string payload(body - 10, 'p');
    MessageView message;
    message.route = message.subject = "a";
    message.headers = "0123456789";
    message.payload = payload;
    const base::Ref<const bus::Message> kept = message.keep();
    MessageView numbered = kept->view({static_cast<base::PortId>(9), 4, 0, 0, false, 0});
    f.parcel.add(f.interest, numbered, true, {});
    const bool by_reference = body >= bus::by_reference_bytes;
    CHECK(f.parcel.size_bytes() > body);
    REQUIRE(f.parcel.next(f.entry));
    CHECK(f.entry.message.counted == (by_reference ? kept.get() : nullptr));
    CHECK((f.entry.message.payload.data() == kept->view().payload.data()) == by_reference);
    CHECK(f.entry.message.payload == payload);
    CHECK(f.entry.message.origin.number == 4);  // the route's, not the counted message's
  }
}

TEST_CASE("parcel: a cleared parcel is empty, holds no message and is used again") {
  Fixture f;
  const std::string large(10'000, 'l');
  MessageView message;
  message.route = message.subject = "a";
  message.payload = large;
  for (int round = 0; round < 3; ++round) {
    CHECK(f.parcel.empty());
    CHECK(f.parcel.size_bytes() == 0);
    for (int i = 0; i < 300; ++i) f.parcel.add(f.interest, message, true, {});
    f.parcel.add([] {});
    CHECK_FALSE(f.parcel.empty());
    CHECK(f.parcel.tasks().size() == 1);
    std::size_t read = 0;
    while (f.parcel.next(f.entry)) ++read;
    CHECK(read == 300);
    f.parcel.clear();
    CHECK_FALSE(f.parcel.next(f.entry));
    CHECK(f.parcel.tasks().empty());
  }
}

TEST_CASE("parcel: thousands of messages of every size keep their order and their bytes") {
  Fixture f;
  std::mt19937 rng(7);
  std::vector<std::string> routes;
  std::vector<std::string> payloads;
  for (int i = 0; i < 3000; ++i) {
    routes.push_back("s." + std::string(rng() % 40, 'x') + std::to_string(i));
    payloads.push_back(std::string(rng() % (i % 50 == 0 ? 20'000 : 300), 'a' + i % 26));
    MessageView message;
    message.route = message.subject = routes.back();
    message.payload = payloads.back();
    f.parcel.add(f.interest, message, true, {});
  }
  for (std::size_t i = 0; i < routes.size(); ++i) {
    REQUIRE(f.parcel.next(f.entry));
    CHECK(f.entry.message.route == routes[i]);
    CHECK(f.entry.message.payload == payloads[i]);
  }
  CHECK_FALSE(f.parcel.next(f.entry));
}
