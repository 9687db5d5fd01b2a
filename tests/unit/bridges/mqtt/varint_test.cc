#include "bridges/mqtt/varint.h"

#include <doctest/doctest.h>

#include <string>

using namespace spanwire;

namespace {

struct Spelled {
  std::uint32_t value;
  std::string bytes;
};

// The bounds of the table in 2.2.3.
const Spelled bounds[] = {
    {0, std::string(1, '\0')},
    {127, "\x7f"},
    {128, "\x80\x01"},
    {16'383, "\xff\x7f"},
    {16'384, "\x80\x80\x01"},
    {2'097'151, "\xff\xff\x7f"},
    {2'097'152, "\x80\x80\x80\x01"},
    {268'435'455, "\xff\xff\xff\x7f"},
};

}  // namespace

TEST_CASE("varint: the bounds of each size are written and read [MQTT 2.2.3]") {
  for (const Spelled& bound : bounds) {
    CAPTURE(bound.value);
    std::string out = "kept";
    mqtt::append_varint(out, bound.value);
    CHECK(out == "kept" + bound.bytes);
    CHECK(mqtt::varint_size_bytes(bound.value) == bound.bytes.size());
    mqtt::Varint got;
    CHECK(mqtt::read_varint(bound.bytes + "rest", got) == mqtt::Decode::ok);
    CHECK(got.value == bound.value);
    CHECK(got.size_bytes == bound.bytes.size());
  }
}

TEST_CASE("varint: cut anywhere it needs more, and leaves the result alone") {
  for (const Spelled& bound : bounds) {
    for (std::size_t cut = 0; cut < bound.bytes.size(); ++cut) {
      mqtt::Varint got{.value = 7, .size_bytes = 9};
      CHECK(mqtt::read_varint(bound.bytes.substr(0, cut), got) == mqtt::Decode::need_more);
      CHECK(got.value == 7);
      CHECK(got.size_bytes == 9);
    }
  }
}

TEST_CASE("varint: a fourth byte with its high bit set is malformed [MQTT 2.2.3]") {
  mqtt::Varint got;
  CHECK(mqtt::read_varint("\x80\x80\x80\x80\x01", got) == mqtt::Decode::malformed);
  CHECK(mqtt::read_varint("\xff\xff\xff\xff", got) == mqtt::Decode::malformed);
}
