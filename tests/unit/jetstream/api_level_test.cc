#include "jetstream/api_level.h"

#include <doctest/doctest.h>

using namespace spanwire;
using namespace spanwire::jetstream;

TEST_CASE("api level: a level up to ours is supported, and nothing is asked for by no text") {
  for (const std::string_view level : {"", "0", "4", "+4", "-1"}) CHECK(supports_level(level));
  for (const std::string_view level : {"5", "99999999999", "x", "4x", " 4"}) {
    CHECK_FALSE(supports_level(level));
  }
}

TEST_CASE("api level: metadata is shown with the server's own, and kept without") {
  Metadata metadata{{"a", "1"}, {"_nats.ver", "old"}, {"_nats.level", "0"}};
  set_required_level(metadata, 1);
  CHECK(metadata == Metadata{{"_nats.req.level", "1"}, {"a", "1"}});
  CHECK(own_metadata(metadata) == Metadata{{"a", "1"}});
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  write_metadata(writer, metadata, "9.9");
  writer.end_object();
  CHECK(out == R"({"metadata":{"_nats.level":"4","_nats.req.level":"1","_nats.ver":"9.9",)"
               R"("a":"1"}})");
}

TEST_CASE("api level: no metadata is not written") {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  write_metadata(writer, {}, {});
  writer.end_object();
  CHECK(out == "{}");
}
