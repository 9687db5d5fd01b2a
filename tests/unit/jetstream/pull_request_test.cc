#include "jetstream/pull_request.h"

#include <doctest/doctest.h>

#include <utility>

using namespace spanwire;
using namespace spanwire::jetstream;

namespace {

std::int64_t batch_of(std::string_view body) {
  const auto request = parse_pull_request(body);
  REQUIRE(request);
  return request->batch;
}

std::string error_of(std::string_view body) {
  const auto request = parse_pull_request(body);
  return request ? std::string() : request.error();
}

constexpr std::string_view full =
    R"({"batch":5,"expires":2000000000,"max_bytes":1024,"no_wait":true,)"
    R"("idle_heartbeat":1000000000,"group":"g","min_pending":1,"min_ack_pending":2,"id":"x",)"
    R"("priority":3})";

}  // namespace

TEST_CASE("pull request: nothing, a number, or anything that is not JSON") {
  const std::pair<std::string_view, std::int64_t> cases[] = {{"", 1},
                                                             {" \r\n", 1},
                                                             {"10", 10},
                                                             {" 2 ", 2},
                                                             {"+3", 3},
                                                             {"0", 0},
                                                             {"-1", 0},
                                                             {"x", 1},
                                                             {"[1]", 1},
                                                             {"5x", 1},
                                                             {"99999999999999999999", 1}};
  for (const auto& [body, batch] : cases) {
    const std::string_view shown = body;  // clang 14 captures no binding
    CAPTURE(shown);
    CHECK(batch_of(body) == batch);
  }
}

TEST_CASE("pull request: JSON has every field") {
  const auto request = parse_pull_request(full);
  REQUIRE(request);
  CHECK(request->batch == 5);
  CHECK(request->expires == std::chrono::seconds(2));
  CHECK(request->max_bytes == 1024);
  CHECK(request->no_wait);
  CHECK(request->idle_heartbeat == std::chrono::seconds(1));
  CHECK(request->group == "g");
  CHECK(request->min_pending == 1);
  CHECK(request->min_ack_pending == 2);
  CHECK(request->id == "x");
  CHECK(request->priority == 3);
}

TEST_CASE(
    "pull request: a batch that is not said or below one is 0, unknown names are passed over") {
  CHECK(batch_of("{}") == 0);
  CHECK(batch_of(R"({"batch":0,"bogus":[1]})") == 0);
  CHECK(batch_of(R"({"batch":-1})") == 0);
  CHECK(batch_of(R"({"BATCH":2})") == 2);
}

TEST_CASE("pull request: JSON is refused in the words of nats-server") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"{", "Bad Request - unexpected end of JSON input"},
      {R"({"batch":"x"})",
       "Bad Request - json: cannot unmarshal string into Go struct field "
       "JSApiConsumerGetNextRequest.batch of type int"},
      {R"({"batch":1.5})",
       "Bad Request - json: cannot unmarshal number 1.5 into Go struct field "
       "JSApiConsumerGetNextRequest.batch of type int"},
      {R"({"expires":"x"})",
       "Bad Request - json: cannot unmarshal string into Go struct field "
       "JSApiConsumerGetNextRequest.expires of type time.Duration"},
      {R"({"group":5})",
       "Bad Request - json: cannot unmarshal number into Go struct field "
       "JSApiConsumerGetNextRequest.PriorityGroup.group of type string"},
      {R"({"batch":1} x)", "Bad Request - invalid character 'x' after top-level value"}};
  for (const auto& [body, error] : cases) CHECK(error_of(body) == error);
  for (std::size_t size = 1; size < full.size(); ++size) {
    CHECK_FALSE(error_of(full.substr(0, size)).empty());
  }
}

TEST_CASE("pull request: at least two heartbeats fit before it expires") {
  CHECK(error_of(R"({"idle_heartbeat":100,"expires":199})") ==
        "Bad Request - heartbeat value too large");
  CHECK(error_of(R"({"idle_heartbeat":9223372036854775807,"expires":5})") ==
        "Bad Request - heartbeat value too large");
  CHECK(error_of(R"({"idle_heartbeat":100})") == "Bad Request - heartbeat value too large");
  CHECK(error_of(R"({"idle_heartbeat":100,"expires":200})").empty());
}

TEST_CASE("pull request: a consumer without priority groups refuses what needs one") {
  const auto refused = [](std::string_view body) {
    return refused_priority(parse_pull_request(body).value());
  };
  CHECK(refused(R"({"group":"g"})").empty());
  CHECK(refused(R"({"priority":9})").empty());
  CHECK(refused(R"({"priority":10})") == "Bad Request - Priority must be between 0 and 9");
  CHECK(refused(R"({"priority":-1})") == "Bad Request - Priority must be between 0 and 9");
  CHECK(refused(R"({"id":"x"})") == "Bad Request - Not a Pinned Client Priority consumer");
  CHECK(refused(R"({"min_pending":1})") == "Bad Request - Not a Overflow Priority consumer");
  CHECK(refused(R"({"min_ack_pending":1})") == "Bad Request - Not a Overflow Priority consumer");
}
