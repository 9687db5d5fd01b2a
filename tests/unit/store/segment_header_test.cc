#include "store/segment_header.h"

#include <doctest/doctest.h>

#include <string>

#include "base/crc32c.h"
#include "base/little_endian.h"

using namespace spanwire;

namespace {

std::string header_bytes() {
  store::SegmentHeader header{.stream = 7, .number = 0x0102030405060708U, .salt = 0xfedcba98U};
  header.reserved[0] = 'a';
  header.reserved[23] = 'z';
  return store::encode_segment_header(header);
}

// With another version, and the sum that belongs to it.
std::string of_version(std::uint32_t version) {
  std::string bytes = header_bytes();
  base::put_little_endian(&bytes[8], version);
  base::put_little_endian(&bytes[12], std::uint32_t{0});
  base::put_little_endian(&bytes[12], base::crc32c(bytes));
  return bytes;
}

}  // namespace

TEST_CASE("segment header: what was encoded is decoded") {
  const std::string bytes = header_bytes();
  REQUIRE(bytes.size() == store::segment_header_bytes);
  CHECK(bytes.substr(0, 12) == std::string("SPWSEG\r\n\1\0\0\0", 12));
  CHECK(bytes.substr(24, 8) == "\x08\x07\x06\x05\x04\x03\x02\x01");
  const auto header = store::decode_segment_header(bytes + "what follows");
  REQUIRE(header);
  CHECK(header->stream == 7);
  CHECK(header->number == 0x0102030405060708U);
  CHECK(header->salt == 0xfedcba98U);
  CHECK(header->reserved[0] == 'a');
  CHECK(header->reserved[23] == 'z');
}

TEST_CASE("segment header: cut at every byte, or with any bit turned, it is refused") {
  std::string bytes = header_bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(store::decode_segment_header(bytes.substr(0, size)));
  }
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    CHECK_FALSE(store::decode_segment_header(bytes));
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  }
  CHECK(store::decode_segment_header(bytes));
}

TEST_CASE("segment header: a newer version is refused by name") {
  const auto newer = store::decode_segment_header(of_version(2));
  REQUIRE_FALSE(newer);
  CHECK(newer.error().text.find("version 2, written by a newer server") != std::string::npos);
  CHECK_FALSE(store::decode_segment_header(of_version(0)));
  CHECK(store::decode_segment_header(of_version(1)));
}

TEST_CASE("segment header: a segment lies in its stream's folder under its number") {
  CHECK(store::segment_path(7, 12) == "streams/7/12.seg");
}
