#include "jetstream/duplicates.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace spanwire;
using base::WallTime;
using jetstream::Duplicates;
using std::chrono::seconds;

namespace {

WallTime at(int second) {
  return WallTime(seconds(second));
}

}  // namespace

TEST_CASE("duplicates: an id is known for its window and not a moment longer") {
  Duplicates ids;
  ids.set_window(seconds(10));
  CHECK(ids.add("a", 1, at(0)));
  ids.forget_before(at(9));
  CHECK(ids.find("a") == 1);
  ids.forget_before(at(10));
  CHECK(ids.find("a") == 0);
  CHECK(ids.empty());
}

TEST_CASE("duplicates: without a window no id is kept") {
  Duplicates ids;
  CHECK(ids.add("a", 1, at(0)));
  CHECK(ids.find("a") == 0);
}

TEST_CASE("duplicates: an id that was kept stays what it was") {
  Duplicates ids;
  ids.set_window(seconds(10));
  ids.add("a", 1, at(0));
  ids.add("a", 2, at(5));
  CHECK(ids.find("a") == 1);
  CHECK(ids.size() == 1);
}

TEST_CASE("duplicates: what was never committed is forgotten, and may come again") {
  Duplicates ids;
  ids.set_window(seconds(10));
  ids.add("a", 1, at(0));
  ids.add("b", 2, at(0));
  ids.add("c", 3, at(0));
  ids.forget_above(1);
  CHECK(ids.find("a") == 1);
  CHECK(ids.find("b") == 0);
  CHECK(ids.find("c") == 0);
  CHECK(ids.add("b", 2, at(1)));
  CHECK(ids.find("b") == 2);
}

TEST_CASE("duplicates: they are told from the oldest on, for a snapshot") {
  Duplicates ids;
  ids.set_window(seconds(10));
  ids.add("z", 1, at(0));
  ids.add("a", 2, at(1));
  std::vector<std::string> told;
  ids.for_each([&](std::string_view id, store::Sequence sequence, WallTime) {
    told.push_back(std::string(id) + std::to_string(sequence));
  });
  CHECK(told == std::vector<std::string>{"z1", "a2"});
}
