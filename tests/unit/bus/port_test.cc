// A seat on the bus (bus/port.h): who may do what, and who hears it.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/unit/bus/seats.h"

using namespace spanwire;
using bus::Refusal;
using test::anybody;
using test::filter_of;
using test::message_to;
using test::principal_with;
using test::Recorder;
using test::Sites;

namespace {

std::uint32_t publish(bus::Port& port, std::string_view subject) {
  bus::MessageView message = message_to(subject);
  const auto admitted = port.admit(message);
  REQUIRE(admitted);
  return port.route(*admitted).targets;
}

base::Ref<const account::PermissionSet> denied_to_receive(std::string_view filter) {
  auto set = base::make_ref<account::PermissionSet>();
  set->subscribe_deny.push_back(filter_of(filter));
  return set;
}

}  // namespace

TEST_CASE("port: a publish that is not permitted is refused, also once its subject is known") {
  Sites sites(1);
  Recorder recorder;
  auto permissions = base::make_ref<account::PermissionSet>();
  permissions->publish_allow.push_back(filter_of("open.>"));
  permissions->publish_deny.push_back(filter_of("open.secret"));
  const auto bound = sites[0].open(
      principal_with(base::Ref<const account::PermissionSet>(permissions)), recorder, nullptr);
  const auto free = sites[0].open(anybody(), recorder, nullptr);
  for (int i = 0; i < 3; ++i) {
    for (const char* subject : {"open.secret", "closed", "open"}) {
      bus::MessageView message = message_to(subject);
      CHECK(free->admit(message));
      const auto admitted = bound->admit(message);
      REQUIRE_FALSE(admitted);
      CHECK(admitted.error() == Refusal::publish_denied);
    }
    bus::MessageView message = message_to("open.a");
    CHECK(bound->admit(message));
  }
}

TEST_CASE("port: a subscription that is not permitted is refused, a narrower one is not") {
  Sites sites(1);
  Recorder recorder;
  auto permissions = base::make_ref<account::PermissionSet>();
  permissions->subscribe_allow.push_back(filter_of("open.>"));
  permissions->subscribe_deny.push_back(filter_of("open.secret.>"));
  const auto port = sites[0].open(
      principal_with(base::Ref<const account::PermissionSet>(permissions)), recorder, nullptr);
  CHECK(port->subscribe(filter_of("open.a"), {}));
  CHECK(port->subscribe(filter_of("open.>"), {}));
  CHECK_FALSE(port->subscribe(filter_of(">"), {}));
  CHECK_FALSE(port->subscribe(filter_of("open.secret.x"), {}));
  CHECK(port->subscriptions() == 2);
}

TEST_CASE("port: a denied subject is kept from a wildcard subscription on any loop") {
  for (std::size_t there = 0; there < 2; ++there) {
    CAPTURE(there);
    Sites sites(2);
    Recorder denied;
    const auto port =
        sites[there].open(principal_with(denied_to_receive("a.secret")), denied, nullptr);
    REQUIRE(port->subscribe(filter_of("a.*"), {}));
    Recorder nobody;
    const auto publisher = sites[0].open(anybody(), nobody, nullptr);
    for (int i = 0; i < 3; ++i) {
      publish(*publisher, "a.secret");
      publish(*publisher, "a.open");
    }
    sites.settle();
    CHECK(denied.subjects == std::vector<std::string>(3, "a.open"));
  }
}

TEST_CASE("port: whom all are denied a subject, there nobody is reached: that is a 503") {
  for (std::size_t there = 0; there < 2; ++there) {
    CAPTURE(there);
    Sites sites(2);
    Recorder recorder;
    const auto set = denied_to_receive("a.secret");
    const auto one = sites[there].open(principal_with(set), recorder, nullptr);
    const auto two = sites[there].open(principal_with(set), recorder, nullptr);
    auto free = sites[there].open(anybody(), recorder, nullptr);
    const auto first = one->subscribe(filter_of("a.*"), {});
    REQUIRE(first);
    REQUIRE(two->subscribe(filter_of("a.*"), {}));
    Recorder nobody;
    const auto publisher = sites[0].open(anybody(), nobody, nullptr);
    CHECK(publish(*publisher, "a.secret") == 0);
    CHECK(publish(*publisher, "a.open") > 0);
    REQUIRE(free->subscribe(filter_of("a.*"), {}));
    CHECK(publish(*publisher, "a.secret") > 0);
    free.reset();
    one->unsubscribe(*first);
    CHECK(publish(*publisher, "a.secret") == 0);
    CHECK(publish(*publisher, "a.open") > 0);
  }
}

