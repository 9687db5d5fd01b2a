#include "store/journal_format.h"

#include <doctest/doctest.h>

#include <string>

#include "base/crc32c.h"
#include "base/little_endian.h"

using namespace spanwire;

namespace {

constexpr std::uint64_t salt = 0x1122334455667788U;
constexpr store::RingPlace place{.position = 8192, .number = 7};

std::string header_bytes() {
  return store::encode_journal_header(
      {.salt = salt, .generation = 3, .ring_bytes = 1U << 20, .start = place});
}

// Of two records, as long as it says.
std::string block_bytes() {
  store::BlockWriter writer;
  writer.add({.stream = 1, .segment = 2, .salt = 3, .offset = 64, .bytes = "first"}, {"", "+more"});
  writer.add({.stream = 4, .segment = 5, .salt = 6, .offset = 0, .bytes = ""});
  const std::size_t size = writer.size();
  const std::string_view whole = writer.finish(salt, place);
  REQUIRE(whole.size() == store::journal_page_bytes);
  REQUIRE(whole.substr(size) == std::string(whole.size() - size, '\0'));
  return std::string(whole.substr(0, size));
}

std::string with_sum(std::string header) {
  base::put_little_endian(&header[12], std::uint32_t{0});
  base::put_little_endian(&header[12], base::crc32c(header));
  return header;
}

void turn(std::string& bytes, std::size_t bit) {
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
}

}  // namespace

TEST_CASE("journal: a header comes back as it was written, at the documented places") {
  const std::string bytes = header_bytes();
  REQUIRE(bytes.size() == store::journal_header_bytes);
  CHECK(bytes.substr(0, 12) == std::string("SPWJNL\r\n\1\0\0\0", 12));
  CHECK(bytes.substr(16, 8) == "\x88\x77\x66\x55\x44\x33\x22\x11");
  CHECK(base::read_little_endian<std::uint64_t>(bytes, 24) == 3);
  CHECK(base::read_little_endian<std::uint64_t>(bytes, 32) == 1U << 20);
  const auto header = store::decode_journal_header(bytes + "what follows");
  REQUIRE(header);
  CHECK(header->salt == salt);
  CHECK(header->generation == 3);
  CHECK(header->ring_bytes == 1U << 20);
  CHECK(header->start.position == place.position);
  CHECK(header->start.number == place.number);
}

TEST_CASE("journal: a header cut at every byte, or with any bit turned, is refused") {
  std::string bytes = header_bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(store::decode_journal_header(bytes.substr(0, size)));
    CHECK_FALSE(store::is_newer_journal(bytes.substr(0, size)));
  }
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    turn(bytes, bit);
    CHECK_FALSE(store::decode_journal_header(bytes));
    turn(bytes, bit);
  }
  CHECK(store::decode_journal_header(bytes));
}

TEST_CASE("journal: a newer version and sizes that cannot be are refused") {
  std::string bytes = header_bytes();
  CHECK_FALSE(store::is_newer_journal(bytes));
  base::put_little_endian(&bytes[8], std::uint32_t{2});
  CHECK(store::is_newer_journal(bytes));
  CHECK(store::decode_journal_header(bytes).error().text.find("newer server") != std::string::npos);
  base::put_little_endian(&bytes[8], std::uint32_t{0});
  CHECK_FALSE(store::decode_journal_header(with_sum(bytes)));
  bytes = header_bytes();
  base::put_little_endian(&bytes[32], std::uint64_t{100});
  CHECK_FALSE(store::decode_journal_header(with_sum(bytes)));
  bytes = header_bytes();
  base::put_little_endian(&bytes[40], std::uint64_t{2U << 20});
  CHECK_FALSE(store::decode_journal_header(with_sum(bytes)));
  CHECK(store::decode_journal_header(with_sum(header_bytes())));
}

TEST_CASE("journal: a block gives back its records") {
  const std::string block = block_bytes();
  CHECK(block.substr(0, 4) == "SPWB");
  CHECK(store::block_size(block, place) == block.size());
  std::vector<store::Redo> records;
  REQUIRE(store::decode_block(block, salt, place, records));
  REQUIRE(records.size() == 2);
  CHECK(records[0].stream == 1);
  CHECK(records[0].segment == 2);
  CHECK(records[0].salt == 3);
  CHECK(records[0].offset == 64);
  CHECK(records[0].bytes == "first+more");
  CHECK(records[1].stream == 4);
  CHECK(records[1].bytes.empty());
}

TEST_CASE("journal: of a block that is not whole nothing counts") {
  std::string block = block_bytes();
  std::vector<store::Redo> records;
  for (std::size_t size = 0; size < block.size(); ++size) {
    CHECK_FALSE(store::decode_block(block.substr(0, size), salt, place, records));
  }
  for (std::size_t bit = 0; bit < 8 * block.size(); ++bit) {
    turn(block, bit);
    CHECK_FALSE(store::decode_block(block, salt, place, records));
    turn(block, bit);
  }
  CHECK_FALSE(store::decode_block(block + '\0', salt, place, records));
  CHECK(store::decode_block(block, salt, place, records));
}

TEST_CASE("journal: a block counts for its own ring, place and lap alone") {
  const std::string block = block_bytes();
  std::vector<store::Redo> records;
  CHECK_FALSE(store::decode_block(block, salt + 1, place, records));
  CHECK_FALSE(store::decode_block(block, salt, {.position = 0, .number = 7}, records));
  CHECK_FALSE(store::decode_block(block, salt, {.position = 8192, .number = 8}, records));
  CHECK(store::decode_block(block, salt, place, records));
}
