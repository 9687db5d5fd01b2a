#include "tools/loadgen/options.h"

#include <doctest/doctest.h>

#include <chrono>
#include <vector>

using namespace spanwire;

namespace {

base::Result<loadgen::Options> parse(std::vector<const char*> arguments) {
  return loadgen::parse_options(arguments);
}

}  // namespace

TEST_CASE("options: a shape and a port are needed") {
  CHECK_FALSE(parse({}));
  CHECK_FALSE(parse({"1-1-16"}));
  CHECK_FALSE(parse({"nothing", "--port", "4222"}));
  const auto options = parse({"1-1-16", "--port", "4222"});
  REQUIRE(options);
  CHECK(options->plan.server.port == 4222);
  CHECK(options->plan.shape.size == 16);
}

TEST_CASE("options: the disk alone is measured without a port") {
  const auto options = parse({"disk-written", "--path", "/some/folder"});
  REQUIRE(options);
  CHECK(options->plan.path == "/some/folder");
  CHECK(options->plan.begun.empty());
}

TEST_CASE("options: what is given replaces the shape's own figures") {
  const auto options = parse(
      {"pace-1-1-128", "--port", "1", "--rate", "500", "--seconds", "0.25", "--pid", "10,11"});
  REQUIRE(options);
  CHECK(options->plan.shape.rate == 500);
  CHECK(options->plan.length == std::chrono::milliseconds(250));
  CHECK(options->plan.pids == std::vector<pid_t>{10, 11});
}

TEST_CASE("options: a value that does not fit is refused") {
  CHECK_FALSE(parse({"1-1-16", "--port"}));
  CHECK_FALSE(parse({"1-1-16", "--port", "65536"}));
  CHECK_FALSE(parse({"1-1-16", "--port", "42x"}));
  CHECK_FALSE(parse({"1-1-16", "--port", "42", "--seconds", "61"}));
  CHECK_FALSE(parse({"1-1-16", "--port", "42", "--seconds", "nan"}));
  CHECK_FALSE(parse({"1-1-16", "--port", "42", "--pid", "1,x"}));
  CHECK_FALSE(parse({"1-1-16", "--port", "42", "--color", "1"}));
  CHECK_FALSE(parse({"pace-1-1-128", "--port", "42", "--rate", "0"}));
}
