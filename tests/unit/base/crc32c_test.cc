#include "base/crc32c.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

#include "base/random.h"

using namespace spanwire;

namespace {

std::string counted(int from, int to) {
  std::string bytes;
  for (int byte = from; byte != to; byte += from < to ? 1 : -1) {
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

std::string drawn(std::size_t size) {
  base::Random random(size);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.below(256));
  return bytes;
}

}  // namespace

TEST_CASE("crc32c: the examples of the specification [RFC3720-B.4]") {
  for (const auto sum : {base::crc32c, base::crc32c_portable}) {
    CHECK(sum(std::string(32, '\0'), 0) == 0x8a9136aaU);
    CHECK(sum(std::string(32, '\xff'), 0) == 0x62a8ab43U);
    CHECK(sum(counted(0, 32), 0) == 0x46dd794eU);
    CHECK(sum(counted(31, -1), 0) == 0x113fdb5cU);
    CHECK(sum("123456789", 0) == 0xe3069283U);
    CHECK(sum("", 0) == 0);
    CHECK(sum("", 7) == 7);
  }
}

TEST_CASE("crc32c: the instruction and the tables agree on every length") {
  const std::string bytes = drawn(2'600);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const std::string_view part = std::string_view(bytes).substr(bytes.size() - size);
    REQUIRE(base::crc32c(part) == base::crc32c_portable(part));
    REQUIRE(base::crc32c(part, 0x12345678U) == base::crc32c_portable(part, 0x12345678U));
  }
}

TEST_CASE("crc32c: a sum goes on where the one before ended, wherever the text is cut") {
  const std::string bytes = drawn(1'600);
  const std::string_view all = bytes;
  const std::uint32_t whole = base::crc32c(all);
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    REQUIRE(base::crc32c(all.substr(cut), base::crc32c(all.substr(0, cut))) == whole);
  }
}

TEST_CASE("crc32c: three texts side by side have the sums that each has alone") {
  const std::string bytes = drawn(2'600);
  base::Random random(3);
  for (int i = 0; i < 3'000; ++i) {
    std::array<std::string_view, 3> texts;
    std::array<std::uint32_t, 3> sums;
    for (std::size_t k = 0; k < 3; ++k) {
      const std::size_t most = i % 7 == 0 ? 2'600 : i % 3 == 0 ? 20 : 700;
      texts[k] = std::string_view(bytes).substr(0, random.below(most));
      texts[k].remove_prefix(random.below(texts[k].size() + 1));
      sums[k] = static_cast<std::uint32_t>(random.below(3) * 0x12345678U);
    }
    const auto before = sums;
    base::crc32c_of_three(texts, sums);
    for (std::size_t k = 0; k < 3; ++k) {
      REQUIRE(sums[k] == base::crc32c_portable(texts[k], before[k]));
    }
  }
}

TEST_CASE("crc32c: every flipped bit and another start give another sum") {
  std::string bytes = drawn(1'000);
  const std::uint32_t whole = base::crc32c(bytes);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    REQUIRE(base::crc32c(bytes) != whole);
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  }
  CHECK(base::crc32c(bytes, 1) != whole);
}
