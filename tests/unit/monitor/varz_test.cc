#include <doctest/doctest.h>

#include "tests/unit/monitor/fixture.h"

using namespace spanwire;
using test::MonitoredServer;
using test::PageText;

namespace {

constexpr std::string_view connect = "CONNECT {\"verbose\":false}\r\n";

}  // namespace

TEST_CASE("varz: counts what all loops have carried, and no connection of its own") {
  MonitoredServer server({.loops = 3});
  server.client(0, std::string(connect) + "SUB a.* 1\r\nSUB b 2\r\n");
  server.client(1, std::string(connect) + "SUB a.x 1\r\n");
  server.client(2, std::string(connect) + "PUB a.x 5\r\nhello\r\nPUB none 2\r\nhi\r\n");
  for (std::size_t loop = 0; loop < 3; ++loop) {
    const PageText page = server.get("/varz", loop);
    CHECK(page.status == 200);
    CHECK(page.fields.find("Content-Type: application/json") != std::string::npos);
    CHECK(page.fields.find("Access-Control-Allow-Origin: *") != std::string::npos);
    CHECK(page.has("\n  \"in_msgs\": 2,\n  \"in_bytes\": 7,"));
    CHECK(page.has("\n  \"out_msgs\": 2,\n  \"out_bytes\": 10,"));
    CHECK(page.has("\n  \"connections\": 3,\n  \"total_connections\": 3,"));
    CHECK(page.has("\n  \"subscriptions\": 3,"));
    CHECK(page.has("\"/varz\": " + std::to_string(loop + 1)));
  }
}

TEST_CASE("varz: a connection that has gone still counts in the total") {
  MonitoredServer server;
  server.client(0, connect).hang_up();
  server.client(0, connect);
  server.settle();
  CHECK(server.get("/varz").has("\n  \"connections\": 1,\n  \"total_connections\": 2,"));
}

TEST_CASE("varz: says who and where the server is, and how it is set") {
  MonitoredServer server;
  server.facts().nats.host = "0.0.0.0";
  server.facts().nats.port = 4333;
  server.facts().max_connections = 77;
  server.facts().write_deadline = std::chrono::seconds(10);
  server.facts().listeners = {{"nats", "0.0.0.0", 4333}, {"monitor", "127.0.0.1", 8222}};
  server.facts().config_digest = "sha256:00";
  server.facts().cores = 4;
  server.world().advance(std::chrono::seconds(65));
  PageText page = server.get("/varz");
  CHECK(page.body.starts_with("{\n  \"server_id\": \"SSSS"));
  CHECK(page.has("\n  \"version\": \"2.14.5\",\n  \"proto\": 1,"));
  CHECK(page.has("\n  \"host\": \"0.0.0.0\",\n  \"port\": 4333,\n  \"max_connections\": 77,"));
  CHECK(page.has("\n  \"ping_interval\": 120000000000,\n  \"ping_max\": 2,"));
  CHECK(page.has("\n  \"http_host\": \"127.0.0.1\",\n  \"http_port\": 8222,"));
  CHECK(page.has("\n  \"auth_timeout\": 2,"));
  CHECK(page.has("\n  \"mqtt\": {},"));
  CHECK(page.has("\n  \"write_deadline\": 10000000000,"));
  CHECK(page.has("\n  \"uptime\": \"1m5s\",\n  \"mem\": 7000,\n  \"cores\": 4,"));
  CHECK(page.has("\n  \"cpu\": 12.5,"));
  CHECK(page.has("\n  \"config_digest\": \"sha256:00\","));
  CHECK(page.has("\"refused_connections\": 5,"));
  // What is not set is left out, as nats-server has it.
  CHECK_FALSE(page.has("auth_required"));
  CHECK_FALSE(page.has("max_subscriptions"));
  server.facts().auth_required = true;
  server.facts().nats.max_subscriptions = 9;
  server.facts().listeners.push_back({"mqtt", "127.0.0.1", 1883});
  page = server.get("/varz");
  CHECK(page.has("\n  \"auth_required\": true,"));
  CHECK(page.has("\n  \"max_subscriptions\": 9,"));
  CHECK(page.has("\n  \"mqtt\": {\n    \"host\": \"127.0.0.1\",\n    \"port\": 1883\n  },"));
}

TEST_CASE("varz: slow consumers are those of every wire and of the write deadline") {
  nats::Settings settings;
  settings.max_pending = 100;
  MonitoredServer server({}, {}, settings);
  server.net_counts().slow_writers = 2;
  test::TestPeer& slow = server.client(0, std::string(connect) + "SUB a 1\r\n");
  slow.set_accepting(false);
  const std::string publish = "PUB a 200\r\n" + std::string(200, 'x') + "\r\n";
  server.client(0, std::string(connect) + publish + publish);
  const PageText page = server.get("/varz");
  CHECK(page.has("\n  \"slow_consumers\": 3,"));
  CHECK(page.has("\"slow_consumer_stats\": {\n    \"clients\": 3,"));
  CHECK(page.has("\"nats\": {\n        \"slow_consumers\": 1,"));
}

