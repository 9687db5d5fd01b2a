#include <doctest/doctest.h>

#include <fmt/format.h>

#include "tests/unit/monitor/fixture.h"

using namespace spanwire;
using test::MonitoredServer;
using test::PageText;

namespace {

std::string stream_config(std::string_view name) {
  return fmt::format(R"({{"name":"{0}","subjects":["{0}.>"],"storage":"memory"}})", name);
}

// Three loops, a stream on each, five messages in the first one.
struct Fixture {
  Fixture() : server({.loops = 3}) {
    server.start_jetstream({.max_memory_store = 1 << 20, .domain = "hub"});
    for (const char* name : {"A", "B", "C"}) {
      server.api(fmt::format("STREAM.CREATE.{}", name), stream_config(name));
    }
    for (const char* name : {"one", "two"}) {
      server.api(fmt::format("CONSUMER.DURABLE.CREATE.A.{}", name),
                 fmt::format(R"({{"stream_name":"A","config":{{"durable_name":"{}",)"
                             R"("ack_policy":"explicit"}}}})",
                             name));
    }
    for (int i = 0; i < 5; ++i) {
      server.client(1, "CONNECT {\"verbose\":false}\r\nPUB A.x 5\r\nhello\r\n");
    }
  }
  MonitoredServer server;
};

}  // namespace

TEST_CASE("jsz: without JetStream it says so") {
  MonitoredServer server;
  const PageText page = server.get("/jsz?consumers=true");
  CHECK(page.status == 200);
  CHECK(page.body.starts_with("{\n  \"memory\": 0,\n  \"storage\": 0,\n"));
  CHECK(page.has("\n  \"disabled\": true,\n  \"config\": {\n    \"max_memory\": 0,\n"));
  CHECK(page.body.ends_with("\n  \"bytes\": 0,\n  \"total\": 0\n}"));
  CHECK(server.get("/jsz?leader-only=1").status == 400);
}

TEST_CASE("jsz: adds up the streams of all loops, and describes none unasked") {
  Fixture at;
  for (std::size_t loop = 0; loop < 3; ++loop) {
    const PageText page = at.server.get("/jsz", loop);
    CHECK(page.status == 200);
    CHECK(page.body.starts_with("{\n  \"memory\": 120,\n  \"storage\": 0,\n"));
    CHECK(
        page.has("\n  \"api\": {\n    \"level\": 4,\n    \"total\": 5,\n    \"errors\": 0\n  },"));
    CHECK(page.has("\n    \"sync_always\": true,\n    \"domain\": \"hub\",\n"));
    CHECK(
        page.has("\n  \"limits\": {},\n  \"streams\": 3,\n  \"consumers\": 2,\n"
                 "  \"messages\": 5,\n  \"bytes\": 120,\n  \"total\": 1,\n"));
    CHECK(page.has("\"damaged_records\": 0,"));
    CHECK_FALSE(page.has("account_details"));
    CHECK_FALSE(page.has("committer"));  // nothing is kept in files
  }
}

TEST_CASE("jsz: how long publishers waited is told of those who asked for an acknowledgement") {
  Fixture at;
  CHECK(at.server.get("/jsz").has("\"stored_after\": {\n      \"messages\": 0,"));
  at.server.client(1, "CONNECT {\"verbose\":false}\r\nPUB A.x reply 5\r\nhello\r\n");
  at.server.client(2, "CONNECT {\"verbose\":false}\r\nPUB B.x reply 5\r\nhello\r\n");
  CHECK(at.server.get("/jsz").has("\"stored_after\": {\n      \"messages\": 2,"));
}

