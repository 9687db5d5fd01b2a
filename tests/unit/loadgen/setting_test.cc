#include "tools/loadgen/setting.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>

using namespace spanwire;

namespace {

loadgen::Shape shape(std::string_view name) {
  const loadgen::Shape* found = loadgen::find_shape(name);
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace

TEST_CASE("setting: every request of every shape is JSON, and its consumers hear its publishers") {
  for (const auto& each : loadgen::shapes()) {
    if (each.protocol != loadgen::Protocol::streams) continue;
    const auto stream = json::Document::parse(loadgen::create_stream(each, 3).body);
    REQUIRE_MESSAGE(stream, each.name);
    CHECK(stream->root().find("name")->string() == loadgen::stream_name(each, 3));
    CHECK_MESSAGE(json::Document::parse(loadgen::create_consumer(each, 3, 7).body), each.name);
  }
}

TEST_CASE("setting: a consumer of many has a filter of its own, and one alone has none") {
  const auto many = loadgen::create_consumer(shape("js-filters-10k"), 0, 42);
  CHECK(many.subject == "CONSUMER.CREATE.LOAD0000.c0000042.load.0000.0000042");
  CHECK(many.body.find(R"("filter_subject":"load.0000.0000042")") != std::string::npos);
  const auto alone = loadgen::create_consumer(shape("js-deliver"), 0, 0);
  CHECK(alone.subject == "CONSUMER.CREATE.LOAD0000.c0000000");
  CHECK(alone.body.find("filter_subject") == std::string::npos);
  CHECK(alone.body.find(R"("deliver_subject":"deliver.all")") != std::string::npos);
}

TEST_CASE("setting: a consumer is durable unless it is an ordered one") {
  const auto durable = [](std::string_view name) {
    const auto body = loadgen::create_consumer(shape(name), 0, 0).body;
    return body.find("durable_name") != std::string::npos;
  };
  CHECK(durable("js-pull-256"));
  CHECK(durable("js-filters-10"));
  CHECK(durable("js-hold-1000"));
  CHECK_FALSE(durable("js-push"));
  CHECK_FALSE(durable("kv-watch"));
}

TEST_CASE("setting: a publisher's subjects are spread over the filters, each matching one") {
  const auto fleet = shape("js-filters-10k");
  std::set<std::uint64_t> numbers;
  for (std::uint64_t i = 0; i < fleet.subjects; ++i) {
    numbers.insert(loadgen::subject_number(fleet, i));
  }
  CHECK(numbers.size() == fleet.subjects);
  CHECK(*numbers.rbegin() < fleet.consumers);
  CHECK(*numbers.rbegin() > fleet.consumers / 2);
  CHECK(loadgen::subject_number(shape("kv-put"), 5) == 5);
}

TEST_CASE("api: an answer that tells of an error is one") {
  const auto refused =
      loadgen::read_answer(R"({"error":{"code":400,"description":"stream name in use"}})");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text == "stream name in use");
  CHECK_FALSE(loadgen::read_answer(R"({"error":"odd"})"));
  CHECK_FALSE(loadgen::read_answer("no JSON"));
  CHECK(loadgen::read_answer(R"({"success":true})"));
}
