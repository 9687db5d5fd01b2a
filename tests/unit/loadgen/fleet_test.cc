#include "tools/loadgen/fleet.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>

#include "tools/loadgen/nats_wire.h"

using namespace spanwire;
using namespace std::string_view_literals;

namespace {

struct Found {
  std::uint32_t messages = 0;
  std::set<std::string> subjects;
  std::set<std::string> passing;
  std::uint32_t unsubscribed = 0;
  std::string line_after_first_sub;
};

// Reads the blocks as a server would: line by line, a PUB with the payload behind it.
Found read(const std::vector<loadgen::Block>& blocks) {
  Found found;
  for (const auto& block : blocks) {
    std::string_view in = block.bytes;
    while (!in.empty()) {
      const auto end = in.find("\r\n");
      REQUIRE(end != std::string_view::npos);
      const std::string_view line = in.substr(0, end);
      in.remove_prefix(end + 2);
      const std::string word(line.substr(line.find(' ') + 1, line.rfind(' ') - line.find(' ') - 1));
      if (found.passing.size() == 1 && found.line_after_first_sub.empty()) {
        found.line_after_first_sub = line;
      }
      if (line.starts_with("PUB ")) {
        found.subjects.insert(word);
        ++found.messages;
        in.remove_prefix(std::stoul(std::string(line.substr(line.rfind(' ')))) + 2);
      } else if (line.starts_with("SUB ")) {
        found.passing.insert(word);
      } else {
        CHECK(line.starts_with("UNSUB "));
        ++found.unsubscribed;
      }
    }
  }
  return found;
}

std::uint32_t messages_of(const std::vector<loadgen::Block>& blocks) {
  std::uint32_t messages = 0;
  for (const auto& block : blocks) messages += block.messages;
  return messages;
}

}  // namespace

TEST_CASE("fleet: a delivery is as long as the MSG that the server writes") {
  const loadgen::NatsWire wire(false);
  const auto delivery = "MSG devices.0000042.state 1000042 5\r\nhello\r\n"sv;
  CHECK(loadgen::device_subject(42) == "devices.0000042.state");
  CHECK(loadgen::device_filter(42) == "devices.0000042.*");
  CHECK(loadgen::device_delivery_bytes(wire, 5) == delivery.size());
}

TEST_CASE("fleet: with each tenth message another inbox comes and goes around it") {
  const loadgen::NatsWire wire(false);
  const loadgen::Shape shape{
      .size = 16, .subjects = 50, .wildcards = 1000, .passing = loadgen::Passing::inbox};
  const auto blocks = loadgen::build_blocks(shape, wire, 0);
  const Found found = read(blocks);
  CHECK(found.messages == messages_of(blocks));
  CHECK(found.passing.size() * 10 == found.messages);
  CHECK(found.unsubscribed == found.passing.size());
  CHECK(found.passing.begin()->starts_with("_INBOX."));
  CHECK(found.line_after_first_sub.starts_with("PUB devices."));
}

TEST_CASE("fleet: messages go to all of the hot devices and to no other") {
  const loadgen::NatsWire wire(false);
  const loadgen::Shape shape{.size = 16, .subjects = 50, .wildcards = 1000};
  const Found found = read(loadgen::build_blocks(shape, wire, 0));
  CHECK(found.subjects.size() == 50);
  CHECK(*found.subjects.rbegin() == loadgen::device_subject(49));
  CHECK(found.passing.empty());
}

TEST_CASE("fleet: the devices that come and go are none of those that stay") {
  const loadgen::NatsWire wire(false);
  const loadgen::Shape shape{
      .size = 16, .subjects = 50, .wildcards = 1000, .passing = loadgen::Passing::device};
  const Found found = read(loadgen::build_blocks(shape, wire, 0));
  CHECK(*found.passing.begin() > loadgen::device_filter(100'000));
  CHECK(found.passing.size() * 10 == found.messages);
}
