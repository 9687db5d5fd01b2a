#include "streams/api_feed.h"

#include <doctest/doctest.h>

#include "streams/api_client.h"
#include "tests/support/manual_loop.h"
#include "tests/unit/streams/scripted_link.h"

using namespace spanwire;
using namespace spanwire::test;
using namespace spanwire::streams;
using namespace std::chrono_literals;

namespace {

struct Heard final : Reader {
  void on_delivery(const Delivery& delivery) override {
    text += std::to_string(delivery.token.sequence) + ' ';
  }
  void on_caught_up() override { text += "caught-up "; }
  void on_ended(const Failure& why) override { text += "ended:" + why.text; }
  std::string text;
};

// A feed whose consumer is there, with ten messages pending.
struct Scene {
  ManualLoop loop{0};
  ScriptedLink::Wire wire;
  ApiClient client{loop, std::make_unique<ScriptedLink>(wire)};
  Heard heard;
  std::unique_ptr<Feed> feed;
  std::string consumer;

  explicit Scene(FeedSpec spec = {}) {
    feed = client.attach("S", std::move(spec), heard);
    attached();
  }
  void attached(std::string_view pending = "10") {
    const auto asked = wire.take();
    REQUIRE(asked.subject.starts_with("$JS.API.CONSUMER.CREATE.S."));
    consumer = asked.subject.substr(asked.subject.rfind('.') + 1);
    wire.answer(
        asked,
        fmt::format(R"({{"name":"c","num_pending":{},"delivered":{{"stream_seq":0}}}})", pending));
  }
  void deliver(Sequence sequence, std::uint64_t delivery, std::uint64_t pending = 5) {
    wire.say(wire.listening.at(0), "x", {}, "s.a",
             fmt::format("$JS.ACK.S.{}.1.{}.{}.1.{}", consumer, sequence, delivery, pending));
  }
  void status(std::string_view line, std::string_view headers = {}) {
    wire.say(wire.listening.at(0) + ".1", "", fmt::format("NATS/1.0 {}\r\n{}\r\n", line, headers));
  }
  // What was asked of the consumer last: the batch of a pull.
  std::string pulled() {
    if (wire.published.empty()) return "nothing";
    const auto asked = wire.take();
    if (asked.subject != "$JS.API.CONSUMER.MSG.NEXT.S." + consumer) return asked.subject;
    return asked.payload.substr(0, asked.payload.find(','));
  }
  void advance(base::Duration by) {
    const base::Time end = loop.now() + by;
    while (loop.has_timers() && loop.next_timer() <= end) {
      loop.set_now(loop.next_timer());
      loop.run_timers();
    }
    loop.set_now(end);
  }
};

}  // namespace

TEST_CASE("feed: credit is asked for once, more of it when half has come") {
  Scene scene;
  CHECK(scene.pulled() == "nothing");
  scene.feed->grant(4);
  CHECK(scene.pulled() == R"({"batch":4)");
  scene.feed->grant(1);
  CHECK(scene.pulled() == "nothing");
  scene.deliver(1, 1);
  scene.feed->grant(2);
  CHECK(scene.pulled() == R"({"batch":3)");
}

TEST_CASE("feed: a delivery that was not asked for is not taken") {
  Scene scene;
  scene.feed->grant(1);
  scene.deliver(1, 1);
  scene.deliver(2, 2);
  CHECK(scene.heard.text == "1 ");
}

TEST_CASE("feed: what a request has left is asked for again, not at once if it ended early") {
  Scene scene;
  scene.feed->grant(4);
  scene.pulled();
  scene.advance(9s);
  scene.deliver(1, 1);
  scene.advance(9s);
  scene.status("100 Idle Heartbeat");
  scene.wire.published.clear();
  scene.advance(9s);
  scene.status("408 Request Timeout", "Nats-Pending-Messages: 3\r\n");
  CHECK(scene.pulled() == R"({"batch":3)");
  scene.status("408 Request Timeout", "Nats-Pending-Messages: 3\r\n");
  CHECK(scene.pulled() == "nothing");
  scene.advance(1s);
  CHECK(scene.pulled() == R"({"batch":3)");
}

TEST_CASE("feed: an ordered one makes its consumer again when a delivery is missing") {
  Scene scene;
  scene.feed->grant(5);
  CHECK(scene.pulled() == R"({"batch":5)");
  scene.deliver(3, 1);
  scene.deliver(5, 3);
  CHECK(scene.heard.text == "3 ");
  CHECK(scene.wire.listening.empty());
  CHECK(scene.pulled() == "$JS.API.CONSUMER.DELETE.S." + scene.consumer);
  scene.advance(1ms);
  REQUIRE(scene.wire.published.size() == 1);
  CHECK(scene.wire.published[0].payload.find(R"("opt_start_seq":4)") != std::string::npos);
  scene.attached();
  CHECK(scene.pulled() == R"({"batch":4)");
  scene.deliver(4, 1);
  CHECK(scene.heard.text == "3 4 ");
}