TEST_CASE("port: a queue member is not drawn for a subject that it is denied") {
  for (std::size_t there = 0; there < 2; ++there) {
    CAPTURE(there);
    Sites sites(2);
    Recorder denied;
    Recorder allowed;
    const auto port =
        sites[there].open(principal_with(denied_to_receive("a.secret")), denied, nullptr);
    REQUIRE(port->subscribe(filter_of("a.*"), {.queue = "q"}));
    Recorder nobody;
    const auto publisher = sites[0].open(anybody(), nobody, nullptr);
    CHECK(publish(*publisher, "a.secret") == 0);  // nobody is left: that is a 503
    const auto other = sites[1].open(anybody(), allowed, nullptr);
    REQUIRE(other->subscribe(filter_of("a.*"), {.queue = "q"}));
    for (int i = 0; i < 20; ++i) CHECK(publish(*publisher, "a.secret") == 1);
    sites.settle();
    CHECK(denied.subjects.empty());
    CHECK(allowed.subjects.size() == 20);
    for (int i = 0; i < 60; ++i) publish(*publisher, "a.open");
    sites.settle();
    CHECK(denied.subjects.size() > 5);
  }
}

TEST_CASE("port: a member that would be drawn in another's place is not denied the subject") {
  Sites sites(1);
  Recorder refuses;
  Recorder denied;
  refuses.answer = bus::Taken::none;
  const auto first = sites[0].open(anybody(), refuses, nullptr);
  REQUIRE(first->subscribe(filter_of("a.*"), {.queue = "q"}));
  const auto second = sites[0].open(principal_with(denied_to_receive("a.secret")), denied, nullptr);
  REQUIRE(second->subscribe(filter_of("a.*"), {.queue = "q"}));
  for (int i = 0; i < 20; ++i) publish(*first, "a.secret");
  CHECK(denied.subjects.empty());
  CHECK(sites[0].stats().dropped_queue.get() == 20);
}

TEST_CASE("port: without echo its own messages do not come back, nor count as delivered") {
  Sites sites(2);
  Recorder own;
  const auto port = sites[0].open(anybody(), own, nullptr);
  port->subscribe(filter_of("a"), {.tag = 1, .echo = false});
  port->subscribe(filter_of("a"), {.tag = 2, .queue = "q", .echo = false});
  CHECK(publish(*port, "a") == 0);
  CHECK(own.tags.empty());
  port->subscribe(filter_of("a"), {.tag = 3});
  CHECK(publish(*port, "a") == 1);
  CHECK(own.tags == std::vector<std::uint64_t>{3});
  own.tags.clear();
  Recorder nobody;
  const auto elsewhere = sites[1].open(anybody(), nobody, nullptr);
  publish(*elsewhere, "a");
  sites.settle();
  CHECK(own.tags.size() == 3);
}

TEST_CASE("port: a subject or reply with a blank or a control character is refused and counted") {
  Sites sites(1);
  Recorder recorder;
  const auto port = sites[0].open(anybody(), recorder, nullptr);
  port->subscribe(filter_of(">"), {});
  const std::string bad[] = {"a b", "a\rb", "a\nb", "\t", std::string("a\0", 2), "a\x7f"};
  std::uint64_t refused = 0;
  for (const std::string& text : bad) {
    for (int i = 0; i < 3; ++i) {
      bus::MessageView in_subject = message_to(text);
      const auto as_subject = port->admit(in_subject);
      REQUIRE_FALSE(as_subject);
      CHECK(as_subject.error() == Refusal::unsafe);
      bus::MessageView in_reply = message_to("a");
      in_reply.reply = text;
      CHECK_FALSE(port->admit(in_reply));
      refused += 2;
    }
    CHECK(sites[0].stats().refused_unsafe.get() == refused);
  }
  CHECK(recorder.subjects.empty());
}

TEST_CASE("port: asking whether anybody is interested does not make a subject safe") {
  Sites sites(1);
  Recorder recorder;
  const auto port = sites[0].open(anybody(), recorder, nullptr);
  port->subscribe(filter_of(">"), {});
  for (int i = 0; i < 3; ++i) CHECK_FALSE(port->interested("a\r\nPUB b"));
  bus::MessageView message = message_to("a\r\nPUB b");
  CHECK_FALSE(port->admit(message));
  CHECK(port->interested("a"));
}

