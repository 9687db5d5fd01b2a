// A stream with messages, and who consumes them.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/jetstream_world.h"

namespace spanwire::test {

// A memory stream S on `s.>` with some messages, and a client that listens on `in`.
struct ConsumerFixture {
  explicit ConsumerFixture(int messages = 0, std::size_t loops = 1)
      : world({.loops = loops}), client(world) {
    client.api("STREAM.CREATE.S", R"({"name":"S","subjects":["s.>"],"storage":"memory"})");
    client.subscribe("in");
    publish(messages);
  }
  // Their payloads are 1, 2, …; their subjects s.1, s.0, s.1, ….
  void publish(int messages) {
    for (int i = 0; i < messages; ++i) {
      ++published;
      client.publish(fmt::format("s.{}", published % 2), std::to_string(published));
    }
    world.settle();
  }
  // A durable consumer that has more members in its configuration.
  std::string consumer(std::string_view name, std::string_view more = {}) {
    return client.api(fmt::format("CONSUMER.CREATE.S.{}", name),
                      fmt::format(R"({{"stream_name":"S","config":{{"durable_name":"{}"{}{}}}}})",
                                  name, more.empty() ? "" : ",", more));
  }
  std::string info(std::string_view name, std::string_view member) {
    return member_of(client.api(fmt::format("CONSUMER.INFO.S.{}", name)), member);
  }
  // What `in` has heard: payloads, or the status of those without.
  std::string heard() {
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
  void pull(std::string_view name, std::string_view body) {
    client.publish(fmt::format("$JS.API.CONSUMER.MSG.NEXT.S.{}", name), body, {}, "in");
  }
  std::string pulled(std::string_view name, std::string_view body) {
    pull(name, body);
    return heard();
  }
  void ack(std::size_t index, std::string_view body = "+ACK") {
    client.publish(got[index].reply, body);
    world.settle();
  }
  JetStreamWorld world;
  JetStreamClient client;
  int published = 0;
  std::vector<JetStreamClient::Got> got;
};

}  // namespace spanwire::test
