// The streams of bridges, kept by this process: what bridges are promised (streams/client.h).
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "streams/client.h"
#include "tests/support/jetstream_machine.h"

using namespace spanwire;
using std::chrono::seconds;
using streams::Appending;
using streams::Failure;
using streams::Which;
using test::JetStreamClient;
using test::JetStreamMachine;
using test::JetStreamWorld;
using test::member_of;
using Kind = Failure::Kind;

namespace {

std::unique_ptr<streams::Client> open_client(JetStreamWorld& world, std::size_t loop) {
  auto client = world.services(loop).streams(world.services(loop).anonymous()->account->id);
  REQUIRE(client != nullptr);
  return client;
}

// What `call` ends in; not inside the call.
template <class T, class Call>
T result_of(JetStreamWorld& world, const Call& call) {
  std::optional<T> result;
  call([&result](T value) {
    CHECK_FALSE(result);
    result.emplace(std::move(value));
  });
  CHECK_FALSE(result);
  world.settle();
  REQUIRE(result);
  return *std::move(result);
}

std::string name_of(Kind kind) {
  constexpr const char* names[] = {"refused", "wrong_last", "not_found", "unknown"};
  return names[static_cast<std::size_t>(kind)];
}

template <class T>
std::string failure_of(const streams::Result<T>& result) {
  return result ? "none" : name_of(result.error().kind);
}

// A client, and what its calls end in, in words.
struct Calls {
  Calls(JetStreamWorld& its, std::size_t loop) : world(its), client(open_client(its, loop)) {}

  std::string ensure(streams::StreamSpec spec) {
    const auto made = result_of<streams::Result<streams::StreamState>>(
        world, [&](auto done) { client->ensure(std::move(spec), std::move(done)); });
    return made ? fmt::format("{}: {}..{}", made->messages, made->first, made->last)
                : failure_of(made);
  }
  streams::StreamState state() {
    const auto made = result_of<streams::Result<streams::StreamState>>(world, [&](auto done) {
      client->ensure({.name = "S", .subjects = {"s.>"}}, std::move(done));
    });
    REQUIRE(made);
    return *made;
  }
  // The sequences; a duplicate with an equals sign.
  std::string append(std::vector<Appending> messages, std::string_view stream = "S") {
    const auto results = result_of<std::vector<streams::Result<streams::Appended>>>(
        world, [&](auto done) { client->append(stream, std::move(messages), std::move(done)); });
    return text_of(results);
  }
  std::string append(std::string_view subject, std::string_view payload) {
    return append({{.subject = std::string(subject), .payload = std::string(payload)}});
  }
  static std::string text_of(const std::vector<streams::Result<streams::Appended>>& results) {
    std::string text;
    for (const auto& result : results) {
      if (!text.empty()) text += ' ';
      text += result ? fmt::format("{}{}", result->duplicate ? "=" : "", result->sequence)
                     : failure_of(result);
    }
    return text;
  }
  std::string read(Which which, std::string_view stream = "S") {
    const auto got = result_of<streams::Result<streams::StoredMessage>>(
        world, [&](auto done) { client->read(stream, which, std::move(done)); });
    return got ? text_of(*got) : failure_of(got);
  }
  static std::string text_of(const streams::StoredMessage& got) {
    const bus::MessageView view = got.message->view();
    return fmt::format("{}:{}={}", got.sequence, view.subject, view.payload);
  }
  std::string purge(streams::Purging what, std::string_view stream = "S") {
    const auto purged = result_of<streams::Result<std::uint64_t>>(
        world, [&](auto done) { client->purge(stream, what, std::move(done)); });
    return purged ? std::to_string(*purged) : failure_of(purged);
  }
  std::string drop(std::string_view stream) {
    return failure_of(result_of<streams::Result<void>>(
        world, [&](auto done) { client->drop(stream, std::move(done)); }));
  }
  std::string drop(std::string_view stream, std::string_view durable) {
    return failure_of(result_of<streams::Result<void>>(
        world, [&](auto done) { client->drop(stream, durable, std::move(done)); }));
  }

