#include "streams/api_client.h"

#include <doctest/doctest.h>

#include "tests/support/manual_loop.h"
#include "tests/unit/streams/scripted_link.h"

using namespace spanwire;
using namespace spanwire::test;
using namespace spanwire::streams;
using namespace std::chrono_literals;

namespace {

struct Scene {
  ManualLoop loop{0};
  ScriptedLink::Wire wire;
  ApiClient client;

  explicit Scene(ApiSettings settings = {})
      : client(loop, std::make_unique<ScriptedLink>(wire), std::move(settings)) {}
  void advance(base::Duration by) {
    loop.set_now(loop.now() + by);
    loop.run_timers();
    while (loop.run_posted()) {
    }
  }
};

}  // namespace

TEST_CASE("client: asks the API of its domain") {
  Scene scene({.domain = "hub"});
  scene.client.drop("S", [](const auto&) {});
  CHECK(scene.wire.take().subject == "$JS.hub.API.STREAM.DELETE.S");
}

TEST_CASE("client: without an answer the end is unknown, and the next call goes out") {
  Scene scene;
  std::string ends;
  scene.client.drop("S", [&](const auto& result) { ends += result.error().text + ';'; });
  scene.advance(1s);
  scene.client.purge("S", {}, [&](const auto& result) { ends += result.error().text + ';'; });
  CHECK(scene.wire.published.size() == 1);
  scene.advance(3s);
  CHECK(ends.empty());
  scene.advance(1s);
  CHECK(ends == "JetStream has not answered in time;");
  CHECK(scene.wire.published.size() == 2);
  scene.advance(1s);  // the second one's time began with its call
  CHECK(ends == "JetStream has not answered in time;JetStream has not answered in time;");
}

TEST_CASE("client: an answer that comes late or twice is not heard") {
  Scene scene;
  int calls = 0;
  scene.client.drop("S", [&](const auto&) { ++calls; });
  const auto asked = scene.wire.take();
  scene.wire.answer(asked, R"({"success":true})");
  scene.wire.answer(asked, R"({"success":true})");
  scene.wire.say("77", R"({"success":true})");
  scene.wire.say("x", "");
  scene.wire.say("", "");
  scene.advance(10s);
  CHECK(calls == 1);
}

TEST_CASE("client: where nobody answers it says what to do") {
  Scene scene;
  Failure failure;
  scene.client.drop("S", [&](const auto& result) { failure = result.error(); });
  scene.wire.answer(scene.wire.take(), "", "NATS/1.0 503\r\n\r\n");
  CHECK(failure.kind == Failure::Kind::unknown);
  CHECK(failure.text.find("enable JetStream") != std::string::npos);
}

TEST_CASE("client: what the link does not take is refused, not inside the call") {
  Scene scene;
  scene.wire.full = true;
  std::string kind;
  scene.client.append("S", {{.subject = "s"}}, [&](const auto& results) {
    kind = results[0].error().kind == Failure::Kind::refused ? "refused" : "?";
  });
  CHECK(kind.empty());
  scene.advance(0s);
  CHECK(kind == "refused");
}

TEST_CASE("client: a stream is read directly if it says that it can be, else by the API") {
  Scene scene;
  scene.client.read("S", {.sequence = 1}, [](const auto&) {});
  CHECK(scene.wire.take().subject == "$JS.API.STREAM.MSG.GET.S");
  scene.advance(10s);
  StreamSpec spec;
  spec.name = std::string("S");
  scene.client.ensure(spec, [](const auto&) {});
  scene.wire.answer(scene.wire.take(), R"({"config":{"allow_direct":true},"state":{}})");
  std::string text;
  scene.client.read("S", {.sequence = 1}, [&](const auto& result) { text = result.error().text; });
  const auto direct = scene.wire.take();
  CHECK(direct.subject == "$JS.API.DIRECT.GET.S");
  scene.wire.answer(direct, "", "NATS/1.0 503\r\n\r\n");
  const auto by_api = scene.wire.take();
  CHECK(by_api.subject == "$JS.API.STREAM.MSG.GET.S");
  scene.wire.answer(by_api, R"({"error":{"code":404,"description":"gone"}})");
  CHECK(text == "gone");
}

TEST_CASE("client: appends go out together, what follows waits for all of them") {
  Scene scene;
  scene.client.append("S", {{.subject = "a"}, {.subject = "b"}}, [](const auto&) {});
  scene.client.append("S", {{.subject = "c"}}, [](const auto&) {});
  scene.client.read("S", {.sequence = 1}, [](const auto&) {});
  scene.client.read("S", {.sequence = 2}, [](const auto&) {});
  scene.client.append("S", {{.subject = "d"}}, [](const auto&) {});
  scene.client.drop("T", [](const auto&) {});
  REQUIRE(scene.wire.published.size() == 4);
  CHECK(scene.wire.published[3].subject == "$JS.API.STREAM.DELETE.T");
  for (int i = 0; i < 3; ++i) scene.wire.answer(scene.wire.take(), R"({"stream":"S","seq":1})");
  CHECK(scene.wire.published.size() == 3);
}