TEST_CASE("jsz: what streams did with messages is added up") {
  Fixture at;
  for (const std::size_t loop : {1, 2}) {
    at.server.client(loop,
                     "CONNECT {\"verbose\":false,\"headers\":true}\r\nPUB B.x reply 5\r\nhello\r\n"
                     "HPUB B.x reply 27 32\r\nNATS/1.0\r\nNats-Msg-Id:1\r\n\r\nhello\r\n");
  }
  const PageText page = at.server.get("/jsz");
  CHECK(
      page.has("\"captured\": 8,\n    \"duplicates\": 1,\n    \"refused\": 0,\n"
               "    \"expired\": 0,\n    \"evicted\": 0,\n    \"events_left_out\": 0,\n"));
}

TEST_CASE("jsz: accounts, streams and consumers each within the other, as far as asked") {
  Fixture at;
  PageText page = at.server.get("/jsz?accounts=1");
  CHECK(
      page.has("\n  \"account_details\": [\n    {\n      \"name\": \"$G\",\n"
               "      \"id\": \"$G\",\n      \"memory\": 120,\n"));
  CHECK(page.has("\n      \"reserved_memory\": 18446744073709551615,\n"));
  CHECK_FALSE(page.has("stream_detail"));
  page = at.server.get("/jsz?streams=true");
  CHECK(page.has("\n      \"stream_detail\": [\n        {\n          \"name\": \"A\",\n"));
  CHECK(
      page.has("\n          \"cluster\": {\n            \"leader\": \"test\"\n          },\n"
               "          \"state\": {\n            \"messages\": 5,\n"));
  CHECK(page.body.find("\"name\": \"A\"") < page.body.find("\"name\": \"B\""));
  CHECK(page.body.find("\"name\": \"B\"") < page.body.find("\"name\": \"C\""));
  CHECK_FALSE(page.has("consumer_detail"));
  page = at.server.get("/jsz?consumers=true");
  CHECK(
      page.has("\n          \"consumer_detail\": [\n            {\n"
               "              \"stream_name\": \"A\",\n              \"name\": \"one\",\n"));
  CHECK(page.has("\n              \"num_pending\": 5,"));
  CHECK(page.has("\"name\": \"two\""));
  CHECK_FALSE(page.has("\"ack_policy\""));
  page = at.server.get("/jsz?consumers=true&config=true");
  CHECK(page.has("\"retention\": \"limits\""));
  CHECK(page.has("\"ack_policy\": \"explicit\""));
}

TEST_CASE("jsz: an account by its name, or a window of them") {
  Fixture at;
  CHECK(at.server.get("/jsz?acc=$G").has("account_details"));
  CHECK_FALSE(at.server.get("/jsz?acc=other&streams=1").has("account_details"));
  CHECK_FALSE(at.server.get("/jsz?accounts=1&offset=1").has("account_details"));
  CHECK(at.server.get("/jsz?accounts=1&offset=-1&limit=-1").has("account_details"));
  CHECK(at.server.get("/jsz?leader-only=1&raft=1").status == 200);
  CHECK(at.server.get("/jsz?streams=some").status == 400);
  CHECK(at.server.get("/jsz?limit=x").status == 400);
}

TEST_CASE("jsz: many streams are described in steps, and one may go in between") {
  MonitoredServer server;
  server.start_jetstream({.max_memory_store = 1 << 20});
  for (int i = 0; i < 400; ++i) {
    const std::string name = fmt::format("S{:03}", i);
    server.api("STREAM.CREATE." + name, stream_config(name));
  }
  test::TestPeer& peer = server.begin("GET", "/jsz?streams=true");
  server.world().step(0);  // the first of them are described
  server.client(0, "CONNECT {\"verbose\":false}\r\nPUB $JS.API.STREAM.DELETE.S399 x 0\r\n\r\n");
  server.settle();
  const PageText page = MonitoredServer::page_of(peer);
  CHECK(page.has("\"name\": \"S000\""));
  CHECK(page.has("\"name\": \"S398\""));
  CHECK_FALSE(page.has("\"name\": \"S399\""));
  CHECK(page.has("\n  \"streams\": 399,"));
}
