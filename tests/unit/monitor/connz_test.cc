#include <doctest/doctest.h>

#include "tests/unit/monitor/fixture.h"

using namespace spanwire;
using namespace std::chrono_literals;
using test::MonitoredServer;
using test::PageText;

namespace {

constexpr std::string_view connect = "CONNECT {\"verbose\":false}\r\n";

// The cids of a page, in its order.
std::vector<int> cids(const PageText& page) {
  std::vector<int> found;
  const std::string key = "\n      \"cid\": ";
  for (std::size_t at = page.body.find(key); at != std::string::npos;
       at = page.body.find(key, at + 1)) {
    found.push_back(std::atoi(page.body.c_str() + at + key.size()));
  }
  return found;
}

using Cids = std::vector<int>;

}  // namespace

TEST_CASE("connz: says of each connection what it is and has carried") {
  MonitoredServer server({.loops = 2});
  server.client(
      0,
      "CONNECT {\"verbose\":false,\"name\":\"n1\",\"lang\":\"py\",\"version\":\"1.2\"}\r\n"
      "SUB a.* 1\r\nSUB b q 2\r\n");
  server.client(1, std::string(connect) + "PUB a.x 5\r\nhello\r\nPUB a.y 1\r\n!\r\n");
  const PageText page = server.get("/connz", 1);
  CHECK(page.body.starts_with("{\n  \"server_id\": \"SSSS"));
  CHECK(page.has(
      "\n  \"num_connections\": 2,\n  \"total\": 2,\n  \"offset\": 0,\n  \"limit\": 1024,"));
  CHECK(cids(page) == Cids{1, 2});
  CHECK(
      page.has("\"kind\": \"Client\",\n      \"type\": \"nats\",\n      \"ip\": \"127.0.0.1\",\n"
               "      \"port\": 40001,"));
  CHECK(
      page.has("\"in_msgs\": 0,\n      \"out_msgs\": 2,\n      \"in_bytes\": 0,\n"
               "      \"out_bytes\": 6,\n      \"subscriptions\": 2,\n      \"name\": \"n1\",\n"
               "      \"lang\": \"py\",\n      \"version\": \"1.2\"\n"));
  CHECK(page.has("\"in_msgs\": 2,\n      \"out_msgs\": 0,\n      \"in_bytes\": 6,"));
  // Only where it is asked for.
  CHECK_FALSE(page.has("subscriptions_list"));
  CHECK_FALSE(page.has("name_tag"));
  CHECK_FALSE(page.has("\"stop\""));
}

TEST_CASE("connz: lists subscriptions as subjects or in detail") {
  MonitoredServer server;
  server.client(0,
                std::string(connect) + "SUB a.> 1\r\nSUB b q 2\r\nUNSUB 2 4\r\nPUB a.x 0\r\n\r\n");
  const PageText subjects = server.get("/connz?subs=1");
  CHECK(subjects.has("\"subscriptions_list\": [\n        \"b\",\n        \"a.\\u003e\"\n      ]"));
  const PageText detail = server.get("/connz?subs=detail");
  CHECK(
      detail.has("{\n          \"subject\": \"a.\\u003e\",\n          \"sid\": \"1\",\n"
                 "          \"msgs\": 1,\n          \"cid\": 1\n        }"));
  CHECK(
      detail.has("{\n          \"subject\": \"b\",\n          \"qgroup\": \"q\",\n"
                 "          \"sid\": \"2\",\n          \"msgs\": 0,\n          \"max\": 4,\n"
                 "          \"cid\": 1\n        }"));
  CHECK(server.get("/connz?subs=maybe").status == 400);
}

