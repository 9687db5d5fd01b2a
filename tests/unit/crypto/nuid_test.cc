#include "crypto/nuid.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "crypto/random.h"

using namespace spanwire;

TEST_CASE("nuid: an id has 22 digits of base 62, and no two are the same") {
  crypto::NuidSource source;
  std::set<std::string> ids;
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = source.next();
    REQUIRE(id.size() == 22);
    REQUIRE(std::all_of(id.begin(), id.end(), [](unsigned char c) { return std::isalnum(c); }));
    REQUIRE(ids.insert(id).second);
  }
}

TEST_CASE("nuid: two sources share neither the prefix nor the count") {
  const std::string left = crypto::NuidSource().next();
  const std::string right = crypto::NuidSource().next();
  CHECK(left.substr(0, 12) != right.substr(0, 12));
  CHECK(left.substr(12) != right.substr(12));
}

TEST_CASE("nuid: the count goes on in base 62, high digit first") {
  crypto::NuidSource source(0, 61);
  const std::string first = source.next();
  const std::string second = source.next();
  CHECK(first.substr(12) == "000000000z");
  CHECK(second.substr(12) == "000000001y");  // 122 = 1 * 62 + 60
  CHECK(first.substr(0, 12) == second.substr(0, 12));
}

TEST_CASE("nuid: where the count ends a new prefix begins") {
  crypto::NuidSource source(crypto::NuidSource::counter_end - 2, 1);
  const std::string last = source.next();
  CHECK(last.substr(12) == "zzzzzzzzzz");
  const std::string next = source.next();
  CHECK(next.size() == 22);
  CHECK(next.substr(0, 12) != last.substr(0, 12));
}

TEST_CASE("random: bytes are filled to the end, and differ each time") {
  std::string bytes(4096, '\0');
  crypto::fill_random(bytes);
  CHECK(std::count(bytes.end() - 256, bytes.end(), '\0') < 32);
  std::string empty;
  crypto::fill_random(empty);
  CHECK(crypto::random_seed() != crypto::random_seed());
}
