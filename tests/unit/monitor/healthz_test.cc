#include <doctest/doctest.h>

#include "tests/support/memory_files.h"
#include "tests/support/store_world.h"
#include "tests/unit/monitor/fixture.h"

using namespace spanwire;
using test::MonitoredServer;

namespace {

constexpr const char* ok = R"({"status":"ok"})";
constexpr const char* file_stream = R"({"name":"S","subjects":["s.>"]})";
constexpr const char* memory_stream = R"({"name":"M","subjects":["m.>"],"storage":"memory"})";

// A disk, and a server that keeps its streams there.
struct Machine {
  explicit Machine(std::size_t its_loops = 1) : loops(its_loops) { start(); }
  ~Machine() { end(); }

  void start() {
    auto opened = store::open_file_store(
        disk.open(), {}, workers,
        [this](store::Files&) -> base::Result<std::unique_ptr<store::Committer>> {
          auto made = std::make_unique<test::PlainCommitter>();
          committer = made.get();
          return made;
        });
    REQUIRE_MESSAGE(opened, opened.error().text);
    server = std::make_unique<MonitoredServer>(test::WorldSettings{.loops = loops});
    server->start_jetstream({.max_memory_store = 1 << 20, .max_file_store = 1 << 30},
                            *std::move(opened),
                            [this] { return workers.step() || committer->step(); });
  }
  void end() {
    server.reset();
    workers.clear();
  }

  std::size_t loops;
  test::MemoryDisk disk;
  test::ManualWorkers workers;
  test::PlainCommitter* committer = nullptr;
  std::unique_ptr<MonitoredServer> server;
};

}  // namespace

TEST_CASE("healthz: is ok, and a probe with a mistake is told so") {
  MonitoredServer server;
  CHECK(server.get("/healthz").body == ok);
  CHECK(server.get("/healthz?js-enabled-only=true").body == ok);
  CHECK(server.get("/healthz?js-server-only=1&account=A").status == 200);
  CHECK(server.get("/healthz?account=A&stream=S&consumer=C").body == ok);  // nothing to look for
  CHECK(server.get("/healthz?js-enabled-only=maybe").status == 400);
  test::PageText page = server.get("/healthz?stream=S");
  CHECK(page.status == 400);
  CHECK(
      page.body ==
      R"({"status":"error","error":"\"account\" must not be empty when checking stream health"})");
  page = server.get("/healthz?account=A&consumer=C");
  CHECK(page.status == 400);
  CHECK(page.has("\\\"stream\\\" must not be empty when checking consumer health"));
  page = server.get("/healthz?stream=S&details=true");
  CHECK(page.has(R"({"status":"error","errors":[{"type":"BAD_REQUEST","error":)"));
}

TEST_CASE("healthz: what is named must be there") {
  MonitoredServer server({.loops = 2});
  server.start_jetstream({.max_memory_store = 1 << 20});
  server.api("STREAM.CREATE.M", memory_stream);
  server.api("CONSUMER.DURABLE.CREATE.M.C",
             R"({"stream_name":"M","config":{"durable_name":"C","ack_policy":"explicit"}})");
  CHECK(server.get("/healthz").body == ok);
  CHECK(server.get("/healthz?account=$G&stream=M&consumer=C").body == ok);
  test::PageText page = server.get("/healthz?account=A");
  CHECK(page.status == 404);
  CHECK(page.body == R"({"status":"unavailable","error":"JetStream account \"A\" not found"})");
  page = server.get("/healthz?account=$G&stream=X");
  CHECK(page.status == 404);
  CHECK(page.body == R"({"status":"unavailable","error":)"
                     R"("JetStream stream \"X\" not found on account \"$G\""})");
  page = server.get("/healthz?account=$G&stream=M&consumer=X&details=1");
  CHECK(page.status == 404);
  CHECK(page.body ==
        R"({"status":"error","errors":[{"type":"CONSUMER","account":"$G","stream":"M",)"
        R"("consumer":"X","error":"JetStream consumer \"X\" not found for stream \"M\" on )"
        R"(account \"$G\""}]})");
}

TEST_CASE("healthz: a stream that could not be recovered is unavailable, the others are not") {
  Machine machine(2);
  machine.server->api("STREAM.CREATE.S", file_stream);
  machine.server->api("STREAM.CREATE.T", R"({"name":"T","subjects":["t"]})");
  CHECK(machine.server->get("/healthz").body == ok);
  machine.end();
  machine.disk.decide([](test::Call call, std::string_view path) {
    const bool there = path.starts_with("streams/1/") && call == test::Call::read;
    return there && path.find("settings") == std::string_view::npos ? test::Outcome::fails
                                                                    : test::Outcome::fine;
  });
  machine.start();
  CAPTURE(machine.server->get("/jsz?streams=1").body);
  test::PageText page = machine.server->get("/healthz");
  CHECK(page.status == 503);
  CHECK(page.body == R"({"status":"unavailable","error":)"
                     R"("JetStream stream '$G \u003e S' could not be recovered"})");
  page = machine.server->get("/healthz?details=true", 1);
  CHECK(page.status == 503);
  CHECK(page.body == R"({"status":"error","errors":[{"type":"STREAM","account":"$G","stream":"S",)"
                     R"("error":"JetStream stream '$G \u003e S' could not be recovered"}]})");
  CHECK(machine.server->get("/healthz?js-server-only=true").body == ok);
  CHECK(machine.server->get("/healthz?js-enabled-only=true").body == ok);
  CHECK(machine.server->get("/healthz?account=$G&stream=T").body == ok);
  CHECK(machine.server->get("/healthz?account=$G&stream=S").status == 503);
  CHECK(machine.server->get("/jsz").has("\"unrecovered_streams\": 1"));
}

TEST_CASE("healthz: a stream whose log has failed is unavailable") {
  Machine machine;
  machine.server->api("STREAM.CREATE.S", file_stream);
  machine.disk.decide([](test::Call call, std::string_view) {
    return call == test::Call::write || call == test::Call::sync ? test::Outcome::fails
                                                                 : test::Outcome::fine;
  });
  machine.server->client(0, "CONNECT {\"verbose\":false}\r\nPUB s.1 1\r\nx\r\n");
  const test::PageText page = machine.server->get("/healthz");
  CHECK(page.status == 503);
  CHECK(
      page.has(R"({"status":"unavailable","error":"JetStream stream '$G \u003e S' has failed: )"));
  CHECK(machine.server->get("/jsz").has("\"failed_logs\": 1"));
}
