// The store of retained messages and the round of a subscriber, one step at a time; tests/sim has
// their interleavings.
#include "bridges/kit/retained.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "subject/slash.h"
#include "tests/support/retained_client.h"

using namespace spanwire;
using kit::Retention;
using test::RetainedClient;
using test::ServingWorld;

namespace {

struct Fixture {
  explicit Fixture(kit::RetainedLimits limits = {}, std::size_t loops = 1)
      : serving({.loops = loops}), stores(limits) {
    for (std::size_t i = 0; i < loops; ++i) stores.open(serving.services(i));
  }

  // What became of a message, once it was kept.
  Retention set(RetainedClient& client, std::string_view subject, std::string_view payload) {
    std::optional<Retention> result;
    client.publish(subject, payload, true, [&](Retention verdict) { result = verdict; });
    CHECK(!result);  // never inside the call
    serving.settle();
    return result.value();
  }
  // `a=1 b=2`: what the filters bring.
  std::string get(RetainedClient& client, std::vector<subject::Filter> filters) {
    std::string text;
    bool answered = false;
    client.retained().get(client.port().principal().account->id, std::move(filters),
                          [&](kit::RetainedAnswer answer) {
                            answered = true;
                            for (const auto& message : answer) {
                              if (!text.empty()) text += ' ';
                              text += message.view().route;
                              text += '=';
                              text += message.view().payload;
                            }
                          });
    CHECK(!answered);
    serving.settle();
    CHECK(answered);
    return text;
  }
  std::string get(RetainedClient& client, std::string_view filter) {
    return get(client, {*subject::parse_nats_filter(filter)});
  }
  std::string get_topics(RetainedClient& client, std::string_view filter) {
    return get(client, {*subject::parse_topic_filter(filter)});
  }

  ServingWorld serving;
  kit::RetainedStores stores;
};

}  // namespace

TEST_CASE("retained: a subject has its last message, with its origin") {
  Fixture f;
  RetainedClient client(f.serving.services(0), f.stores);
  CHECK(f.get(client, "a") == "");
  CHECK(f.set(client, "a", "1") == Retention::kept);
  CHECK(f.set(client, "a", "2") == Retention::kept);
  CHECK(f.get(client, "a") == "a=2");
  bus::Origin origin;
  client.retained().get(account::global_account, "a",
                        [&](kit::RetainedAnswer answer) { origin = answer.at(0).origin; });
  f.serving.settle();
  CHECK(origin.port == client.port().id());
  CHECK(origin.number == 2);
  CHECK(origin.retain);
}

TEST_CASE("retained: an empty payload deletes and is never kept") {
  Fixture f;
  RetainedClient client(f.serving.services(0), f.stores);
  CHECK(f.set(client, "a", "") == Retention::deleted);
  CHECK(f.get(client, ">") == "");
  f.set(client, "a", "1");
  CHECK(f.set(client, "a", "") == Retention::deleted);
  CHECK(f.get(client, ">") == "");
  CHECK(f.stores.of(0).stats().messages.get() == 0);
  CHECK(f.stores.of(0).stats().bytes.get() == 0);
}

TEST_CASE("retained: a filter brings what it matches, in the order of subjects") {
  Fixture f;
  RetainedClient client(f.serving.services(0), f.stores);
  for (const char* subject : {"a", "a.b", "a.b.c", "a-b", "a.bc", "b", "$x.a", "a.d.c"}) {
    f.set(client, subject, "1");
  }
  CHECK(f.get(client, "a") == "a=1");
  CHECK(f.get(client, "a.b") == "a.b=1");
  CHECK(f.get(client, "a.>") == "a.b=1 a.b.c=1 a.bc=1 a.d.c=1");
  CHECK(f.get(client, "a.*") == "a.b=1 a.bc=1");
  CHECK(f.get(client, "a.*.c") == "a.b.c=1 a.d.c=1");
  CHECK(f.get(client, "*") == "a=1 a-b=1 b=1");
  CHECK(f.get(client, "c.>") == "");
  CHECK(f.get_topics(client, "a/#") == "a=1 a.b=1 a.b.c=1 a.bc=1 a.d.c=1");
  CHECK(f.get_topics(client, "a/b/#") == "a.b=1 a.b.c=1");
  CHECK(f.get_topics(client, "+/a") == "");
  CHECK(f.get_topics(client, "$x/#") == "$x.a=1");
}

TEST_CASE("retained: filters that overlap bring each message once") {
  Fixture f;
  RetainedClient client(f.serving.services(0), f.stores);
  for (const char* subject : {"a.b", "a.c", "d"}) f.set(client, subject, "1");
  CHECK(f.get(client, {*subject::parse_nats_filter("a.b"), *subject::parse_nats_filter("a.*"),
                       *subject::parse_nats_filter("nothing"), *subject::parse_nats_filter("d"),
                       *subject::parse_nats_filter(">")}) == "a.b=1 a.c=1 d=1");
}

