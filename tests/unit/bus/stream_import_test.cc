// Stream imports (bus/stream_import.h): subscriptions of one account that get another's messages.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/bus/seats.h"

using namespace spanwire;
using test::anybody;
using test::filter_of;
using test::message_to;
using test::Recorder;
using test::Sites;

namespace {

using Texts = std::vector<std::string>;

constexpr base::AccountId exporter = 1;
constexpr base::AccountId importer = 2;

struct Fixture {
  explicit Fixture(std::size_t loops = 1) : sites(loops) {
    publisher = sites[0].open(anybody(exporter), silent, nullptr);
  }
  base::Status import(std::string_view from, std::string_view to, base::AccountId of = exporter,
                      base::AccountId into = importer) {
    return sites.hub.import_stream(anybody(into)->account, anybody(of)->account, from, to);
  }
  bus::OwnedPort open(Recorder& recorder, std::size_t loop = 0) {
    return sites[loop].open(anybody(importer), recorder, nullptr);
  }
  std::uint32_t publish(std::string_view subject, std::string_view payload = "x") {
    bus::MessageView message = message_to(subject, payload);
    const auto admitted = publisher->admit(message);
    REQUIRE(admitted);
    return publisher->route(*admitted).targets;
  }
  std::size_t shadows() { return sites.hub.interest(anybody(exporter)->account).subscriptions(); }
  // What a subscription to `filter` gets of what is published.
  Texts heard(const subject::Filter& filter, const Texts& published) {
    Recorder recorder;
    const auto port = open(recorder);
    REQUIRE(port->subscribe(filter, {}));
    for (const std::string& subject : published) publish(subject);
    return recorder.subjects;
  }

  Recorder silent;
  Sites sites;
  bus::OwnedPort publisher;
};

base::Ref<const account::Principal> importer_denied(std::string_view filter) {
  auto set = base::make_ref<account::PermissionSet>();
  set->subscribe_deny.push_back(filter_of(filter));
  return test::principal_with(base::Ref<const account::PermissionSet>(set), importer);
}

}  // namespace

TEST_CASE("stream import: subscribers see the exporter's messages under their own subjects") {
  Fixture f;
  REQUIRE(f.import("a.*.*", "local.$2.x.$1"));
  REQUIRE(f.import("b.>", "pre.b.>"));
  REQUIRE(f.import("c.*", ""));
  REQUIRE(f.import("d.*.*", "e.*.*"));
  Recorder recorder;
  const auto port = f.open(recorder);
  REQUIRE(port->subscribe(filter_of(">"), {.tag = 7}));
  CHECK(f.shadows() == 4);
  for (int i = 0; i < 3; ++i) {  // passing, entering the cache, cached
    recorder.subjects.clear();
    CHECK(f.publish("a.1.2") == 1);
    CHECK(f.publish("b.1.2.3") == 1);
    CHECK(f.publish("c.1") == 1);
    CHECK(f.publish("d.1.2") == 1);
    CHECK(f.publish("c.1.2") == 0);
    CHECK(f.publish("other") == 0);
    CHECK(recorder.subjects == Texts{"local.2.x.1", "pre.b.1.2.3", "c.1", "e.1.2"});
  }
  CHECK(recorder.tags == std::vector<std::uint64_t>(12, 7));
}

TEST_CASE("stream import: whatever meets the import's subjects gets just what it asks for") {
  Fixture f;
  REQUIRE(f.import("a.*.*", "l.$2.$1"));
  const Texts all = {"a.1.2", "a.1.3", "a.4.2"};
  CHECK(f.heard(filter_of("l.2.1"), all) == Texts{"l.2.1"});
  CHECK(f.heard(filter_of("l.2.*"), all) == Texts{"l.2.1", "l.2.4"});
  CHECK(f.heard(filter_of("l.*.1"), all) == Texts{"l.2.1", "l.3.1"});
  CHECK(f.heard(filter_of("*.3.*"), all) == Texts{"l.3.1"});
  CHECK(f.heard(filter_of("l.>"), all) == Texts{"l.2.1", "l.3.1", "l.2.4"});
  CHECK(f.heard(filter_of("*.*.>"), all) == Texts{"l.2.1", "l.3.1", "l.2.4"});
  CHECK(f.heard(filter_of("l.*"), all).empty());
  CHECK(f.heard(filter_of("a.*.*"), all).empty());
  CHECK(f.shadows() == 0);
}

