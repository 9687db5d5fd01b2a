#include "store/subject_tree.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "base/random.h"

using namespace spanwire;
using store::SubjectId;
using store::SubjectTree;

namespace {

subject::Filter nats(std::string_view text) {
  return subject::parse_nats_filter(text).value();
}

// Walks in steps of `budget` and goes on behind each pause.
std::vector<std::string> walked(const SubjectTree& tree, const subject::Filter* filter,
                                std::string after = {}, std::size_t budget = 1'000'000) {
  std::vector<std::string> found;
  while (true) {
    SubjectTree::Walk walk(tree, filter, after);
    std::size_t left = budget;
    auto step = walk.next(left);
    for (; step == SubjectTree::Walk::Step::found; step = walk.next(left)) {
      CHECK(tree.find(walk.text()) == walk.id());
      found.emplace_back(walk.text());
    }
    if (step == SubjectTree::Walk::Step::end) return found;
    REQUIRE(std::string(walk.text()) > after);
    after = walk.text();
  }
}

std::string random_subject(base::Random& random) {
  static constexpr std::string_view tokens[] = {"a", "b", "ab", "abc", "$x", "longer-token",
                                                "z", ""};
  std::string text;
  const std::uint32_t count = 1 + random.below(4);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i != 0) text += '.';
    text += tokens[random.below(8)];
    if (random.below(3) == 0) text += static_cast<char>(random.below(256));
  }
  return text.empty() ? "x" : text;
}

subject::Filter random_filter(base::Random& random) {
  subject::Filter filter;
  const std::uint32_t count = 1 + random.below(4);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t kind = random.below(8);
    static constexpr std::string_view tokens[] = {"a", "b", "ab", "$x", "longer-token"};
    if (kind < 4) {
      filter.add(subject::TokenKind::literal, tokens[random.below(5)]);
    } else if (kind < 6) {
      filter.add(subject::TokenKind::one);
    } else if (kind == 6) {
      filter.add(subject::TokenKind::any);
    } else {
      filter.add(random.below(2) == 0 ? subject::TokenKind::tail
                                      : subject::TokenKind::tail_or_here);
      break;
    }
  }
  if (random.below(2) == 0) filter.hide_dollar();
  return filter;
}

}  // namespace

TEST_CASE("subject tree: what was inserted is found, prefixes and extensions of it are not") {
  SubjectTree tree;
  CHECK(tree.find("a") == store::no_subject);
  tree.insert("orders.eu.new", 0);
  tree.insert("orders.eu", 1);
  tree.insert("orders.us.new", 2);
  CHECK(tree.find("orders.eu.new") == 0);
  CHECK(tree.find("orders.eu") == 1);
  CHECK(tree.find("orders.us.new") == 2);
  CHECK(tree.insert("orders.eu", 9) == 1);
  CHECK(tree.size() == 3);
  for (const char* other :
       {"", "o", "orders", "orders.", "orders.e", "orders.eu.", "orders.eu.newer"}) {
    CHECK(tree.find(other) == store::no_subject);
  }
  std::string text;
  tree.text_of(2, text);
  CHECK(text == "orders.us.new");
}

TEST_CASE(
    "subject tree: an erased subject is gone, its neighbours stay, the last frees the pages") {
  SubjectTree tree;
  tree.insert("a.b", 0);
  tree.insert("a.b.c", 1);
  tree.insert("a.bd", 2);
  tree.erase(0);
  CHECK(tree.find("a.b") == store::no_subject);
  CHECK(tree.find("a.b.c") == 1);
  CHECK(tree.find("a.bd") == 2);
  tree.erase(1);
  tree.erase(2);
  CHECK(tree.size() == 0);
  CHECK(tree.memory_bytes() < 200);
  tree.insert("again", 0);
  CHECK(tree.find("again") == 0);
}

TEST_CASE("subject tree: a subject far longer than a node's text") {
  SubjectTree tree;
  const std::string text(70'000, 'x');
  tree.insert(text, 0);
  tree.insert(text + 'y', 1);
  tree.insert(text.substr(0, 300), 2);
  CHECK(tree.find(text) == 0);
  CHECK(tree.find(text + 'y') == 1);
  CHECK(tree.find(text.substr(0, 301)) == store::no_subject);
  tree.erase(0);
  std::string out;
  tree.text_of(1, out);
  CHECK(out == text + 'y');
  CHECK(walked(tree, nullptr) == std::vector<std::string>{text.substr(0, 300), text + 'y'});
}

TEST_CASE("subject tree: a walk enters only branches that the filter can match") {
  SubjectTree tree;
  for (SubjectId id = 0; id < 10'000; ++id) {
    tree.insert("kv." + std::to_string(id / 100) + "." + std::to_string(id % 100), id);
  }
  const subject::Filter filter = nats("kv.42.*");
  SubjectTree::Walk walk(tree, &filter, {});
  std::size_t budget = 1'000;
  std::size_t found = 0;
  while (walk.next(budget) == SubjectTree::Walk::Step::found) ++found;
  CHECK(found == 100);
  CHECK(budget > 850);
}

TEST_CASE("subject tree: random inserts, erases and walks are those of an ordered map") {
  base::Random random(7);
  SubjectTree tree;
  std::map<std::string, SubjectId> model;
  std::vector<SubjectId> free_ids;
  SubjectId next_id = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::string text = random_subject(random);
    const auto known = model.find(text);
    CHECK(tree.find(text) == (known == model.end() ? store::no_subject : known->second));
    if (known != model.end() && random.below(2) == 0) {
      tree.erase(known->second);
      free_ids.push_back(known->second);
      model.erase(known);
    } else if (known == model.end()) {
      if (free_ids.empty()) free_ids.push_back(next_id++);
      tree.insert(text, free_ids.back());
      model.emplace(text, free_ids.back());
      free_ids.pop_back();
    }
    if (round % 50 != 0) continue;
    CHECK(tree.size() == model.size());
    const subject::Filter filter = random_filter(random);
    const std::string after = random.below(2) == 0 ? std::string() : random_subject(random);
    std::vector<std::string> all;
    std::vector<std::string> matching;
    for (auto it = model.upper_bound(after); it != model.end(); ++it) {
      all.push_back(it->first);
      if (subject::matches(filter, it->first)) matching.push_back(it->first);
      std::string out;
      tree.text_of(it->second, out);
      CHECK(out == it->first);
    }
    CHECK(walked(tree, nullptr, after) == all);
    CHECK(walked(tree, nullptr, after, 1 + random.below(5)) == all);
    if (filter.is_literal()) continue;
    CAPTURE(filter.to_string());
    CHECK(walked(tree, &filter, after) == matching);
    CHECK(walked(tree, &filter, after, 1 + random.below(5)) == matching);
  }
}
