#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/captured_log.h"
#include "tests/unit/monitor/fixture.h"

using namespace spanwire;
using test::CapturedLog;
using test::joined;
using test::MonitoredServer;
using test::PageText;

namespace {

using Lines = std::vector<std::string>;

constexpr std::string_view connect = "CONNECT {\"verbose\":false}\r\n";

}  // namespace

TEST_CASE("trace: every line of the protocol, as nats-server logs it") {
  CapturedLog log({.trace = true});
  MonitoredServer server;
  server.client(
      0,
      "CONNECT {\"verbose\":true,\"pedantic\":false,\"user\":\"joe\",\"pass\":\"x\","
      "\"headers\":true,\"name\":\"n1\"}\r\nPING\r\nsub\tfoo  1\r\nPUB foo rep 5\r\nhello\r\n"
      "HPUB foo 12 13\r\nNATS/1.0\r\n\r\nx\r\nPUB foo 0\r\n\r\nUNSUB 1\r\nUNSUB 9\r\n");
  const std::string before = "[TRC] 127.0.0.1:40001 - cid:1 - ";
  const std::string after = before + "\"n1\" - \"$G/user:joe\" - ";
  const Lines expected = {
      before +
          "<<- [CONNECT {\"verbose\":true,\"pedantic\":false,\"user\":\"joe\","
          "\"pass\":\"[REDACTED]\",\"headers\":true,\"name\":\"n1\"}]",
      after + "->> [OK]",
      after + "<<- [PING]",
      after + "->> [PONG]",
      after + "<<- [SUB foo  1]",
      after + "->> [OK]",
      after + "<<- [PUB foo rep 5]",
      after + "<<- MSG_PAYLOAD: [\"hello\"]",
      after + "->> [OK]",
      after + "->> [MSG foo 1 rep 5]",
      after + "->> MSG_PAYLOAD: [\"hello\"]",
      after + "<<- [HPUB foo 12 13]",
      after + "<<- MSG_PAYLOAD: [\"NATS/1.0\\r\\n\\r\\nx\"]",
      after + "->> [OK]",
      after + "->> [HMSG foo 1 12 13]",
      after + "->> MSG_PAYLOAD: [\"NATS/1.0\\r\\n\\r\\nx\"]",
      after + "<<- [PUB foo 0]",
      after + "->> [OK]",
      after + "->> [MSG foo 1 0]",
      after + "<<- [UNSUB 1]",
      after + "->> [OK]",
      after + "<-> [DELSUB 1]",
      after + "<<- [UNSUB 9]",
      after + "->> [OK]",
  };
  CHECK(joined(log.lines()) == joined(expected));
}

TEST_CASE("trace: errors, auto-unsubscribe and what ends with the connection") {
  CapturedLog log({.trace = true});
  MonitoredServer server;
  server
      .client(
          0,
          std::string(connect) +
              "SUB a 1\r\nSUB b 2\r\nUNSUB 1 1\r\nPUB a 1\r\nx\r\nPUB b..c 0\r\n\r\nSUB .. 3\r\n")
      .hang_up();
  server.settle();
  const std::string label = "[TRC] 127.0.0.1:40001 - cid:1 - ";
  const Lines lines = log.lines();
  const auto has = [&](const std::string& line) {
    return std::count(lines.begin(), lines.end(), label + line) == 1;
  };
  CHECK(has("->> [MSG a 1 1]"));
  CHECK(has("<-> [DELSUB 1]"));
  CHECK(has("->> [-ERR Invalid Subject]"));
  CHECK(lines.back() == label + "<-> [DELSUB 2]");
}

TEST_CASE("trace: of the subscriptions that end with their connection, so many and a count") {
  CapturedLog log;
  MonitoredServer server;
  test::TestPeer& client = server.client(0, connect);
  for (int i = 1; i <= 103; ++i) client.write("SUB a " + std::to_string(i) + "\r\n");
  server.settle();
  server.ask("POST", "/spanwire/trace?cid=1");
  log.lines();
  client.hang_up();
  server.settle();
  const Lines lines = log.lines();
  CHECK(lines.size() == 101);
  CHECK(lines.back() == "[TRC] 127.0.0.1:40001 - cid:1 - <-> [DELSUB of 3 more]");
}