TEST_CASE("retained: a long walk is cut into slices, and takes what is set meanwhile") {
  Fixture f;
  RetainedClient client(f.serving.services(0), f.stores);
  for (int i = 0; i < 9000; ++i) {
    client.publish("s." + std::to_string(10000 + i), "x", true);
  }
  f.serving.settle();
  std::size_t found = 0;
  client.retained().get(account::global_account, {*subject::parse_nats_filter("s.*")},
                        [&](kit::RetainedAnswer answer) { found = answer.size(); });
  int turns = 0;
  for (; found == 0 && turns < 100; ++turns) {
    // Deletes what the walk has passed or stands at, never what comes later.
    if (turns == 2) client.publish("s.10000", "", true);
    f.serving.world().step(0);
  }
  CHECK(found == 9000);
  CHECK(turns > 4);
}

TEST_CASE("retained: at the limit of messages a new subject is refused, a known one is not") {
  Fixture f({.max_messages = 2, .max_bytes = 1 << 20});
  RetainedClient client(f.serving.services(0), f.stores);
  f.set(client, "a", "1");
  f.set(client, "b", "1");
  CHECK(f.set(client, "c", "1") == Retention::refused);
  CHECK(f.stores.of(0).stats().refused.get() == 1);
  CHECK(f.set(client, "b", "2") == Retention::kept);
  CHECK(f.set(client, "a", "") == Retention::deleted);
  CHECK(f.set(client, "c", "2") == Retention::kept);
  CHECK(f.get(client, ">") == "b=2 c=2");
}

TEST_CASE("retained: a message that the limit of bytes refuses leaves no outdated one") {
  Fixture f({.max_messages = 100, .max_bytes = 2000});
  RetainedClient client(f.serving.services(0), f.stores);
  CHECK(f.set(client, "a", std::string(500, 'x')) == Retention::kept);
  CHECK(f.set(client, "a", std::string(3000, 'x')) == Retention::refused);
  CHECK(f.get(client, ">") == "");
  CHECK(f.set(client, "a", std::string(1500, 'x')) == Retention::kept);
}

TEST_CASE("retained: accounts have stores of their own") {
  Fixture f({.max_messages = 1, .max_bytes = 1 << 20}, 2);
  RetainedClient one(f.serving.services(0), f.stores, {}, test::principal_of(1));
  RetainedClient two(f.serving.services(1), f.stores, {}, test::principal_of(2));
  CHECK(f.set(one, "a", "1") == Retention::kept);
  CHECK(f.set(two, "a", "2") == Retention::kept);
  CHECK(f.get(one, ">") == "a=1");
  CHECK(f.get(two, ">") == "a=2");
}

TEST_CASE("replay: the retained message comes first, then what was held, then live") {
  Fixture f({}, 3);
  RetainedClient publisher(f.serving.services(0), f.stores);
  RetainedClient subscriber(f.serving.services(1), f.stores);
  publisher.publish("a", "old", true);
  f.serving.settle();
  subscriber.subscribe("a");
  CHECK(subscriber.busy());
  subscriber.publish("a", "held", false);
  CHECK(subscriber.heard() == "");
  CHECK_FALSE(subscriber.subscribed());
  f.serving.settle();
  CHECK(subscriber.subscribed());
  CHECK(subscriber.replayed() == 1);
  publisher.publish("a", "live", true);
  f.serving.settle();
  CHECK(subscriber.heard() == "retained:a=old live:a=held live:a=live");
}

TEST_CASE("replay: a peer without room gets the rest later, and live messages behind it") {
  Fixture f;
  RetainedClient publisher(f.serving.services(0), f.stores);
  RetainedClient subscriber(f.serving.services(0), f.stores);
  f.set(publisher, "a", "1");
  f.set(publisher, "b", "2");
  subscriber.set_room(false);
  subscriber.subscribe(">");
  f.serving.settle();
  CHECK(subscriber.subscribed());
  CHECK(subscriber.busy());
  publisher.publish("a", "3", false);
  CHECK(subscriber.heard() == "");
  subscriber.set_room(true);
  f.serving.world().advance(std::chrono::milliseconds(10));
  CHECK(subscriber.heard() == "retained:a=1 retained:b=2 live:a=3");
  CHECK_FALSE(subscriber.busy());
}