TEST_CASE("port: subjects of one account never meet those of another") {
  Sites sites(2);
  Recorder ours;
  Recorder theirs;
  std::vector<bus::OwnedPort> ports;
  for (std::size_t loop = 0; loop < 2; ++loop) {
    ports.push_back(sites[loop].open(anybody(1), ours, nullptr));
    ports.back()->subscribe(filter_of(">"), {});
    ports.back()->subscribe(filter_of("a"), {.queue = "q"});
    ports.push_back(sites[loop].open(anybody(2), theirs, nullptr));
    ports.back()->subscribe(filter_of(">"), {});
    ports.back()->subscribe(filter_of("a"), {.queue = "q"});
  }
  for (int i = 0; i < 10; ++i) publish(*ports[0], "a");
  sites.settle();
  CHECK(theirs.subjects.empty());
  CHECK(ours.tags.size() == 30);
  CHECK_FALSE(ports[1]->find_plain("a") == ports[0]->find_plain("a"));
}

TEST_CASE("port: messages are numbered from 1 and carry their port, on every loop") {
  struct Origins final : bus::Receiver {
    bus::Taken on_message(std::span<const bus::Target>, const bus::MessageView& message) override {
      numbers.push_back(message.origin.number);
      ports.push_back(message.origin.port);
      return bus::Taken::all;
    }
    void on_relief() override {}
    std::vector<std::uint64_t> numbers;
    std::vector<base::PortId> ports;
  };
  Sites sites(2);
  Origins here;
  Origins there;
  Recorder recorder;
  const auto publisher = sites[0].open(anybody(), recorder, nullptr);
  const auto near = sites[0].open(anybody(), here, nullptr);
  const auto far = sites[1].open(anybody(), there, nullptr);
  near->subscribe(filter_of("a"), {});
  far->subscribe(filter_of("a"), {});
  const std::string large(bus::by_reference_bytes, 'l');
  CHECK(publisher->last_number() == 0);
  publish(*publisher, "a");
  bus::MessageView message = message_to("a", large);
  publisher->route(*publisher->admit(message));
  sites.settle();
  CHECK(publisher->last_number() == 2);
  for (const Origins* origins : {&here, &there}) {
    CHECK(origins->numbers == std::vector<std::uint64_t>{1, 2});
    CHECK(origins->ports == std::vector<base::PortId>(2, publisher->id()));
  }
}

TEST_CASE("port: the subscriptions of a port that is left go in slices, and nothing reaches it") {
  constexpr std::size_t count = 1000;  // several slices
  Sites sites(2);
  Recorder gone;
  Recorder member;
  auto leaving = sites[0].open(anybody(), gone, nullptr);
  for (std::size_t i = 0; i < count; ++i) {
    REQUIRE(leaving->subscribe(filter_of("a." + std::to_string(i)), {}));
  }
  REQUIRE(leaving->subscribe(filter_of("a.0"), {.queue = "group"}));
  const auto other = sites[0].open(anybody(), member, nullptr);
  REQUIRE(other->subscribe(filter_of("a.0"), {.tag = 7, .queue = "group"}));
  bus::Interest& interest = *sites.hub.interests().front();
  CHECK(interest.subscriptions() == count + 2);

  leaving.reset();
  CHECK(sites[0].ports() == 1);
  CHECK(interest.subscriptions() > count / 2);
  CHECK_FALSE(sites[0].idle());
  for (int i = 0; i < 20; ++i) CHECK(publish(*other, "a.0") == 1);
  CHECK(publish(*other, "a.1") == 0);
  CHECK(gone.subjects.empty());
  CHECK(member.tags == std::vector<std::uint64_t>(20, 7));
  sites.settle();
  CHECK(sites[0].idle());
  CHECK(interest.subscriptions() == 1);
}

TEST_CASE("port: what the server itself says and hears is no traffic of clients, on any loop") {
  Sites sites(2);
  Recorder client;
  Recorder server;
  const auto publisher = sites[0].open(anybody(), client, nullptr);
  const auto subscriber = sites[1].open(anybody(), client, nullptr);
  const auto own = sites[0].open(anybody(), server, nullptr, {.counted = false});
  const auto own_there = sites[1].open(anybody(), server, nullptr, {.counted = false});
  REQUIRE(subscriber->subscribe(filter_of("a"), {}));
  REQUIRE(own->subscribe(filter_of("a"), {}));
  REQUIRE(own_there->subscribe(filter_of("a"), {}));
  publish(*publisher, "a");
  publish(*own, "a");
  publish(*own, "nobody");
  sites.settle();
  const bus::RouterStats& here = sites[0].stats();
  const bus::RouterStats& there = sites[1].stats();
  CHECK(here.clients.in_messages.get() == 1);
  CHECK(here.clients.out_messages.get() == 0);
  CHECK(there.clients.out_messages.get() == 2);  // also what the server said
  CHECK(here.own.in_messages.get() == 2);
  CHECK(here.own.out_messages.get() == 2);
  CHECK(there.own.out_messages.get() == 2);
  CHECK(own->traffic().in_messages.get() == 2);  // a port knows what it has carried in any case
}
