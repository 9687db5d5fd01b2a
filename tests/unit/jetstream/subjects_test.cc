#include "jetstream/subjects.h"

#include <doctest/doctest.h>

#include <utility>

using namespace spanwire;
using namespace spanwire::jetstream;

TEST_CASE("subjects: which a stream may name") {
  for (const std::string_view good : {"a", "a.b", "*", ">", "a.*.>", "a*.>b", "$JS.x"}) {
    CHECK(is_valid_subject(good));
  }
  for (const std::string_view bad :
       {"", ".", "a.", ".a", "a..b", ">.a", "a.>.b", "a b", "a.\t", "\n"}) {
    CHECK_FALSE(is_valid_subject(bad));
  }
}

TEST_CASE("subjects: which names streams and consumers may have") {
  for (const std::string_view good : {"a", "KV_x-1", "$x", "\xc3\xa9"}) CHECK(is_valid_name(good));
  for (const std::string_view bad :
       {"", "a.b", "*", "a>", "a b", "a\tb", "a/b", "a\\b", "a\r", "\f"}) {
    CHECK_FALSE(is_valid_name(bad));
  }
}

TEST_CASE("subjects: two collide if one subject is in both") {
  const std::pair<std::string_view, std::string_view> collide[] = {
      {"a", "a"}, {"a.*", "a.b"}, {"a.*", "*.b"},   {"a.>", "a.b.c"},
      {">", "a"}, {"*.>", "a.b"}, {"a.*.c", "a.>"}, {"a.b*", "a.*"}};
  const std::pair<std::string_view, std::string_view> apart[] = {
      {"a", "b"},   {"a.b", "ab"},  {"a.bc", "a.b.c"}, {"a.b*", "a.bc"},  {"a", "a.b"},
      {"a.>", "a"}, {"a.*", "b.*"}, {"*", "a.b"},      {"a.*.c", "a.b.d"}};
  for (const auto& [one, other] : collide) {
    const std::string_view shown = one;  // clang 14 captures no binding
    CAPTURE(shown);
    CHECK(subjects_collide(one, other));
    CHECK(subjects_collide(other, one));
  }
  for (const auto& [one, other] : apart) {
    const std::string_view shown = one;  // clang 14 captures no binding
    CAPTURE(shown);
    CHECK_FALSE(subjects_collide(one, other));
    CHECK_FALSE(subjects_collide(other, one));
  }
}

TEST_CASE("subjects: a subset has nothing that the other has not") {
  const std::pair<std::string_view, std::string_view> subsets[] = {
      {"a.b", "a.*"}, {"a.*", "a.>"}, {"a.>", "a.>"}, {"a.b.>", "a.>"}, {"*", ">"}, {"a.b", "a.b"}};
  const std::pair<std::string_view, std::string_view> others[] = {
      {"a.*", "a.b"}, {"a.>", "a.*"}, {"a", "a.>"}, {"a.b.c", "a.*"}, {">", "*"}, {"a.>", "a.b"}};
  for (const auto& [narrow, wide] : subsets) {
    const std::string_view shown = narrow;  // clang 14 captures no binding
    CAPTURE(shown);
    CHECK(is_subset(narrow, wide));
  }
  for (const auto& [narrow, wide] : others) {
    const std::string_view shown = narrow;  // clang 14 captures no binding
    CAPTURE(shown);
    CHECK_FALSE(is_subset(narrow, wide));
  }
}