TEST_CASE("monitor: more pages at once than a loop makes are refused, later ones are not") {
  MonitoredServer server({.loops = 2});
  std::vector<test::TestPeer*> asking;
  for (std::size_t i = 0; i <= monitor::PageCount::limit; ++i) {
    asking.push_back(&server.begin("GET", "/varz"));
  }
  server.world().step(0);  // all of them are read, the other loop has not answered
  server.settle();
  std::size_t served = 0;
  for (test::TestPeer* peer : asking) served += MonitoredServer::page_of(*peer).status == 200;
  CHECK(served == monitor::PageCount::limit);
  CHECK(server.get("/varz").status == 200);
}

TEST_CASE("monitor: a client that goes away while its page is made is no harm") {
  MonitoredServer server({.loops = 2});
  server.begin("GET", "/varz").hang_up();
  test::TestPeer& peer = server.begin("GET", "/varz");
  server.world().step(0);
  peer.hang_up();
  server.settle();
  CHECK(server.get("/varz").status == 200);
}

TEST_CASE("varz: jetstream is empty where it is off, else has its settings and its use") {
  MonitoredServer server;
  CHECK(server.get("/varz").has("\n  \"jetstream\": {},"));
  server.start_jetstream({.store_dir = "/d", .max_memory_store = 1000000, .max_file_store = 5});
  server.api("STREAM.CREATE.S",
             R"({"name":"S","subjects":["s"],"storage":"memory","max_bytes":1000})");
  server.api("STREAM.INFO.nobody");
  CHECK(server.get("/varz").has(R"(
  "jetstream": {
    "config": {
      "max_memory": 1000000,
      "max_storage": 5,
      "store_dir": "/d",
      "sync_interval": 120000000000,
      "sync_always": true,
      "strict": true
    },
    "stats": {
      "memory": 0,
      "storage": 0,
      "reserved_memory": 1000,
      "reserved_storage": 0,
      "accounts": 1,
      "ha_assets": 0,
      "api": {
        "level": 4,
        "total": 2,
        "errors": 1
      }
    },
    "limits": {}
  },)"));
}

TEST_CASE("monitor: the index names the pages, and what is no page is not found") {
  MonitoredServer server;
  const PageText page = server.get("/");
  CHECK(page.status == 200);
  CHECK(page.has("href=\"./varz\""));
  CHECK(page.has("href=\"./jsz\""));
  CHECK(server.get("/routez").status == 404);
  CHECK(server.ask("DELETE", "/varz").status == 405);
}

TEST_CASE("monitor: pages ask for no login, even where clients must log in") {
  MonitoredServer server({}, {.token = "secret"});
  CHECK(server.get("/varz").status == 200);
  CHECK(server.get("/healthz").status == 200);
}

TEST_CASE("varz: says how often and how long the stages of turns took, over all loops") {
  MonitoredServer server({.loops = 2});
  server.client(0, std::string(connect) + "SUB a 1\r\n");
  server.client(1, std::string(connect) + "PUB a 2\r\nhi\r\n");
  server.settle();
  const PageText page = server.get("/varz");
  const std::size_t stages = page.body.find("\"stages\": {");
  REQUIRE(stages != std::string::npos);
  for (const char* name : {"match", "hand_over", "inbox_age", "flush"}) {
    CAPTURE(name);
    const std::size_t stage = page.body.find("\"" + std::string(name) + "\": {", stages);
    REQUIRE(stage != std::string::npos);
    const std::size_t count = page.body.find("\"count\": ", stage);
    REQUIRE(count != std::string::npos);
    CHECK(page.body[count + 9] != '0');
  }
}

TEST_CASE("varz: in and out are what clients send and get, not what JetStream hears and says") {
  MonitoredServer server({.loops = 2});
  server.start_jetstream({.max_memory_store = 1 << 20});
  server.client(1, std::string(connect) + "SUB ack 1\r\nSUB inbox 2\r\n");
  server.api("STREAM.CREATE.S", R"({"name":"S","subjects":["s"],"storage":"memory"})");
  // So far the request, and its answer.
  CHECK(server.get("/varz").has("\n  \"in_msgs\": 1,"));
  CHECK(server.get("/varz").has("\n  \"out_msgs\": 1,"));
  std::string published(connect);
  for (int i = 0; i < 10; ++i) published += "PUB s 2\r\nhi\r\n";
  server.client(0, published + "PUB s ack 2\r\nhi\r\n");
  CHECK(server.get("/varz").has("\n  \"in_msgs\": 12,"));
  CHECK(server.get("/varz").has("\n  \"out_msgs\": 2,"));  // the acknowledgement that was asked for
  server.api("CONSUMER.CREATE.S.c",
             R"({"stream_name":"S","config":{"name":"c","deliver_subject":"inbox"}})");
  CHECK(server.get("/varz").has("\n  \"in_msgs\": 13,"));
  CHECK(server.get("/varz").has("\n  \"out_msgs\": 14,"));  // an answer and the stream's eleven
}
