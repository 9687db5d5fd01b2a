// What the log shows of the HTTP broker's requests.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/broker_world.h"
#include "tests/support/captured_log.h"

using namespace spanwire;
using test::BrokerWorld;
using test::CapturedLog;
using test::joined;
using test::TestPeer;
using Lines = std::vector<std::string>;

namespace {

struct Broker : BrokerWorld {
  Broker() : BrokerWorld(1) {}

  void trace(const wire::TraceFilters& filters) { CHECK(bridge(0).trace(filters)); }
  void ask(TestPeer& client, std::string_view method, std::string_view target,
           std::string_view body = "", std::string_view fields = "") {
    client.write(test::http_request(method, target, body, fields));
    world.settle();
  }
};

// What the lines of the connection with this number begin with.
std::string label(int id) {
  return "[TRC] 127.0.0.1:" + std::to_string(40000 + id) + " - cid:" + std::to_string(id) + " - ";
}

}  // namespace

TEST_CASE("trace: requests and answers, without payloads and what is not ours of a query") {
  CapturedLog log({.trace = true});
  Broker broker;
  TestPeer& client = broker.connect(0);
  broker.ask(client, "POST", "/broker/a/b?qos=1&retained=true&token=s3cret", "hello",
             "Authorization: Basic YW5uOnMzY3JldA==\r\n");
  broker.ask(client, "GET", "/broker/a/@");
  broker.ask(client, "GET", "/broker/none");
  broker.ask(client, "POST", "/broker/a/@", "x");
  broker.ask(client, "GET", "/broker/a?retained=true");
  const Lines expected = {
      label(1) + "<<- [POST /broker/a/b 5 bytes retained qos 1]",
      label(1) + "->> [200 2 bytes]",
      label(1) + "<<- [GET /broker/a/@]",
      label(1) + "->> [200 5 bytes]",
      label(1) + "<<- [GET /broker/none]",
      label(1) + "->> [404 0 bytes]",
      label(1) + "<<- [POST /broker/a/@ 1 bytes]",
      label(1) + "->> [400 nothing can be published to a wildcard]",
      label(1) + "<<- [GET /broker/a retained]",
      label(1) + "->> [404 0 bytes]",
  };
  CHECK(joined(log.lines()) == joined(expected));
}

TEST_CASE("trace: a subject in NATS spelling finds its requests, and no others") {
  CapturedLog log;
  Broker broker;
  TestPeer& client = broker.connect(0);
  broker.trace({.subjects = {*subject::parse_nats_filter("a.1//2")}});
  broker.ask(client, "POST", "/broker/a/1.2", "hello");
  broker.ask(client, "POST", "/broker/a/1/2", "hello");
  broker.ask(client, "GET", "/broker/a/1.2");
  broker.ask(client, "GET", "/broker/");
  const Lines expected = {
      label(1) + "<<- [POST /broker/a/1.2 5 bytes]",
      label(1) + "->> [200 2 bytes]",
      label(1) + "<<- [GET /broker/a/1.2]",
      label(1) + "->> [200 5 bytes]",
  };
  CHECK(joined(log.lines()) == joined(expected));
  broker.trace({});
  broker.ask(client, "POST", "/broker/a/1.2", "hello");
  CHECK(log.lines().empty());
}

TEST_CASE("trace: of one connection, whatever it asks for; not of another") {
  CapturedLog log;
  Broker broker;
  TestPeer& first = broker.connect(0);
  TestPeer& second = broker.connect(0);
  broker.trace({.connections = {2}});
  broker.ask(first, "POST", "/broker/a", "hello");
  broker.ask(second, "GET", "/broker/");
  CHECK(log.lines() == Lines{label(2) + "<<- [GET /broker/]",
                             label(2) + "->> [400 there is no topic behind /broker/]"});
}