TEST_CASE("trace: a payload that is read in parts is shown once, and a long one is cut") {
  CapturedLog log({.trace = true});
  nats::Settings settings;
  settings.max_traced_bytes = 4;
  MonitoredServer server({}, {}, settings);
  server.client(0,
                std::string(connect) + "PUB big 100000\r\n" + std::string(100'000, 'y') + "\r\n");
  const std::string label = "[TRC] 127.0.0.1:40001 - cid:1 - ";
  const Lines expected = {label + "<<- [CONNECT {\"verbose\":false}]",
                          label + "<<- [PUB big 100000]", label + "<<- MSG_PAYLOAD: [\"yyyy...\"]"};
  CHECK(joined(log.lines()) == joined(expected));
}

TEST_CASE("trace: nothing is logged where nobody asked") {
  CapturedLog log;
  MonitoredServer server;
  server.client(0, std::string(connect) + "SUB a 1\r\nPUB a 1\r\nx\r\nPING\r\n").hang_up();
  server.settle();
  CHECK(log.lines().empty());
}

TEST_CASE("debug: the life of a connection") {
  CapturedLog log({.debug = true});
  MonitoredServer server;
  server.client(0, "CONNECT {\"verbose\":false,\"lang\":\"go\"}\r\nPING\r\nPONG\r\n").hang_up();
  server.settle();
  const Lines expected = {
      "[DBG] 127.0.0.1:40001 - cid:1 - Client connection created",
      "[DBG] 127.0.0.1:40001 - cid:1 - \"go\" - Client connection closed: Client Closed",
  };
  CHECK(joined(log.lines()) == joined(expected));
  server.client(0, connect);
  server.world().advance(std::chrono::seconds(3));
  CHECK(log.lines().back() == "[DBG] 127.0.0.1:40002 - cid:2 - Client Ping Timer");
}

TEST_CASE("errors: what closes a connection says why, once, and shows no secret") {
  CapturedLog log;
  nats::Settings settings;
  settings.max_payload = 10;
  MonitoredServer server({}, {}, settings);
  server.client(0, "NONSENSE\r\n");
  server.client(0, std::string(connect) + "PUB a 11\r\n");
  server.client(0, "CONNEXION {\"pass\":\"s3cret\"}\r\n");
  server.client(0, std::string(connect) + "-ERR 'tired'\r\n");
  server.client(0, "ONNECT {\"pass\":\"s3cret\"}\r\n");
  server.client(0, "CONNECT {\"pass\":7}\r\n");
  const Lines lines = log.lines();
  REQUIRE(lines.size() == 6);
  CHECK(lines[0] ==
        "[ERR] 127.0.0.1:40001 - cid:1 - Client parser ERROR: proto=\"NONSENSE\\r\\n\"");
  CHECK(lines[1] == "[ERR] 127.0.0.1:40002 - cid:2 - maximum payload exceeded: more than 10");
  CHECK(lines[2] == "[ERR] 127.0.0.1:40003 - cid:3 - Client parser ERROR: proto=(CONNECT)");
  CHECK(lines[3] == "[ERR] 127.0.0.1:40004 - cid:4 - Client Error 'tired'");
  CHECK(lines[4] == "[ERR] 127.0.0.1:40005 - cid:5 - Client parser ERROR: proto=\"ONNECT \"");
  CHECK(lines[5].starts_with("[ERR] 127.0.0.1:40006 - cid:6 - "));
}

TEST_CASE("trace page: one connection is traced from the request on until it is ended") {
  CapturedLog log;
  MonitoredServer server({.loops = 3});
  test::TestPeer& first = server.client(1, connect);
  test::TestPeer& second = server.client(2, std::string(connect) + "SUB a 1\r\n");
  const PageText page = server.ask("POST", "/spanwire/trace?cid=2", 1);
  CHECK(page.status == 200);
  CHECK(page.has(
      "\"connections\": [\n    2\n  ],\n  \"subjects\": [],\n  \"wires\": [\n    \"nats\"\n  ]"));
  CHECK(log.lines() == Lines{"[INF] 127.0.0.1:40003 - cid:3 - trace on: connection 2, subject -"});
  first.write("PUB a 2\r\nhi\r\nPING\r\n");
  second.write("PING\r\n");
  server.settle();
  Lines lines = log.lines();
  std::sort(lines.begin(), lines.end());
  const std::string label = "[TRC] 127.0.0.1:40002 - cid:2 - ";
  CHECK(lines == Lines{label + "->> MSG_PAYLOAD: [\"hi\"]", label + "->> [MSG a 1 2]",
                       label + "->> [PONG]", label + "<<- [PING]"});
  CHECK(server.get("/spanwire/trace", 2).has("\"connections\": [\n    2\n  ]"));
  CHECK(server.ask("DELETE", "/spanwire/trace?cid=2", 2).has("\"connections\": []"));
  log.lines();
  second.write("PING\r\n");
  server.settle();
  CHECK(log.lines().empty());
}

TEST_CASE("trace page: a subject is traced whoever publishes or gets it") {
  CapturedLog log;
  MonitoredServer server({.loops = 2});
  test::TestPeer& publisher = server.client(0, connect);
  server.client(1, std::string(connect) + "SUB orders.* 1\r\n");
  CHECK(server.ask("POST", "/spanwire/trace?subject=orders.%3E", 1).has("\"orders.\\u003e\""));
  log.lines();
  publisher.write("PUB orders.new 1\r\n7\r\nPUB other 1\r\n8\r\nPING\r\nSUB orders.old 4\r\n");
  server.settle();
  const Lines expected = {
      "[TRC] 127.0.0.1:40001 - cid:1 - <<- [PUB orders.new 1]",
      "[TRC] 127.0.0.1:40001 - cid:1 - <<- MSG_PAYLOAD: [\"7\"]",
      "[TRC] 127.0.0.1:40001 - cid:1 - <<- [SUB orders.old 4]",
      "[TRC] 127.0.0.1:40002 - cid:2 - ->> [MSG orders.new 1 1]",
      "[TRC] 127.0.0.1:40002 - cid:2 - ->> MSG_PAYLOAD: [\"7\"]",
  };
  CHECK(joined(log.lines()) == joined(expected));
  CHECK(server.ask("POST", "/spanwire/trace?off").has("\"subjects\": []"));
}

TEST_CASE("trace page: more than its limit is refused, the same again and an end are not") {
  CapturedLog log;
  MonitoredServer server;
  for (std::size_t i = 1; i <= monitor::TraceBook::max_entries; ++i) {
    CHECK(server.ask("POST", "/spanwire/trace?cid=" + std::to_string(i)).status == 200);
  }
  CHECK(server.ask("POST", "/spanwire/trace?cid=17").status == 409);
  CHECK(server.ask("POST", "/spanwire/trace?cid=16").status == 200);
  CHECK(server.ask("POST", "/spanwire/trace?cid=17&subject=a").status == 409);
  CHECK_FALSE(server.get("/spanwire/trace").has("\"a\""));
  CHECK(server.ask("DELETE", "/spanwire/trace?cid=3").status == 200);
  CHECK(server.ask("POST", "/spanwire/trace?cid=17&subject=a").status == 200);
  CHECK(server.ask("DELETE", "/spanwire/trace").has("\"connections\": [],\n  \"subjects\": []"));
}

TEST_CASE("trace page: a request that makes no sense changes nothing") {
  MonitoredServer server;
  for (const char* query : {"", "?cid=0", "?cid=-1", "?cid=x", "?subject=", "?subject=a..b",
                            "?subject=a.%3E.b", "?cid=1&off"}) {
    CAPTURE(query);
    CHECK(server.ask("POST", std::string("/spanwire/trace") + query).status == 400);
  }
  CHECK(server.get("/spanwire/trace").has("\"connections\": [],\n  \"subjects\": []"));
}

TEST_CASE("trace page: where clients log in, it asks for a login; no other site may use it") {
  CapturedLog log;
  MonitoredServer locked({}, {.users = {{"ann", "pw"}}});
  CHECK(locked.get("/spanwire/trace").status == 401);
  CHECK(locked.ask("GET", "/spanwire/trace", 0, "Authorization: Basic YW5uOnB3\r\n").status == 200);
  CHECK(locked.ask("GET", "/spanwire/trace", 0, "Authorization: Basic YW5uOnB4\r\n").status == 401);
  MonitoredServer open;
  CHECK(open.ask("POST", "/spanwire/trace?cid=1", 0, "Origin: http://evil.example\r\n").status ==
        403);
  CHECK(open.get("/spanwire/trace").has("\"connections\": []"));
}

TEST_CASE("trace page: without logins, only a program on this machine may use it") {
  CapturedLog log;
  MonitoredServer server;
  server.set_remote("192.0.2.7:50000");
  CHECK(server.ask("POST", "/spanwire/trace?cid=1").status == 403);
  CHECK(server.get("/varz").status == 200);
  server.set_remote("[::1]:50000");
  CHECK(server.ask("POST", "/spanwire/trace?cid=1").status == 200);
}
