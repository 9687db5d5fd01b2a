#include "subject/index.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>
#include <string>

using namespace spanwire;
using subject::Filter;
using subject::TokenKind;

namespace {

std::multiset<int> found(const subject::Index<int>& index, std::string_view text) {
  std::multiset<int> values;
  index.match(text, [&](int& value) { values.insert(value); });
  return values;
}

// Filters over a tiny alphabet, so that overlaps are the rule.
Filter random_filter(std::mt19937& rng) {
  Filter filter;
  const int tokens = 1 + static_cast<int>(rng() % 4);
  for (int i = 0; i < tokens; ++i) {
    switch (rng() % 8) {
      case 0:
        filter.add(TokenKind::one);
        break;
      case 1:
        filter.add(TokenKind::any);
        break;
      case 2:
        if (i + 1 == tokens) {
          filter.add(rng() % 2 == 0 ? TokenKind::tail : TokenKind::tail_or_here);
          break;
        }
        [[fallthrough]];
      default:
        filter.add(TokenKind::literal, rng() % 5 == 0 ? "$a" : rng() % 2 == 0 ? "a" : "b");
    }
  }
  if (rng() % 2 == 0) filter.hide_dollar();
  return filter;
}

std::string random_subject(std::mt19937& rng) {
  std::string text;
  const int tokens = 1 + static_cast<int>(rng() % 4);
  for (int i = 0; i < tokens; ++i) {
    if (i != 0) text += '.';
    text += rng() % 5 == 0 ? "$a" : rng() % 2 == 0 ? "a" : "b";
  }
  return text;
}

}  // namespace

TEST_CASE("index: a filter is found once for each subject that it matches, and no other") {
  std::mt19937 rng(7);
  for (int round = 0; round < 200; ++round) {
    subject::Index<int> index;
    std::map<int, Filter> model;
    for (int id = 1; id <= 12; ++id) {
      const Filter filter = random_filter(rng);
      int& value = index.insert(filter);
      if (value == 0) {
        value = id;
        model.emplace(id, filter);
      }
    }
    while (model.size() > 4) {  // erase some again: branches must go, neighbours must stay
      auto victim = std::next(model.begin(), static_cast<long>(rng() % model.size()));
      REQUIRE(index.erase(victim->second));
      CHECK_FALSE(index.erase(victim->second));
      model.erase(victim);
    }
    CHECK(index.size() == model.size());
    for (int i = 0; i < 40; ++i) {
      const std::string text = random_subject(rng);
      std::multiset<int> expected;
      for (const auto& [id, filter] : model) {
        if (subject::matches(filter, text)) expected.insert(id);
      }
      CAPTURE(text);
      CHECK(found(index, text) == expected);
    }
  }
}

TEST_CASE("index: filters that differ only in what a wildcard sees are two filters") {
  subject::Index<int> index;
  Filter plain;
  plain.add(TokenKind::tail_or_here);
  Filter hidden = plain;
  hidden.hide_dollar();
  index.insert(plain) = 1;
  index.insert(hidden) = 2;
  CHECK(index.size() == 2);
  CHECK(found(index, "a") == std::multiset<int>{1, 2});
  CHECK(found(index, "$a") == std::multiset<int>{1});
}

TEST_CASE("index: the deepest filter is inserted, found and erased") {
  std::string text = "a";
  for (std::size_t i = 1; i < subject::max_filter_tokens; ++i) text += ".a";
  const Filter filter = subject::literal_filter(text);
  subject::Index<int> index;
  index.insert(filter) = 1;
  CHECK(found(index, text) == std::multiset<int>{1});
  CHECK(index.erase(filter));
  CHECK(index.size() == 0);
}

TEST_CASE("index: a place knows the filter that was entered there") {
  std::mt19937 rng(11);
  subject::Index<int> index;
  for (int i = 0; i < 500; ++i) {
    const Filter filter = random_filter(rng);
    subject::Place& place = index.enter(filter);
    CHECK(subject::filter_at(place) == filter);
    CHECK(&index.enter(filter) == &place);
    if (rng() % 3 == 0) index.erase(place);
  }
}
