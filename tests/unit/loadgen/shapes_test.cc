#include "tools/loadgen/shapes.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>

#include "tools/loadgen/report.h"

using namespace spanwire;

namespace {

std::uint64_t connections(std::string_view name) {
  const loadgen::Shape* shape = loadgen::find_shape(name);
  REQUIRE(shape != nullptr);
  return loadgen::connections_of(*shape);
}

std::string json_of(std::string_view name, const loadgen::Report& report) {
  return loadgen::to_json({.shape = *loadgen::find_shape(name)}, report);
}

}  // namespace

TEST_CASE("shapes: each has a name of its own") {
  std::set<std::string_view> names;
  for (const auto& shape : loadgen::shapes()) names.insert(shape.name);
  CHECK(names.size() == loadgen::shapes().size());
  CHECK(loadgen::find_shape("1-1-16") != nullptr);
  CHECK(loadgen::find_shape("1-1-17") == nullptr);
}

TEST_CASE("shapes: pairs have as many publishers as subscribers") {
  for (const auto& shape : loadgen::shapes()) {
    if (shape.kind != loadgen::Kind::stream || shape.spread != loadgen::Spread::pairs) continue;
    CHECK_MESSAGE(shape.publishers == shape.subscribers, shape.name);
  }
}

TEST_CASE("shapes: only a fleet has subscriptions that come and go, and its hot ones are its own") {
  for (const auto& shape : loadgen::shapes()) {
    if (shape.passing != loadgen::Passing::none) CHECK_MESSAGE(shape.wildcards > 0, shape.name);
    if (shape.wildcards > 0) CHECK_MESSAGE(shape.subjects <= shape.wildcards, shape.name);
  }
}

TEST_CASE("shapes: streams are read or overwritten only when there is something in them") {
  for (const auto& shape : loadgen::shapes()) {
    const bool reads =
        shape.kind == loadgen::Kind::consume || shape.kind == loadgen::Kind::lookup || shape.keys;
    if (reads) CHECK_MESSAGE(shape.count > 0, shape.name);
    if (shape.kind == loadgen::Kind::append) {
      CHECK_MESSAGE(shape.links <= shape.publishers, shape.name);
      CHECK_MESSAGE((shape.consumers == 0 || shape.publishers == 1), shape.name);
    }
  }
}

TEST_CASE("shapes: all connections of a run are counted") {
  CHECK(connections("1-1-16") == 2);
  CHECK(connections("busy-1k") == 1000);
  CHECK(connections("busy-10k") == 10'000);
  CHECK(connections("stall-100") == connections("all-100") + 1);
  CHECK(connections("idle") == 10'000);
  CHECK(connections("subs-1m") == 10);
  CHECK(connections("http-get-1") == 16);
  CHECK(connections("js-file-256") == 2);
  CHECK(connections("js-deliver") == 3);
  CHECK(connections("js-wait-1000") == 51);
  CHECK(connections("disk-written") == 0);
}

TEST_CASE("report: tells of sleepers only where there are some") {
  loadgen::Report report;
  report.sleepers_closed = 1;
  CHECK(json_of("stall-100", report).find(R"("sleepers_closed":1)") != std::string::npos);
  CHECK(json_of("all-100", report).find("sleepers") == std::string::npos);
}

TEST_CASE("report: tells the method and the depth of requests") {
  const std::string found = json_of("http-post-16", {});
  CHECK(found.find(R"("method":"POST","depth":16)") != std::string::npos);
  CHECK(json_of("rr-1", {}).find("depth") == std::string::npos);
}
