#include "jetstream/publish_headers.h"

#include <doctest/doctest.h>

#include <string>

using namespace spanwire;
using namespace spanwire::jetstream;

namespace {

std::string block_of(std::string_view lines) {
  return "NATS/1.0\r\n" + std::string(lines) + "\r\n";
}

constexpr std::string_view all_lines =
    "User: 1\r\nNats-Msg-Id: id 1\r\nNats-Expected-Stream: S\r\n"
    "Nats-Expected-Last-Sequence: 12\r\nNats-Expected-Last-Subject-Sequence: 0\r\n"
    "Nats-Expected-Last-Subject-Sequence-Subject: a.*\r\nNats-Expected-Last-Msg-Id: before\r\n"
    "Nats-Rollup: Sub\r\nNats-TTL: 5s\r\nNats-Required-Api-Level: 2\r\n";

}  // namespace

TEST_CASE("publish headers: each that a stream knows") {
  const std::string block = block_of(all_lines);
  const PublishHeaders headers = parse_publish_headers(block);
  CHECK(headers.msg_id == "id 1");
  CHECK(headers.expected_stream == "S");
  CHECK(headers.expected_last_sequence == 12);
  CHECK(headers.expected_last_subject_sequence == 0);
  CHECK(headers.expected_last_subject_sequence_subject == "a.*");
  CHECK(headers.expected_last_msg_id == "before");
  CHECK(headers.rollup == Rollup::subject);
  CHECK(headers.ttl == "5s");
  CHECK(headers.required_api_level == "2");
}

TEST_CASE("publish headers: names differ by case, and empty values ask for nothing") {
  const std::string block = block_of(
      "nats-msg-id: a\r\nNats-Expected-Last-Sequence:\r\nNats-Rollup: \r\nX-Nats-TTL: 5\r\n"
      "Nats-Msg-Idx: b\r\n");
  const PublishHeaders headers = parse_publish_headers(block);
  CHECK(headers.msg_id.empty());
  CHECK_FALSE(headers.expected_last_sequence);
  CHECK(headers.rollup == Rollup::none);
  CHECK(headers.ttl.empty());
}

TEST_CASE("publish headers: the first of a name counts") {
  const std::string block = block_of(
      "Nats-Msg-Id: a\r\nNats-Msg-Id: b\r\nNats-Expected-Last-Sequence: 1\r\n"
      "Nats-Expected-Last-Sequence: 2\r\n");
  const PublishHeaders headers = parse_publish_headers(block);
  CHECK(headers.msg_id == "a");
  CHECK(headers.expected_last_sequence == 1);
}

TEST_CASE("publish headers: a sequence that is no number is never reached") {
  for (const std::string_view text : {"x", "-1", "1x", "1.0", "99999999999999999999"}) {
    const std::string block =
        block_of("Nats-Expected-Last-Sequence: " + std::string(text) + "\r\n");
    CHECK(parse_publish_headers(block).expected_last_sequence == ~std::uint64_t{0});
  }
}

TEST_CASE("publish headers: a rollup is of a subject or of all") {
  const auto rollup = [](std::string_view text) {
    const std::string block = block_of("Nats-Rollup: " + std::string(text) + "\r\n");
    return parse_publish_headers(block).rollup;
  };
  CHECK(rollup("sub") == Rollup::subject);
  CHECK(rollup("ALL") == Rollup::all);
  CHECK(rollup("everything") == Rollup::invalid);
}

TEST_CASE("publish headers: features that streams here do not have are noticed") {
  const auto parse = [](std::string_view line) { return parse_publish_headers(block_of(line)); };
  CHECK(parse("Nats-Incr: +1\r\n").has_increment);
  CHECK(parse("Nats-Batch-Id: u\r\n").has_batch);
  CHECK(parse("Nats-Schedule: @every 5m\r\n").has_schedule);
  CHECK_FALSE(parse("Nats-Schedule-TTL: 5m\r\n").has_schedule);
}

TEST_CASE("publish headers: a block cut anywhere is read up to there") {
  const std::string block = block_of(all_lines);
  for (std::size_t size = 0; size < block.size(); ++size) {
    const std::string cut = block.substr(0, size);
    const PublishHeaders headers = parse_publish_headers(cut);
    CHECK(std::string_view("id 1\r").starts_with(headers.msg_id));
  }
}
