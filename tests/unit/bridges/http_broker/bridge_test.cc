// What the HTTP broker answers; tests/script/http says the same byte by byte.
#include "bridges/http_broker/bridge.h"

#include <doctest/doctest.h>

#include <map>

#include "tests/support/broker_world.h"
#include "tests/support/keeper.h"

using namespace spanwire;
using test::BrokerWorld;
using test::HttpAnswer;
using test::TestPeer;

namespace {

struct Broker : BrokerWorld {
  explicit Broker(http_broker::Settings settings = {}, kit::RetainedLimits limits = {},
                  auth::Settings logins = {})
      : BrokerWorld(2, std::move(settings), limits, std::move(logins)) {}

  // On a connection of its own, on one loop and then on the other.
  HttpAnswer ask(std::string_view method, std::string_view target, std::string_view body = "",
                 std::string_view fields = "") {
    TestPeer& client = connect(++asked_ % 2);
    client.write(test::http_request(method, target, body, fields));
    world.settle();
    std::string got = client.take();
    const auto answer = test::take_answer(got, method == "HEAD");
    REQUIRE(answer);
    CHECK(got.empty());
    return *answer;
  }
  int status(std::string_view method, std::string_view target, std::string_view body = "") {
    return ask(method, target, body).status;
  }

 private:
  std::size_t asked_ = 0;
};

}  // namespace

TEST_CASE("broker: what was posted is got, with what is known of it") {
  Broker broker;
  const HttpAnswer posted = broker.ask("POST", "/broker/a/b?qos=1", "hello");
  CHECK(posted.status == 200);
  CHECK(posted.body == "OK");
  const HttpAnswer got = broker.ask("GET", "/broker/a/b");
  CHECK(got.status == 200);
  CHECK(got.body == "hello");
  CHECK(got.field("Content-Type") == "application/octet-stream");
  CHECK(got.field("X-Topic") == "a/b");
  CHECK(got.field("X-Retained") == "false");
  CHECK(got.field("X-QoS") == "1");
  const HttpAnswer head = broker.ask("HEAD", "/broker/a/b");
  CHECK(head.field("Content-Length") == "5");
  CHECK(head.field("X-Topic") == "a/b");
}

TEST_CASE("broker: where nothing was published the answer is an empty 404") {
  Broker broker;
  for (const char* target : {"/broker/a", "/broker/a?retained=true", "/broker/@", "/broker/*/a"}) {
    const HttpAnswer got = broker.ask("GET", target);
    CHECK(got.status == 404);
    CHECK(got.body.empty());
  }
}