  JetStreamWorld& world;
  std::unique_ptr<streams::Client> client;
};

streams::StreamSpec spec_of(std::string name = "S", std::vector<std::string> subjects = {"s.>"}) {
  return {.name = std::move(name), .subjects = std::move(subjects)};
}

// Writes down what it is fed with.
struct Listener final : streams::Reader {
  void on_delivery(const streams::Delivery& delivery) override {
    CHECK(delivery.message.reply.empty());
    if (!text.empty()) text += ' ';
    text += delivery.message.payload;
    tokens.push_back(delivery.token);
    pending = delivery.pending;
  }
  void on_caught_up() override { text += '|'; }
  void on_ended(const Failure& why) override { text += fmt::format("!{}", name_of(why.kind)); }
  std::string take() { return std::exchange(text, {}); }

  std::string text;
  std::vector<streams::AckToken> tokens;
  std::uint64_t pending = 0;
};

struct Place {
  std::size_t loops;
  std::size_t loop;
};
constexpr Place places[] = {{1, 0}, {3, 0}, {3, 1}, {3, 2}};

}  // namespace

TEST_CASE("local streams: what is appended can be read, and subscribers get it") {
  for (const Place place : places) {
    JetStreamMachine machine(place.loops);
    Calls calls(*machine.world, place.loop);
    CHECK(calls.ensure(spec_of()) == "0: 0..0");
    JetStreamClient subscriber(*machine.world, place.loops - 1);
    subscriber.subscribe("s.*");
    subscriber.subscribe("elsewhere");
    const std::string results =
        calls.append({{.subject = "s.a", .payload = "x"},
                      {.subject = "elsewhere", .payload = "y"},
                      {.subject = "s.*", .payload = "y"},
                      {.subject = "s.b", .headers = "NATS/1.0\r\nA: b\r\n\r\n", .payload = "z"}});
    CHECK(results == "1 not_found refused 2");
    CHECK(subscriber.heard() == "s.a=x elsewhere=y s.b=z");
    CHECK(calls.read({.kind = Which::Kind::at, .sequence = 2}) == "2:s.b=z");
    CHECK(calls.read({.kind = Which::Kind::at, .sequence = 3}) == "not_found");
    CHECK(calls.read({.kind = Which::Kind::next}) == "1:s.a=x");
    CHECK(calls.read({.kind = Which::Kind::next, .sequence = 1, .subject = "*.b"}) == "2:s.b=z");
    CHECK(calls.read({.kind = Which::Kind::last, .subject = "s.a"}) == "1:s.a=x");
    CHECK(calls.read({.kind = Which::Kind::last, .subject = "s.c"}) == "not_found");
    CHECK(calls.read({.kind = Which::Kind::at, .sequence = 1}, "T") == "not_found");
    CHECK(calls.append({{.subject = "s.a"}}, "T") == "not_found");
    CHECK(calls.append({}).empty());
    CHECK(machine.client->request("s.a", "by a client") == R"({"stream":"S","seq":3})");
    CHECK(calls.ensure(spec_of()) == "3: 1..3");
  }
}

TEST_CASE("local streams: an append meets its expectations, its limits and its duplicates") {
  JetStreamMachine machine(3);
  Calls calls(*machine.world, 1);
  streams::StreamSpec spec = spec_of();
  spec.max_messages = 3;
  spec.discard = streams::StreamSpec::Discard::new_messages;
  calls.ensure(spec);
  CHECK(calls.append({{.subject = "s.a", .id = "i"},
                      {.subject = "s.a", .id = "i"},
                      {.subject = "s.a", .id = "i\r\nA: b"},
                      {.subject = "s.a", .expect = {.last = 7}},
                      {.subject = "s.a", .expect = {.last = 1}},
                      {.subject = "s.b", .expect = {.last_of_subject = 1}},
                      {.subject = "s.b", .expect = {.last_of_subject = 0}},
                      {.subject = "s.c"}}) == "1 =1 refused wrong_last 2 wrong_last 3 refused");
  CHECK(calls.append({{.subject = "s.a", .id = "i"}}) == "=1");
}

