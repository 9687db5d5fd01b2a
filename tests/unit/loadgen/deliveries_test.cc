#include "tools/loadgen/deliveries.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

#include <string>
#include <string_view>
#include <vector>

using namespace spanwire;

namespace {

std::string message(std::string_view consumer, int in_stream, int in_consumer, int times = 1) {
  return fmt::format("MSG load.0000 1 $JS.ACK.LOAD.{}.{}.{}.{}.1700000000.0 2\r\nhi\r\n", consumer,
                     times, in_stream, in_consumer);
}

std::string status(std::string_view line, std::string_view reply, std::string_view header = "") {
  const std::string head = fmt::format("NATS/1.0 {}\r\n{}\r\n", line, header);
  return fmt::format("HMSG deliver.all 1 {}{}{} {}\r\n{}\r\n", reply, reply.empty() ? "" : " ",
                     head.size(), head.size(), head);
}

// What a fresh subscriber answers to an input; fails the test where the input is refused.
std::string answers_to(const std::string& input, bool acknowledge = false) {
  loadgen::Deliveries deliveries(acknowledge, nullptr);
  std::string_view in = input;
  std::string answers;
  const auto done = deliveries.take(in, answers);
  CHECK_MESSAGE(done, (done ? "" : done.error().text));
  CHECK(in.empty());
  return answers;
}

bool refuses(const std::string& input) {
  loadgen::Deliveries deliveries(false, nullptr);
  std::string_view in = input;
  std::string answers;
  return !deliveries.take(in, answers);
}

}  // namespace

TEST_CASE("deliveries: messages are counted and handed on, each consumer's in its own order") {
  std::vector<std::uint64_t> seen;
  loadgen::Deliveries deliveries(false, [&](const loadgen::Delivery& delivery) {
    seen.push_back(delivery.stream_sequence);
    return base::Status();
  });
  const std::string input = message("a", 2, 1) + message("b", 1, 1) + message("a", 5, 2);
  std::string_view in = input;
  std::string answers;
  CHECK(deliveries.take(in, answers));
  CHECK(deliveries.count() == 3);
  CHECK(seen == std::vector<std::uint64_t>{2, 1, 5});
  CHECK(answers.empty());
}

TEST_CASE("deliveries: what is cut waits for its rest") {
  const std::string input = message("a", 1, 1);
  for (std::size_t size = 0; size < input.size(); ++size) {
    loadgen::Deliveries deliveries(true, nullptr);
    std::string_view in = std::string_view(input).substr(0, size);
    std::string answers;
    CHECK(deliveries.take(in, answers));
    CHECK(in.size() == size);
    CHECK(deliveries.count() == 0);
    CHECK(answers.empty());
  }
}

TEST_CASE("deliveries: a gap, a message twice, one of before and one again are refused") {
  CHECK(refuses(message("a", 1, 1) + message("a", 3, 3)));
  CHECK(refuses(message("a", 1, 1) + message("a", 1, 1)));
  CHECK(refuses(message("a", 2, 1) + message("a", 1, 2)));
  CHECK(refuses(message("a", 1, 1, 2)));
  CHECK(refuses(message("a", 2, 2)));
  CHECK(refuses("MSG load.0000 1 2\r\nhi\r\n"));
}

TEST_CASE("deliveries: each message is acknowledged where that is asked for") {
  CHECK(answers_to(message("a", 1, 1), true) ==
        "PUB $JS.ACK.LOAD.a.1.1.1.1700000000.0 4\r\n+ACK\r\n");
}

TEST_CASE(
    "deliveries: flow control and stalled heartbeats are answered, plain heartbeats are not") {
  CHECK(answers_to(status("100 FlowControl Request", "$JS.FC.a")) == "PUB $JS.FC.a 0\r\n\r\n");
  CHECK(answers_to(status("100 Idle Heartbeat", "", "Nats-Consumer-Stalled: $JS.FC.b\r\n")) ==
        "PUB $JS.FC.b 0\r\n\r\n");
  CHECK(answers_to(status("100 Idle Heartbeat", "", "Nats-Last-Stream: 5\r\n")).empty());
  CHECK(answers_to("PING\r\n") == "PONG\r\n");
}

TEST_CASE("deliveries: a status that ends a request or a consumer is refused") {
  CHECK(refuses(status("408 Request Timeout", "")));
  CHECK(refuses(status("409 Consumer Deleted", "")));
  CHECK(refuses("-ERR 'Slow Consumer'\r\n"));
}

TEST_CASE("deliveries: the answer to a PING is a fence") {
  loadgen::Deliveries deliveries(false, nullptr);
  std::string_view in = "PONG\r\n";
  std::string answers;
  CHECK(deliveries.take(in, answers));
  CHECK(deliveries.fences() == 1);
}