TEST_CASE("broker: a message of any size up to the limit comes back") {
  Broker broker;
  for (const std::size_t size : {0, 1, 8191, 8192, 65'536}) {
    const std::string body(size, '\0');
    CHECK(broker.status("POST", "/broker/a", body) == 200);
    CHECK(broker.ask("GET", "/broker/a").body == body);
  }
  CHECK(broker.status("POST", "/broker/a", std::string(65'537, 'x')) == 413);
}

TEST_CASE("broker: the message reaches the subscribers of every loop, by its subject") {
  Broker broker;
  std::vector<TestPeer*> subscribers;
  for (std::size_t loop = 0; loop < 2; ++loop) {
    subscribers.push_back(&test::connect_line(broker.world, loop));
    subscribers.back()->write("sub a.>\n");
  }
  broker.world.settle();
  CHECK(broker.status("POST", "/broker/a/b.c", "hello") == 200);
  for (TestPeer* subscriber : subscribers) CHECK(subscriber->received() == "msg a.b//c hello\n");
}

TEST_CASE("broker: a subject that no topic maps to is passed over") {
  Broker broker;
  TestPeer& publisher = test::connect_line(broker.world, 0);
  publisher.write("pub a.b 1\npub a.x/y 2\npub a..c 3\n");
  broker.world.settle();
  CHECK(broker.ask("GET", "/broker/a/@").body == "1");
}

TEST_CASE("broker: retained messages are stored apart, and an empty one clears") {
  Broker broker;
  CHECK(broker.status("POST", "/broker/a?retained=true", "kept") == 200);
  CHECK(broker.status("POST", "/broker/a", "live") == 200);
  CHECK(broker.ask("GET", "/broker/a").body == "live");
  const HttpAnswer kept = broker.ask("GET", "/broker/a?retained=true");
  CHECK(kept.body == "kept");
  CHECK(kept.field("X-Retained") == "true");
  CHECK(broker.status("POST", "/broker/b?retained=true", "newer") == 200);
  CHECK(broker.ask("GET", "/broker/*?retained=true").body == "newer");
  CHECK(broker.status("POST", "/broker/b?retained=true", "") == 200);
  CHECK(broker.ask("GET", "/broker/*?retained=true").body == "kept");
  CHECK(broker.status("GET", "/broker/b?retained=true") == 404);
}

TEST_CASE("broker: when no more can be retained the sender hears it") {
  Broker broker({}, {.max_messages = 1});
  CHECK(broker.status("POST", "/broker/a?retained=true", "x") == 200);
  CHECK(broker.status("POST", "/broker/b?retained=true", "x") == 503);
  CHECK(broker.status("POST", "/broker/b", "x") == 200);
}

TEST_CASE("broker: what is no topic, no option or a wildcard to publish to is refused") {
  Broker broker;
  for (const char* target : {"/broker/", "/broker/a%20b", "/broker/a/*", "/broker/@",
                             "/broker/a?qos=3", "/broker/a?retained=yes"}) {
    CAPTURE(target);
    CHECK(broker.status("POST", target, "x") == 400);
  }
  for (const char* target : {"/broker/", "/broker/a+", "/broker/@/a", "/broker/a?qos=x"}) {
    CAPTURE(target);
    CHECK(broker.status("GET", target) == 400);
  }
  CHECK(broker.status("GET", "/broker/@") == 404);  // nothing was published
  CHECK(broker.bridge(0).stats().refused.get() + broker.bridge(1).stats().refused.get() == 10);
}

TEST_CASE("broker: the server's own topics are closed unless the settings open them") {
  Broker broker;
  Broker open({.system_topics = true});
  for (const char* topic : {"$SYS/a", "$JS", "$KV/b/c"}) {
    const std::string target = std::string("/broker/") + topic;
    CHECK(broker.status("POST", target, "x") == 403);
    CHECK(broker.status("GET", target) == 403);
    CHECK(broker.status("GET", target + "/@?retained=true") == 403);
    CHECK(open.status("POST", target + "?retained=true", "x") == 200);
    CHECK(open.ask("GET", target + "?retained=true").body == "x");
  }
  CHECK(broker.status("POST", "/broker/$other/a", "x") == 200);
}

TEST_CASE("broker: other methods and paths are refused") {
  Broker broker;
  const HttpAnswer put = broker.ask("PUT", "/broker/a");
  CHECK(put.status == 405);
  CHECK(put.field("Allow") == "GET, HEAD, POST");
  CHECK(broker.status("GET", "/broker") == 404);
  CHECK(broker.status("GET", "/other") == 404);
}

TEST_CASE("broker: where a login is needed, Basic brings it") {
  auth::Settings logins;
  logins.users.push_back({"ann", "secret"});
  Broker broker({}, {}, logins);
  const HttpAnswer refused = broker.ask("POST", "/broker/a", "x");
  CHECK(refused.status == 401);
  CHECK(refused.field("WWW-Authenticate"));
  CHECK(broker.ask("POST", "/broker/a", "x", "Authorization: Basic YW5uOnNlY3JldA==\r\n").status ==
        200);
  CHECK(broker.ask("GET", "/broker/a", "", "Authorization: Basic YW5uOnNlY3JldA==\r\n").body ==
        "x");
  CHECK(broker.ask("GET", "/broker/a", "", "Authorization: Basic YW5uOndyb25n\r\n").status == 401);
}

TEST_CASE("broker: where a token is needed, the password is it") {
  auth::Settings logins;
  logins.token = "secret";
  Broker broker({}, {}, logins);
  CHECK(broker.ask("GET", "/broker/a", "", "Authorization: Basic YW5uOnNlY3JldA==\r\n").status ==
        404);
  CHECK(broker.ask("GET", "/broker/a", "", "Authorization: Basic YW5uOndyb25n\r\n").status == 401);
}

TEST_CASE("broker: monitoring shows what was asked for, of all loops together") {
  Broker broker({}, {.max_messages = 1});
  broker.ask("POST", "/broker/a?retained=true", "x");
  broker.ask("POST", "/broker/b?retained=true", "x");
  broker.ask("GET", "/broker/a");
  broker.ask("GET", "/broker/none");
  const auto here = broker.bridge(0).counts();
  const auto there = broker.bridge(1).counts();
  REQUIRE(here.size() == there.size());
  std::map<std::string_view, std::uint64_t> sums;
  for (std::size_t i = 0; i < here.size(); ++i) {
    CHECK(here[i].name == there[i].name);
    CHECK(sums.emplace(here[i].name, here[i].value + there[i].value).second);
  }
  CHECK(sums["requests"] == 4);
  CHECK(sums["published"] == 2);
  CHECK(sums["published_retained"] == 1);
  CHECK(sums["refused"] == 1);
  CHECK(sums["found"] == 1);
  CHECK(sums["not_found"] == 1);
  CHECK(sums["last_values"] == 2);
  CHECK(sums["retained_messages"] == 1);
  CHECK(sums["retained_refused"] == 1);
}

TEST_CASE("broker: the connection that waits for an answer may go away") {
  Broker broker;
  broker.status("POST", "/broker/a", "x");
  for (const char* target : {"/broker/a", "/broker/a?retained=true", "/broker/@"}) {
    TestPeer& client = broker.connect(0);
    client.write(test::http_request("GET", target));
    broker.world.step(0);
    CHECK(client.paused());
    client.hang_up();
    broker.world.settle();
    CHECK(client.received().empty());
  }
}

namespace {

// In place of a stream: keeps what a filter matches, and answers when a test says so.
struct Keeper final : test::Keeper {
  Keeper(Broker& its, std::string_view filter, std::size_t loop)
      : test::Keeper([&](bus::Receiver& receiver) {
          wire::Services& services = its.serving.services(loop);
          return services.open(services.anonymous(), receiver, nullptr);
        }),
        broker(its) {
    keep(filter);
  }
  void answer(const bus::Storing& storing) {
    test::Keeper::answer(storing);
    broker.world.settle();
  }

  Broker& broker;
};

// The status of a POST that streams keep, after they have answered; 0 before.
struct Waiting {
  Waiting(Broker& its, std::string_view target) : broker(its), client(its.connect(0)) {
    client.write(test::http_request("POST", target, "x", ""));
  }
  int status() {
    broker.world.settle();
    std::string got = client.take();
    const auto answer = test::take_answer(got, false);
    return answer ? answer->status : 0;
  }
  Broker& broker;
  TestPeer& client;
};

}  // namespace

TEST_CASE("broker: a POST with qos 1 or 2 is answered when every stream has the message") {
  for (const std::string_view options : {"?qos=1", "?qos=2", "?qos=1&retained=true"}) {
    Broker broker;
    Keeper here(broker, "a.*", 0);
    Keeper there(broker, "a.>", 1);
    Waiting post(broker, "/broker/a/b" + std::string(options));
    CHECK(post.status() == 0);
    here.answer({.targets = 1});
    CHECK(post.status() == 0);
    there.answer({.targets = 1});
    CHECK(post.status() == 200);
  }
}

TEST_CASE("broker: a POST with qos 0, or for no stream, waits for none") {
  Broker broker;
  Keeper keeper(broker, "a.*", 1);
  CHECK(broker.status("POST", "/broker/a/b", "x") == 200);
  CHECK(broker.status("POST", "/broker/a/b?retained=true", "x") == 200);
  CHECK(broker.status("POST", "/broker/b?qos=1", "x") == 200);
  CHECK(keeper.receipts.empty());
}

TEST_CASE("broker: what a stream refuses, or may have lost, is answered with 503") {
  using Outcome = bus::Storing::Outcome;
  for (const Outcome outcome : {Outcome::refused, Outcome::unknown}) {
    Broker broker;
    Keeper keeper(broker, "a.*", 0);
    Waiting post(broker, "/broker/a/b?qos=1");
    CHECK(post.status() == 0);
    keeper.answer({.outcome = outcome, .reason = "full"});
    CHECK(post.status() == 503);
    CHECK(broker.bridge(0).stats().not_stored.get() == 1);
  }
}

TEST_CASE("broker: a POST whose stream does not answer in time is answered with 503") {
  Broker broker;
  Keeper keeper(broker, "a.*", 0);
  Waiting post(broker, "/broker/a/b?qos=1");
  CHECK(post.status() == 0);
  broker.world.advance(bus::receipt_deadline + std::chrono::seconds(1));
  CHECK(post.status() == 503);
}