TEST_CASE("stream import: filters of other wires meet it as well") {
  using subject::TokenKind;
  Fixture f;
  REQUIRE(f.import("$in.>", "t.>"));
  REQUIRE(f.import("out.>", "$t.>"));
  REQUIRE(f.import("w.*.*", "$1.$2"));
  const Texts all = {"$in.a", "out.a", "w.x.y", "w.$x.y"};
  subject::Filter everything;  // MQTT `#`
  everything.add(TokenKind::tail_or_here);
  everything.hide_dollar();
  CHECK(f.heard(everything, all) == Texts{"t.a", "x.y"});
  subject::Filter below;  // MQTT `t/a/#`
  below.add(TokenKind::literal, "t");
  below.add(TokenKind::literal, "a");
  below.add(TokenKind::tail_or_here);
  CHECK(f.heard(below, {"$in.a", "$in.a.b", "$in.b"}) == Texts{"t.a", "t.a.b"});
  subject::Filter anywhere;  // AMQP `#.y`
  anywhere.add(TokenKind::any);
  anywhere.add(TokenKind::literal, "y");
  CHECK(f.heard(anywhere, all) == Texts{"x.y", "$x.y"});
}

TEST_CASE("stream import: the shadow goes with its subscription, and with its port") {
  Fixture f;
  REQUIRE(f.import("a.*", ""));
  REQUIRE(f.import("b.*", ""));
  Recorder recorder;
  auto port = f.open(recorder);
  const auto sub = port->subscribe(filter_of("*.*"), {});
  REQUIRE(sub);
  CHECK(f.shadows() == 2);
  for (int i = 0; i < 3; ++i) CHECK(f.publish("a.1") == 1);
  port->unsubscribe(*sub);
  CHECK(f.shadows() == 0);
  CHECK(f.publish("a.1") == 0);
  REQUIRE(port->subscribe(filter_of("a.*"), {}));
  CHECK(f.publish("a.1") == 1);
  port.reset();
  CHECK(f.shadows() == 0);
  CHECK(f.publish("a.1") == 0);
  CHECK(recorder.subjects.size() == 4);
}

TEST_CASE("stream import: an auto-unsubscribe counts what comes from either account") {
  Fixture f;
  REQUIRE(f.import("a.*", "l.$1"));
  Recorder recorder;
  const auto port = f.open(recorder);
  const auto local = f.sites[0].open(anybody(importer), f.silent, nullptr);
  const auto sub = port->subscribe(filter_of("l.*"), {});
  for (int i = 0; i < 3; ++i) f.publish("a.1");  // matches without the limit
  CHECK(port->unsubscribe(*sub, 6));
  bus::MessageView message = message_to("l.own");
  CHECK(local->route(*local->admit(message)).targets == 1);
  CHECK(f.publish("a.1") == 1);
  CHECK(f.publish("a.1") == 1);
  CHECK(f.publish("a.1") == 0);
  CHECK(recorder.subjects == Texts{"l.1", "l.1", "l.1", "l.own", "l.1", "l.1"});
  CHECK(f.shadows() == 0);
}

TEST_CASE("stream import: what is denied under the importer's subject reaches and counts nobody") {
  for (const std::size_t loop : {std::size_t{0}, std::size_t{1}}) {
    CAPTURE(loop);
    Fixture f(2);
    REQUIRE(f.import("a.*", "l.$1"));
    Recorder recorder;
    const auto port = f.sites[loop].open(importer_denied("l.secret"), recorder, nullptr);
    REQUIRE(port->subscribe(filter_of("l.*"), {}));
    REQUIRE(port->subscribe(filter_of("l.*"), {.queue = "q"}));
    for (int i = 0; i < 3; ++i) {
      CHECK(f.publish("a.secret") == 0);
      CHECK(f.publish("a.open") == 2);
    }
    f.sites.settle();
    CHECK(recorder.subjects == Texts(recorder.subjects.size(), "l.open"));
    CHECK(recorder.tags.size() == 6);
  }
}

TEST_CASE("stream import: groups of one name are one over both accounts") {
  for (const std::size_t loop : {std::size_t{0}, std::size_t{1}}) {
    CAPTURE(loop);
    Fixture f(2);
    REQUIRE(f.import("a.*", "l.$1"));
    Recorder own;
    Recorder imported;
    const auto first = f.sites[0].open(anybody(exporter), own, nullptr);
    const auto second = f.open(imported, loop);
    REQUIRE(first->subscribe(filter_of("a.>"), {.queue = "q"}));
    REQUIRE(second->subscribe(filter_of("l.1"), {.queue = "q"}));
    for (int i = 0; i < 400; ++i) CHECK(f.publish("a.1") == 1);
    f.sites.settle();
    CHECK(own.subjects.size() + imported.subjects.size() == 400);
    CHECK(own.subjects.size() > 120);  // 200 expected, with a deviation of 10
    CHECK(imported.subjects.size() > 120);
    CHECK(imported.subjects.front() == "l.1");
    imported.answer = bus::Taken::none;
    own.subjects.clear();
    for (int i = 0; i < 100; ++i) f.publish("a.1");
    f.sites.settle();
    CHECK(own.subjects.size() == 100);
  }
}

