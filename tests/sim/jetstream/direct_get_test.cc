// DIRECT.GET, as nats-server 2.14.5 answers it.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/support/jetstream_world.h"

using namespace spanwire;
using test::JetStreamClient;
using test::JetStreamWorld;

namespace {

struct Fixture {
  Fixture() {
    client.api("STREAM.CREATE.S", R"({"name":"S","subjects":["s.>"],"storage":"memory",)"
                                  R"("allow_direct":true})");
    client.subscribe("answer");
  }
  // The first line of the headers and the payload of each answer.
  std::string ask(std::string_view body, std::string_view more = {}) {
    client.publish(fmt::format("$JS.API.DIRECT.GET.S{}", more), body, {}, "answer");
    world.settle();
    got = client.take();
    std::string text;
    for (const auto& one : got) {
      if (!text.empty()) text += ' ';
      const std::string line = one.headers.substr(0, one.headers.find("\r\n"));
      text += line.size() > 9 ? line.substr(9) : one.payload;
    }
    return text;
  }
  std::string header(std::size_t index, std::string_view name) const {
    const std::string& block = got[index].headers;
    const std::size_t at = block.find(fmt::format("{}: ", name));
    if (at == std::string::npos) return {};
    const std::size_t begin = at + name.size() + 2;
    return block.substr(begin, block.find("\r\n", begin) - begin);
  }
  JetStreamWorld world;
  JetStreamClient client{world};
  std::vector<JetStreamClient::Got> got;
};

}  // namespace

TEST_CASE("direct get: one message, by sequence, last or next of a subject") {
  Fixture f;
  f.client.publish("s.a", "1");
  f.client.publish("s.b", "2", "x: y\r\n");
  f.client.publish("s.a", "3");
  CHECK(f.ask(R"({"seq":1})") == "1");
  CHECK(f.header(0, "Nats-Stream") == "S");
  CHECK(f.header(0, "Nats-Subject") == "s.a");
  CHECK(f.header(0, "Nats-Sequence") == "1");
  CHECK(!f.header(0, "Nats-Time-Stamp").empty());
  CHECK(f.ask(R"({"last_by_subj":"s.a"})") == "3");
  CHECK(f.ask(R"({"last_by_subj":"s.*"})") == "3");
  CHECK(f.ask(R"({"next_by_subj":"s.a","seq":2})") == "3");
  CHECK(f.ask("", ".s.b") == "2");
  CHECK(
      f.got[0].headers.starts_with("NATS/1.0\r\nx: y\r\nNats-Stream: S\r\nNats-Subject: s.b\r\n"));
  CHECK(f.ask(R"({"seq":2,"no_hdr":true})") == "2");
  CHECK(f.got[0].headers.empty());
}

TEST_CASE("direct get: what is not there, and what is no request") {
  Fixture f;
  f.client.publish("s.a", "1");
  CHECK(f.ask(R"({"seq":9})") == "404 Message Not Found");
  CHECK(f.ask("", ".s.q") == "404 Message Not Found");
  CHECK(f.ask(R"({"next_by_subj":"s.a","seq":2})") == "404 Message Not Found");
  CHECK(f.ask("") == "408 Empty Request");
  CHECK(f.ask("{}") == "408 Empty Request");
  CHECK(f.ask("{") == "408 Malformed Request");
  CHECK(f.ask(R"({"seq":1,"last_by_subj":"s.a"})") == "408 Bad Request");
  CHECK(f.ask(R"({"seq":1})", ".s.a") == "408 Bad Request");
  CHECK(f.client.request("$JS.API.DIRECT.GET.N.s.a") == "503");
}

TEST_CASE("direct get: a stream without allow_direct is nobody, until it is changed") {
  JetStreamWorld world;
  JetStreamClient client(world);
  client.api("STREAM.CREATE.S", R"({"name":"S","subjects":["s"],"storage":"memory"})");
  CHECK(client.request("s", "x") == R"({"stream":"S","seq":1})");
  CHECK(client.request("$JS.API.DIRECT.GET.S.s") == "503");
  client.api("STREAM.UPDATE.S", R"({"name":"S","subjects":["s"],"storage":"memory",)"
                                R"("allow_direct":true})");
  CHECK(client.request("$JS.API.DIRECT.GET.S.s") == "x");
}

TEST_CASE("direct get: a batch ends with what is pending") {
  Fixture f;
  for (int i = 1; i <= 6; ++i) f.client.publish(i % 2 == 0 ? "s.even" : "s.odd", std::to_string(i));
  CHECK(f.ask(R"({"seq":2,"batch":3})") == "2 3 4 204 EOB");
  CHECK(f.header(0, "Nats-Num-Pending") == "4");
  CHECK(f.header(0, "Nats-Last-Sequence") == "0");
  CHECK(f.header(2, "Nats-Last-Sequence") == "3");
  CHECK(f.header(3, "Nats-Num-Pending") == "2");
  CHECK(f.header(3, "Nats-Last-Sequence") == "4");
  CHECK(f.ask(R"({"next_by_subj":"s.even","batch":10})") == "2 4 6 204 EOB");
  CHECK(f.ask(R"({"seq":1,"batch":10,"max_bytes":8})") == "1 2 204 EOB");
  CHECK(f.ask(R"({"seq":9,"batch":2})") == "404 Message Not Found");
  CHECK(f.ask(R"({"start_time":"2200-01-01T00:00:00Z","batch":2})") == "404 Message Not Found");
  CHECK(f.ask(R"({"start_time":"1990-01-01T00:00:00Z","batch":1})") == "1 204 EOB");
}

TEST_CASE("direct get: the last messages of many subjects, also as they once were") {
  Fixture f;
  for (int i = 1; i <= 6; ++i) {
    f.client.publish(i % 3 == 0 ? "s.c" : (i % 3 == 1 ? "s.a" : "s.b"), std::to_string(i));
  }
  CHECK(f.ask(R"({"multi_last":["s.a","s.b"]})") == "4 5 204 EOB");
  CHECK(f.header(0, "Nats-Num-Pending") == "1");
  CHECK(f.header(2, "Nats-UpTo-Sequence") == "6");
  CHECK(f.ask(R"({"multi_last":["s.*"],"up_to_seq":4})") == "2 3 4 204 EOB");
  CHECK(f.ask(R"({"multi_last":["s.>"],"batch":2})") == "4 5 204 EOB");
  CHECK(f.ask(R"({"multi_last":["s.>"],"seq":5})") == "5 6 204 EOB");
  CHECK(f.ask(R"({"multi_last":["q.>"]})") == "404 No Results");
  CHECK(f.ask(R"({"multi_last":["s.>"],"up_to_time":"1990-01-01T00:00:00Z"})") == "404 No Results");
  CHECK(f.ask(R"({"multi_last":["s.>"],"up_to_seq":1,"up_to_time":"1990-01-01T00:00:00Z"})") ==
        "408 Bad Request");
}

TEST_CASE("direct get: the last messages of more than 1,024 subjects are too many") {
  Fixture f;
  for (int i = 0; i < 1024; ++i) f.client.publish(fmt::format("s.{}", i), "x");
  f.world.settle();
  CHECK(f.ask(R"({"multi_last":["s.>"]})").ends_with("x 204 EOB"));
  CHECK(f.got.size() == 1025);
  f.client.publish("s.more", "x");
  CHECK(f.ask(R"({"multi_last":["s.>"]})") == "413 Too Many Results");
}