TEST_CASE("local streams: ensure makes, changes and refuses as the API does") {
  for (const Place place : places) {
    JetStreamMachine machine(place.loops);
    Calls calls(*machine.world, place.loop);
    CHECK(calls.ensure(spec_of()) == "0: 0..0");
    CHECK(calls.ensure(spec_of()) == "0: 0..0");
    CHECK(calls.ensure(spec_of("T", {"s.a"})) == "refused");
    CHECK(calls.ensure(spec_of("a.b", {"t"})) == "refused");
    CHECK(calls.ensure(spec_of("", {"t"})) == "refused");
    CHECK(calls.ensure(spec_of("S", {"s.>", "t"})) == "0: 0..0");
    CHECK(calls.append("t", "x") == "1");
    streams::StreamSpec memory = spec_of("S", {"s.>", "t"});
    memory.in_memory = true;
    CHECK(calls.ensure(memory) == "refused");
    CHECK(member_of(machine.api("STREAM.NAMES"), "total") == "1");
    CHECK(calls.drop("S") == "none");
    CHECK(calls.drop("S") == "not_found");
    CHECK(calls.append("t", "x") == "not_found");
    CHECK(calls.ensure(memory) == "0: 0..0");
  }
}

TEST_CASE("local streams: calls to one stream take effect in their order, without waiting") {
  for (const Place place : places) {
    JetStreamMachine machine(place.loops);
    const auto client = open_client(*machine.world, place.loop);
    std::string told;
    const auto say = [&told](std::string_view what) { told += fmt::format("{} ", what); };
    const auto append = [&] {
      client->append("S", {{.subject = "s.a", .payload = "x"}},
                     [&](const auto& results) { say(Calls::text_of(results)); });
    };
    client->ensure(spec_of(), [&](const auto& made) { say(failure_of(made)); });
    append();
    client->read("S", {.kind = Which::Kind::last, .subject = "s.a"},
                 [&](const auto& got) { say(Calls::text_of(*got)); });
    client->purge("S", {}, [&](const auto& purged) { say(std::to_string(*purged)); });
    append();
    client->drop("S", [&](const auto& dropped) { say(failure_of(dropped)); });
    append();
    client->ensure(spec_of(), [&](const auto& made) { say(failure_of(made)); });
    append();
    CHECK(told.empty());
    machine.world->settle();
    CHECK(told == "none 1 1:s.a=x 1 2 none not_found none 1 ");
  }
}

TEST_CASE("local streams: two who ensure and drop the same stream at once are served in turn") {
  JetStreamMachine machine(3);
  const auto one = open_client(*machine.world, 0);
  const auto other = open_client(*machine.world, 2);
  std::size_t ended = 0;
  for (int i = 0; i < 10; ++i) {
    for (streams::Client* client : {one.get(), other.get()}) {
      client->ensure(spec_of("S", {i % 2 == 0 ? "s.>" : "t.>"}), [&](const auto& made) {
        CHECK(made);
        ++ended;
      });
      client->drop("S", [&](const auto& dropped) {
        if (!dropped) CHECK(dropped.error().kind == Kind::not_found);
        ++ended;
      });
    }
  }
  machine.world->settle();
  CHECK(ended == 40);
  CHECK(member_of(machine.api("STREAM.NAMES"), "total") == "0");
}

TEST_CASE("local streams: a purge takes what it names") {
  JetStreamMachine machine(3);
  Calls calls(*machine.world, 0);
  calls.ensure(spec_of());
  for (int i = 1; i <= 10; ++i) calls.append(i % 2 == 0 ? "s.even" : "s.odd", std::to_string(i));
  CHECK(calls.purge({.below = 3}) == "2");
  CHECK(calls.purge({.filter = "s.odd", .keep = 1}) == "3");
  CHECK(calls.purge({.below = 3, .keep = 1}) == "refused");
  CHECK(calls.ensure(spec_of()) == "5: 4..10");
  CHECK(calls.purge({}) == "5");
  CHECK(calls.ensure(spec_of()) == "0: 11..10");
}

TEST_CASE("local streams: an ordered feed brings each message once, by credit") {
  for (const Place place : places) {
    JetStreamMachine machine(place.loops);
    Calls calls(*machine.world, place.loop);
    calls.ensure(spec_of());
    for (int i = 1; i <= 5; ++i) calls.append("s.a", std::to_string(i));
    calls.append("s.b", "other");
    Listener listener;
    auto feed = calls.client->attach("S", {.filters = {"s.a"}}, listener);
    feed->grant(1);
    feed->grant(1);
    CHECK(listener.text.empty());
    machine.world->settle();
    CHECK(listener.take() == "1 2");
    CHECK(listener.pending == 3);
    feed->grant(3);
    machine.world->settle();
    CHECK(listener.take() == "3 4 5|");
    CHECK(calls.ensure(spec_of("S", {"s.>", "t"})) == "6: 1..6");
    machine.world->advance(seconds(60));  // without credit it is in use nevertheless
    calls.append("s.a", "6");
    CHECK(listener.take().empty());
    feed->grant(10);
    calls.append("s.a", "7");
    CHECK(listener.take() == "6 7");
    CHECK(member_of(machine.api("CONSUMER.NAMES.S"), "total") == "1");
    feed.reset();
    machine.world->settle();
    CHECK(member_of(machine.api("CONSUMER.NAMES.S"), "total") == "0");
    calls.append("s.a", "8");
    CHECK(listener.take().empty());
  }
}