TEST_CASE("connz: users are shown with auth=1, a token never") {
  MonitoredServer server({}, {.users = {{"ann", "pw"}}});
  server.client(0, "CONNECT {\"verbose\":false,\"user\":\"ann\",\"pass\":\"pw\"}\r\n");
  CHECK_FALSE(server.get("/connz").has("ann"));
  const PageText page = server.get("/connz?auth=1");
  CHECK(page.has("\"authorized_user\": \"ann\",\n      \"name_tag\": \"$G\""));
  CHECK(cids(server.get("/connz?user=ann")) == Cids{1});
  CHECK(cids(server.get("/connz?user=bob")).empty());
  CHECK(server.get("/connz?user=bob").has("\"num_connections\": 0,\n  \"total\": 1,"));
  CHECK(cids(server.get("/connz?acc=$G")) == Cids{1});
  CHECK(cids(server.get("/connz?acc=A")).empty());
  MonitoredServer with_token({}, {.token = "secret"});
  with_token.client(0, "CONNECT {\"verbose\":false,\"auth_token\":\"secret\"}\r\n");
  CHECK(with_token.get("/connz?auth=1").has("\"authorized_user\": \"[REDACTED]\""));
}

TEST_CASE("connz: each order puts first what nats-server does") {
  MonitoredServer server({.loops = 2});
  test::TestPeer& first = server.client(0, std::string(connect) + "SUB a 1\r\n");
  server.world().advance(1500ms);
  test::TestPeer& second = server.client(1, std::string(connect) + "SUB a 1\r\nSUB b 2\r\n");
  server.world().advance(1s);
  first.write("PUB b 3\r\nxyz\r\nPUB b 3\r\nxyz\r\n");
  server.settle();
  server.world().advance(1s);
  static_cast<void>(second);
  for (const char* order : {"cid", "start", "msgs_from", "bytes_from"}) {
    CAPTURE(order);
    CHECK(cids(server.get(std::string("/connz?sort=") + order)) == Cids{1, 2});
  }
  for (const char* order : {"subs", "msgs_to", "bytes_to", "uptime"}) {
    CAPTURE(order);
    CHECK(cids(server.get(std::string("/connz?sort=") + order)) == Cids{2, 1});
  }
  CHECK(server.get("/connz?sort=size").status == 400);
  CHECK(server.get("/connz?sort=stop").status == 400);
  CHECK(server.get("/connz?sort=reason&state=any").status == 400);
}

TEST_CASE("connz: the most recent activity is first by last, the least by idle") {
  MonitoredServer server;
  monitor::ConnectionRow early;
  monitor::ConnectionRow late;
  early.cid = 1;
  late.cid = 2;
  early.last_activity = base::WallTime(1s);
  late.last_activity = base::WallTime(2s);
  early.round_trip = 1ms;
  late.round_trip = 2ms;
  const base::WallTime now(5s);
  const auto late_first = [&](monitor::ConnectionSort sort) {
    return monitor::comes_before(monitor::key_of(late, sort, now),
                                 monitor::key_of(early, sort, now), sort);
  };
  CHECK(late_first(monitor::ConnectionSort::last));
  CHECK_FALSE(late_first(monitor::ConnectionSort::idle));
  CHECK(late_first(monitor::ConnectionSort::round_trip));
  CHECK_FALSE(late_first(monitor::ConnectionSort::pending));  // the older of equal ones
}

TEST_CASE("connz: pages go on where the last one ended") {
  MonitoredServer server({.loops = 3});
  for (std::size_t i = 0; i < 7; ++i) server.client(i % 3, connect);
  CHECK(cids(server.get("/connz?limit=3")) == Cids{1, 2, 3});
  CHECK(cids(server.get("/connz?limit=3&offset=3")) == Cids{4, 5, 6});
  CHECK(cids(server.get("/connz?limit=3&offset=6")) == Cids{7});
  CHECK(cids(server.get("/connz?limit=3&offset=60")).empty());
  CHECK(cids(server.get("/connz?limit=-1&offset=-4")).size() == 7);
  CHECK(cids(server.get("/connz?limit=9223372036854775807&offset=9223372036854775807")).empty());
  const PageText one = server.get("/connz?cid=5");
  CHECK(cids(one) == Cids{5});
  CHECK(one.has("\"num_connections\": 1,\n  \"total\": 7,\n  \"offset\": 0,\n  \"limit\": 1,"));
  CHECK(cids(server.get("/connz?cid=99")).empty());
  CHECK(server.get("/connz?limit=ten").status == 400);
  CHECK(server.get("/connz?cid=-1").status == 400);
}

