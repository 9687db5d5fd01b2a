#include "jetstream/sequence_window.h"

#include <doctest/doctest.h>

#include <map>
#include <utility>
#include <vector>

#include "base/random.h"

using namespace spanwire;
using jetstream::SequenceWindow;
using store::Sequence;

namespace {

using Entries = std::vector<std::pair<Sequence, int>>;

Entries all_of(const SequenceWindow<int>& window) {
  Entries all;
  window.for_each([&all](Sequence sequence, int entry) { all.emplace_back(sequence, entry); });
  return all;
}

}  // namespace

TEST_CASE("sequence window: holds what a map would hold, whatever the order") {
  base::Random random(7);
  for (const std::uint32_t spread : {1U, 3U, 50U}) {
    SequenceWindow<int> window;
    std::map<Sequence, int> expected;
    Sequence next = 1;
    for (int i = 0; i < 20'000; ++i) {
      const Sequence some = 1 + random.below(static_cast<std::uint32_t>(next));
      switch (random.below(8)) {
        case 0:
          window[some] = i;  // delivered again, or between others
          expected[some] = i;
          break;
        case 1:
        case 2:
        case 3:
          next += 1 + random.below(spread);
          window[next] = i;
          expected[next] = i;
          break;
        case 4: {
          const Sequence lowest = window.lowest();
          CHECK(window.erase(lowest) == (expected.erase(lowest) != 0));
          break;
        }
        default:
          CHECK(window.erase(some) == (expected.erase(some) != 0));
      }
      if (i % 4000 == 3999) {
        window.erase_below(some);
        expected.erase(expected.begin(), expected.lower_bound(some));
      }
      REQUIRE(window.size() == expected.size());
      REQUIRE(window.lowest() == (expected.empty() ? 0 : expected.begin()->first));
      const auto found = expected.find(some);
      REQUIRE(window.contains(some) == (found != expected.end()));
      if (found != expected.end()) REQUIRE(*std::as_const(window).find(some) == found->second);
    }
    CHECK(all_of(window) == Entries(expected.begin(), expected.end()));
  }
}

TEST_CASE("sequence window: an entry that comes again begins empty") {
  SequenceWindow<int> window;
  window[1] = 1;
  window[2] = 2;
  window[3] = 3;
  CHECK(window.erase(2));
  CHECK_FALSE(window.erase(2));
  CHECK(window[2] == 0);
  CHECK(window.size() == 3);
}
