#include <doctest/doctest.h>

#include "tests/unit/monitor/fixture.h"

using namespace spanwire;
using test::MonitoredServer;
using test::PageText;

namespace {

constexpr std::string_view connect = "CONNECT {\"verbose\":false}\r\n";

std::vector<std::string> sids(const PageText& page) {
  std::vector<std::string> found;
  const std::string key = "\n      \"sid\": \"";
  for (std::size_t at = page.body.find(key); at != std::string::npos;
       at = page.body.find(key, at + 1)) {
    const std::size_t begin = at + key.size();
    found.push_back(page.body.substr(begin, page.body.find('"', begin) - begin));
  }
  return found;
}

using Sids = std::vector<std::string>;

}  // namespace

TEST_CASE("subsz: counts subscriptions and matches of all loops") {
  MonitoredServer server({.loops = 2});
  server.client(0, std::string(connect) + "SUB a 1\r\nSUB b 2\r\nUNSUB 2\r\n");
  server.client(1,
                std::string(connect) + "SUB a 1\r\nPUB a 0\r\n\r\nPUB a 0\r\n\r\nPUB a 0\r\n\r\n");
  const PageText page = server.get("/subsz");
  CHECK(page.has("\n  \"num_subscriptions\": 2,"));
  CHECK(page.has("\n  \"num_inserts\": 3,\n  \"num_removes\": 1,"));
  CHECK(page.has("\n  \"num_matches\": 6,"));  // three where they came, three where they went
  CHECK(page.has("\n  \"avg_fanout\": 2,"));
  CHECK(page.has("\n  \"total\": 0,\n  \"offset\": 0,\n  \"limit\": 1024\n}"));
  CHECK(server.get("/subscriptionsz").has("\n  \"num_subscriptions\": 2,"));
}

TEST_CASE("subsz: lists the subscriptions of all loops, page by page") {
  MonitoredServer server({.loops = 3});
  server.client(2, std::string(connect) + "SUB a 21\r\nSUB b.* q 22\r\nUNSUB 22 7\r\n");
  server.client(0, std::string(connect) + "SUB c 1\r\nSUB d 2\r\nSUB e 3\r\n");
  server.client(0, std::string(connect) + "SUB f 4\r\n");
  const PageText page = server.get("/subsz?subs=1", 1);
  CHECK(page.has("\n  \"total\": 6,"));
  CHECK(sids(page) == Sids{"3", "2", "1", "4", "22", "21"});
  CHECK(
      page.has("{\n      \"account\": \"$G\",\n      \"account_tag\": \"$G\",\n"
               "      \"subject\": \"b.*\",\n      \"qgroup\": \"q\",\n      \"sid\": \"22\",\n"
               "      \"msgs\": 0,\n      \"max\": 7,\n      \"cid\": 1\n    }"));
  CHECK(sids(server.get("/subsz?subs=1&limit=2")) == Sids{"3", "2"});
  CHECK(sids(server.get("/subsz?subs=1&limit=2&offset=2")) == Sids{"1", "4"});
  CHECK(sids(server.get("/subsz?subs=1&limit=2&offset=5")) == Sids{"21"});
  CHECK(server.get("/subsz?subs=1&limit=1&offset=99").has("\n  \"total\": 6,"));
  CHECK(server.get("/subsz?limit=1000000").has("\"limit\": 50000"));
}

TEST_CASE("subsz: test names a subject, and those that it reaches are listed") {
  MonitoredServer server({.loops = 2});
  server.client(0, std::string(connect) + "SUB a.* 1\r\nSUB b 2\r\nSUB > 3\r\n");
  server.client(1, std::string(connect) + "SUB a.x 4\r\nSUB a.y 5\r\n");
  const PageText page = server.get("/subsz?subs=1&test=a.x");
  CHECK(page.has("\n  \"total\": 3,"));
  CHECK(sids(page) == Sids{"3", "1", "4"});
  CHECK(sids(server.get("/subsz?subs=1&test=a.x&offset=1&limit=1")) == Sids{"1"});
  CHECK(server.get("/subsz?subs=1&test=a.*").status == 400);
  CHECK(server.get("/subsz?subs=x").status == 400);
}

TEST_CASE("subsz: an account's own, and none of another") {
  MonitoredServer server;
  server.client(0, std::string(connect) + "SUB a 1\r\n");
  CHECK(sids(server.get("/subsz?subs=1&acc=$G")) == Sids{"1"});
  const PageText other = server.get("/subsz?subs=1&acc=A");
  CHECK(sids(other).empty());
  CHECK(other.has("\n  \"num_subscriptions\": 0,"));
}

TEST_CASE("subsz: a long list takes many turns, and what goes meanwhile is no harm") {
  MonitoredServer server({.loops = 2});
  std::vector<test::TestPeer*> clients;
  for (std::size_t k = 0; k < 10; ++k) {
    std::string many(connect);
    for (int i = 0; i < 500; ++i)
      many += "SUB s." + std::to_string(i) + " " + std::to_string(i) + "\r\n";
    clients.push_back(&server.client(0, many));
  }
  CHECK(sids(server.get("/subsz?subs=1&limit=9000")).size() == 5000);
  test::TestPeer& asking = server.begin("GET", "/subsz?subs=1&limit=9000&test=s.77");
  for (std::size_t i = 0; i < clients.size(); ++i) {
    server.world().step(0);
    server.world().step(1);
    clients[i]->hang_up();
  }
  server.settle();
  const PageText page = MonitoredServer::page_of(asking);
  CHECK(page.status == 200);
  CHECK(sids(page).size() <= 10);
  CHECK(sids(server.get("/subsz?subs=1")).empty());
}