TEST_CASE("feed: a heartbeat tells an ordered one of deliveries that it has not seen") {
  Scene scene;
  scene.feed->grant(5);
  scene.pulled();
  scene.deliver(1, 1);
  scene.status("100 Idle Heartbeat", "Nats-Last-Consumer: 2\r\n");
  CHECK(scene.pulled() == "$JS.API.CONSUMER.DELETE.S." + scene.consumer);
}

TEST_CASE("feed: a consumer that is lost again and again is made with growing rests") {
  Scene scene;
  scene.feed->grant(1);
  std::vector<base::Time> made;
  for (int i = 0; i < 8; ++i) {
    scene.status("503");
    scene.wire.published.clear();
    while (scene.wire.published.empty()) scene.advance(10ms);
    made.push_back(scene.loop.now());
    scene.attached();
  }
  CHECK(made[1] - made[0] >= 250ms);
  CHECK(made[7] - made[6] >= 5s);
  CHECK(made[7] - made[6] < 6s);
}

TEST_CASE("feed: after silence a durable one asks whether its consumer is there, and pulls again") {
  Scene scene({.durable = "d"});
  scene.feed->grant(5);
  scene.pulled();
  scene.deliver(1, 1);
  const std::string before = scene.wire.listening.at(0);
  scene.advance(9s);
  CHECK(scene.pulled() == "nothing");
  scene.advance(2s);
  const auto asked = scene.wire.take();
  CHECK(asked.subject == "$JS.API.CONSUMER.INFO.S.d");
  scene.wire.answer(asked, R"({"name":"d","num_pending":9,"delivered":{"stream_seq":1}})");
  CHECK(scene.pulled() == R"({"batch":4)");
  CHECK(scene.wire.listening.size() == 1);
  CHECK(scene.wire.listening.at(0) != before);
  scene.wire.say(before, "x", {}, "s.a", "$JS.ACK.S.d.1.2.2.1.5");  // to the former inbox
  CHECK(scene.heard.text == "1 ");
}

TEST_CASE("feed: a durable whose consumer is gone ends") {
  Scene scene({.durable = "d"});
  scene.feed->grant(5);
  scene.pulled();
  scene.status("503");
  scene.advance(1ms);
  scene.wire.answer(scene.wire.take(),
                    R"({"error":{"code":404,"err_code":10014,"description":"no consumer"}})");
  CHECK(scene.heard.text == "ended:no consumer");
  scene.feed->grant(5);
  scene.feed->settle({.sequence = 1}, Verdict::done, {});
  CHECK(scene.pulled() == "nothing");
}

TEST_CASE("feed: while JetStream is away a durable one keeps asking") {
  Scene scene({.durable = "d"});
  scene.feed->grant(5);
  scene.pulled();
  scene.status("503");
  for (int i = 0; i < 5; ++i) {
    while (scene.wire.published.empty()) scene.advance(10ms);
    scene.wire.answer(scene.wire.take(), "", "NATS/1.0 503\r\n\r\n");
  }
  CHECK(scene.heard.text.empty());
}

TEST_CASE("feed: a smaller batch is asked for where the server wants it") {
  Scene scene;
  scene.feed->grant(50);
  scene.pulled();
  scene.status("409 Exceeded MaxRequestBatch of 20");
  CHECK(scene.pulled() == R"({"batch":20)");
  scene.status("409 Exceeded MaxRequestBatch of 20");
  CHECK(scene.heard.text == "ended:Exceeded MaxRequestBatch of 20");
}

TEST_CASE("feed: caught up when what was pending has come, or was purged") {
  Scene scene;
  scene.feed->grant(50);
  scene.pulled();
  scene.deliver(1, 1, 9);
  CHECK(scene.heard.text == "1 ");
  scene.status("100 Idle Heartbeat", "Nats-Last-Consumer: 1\r\n");
  const auto asked = scene.wire.take();
  CHECK(asked.subject == "$JS.API.CONSUMER.INFO.S." + scene.consumer);
  scene.wire.answer(asked, R"({"name":"c","num_pending":0,"delivered":{"stream_seq":9}})");
  CHECK(scene.heard.text == "1 caught-up ");
}

TEST_CASE("feed: a durable one that is destroyed gives back what is not settled") {
  Scene scene({.durable = "d"});
  scene.feed->grant(3);
  scene.pulled();
  for (Sequence i = 1; i <= 3; ++i) scene.deliver(i, i);
  scene.feed->settle({.sequence = 2, .delivery = 2, .attempt = 1}, Verdict::done, {});
  CHECK(scene.wire.take().subject == "$JS.ACK.S.d.1.2.2.0.0");
  scene.feed.reset();
  CHECK(scene.wire.listening.empty());
  REQUIRE(scene.wire.published.size() == 2);
  CHECK(scene.wire.published[0].subject == "$JS.ACK.S.d.1.1.1.0.0");
  CHECK(scene.wire.published[0].payload == "-NAK");
  CHECK(scene.wire.published[1].subject == "$JS.ACK.S.d.1.3.3.0.0");
}