TEST_CASE("stream import: one port may see a message under several subjects, plain and drawn") {
  for (const std::size_t loop : {std::size_t{0}, std::size_t{1}}) {
    CAPTURE(loop);
    Fixture f(2);
    REQUIRE(f.import("a.*", "x.$1"));
    REQUIRE(f.import("a.>", "y.>"));
    Recorder recorder;
    const auto port = f.open(recorder, loop);
    REQUIRE(port->subscribe(filter_of("x.1"), {.tag = 1}));
    REQUIRE(port->subscribe(filter_of(">"), {.tag = 2}));
    REQUIRE(port->subscribe(filter_of("x.*"), {.tag = 3, .queue = "q"}));
    REQUIRE(port->subscribe(filter_of("y.*"), {.tag = 4, .queue = "r"}));
    f.publish("a.1");
    f.sites.settle();
    std::vector<std::uint64_t> tags = recorder.tags;
    std::sort(tags.begin(), tags.end());
    CHECK(tags == std::vector<std::uint64_t>{1, 2, 2, 3, 4});
    REQUIRE(recorder.subjects.size() == 2);  // a call for each subject
    CHECK(recorder.subjects[0] != recorder.subjects[1]);
  }
}

TEST_CASE("stream import: what is kept of a message is what the importer sees, without a copy") {
  struct Keeper final : bus::Receiver {
    bus::Taken on_message(std::span<const bus::Target> targets,
                          const bus::MessageView& got) override {
      kept = got.keep();
      noted = targets[0].note != nullptr && got.shows_route();
      return bus::Taken::all;
    }
    void on_relief() override {}
    base::Ref<const bus::Message> kept;
    bool noted = false;
  };
  Fixture f(2);
  REQUIRE(f.import("a.*", "l.$1"));
  Keeper keepers[2];
  std::vector<bus::OwnedPort> ports;
  for (std::size_t i = 0; i < 2; ++i) {
    ports.push_back(f.sites[i].open(anybody(importer), keepers[i], nullptr));
    REQUIRE(ports[i]->subscribe(filter_of("l.*"), {}));
  }
  for (const std::size_t size : {10, 20'000}) {
    for (int i = 0; i < 3; ++i) f.publish("a.1", std::string(size, 'x'));
    f.sites.settle();
    for (const Keeper& keeper : keepers) {
      CHECK(keeper.kept->view().subject == "l.1");
      CHECK(keeper.kept->view().route == "l.1");
      CHECK(keeper.kept->view().payload.size() == size);
      CHECK(keeper.noted);
    }
  }
  CHECK(keepers[0].kept->view().payload.data() == keepers[1].kept->view().payload.data());
}

TEST_CASE("stream import: it is for subscriptions that are made later, and does not chain") {
  Fixture f;
  Recorder early;
  const auto port = f.open(early);
  REQUIRE(port->subscribe(filter_of(">"), {}));
  REQUIRE(f.import("a.*", ""));
  CHECK(f.publish("a.1") == 0);
  CHECK(f.heard(filter_of(">"), {"a.1"}) == Texts{"a.1"});
  REQUIRE(f.import("a.*", "", importer, 3));
  Recorder third;
  const auto far = f.sites[0].open(anybody(3), third, nullptr);
  REQUIRE(far->subscribe(filter_of(">"), {}));
  CHECK(f.publish("a.1") == 0);
  CHECK(third.subjects.empty());
}

TEST_CASE("stream import: what has no sense is refused") {
  Fixture f;
  CHECK(f.import("a.*", "", importer, importer).error().text.starts_with("an account cannot"));
  CHECK(f.import("a.*", "b").error().text.starts_with("invalid mapping destination: not using"));
  CHECK(f.import("a.*", "b.$2").error().text.starts_with("invalid mapping destination"));
  CHECK(f.import("a.>", "b").error().text.starts_with("invalid subject"));
  CHECK(f.import("a..b", "").error().text.starts_with("invalid subject"));
}
