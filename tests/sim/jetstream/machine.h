// A server whose streams lie on a disk that outlives it, and what tests ask of its stream S.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/jetstream_machine.h"

namespace spanwire::test {

struct Machine : JetStreamMachine {
  using JetStreamMachine::JetStreamMachine;

  std::string state(std::string_view stream) {
    const std::string info = api(fmt::format("STREAM.INFO.{}", stream));
    const std::size_t at = info.find("\"state\":");
    return at == std::string::npos ? info : info.substr(at, info.find('}', at) - at);
  }
  std::string pulled(std::string_view name, std::string_view body) {
    client->publish(fmt::format("$JS.API.CONSUMER.MSG.NEXT.S.{}", name), body, {}, "in");
    world->settle();
    got = client->take();
    std::string text;
    for (const auto& one : got) {
      if (!text.empty()) text += ' ';
      const std::string line = one.headers.substr(0, one.headers.find("\r\n"));
      text += line.size() > 9 ? line.substr(9) : one.payload;
    }
    return text;
  }

  std::vector<JetStreamClient::Got> got;
};

}  // namespace spanwire::test