TEST_CASE("local streams: an ordered feed goes on when somebody deletes its consumer") {
  for (const Place place : places) {
    JetStreamMachine machine(place.loops);
    Calls calls(*machine.world, place.loop);
    calls.ensure(spec_of());
    const auto lose = [&] {
      const std::string names = machine.api("CONSUMER.NAMES.S");
      const std::size_t at = names.find("\"consumers\":[\"") + 14;
      machine.api("CONSUMER.DELETE.S." + names.substr(at, names.find('"', at) - at));
    };
    for (const char* text : {"a", "b", "a", "c"}) calls.append(fmt::format("s.{}", text), text);
    Listener listener, last;
    auto feed = calls.client->attach("S", {}, listener);
    feed->grant(3);
    machine.world->settle();
    lose();
    feed->grant(2);
    machine.world->settle();
    CHECK(listener.take() == "a b a c|");
    lose();
    calls.append("s.d", "d");
    CHECK(listener.take() == "d");
    feed = calls.client->attach("S", {.from = streams::FeedSpec::From::last_of_each_subject}, last);
    feed->grant(1);
    machine.world->settle();
    lose();
    feed->grant(5);
    machine.world->settle();
    CHECK(last.take() == "b a c d|");
  }
}

TEST_CASE("local streams: many appends wait for the commits of those before") {
  JetStreamMachine machine(3);
  Calls calls(*machine.world, 1);
  calls.ensure(spec_of());
  std::string told;
  const auto count = [&told](const auto& results) {
    std::size_t stored = 0;
    for (const auto& result : results) stored += result ? 1 : 0;
    told += fmt::format("{}:{} ", stored, results.empty() ? 0 : results.front().value().sequence);
  };
  calls.client->append("S", std::vector<Appending>(12'000, Appending{.subject = "s.a"}), count);
  calls.client->append("S", {}, count);
  for (int i = 0; i < 20; ++i) {
    calls.client->append("S", std::vector<Appending>(900, Appending{.subject = "s.a"}), count);
  }
  machine.world->settle();
  CHECK(told.starts_with("12000:1 0:0 900:12001 900:12901 "));
  CHECK(calls.state().messages == 30'000);
}

TEST_CASE("local streams: a name that cannot be a stream's is refused") {
  JetStreamMachine machine;
  Calls calls(*machine.world, 0);
  for (const std::string name : {"", "a b", "a.b", "a*", "a/b", "a\x7f"}) {
    CAPTURE(name);
    CHECK(calls.ensure(spec_of(name)) == "refused");
    CHECK(calls.append({{.subject = "s.a"}}, name) == "refused");
    CHECK(calls.read({.kind = Which::Kind::next}, name) == "refused");
    CHECK(calls.purge({}, name) == "refused");
    CHECK(calls.drop(name) == "refused");
    CHECK(calls.drop("S", name) == "refused");
    Listener it;
    const auto feed = calls.client->attach(name, {}, it);
    machine.world->settle();
    CHECK(it.take() == "!refused");
  }
}

TEST_CASE("local streams: where a feed begins") {
  JetStreamMachine machine(3);
  Calls calls(*machine.world, 2);
  calls.ensure(spec_of());
  for (const char* subject : {"s.a", "s.b", "s.a", "s.c"}) calls.append(subject, subject);
  using From = streams::FeedSpec::From;
  const auto fed = [&](From from, streams::Sequence sequence = 0) {
    Listener listener;
    const auto feed = calls.client->attach("S", {.from = from, .sequence = sequence}, listener);
    feed->grant(10);
    machine.world->settle();
    return listener.text;
  };
  CHECK(fed(From::first) == "s.a s.b s.a s.c|");
  CHECK(fed(From::last_of_each_subject) == "s.b s.a s.c|");
  CHECK(fed(From::new_messages) == "|");
  CHECK(fed(From::sequence, 3) == "s.a s.c|");
  CHECK(fed(From::sequence, 9) == "|");
}

TEST_CASE("local streams: a feed ends with its stream or consumer, or does not begin") {
  for (const Place place : places) {
    JetStreamMachine machine(place.loops);
    Calls calls(*machine.world, place.loop);
    calls.ensure(spec_of());
    Listener listener;
    auto feed = calls.client->attach("T", {}, listener);
    machine.world->settle();
    CHECK(listener.take() == "!not_found");
    feed = calls.client->attach("S", {.durable = "a.b"}, listener);
    machine.world->settle();
    CHECK(listener.take() == "!refused");
    feed = calls.client->attach("S", {.durable = "d"}, listener);
    machine.world->settle();
    CHECK(listener.take() == "|");
    CHECK(calls.drop("S", "d") == "none");
    CHECK(listener.take() == "!not_found");
    CHECK(calls.drop("S", "d") == "not_found");
    feed = calls.client->attach("S", {}, listener);
    machine.world->settle();
    CHECK(calls.drop("S") == "none");
    CHECK(listener.take() == "|!not_found");
    const auto failure = result_of<std::optional<Failure>>(
        *machine.world, [&](auto done) { feed->settle({.sequence = 1}, std::move(done)); });
    CHECK(failure->kind == Kind::not_found);
  }
}

TEST_CASE("local streams: a durable feed delivers until settled, also to the next one") {
  for (const Place place : places) {
    JetStreamMachine machine(place.loops);
    Calls calls(*machine.world, place.loop);
    calls.ensure(spec_of());
    for (int i = 1; i <= 5; ++i) calls.append("s.a", std::to_string(i));
    Listener listener;
    const streams::FeedSpec spec{.durable = "d", .ack_wait = seconds(10)};
    auto feed = calls.client->attach("S", spec, listener);
    feed->grant(10);
    machine.world->settle();
    CHECK(listener.take() == "1 2 3 4 5|");
    feed->settle(listener.tokens[0], streams::Verdict::done, {});
    feed->settle(listener.tokens[1], streams::Verdict::again, {});
    feed->settle(listener.tokens[2], streams::Verdict::again, seconds(3));
    feed->settle(listener.tokens[3], streams::Verdict::never, {});
    machine.world->settle();
    CHECK(listener.take() == "2");
    machine.world->advance(seconds(4));
    CHECK(listener.take() == "3");
    CHECK(listener.tokens.back().attempt == 2);
    const auto failure = result_of<std::optional<Failure>>(
        *machine.world, [&](auto done) { feed->settle(listener.tokens[5], std::move(done)); });
    CHECK_FALSE(failure);
    feed.reset();  // 3 and 5 are not settled
    feed = calls.client->attach("S", spec, listener);
    feed->grant(1);
    machine.world->settle();
    CHECK(listener.take() == "3|");
    feed->grant(10);
    machine.world->settle();
    CHECK(listener.take() == "5");
    feed->settle(listener.tokens.back(), streams::Verdict::in_progress, {});
    machine.world->advance(seconds(60));
    CHECK(listener.take().starts_with("5 3 5 3"));
  }
}

TEST_CASE("local streams: what was settled with an answer outlives a power cut") {
  JetStreamMachine machine(3);
  auto calls = std::make_unique<Calls>(*machine.world, 1);
  calls->ensure(spec_of());
  for (int i = 1; i <= 3; ++i) calls->append("s.a", std::to_string(i));
  Listener listener;
  auto feed = calls->client->attach("S", {.durable = "d"}, listener);
  feed->grant(3);
  machine.world->settle();
  CHECK(listener.take() == "1 2 3|");
  const auto failure = result_of<std::optional<Failure>>(
      *machine.world, [&](auto done) { feed->settle(listener.tokens[1], std::move(done)); });
  CHECK_FALSE(failure);
  machine.disk.cut_power(machine.random);
  feed.reset();
  calls.reset();
  machine.end();
  machine.start();
  calls = std::make_unique<Calls>(*machine.world, 2);
  feed = calls->client->attach("S", {.durable = "d"}, listener);
  feed->grant(3);
  machine.world->advance(seconds(60));
  std::string again = listener.take();
  CHECK(again.find('1') != std::string::npos);
  CHECK(again.find('2') == std::string::npos);
  feed.reset();
}

TEST_CASE("local streams: what append() told is there after a power cut at any time") {
  std::uint64_t in_all = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    JetStreamMachine machine(seed % 2 == 0 ? 1 : 3);
    machine.random = base::Random(seed);
    auto calls = std::make_unique<Calls>(*machine.world, machine.loops - 1);
    calls->ensure(spec_of());
    std::uint64_t told = 0;
    machine.disk.cut_at(machine.disk.changes() + seed);
    for (int i = 0; i < 40; ++i) {
      calls->client->append("S", {{.subject = "s.1", .payload = "x"}, {.subject = "s.2"}},
                            [&](const auto& results) {
                              for (const auto& result : results) {
                                if (result) told = std::max(told, result->sequence);
                              }
                            });
      if (i % 3 == 0) machine.world->settle();
    }
    machine.world->settle();
    calls.reset();
    machine.cut_power();
    in_all += told;
    const streams::StreamState state = Calls(*machine.world, 0).state();
    CHECK(state.last >= told);
    CHECK(state.messages >= told);
  }
  CHECK(in_all > 100);
}

TEST_CASE("local streams: of what a failing disk has not stored nothing is known") {
  JetStreamMachine machine;
  Calls calls(*machine.world, 0);
  calls.ensure(spec_of());
  calls.append("s.a", "x");
  machine.disk.decide([](test::Call call, std::string_view) {
    return call == test::Call::write ? test::Outcome::fails : test::Outcome::fine;
  });
  CHECK(calls.append("s.a", "y") == "unknown");
  CHECK(calls.append("s.a", "y") == "unknown");
  CHECK(calls.purge({}) == "unknown");
  CHECK(calls.read({.kind = Which::Kind::last, .subject = "s.a"}) == "1:s.a=x");
  Listener listener;
  const auto feed = calls.client->attach("S", {.durable = "d"}, listener);
  machine.world->settle();
  CHECK(listener.take() == "!unknown");
}

TEST_CASE("local streams: messages that lie on the disk are read and fed") {
  JetStreamMachine machine(3);
  {
    Calls calls(*machine.world, 0);
    calls.ensure(spec_of());
    for (int i = 1; i <= 50; ++i) calls.append("s.a", std::to_string(i));
  }
  machine.restart();
  machine.disk.set_cold(true);
  Calls calls(*machine.world, 0);
  CHECK(calls.read({.kind = Which::Kind::at, .sequence = 7}) == "7:s.a=7");
  Listener listener;
  const auto feed = calls.client->attach("S", {}, listener);
  feed->grant(100);
  machine.world->settle();
  CHECK(listener.tokens.size() == 50);
  CHECK(listener.text.ends_with("49 50|"));
}

TEST_CASE("local streams: too many open calls are refused, and it goes on when they have ended") {
  JetStreamMachine machine(3);
  Calls calls(*machine.world, 1);
  calls.ensure(spec_of());
  std::vector<Appending> many(streams::max_open_calls, Appending{.subject = "elsewhere"});
  std::size_t refused = 0;
  calls.client->append("S", std::move(many), [&](const auto& results) {
    for (const auto& result : results) refused += result ? 0 : 1;
  });
  CHECK(calls.read({.kind = Which::Kind::next}) == "refused");
  CHECK(refused == streams::max_open_calls);
  CHECK(calls.append("s.a", "x") == "1");
}

TEST_CASE("local streams: a client that is destroyed is told nothing any more") {
  JetStreamMachine machine(3);
  auto calls = std::make_unique<Calls>(*machine.world, 1);
  calls->ensure(spec_of());
  Listener listener;
  auto feed = calls->client->attach("S", {}, listener);
  feed->grant(10);
  const auto never = [](const auto&) { FAIL("called"); };
  calls->client->append("S", {{.subject = "s.a"}}, never);
  calls->client->purge("S", {}, never);
  calls->client->drop("S", never);
  feed.reset();
  calls.reset();
  machine.world->settle();
  CHECK(listener.text.empty());
  CHECK(Calls(*machine.world, 0).state().last == 1);
}

TEST_CASE("local streams: an account without JetStream has none") {
  JetStreamMachine machine;
  CHECK(machine.world->services(0).streams(base::AccountId{7}) == nullptr);
}