TEST_CASE("replay: many retained messages go out in several steps") {
  Fixture f;
  RetainedClient publisher(f.serving.services(0), f.stores);
  RetainedClient subscriber(f.serving.services(0), f.stores);
  for (int i = 0; i < 1000; ++i) publisher.publish("a." + std::to_string(i), "x", true);
  f.serving.settle();
  subscriber.subscribe("a.*");
  std::size_t steps_with_messages = 0;
  for (int i = 0; i < 50; ++i) {
    const std::size_t before = subscriber.got().size();
    f.serving.world().step(0);
    if (subscriber.got().size() > before) ++steps_with_messages;
  }
  CHECK(subscriber.got().size() == 1000);
  CHECK(steps_with_messages >= 4);
}

TEST_CASE("replay: more than may be held is delivered at once, then nothing twice") {
  Fixture f({}, 2);
  RetainedClient publisher(f.serving.services(0), f.stores);
  RetainedClient subscriber(f.serving.services(0), f.stores, {.held_messages = 2});
  f.set(publisher, "a", "old");
  f.set(publisher, "b", "kept");
  subscriber.subscribe(">");
  publisher.publish("a", "1", false);
  publisher.publish("a", "2", true);
  CHECK(subscriber.heard() == "");
  CHECK_FALSE(subscriber.subscribed());
  publisher.publish("c", "3", false);
  CHECK(subscriber.subscribed());
  CHECK(subscriber.heard() == "live:a=1 live:a=2 live:c=3");
  CHECK(f.stores.of(0).stats().overflows.get() == 1);
  f.serving.settle();
  CHECK(subscriber.heard() == "live:a=1 live:a=2 live:c=3 retained:b=kept");
  CHECK(subscriber.replayed() == 1);
}

TEST_CASE("replay: what an older subscription matches too comes once, as the retained message") {
  Fixture f;
  RetainedClient publisher(f.serving.services(0), f.stores);
  RetainedClient subscriber(f.serving.services(0), f.stores);
  subscriber.subscribe("a");
  f.serving.settle();
  subscriber.subscribe(">");
  publisher.publish("a", "live", false);
  publisher.publish("a", "kept", true);
  publisher.publish("a", "later", false);
  f.serving.settle();
  CHECK(subscriber.heard() == "live:a=live retained:a=kept live:a=later");
}

TEST_CASE("replay: the limit of held bytes ends the holding too") {
  Fixture f;
  RetainedClient subscriber(f.serving.services(0), f.stores, {.held_bytes = 100});
  subscriber.subscribe(">");
  subscriber.publish("a", std::string(60, 'x'), false);
  CHECK(subscriber.got().empty());
  subscriber.publish("a", std::string(60, 'y'), false);
  CHECK(subscriber.got().size() == 2);
}

TEST_CASE("replay: a session that goes away in its round is called no more") {
  Fixture f({}, 2);
  RetainedClient publisher(f.serving.services(1), f.stores);
  f.set(publisher, "a", "1");
  for (int steps = 0; steps < 12; ++steps) {
    auto subscriber = std::make_unique<RetainedClient>(f.serving.services(0), f.stores);
    subscriber->set_room(false);
    subscriber->subscribe("a");
    for (int i = 0; i < steps; ++i) f.serving.world().step(static_cast<std::size_t>(i % 2));
    subscriber.reset();
    f.serving.world().advance(std::chrono::seconds(1));
  }
}

TEST_CASE("retained: the newest that fits is what the store was given last, or again") {
  Fixture fixture;
  RetainedClient client(fixture.serving.services(0), fixture.stores);
  const auto newest = [&](kit::ValueQuery query) {
    std::string text = "nothing asked";
    client.retained().get_newest(std::move(query), [&text](const kit::RetainedMessage& found) {
      text = found.message ? std::string(found.view().payload) : "none";
    });
    fixture.serving.settle();
    return text;
  };
  const auto filter = *subject::parse_nats_filter("a.>");
  CHECK(newest({.filter = filter}) == "none");
  fixture.set(client, "a.z", "1");
  fixture.set(client, "a.b", "2");
  fixture.set(client, "b", "3");
  CHECK(newest({.filter = filter}) == "2");
  fixture.set(client, "a.z", "4");
  CHECK(newest({.filter = filter}) == "4");
  CHECK(newest({.filter = subject::literal_filter("a.b")}) == "2");
  auto permissions = base::make_ref<account::PermissionSet>();
  permissions->subscribe_deny.push_back(subject::literal_filter("a.z"));
  CHECK(newest({.filter = filter, .permissions = permissions}) == "2");
  CHECK(newest({.filter = subject::literal_filter("a.z"), .permissions = permissions}) == "none");
  const auto short_ones = [](std::string_view subject) { return subject != "a.b"; };
  CHECK(newest({.filter = filter, .permissions = permissions, .can_show = short_ones}) == "none");
  fixture.set(client, "a.z", "");
  CHECK(newest({.filter = filter}) == "2");
}