TEST_CASE("connz: closed connections say when and why, and are asked for by state") {
  MonitoredServer server({.loops = 2});
  server.client(0, std::string(connect) + "SUB a 1\r\n");
  server.client(1, std::string(connect) + "PUB a 2\r\nhi\r\n").hang_up();
  server.settle();
  server.client(0, "NONSENSE\r\n");
  server.settle();
  CHECK(cids(server.get("/connz")) == Cids{1});
  const PageText closed = server.get("/connz?state=closed");
  CHECK(cids(closed) == Cids{2, 3});
  CHECK(closed.has("\"reason\": \"Client Closed\""));
  CHECK(closed.has("\"in_msgs\": 1,"));
  CHECK(closed.has("\"total\": 2,"));
  CHECK(cids(server.get("/connz?state=ANY")) == Cids{1, 2, 3});
  CHECK(cids(server.get("/connz?state=closed&sort=stop")) == Cids{3, 2});
  CHECK(cids(server.get("/connz?state=closed&sort=reason")) == Cids{2, 3});
  CHECK(server.get("/connz?state=half").status == 400);
}

TEST_CASE("connz: only the latest closed connections are remembered") {
  MonitoredServer server;
  for (std::size_t i = 0; i < 1030; ++i) server.client(0, connect).hang_up();
  server.settle();
  const std::vector<int> kept = cids(server.get("/connz?state=closed&limit=5000"));
  CHECK(kept.size() == 1024);
  CHECK(kept.front() == 7);
  CHECK(kept.back() == 1030);
}

TEST_CASE("connz: a large page is made in many turns, and connections may go meanwhile") {
  MonitoredServer server({.loops = 2});
  std::vector<test::TestPeer*> clients;
  for (std::size_t i = 0; i < 600; ++i) clients.push_back(&server.client(0, connect));
  test::TestPeer& asking = server.begin("GET", "/connz?limit=1000");
  int steps = 0;
  for (; asking.received().empty() && steps < 1000; ++steps) {
    server.world().step(0);
    server.world().step(1);
    if (steps < 300) clients[static_cast<std::size_t>(steps)]->hang_up();
  }
  CHECK(steps > 3);
  server.settle();
  const PageText page = MonitoredServer::page_of(asking);
  CHECK(page.status == 200);
  CHECK(cids(page).size() > 300);
  CHECK(cids(page).back() == 600);
  CHECK(cids(server.get("/connz?limit=1000")).size() ==
        600 - static_cast<std::size_t>(std::min(steps, 300)));
}

TEST_CASE("connz: a long list of subscriptions is cut into turns, and cut off at its limit") {
  MonitoredServer server;
  std::string many(connect);
  for (int i = 0; i < 5000; ++i)
    many += "SUB s." + std::to_string(i) + " " + std::to_string(i) + "\r\n";
  test::TestPeer& client = server.client(0, many);
  PageText page = server.get("/connz?subs=1");
  CHECK(page.has("\"s.0\""));
  CHECK(page.has("\"s.4999\""));
  CHECK_FALSE(page.has("is_cut"));
  // The rest is lost if the subscription that is next goes away between two turns.
  test::TestPeer& asking = server.begin("GET", "/connz?subs=1");
  for (int i = 0; i < 3; ++i) server.world().step(0);
  REQUIRE(asking.received().empty());
  std::string unsubscribe;
  for (int i = 0; i < 5000; ++i) unsubscribe += "UNSUB " + std::to_string(i) + "\r\n";
  client.write(unsubscribe);
  server.settle();
  page = MonitoredServer::page_of(asking);
  CHECK(page.status == 200);
  CHECK(page.has("\"subscriptions_list_is_cut\": true"));
}
