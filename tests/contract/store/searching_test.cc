// Searches by filter, subject and time.
#include <doctest/doctest.h>

#include "contract/store/stage.h"

using namespace spanwire;
using store::Found;
using store::Sequence;
using test::make_stage;

namespace {

bool found(const Found& got, Sequence sequence) {
  return got.kind == Found::Kind::message && got.sequence == sequence;
}

bool none(const Found& got) {
  return got.kind == Found::Kind::none;
}

// Sequences 1 to 9: a.1 b.1 c a.2 b.2 c a.3 b.3 c
std::unique_ptr<test::LogStage> nine() {
  auto stage = make_stage();
  for (const char* number : {"1", "2", "3"}) {
    stage->append(std::string("a.") + number);
    stage->append(std::string("b.") + number);
    stage->append("c");
  }
  stage->commit();
  return stage;
}

}  // namespace

TEST_CASE("log: a selection without filters, and one of everything, selects all") {
  const auto stage = nine();
  CHECK(stage->select({})->all());
  CHECK(stage->select({"a.1", ">"})->all());
  CHECK_FALSE(stage->select({"a.>"})->all());
  CHECK(stage->select({})->matches("whatever"));
  CHECK(stage->select({"a.*", "c"})->matches("c"));
  CHECK_FALSE(stage->select({"a.*", "c"})->matches("a"));
}

TEST_CASE("log: next and last find the selected messages, the one they begin at included") {
  const auto stage = nine();
  for (const std::size_t budget : {1U, 2U, 3U, 100U}) {
    CAPTURE(budget);
    const auto all = stage->select({});
    CHECK(found(stage->next(*all, 0, budget), 1));
    CHECK(found(stage->next(*all, 5, budget), 5));
    CHECK(none(stage->next(*all, 10, budget)));
    CHECK(found(stage->last(*all, 5, budget), 5));
    CHECK(found(stage->last(*all, 100, budget), 9));
    CHECK(none(stage->last(*all, 0, budget)));
    const auto wild = stage->select({"a.*"});
    CHECK(found(stage->next(*wild, 2, budget), 4));
    CHECK(found(stage->next(*wild, 7, budget), 7));
    CHECK(none(stage->next(*wild, 8, budget)));
    CHECK(found(stage->last(*wild, 6, budget), 4));
    CHECK(found(stage->last(*wild, 1, budget), 1));
    const auto literal = stage->select({"c"});
    CHECK(found(stage->next(*literal, 4, budget), 6));
    CHECK(found(stage->last(*literal, 8, budget), 6));
    CHECK(none(stage->last(*literal, 2, budget)));
    const auto several = stage->select({"b.2", "c"});
    CHECK(found(stage->next(*several, 4, budget), 5));
    CHECK(found(stage->next(*several, 7, budget), 9));
    CHECK(found(stage->last(*several, 5, budget), 5));
    const auto nothing = stage->select({"d.>", "e"});
    CHECK(none(stage->next(*nothing, 1, budget)));
    CHECK(none(stage->last(*nothing, 9, budget)));
  }
}

TEST_CASE("log: a search that has used up its budget goes on from where it ended") {
  const auto stage = make_stage();
  for (int i = 0; i < 1'000; ++i) stage->append("many");
  stage->append("rare.one");
  for (int i = 0; i < 1'000; ++i) stage->append("many");
  stage->commit();
  const auto rare = stage->select({"rare.*"});
  const Found first = stage->log().next(*rare, 1, 10);
  CHECK(first.kind == Found::Kind::more);
  CHECK(first.sequence > 1);
  CHECK(first.sequence <= 11);
  CHECK(found(stage->next(*rare, 1, 10), 1'001));
  CHECK(found(stage->last(*rare, 2'001, 10), 1'001));
  CHECK(stage->count(*rare, 1, 10) == 1);
  CHECK(none(stage->next(*rare, 1'002, 10)));
}

TEST_CASE("log: a search for one subject does not look at the others") {
  const auto stage = make_stage();
  stage->append("early");
  for (int i = 0; i < 1'000; ++i) stage->append("many");
  stage->append("late");
  for (int i = 0; i < 1'000; ++i) stage->append("many");
  stage->commit();
  CHECK(found(stage->log().next(*stage->select({"late"}), 1, 1), 1'002));
  CHECK(found(stage->log().next(*stage->select({"early", "late"}), 1'002, 1), 1'002));
  CHECK(none(stage->log().next(*stage->select({"early"}), 2, 1)));
  CHECK(found(stage->log().last(*stage->select({"early"}), 2'002, 1), 1));
  CHECK(none(stage->log().next(*stage->select({"absent"}), 1, 1)));
}

TEST_CASE("log: count adds up what is selected from a sequence on") {
  const auto stage = nine();
  CHECK(stage->log().erase(4));
  stage->commit();
  for (const std::size_t budget : {1U, 2U, 100U}) {
    CHECK(stage->count(*stage->select({}), 0, budget) == 8);
    CHECK(stage->count(*stage->select({}), 4, budget) == 5);
    CHECK(stage->count(*stage->select({}), 10, budget) == 0);
    CHECK(stage->count(*stage->select({"a.>"}), 1, budget) == 2);
    CHECK(stage->count(*stage->select({"c"}), 1, budget) == 3);
    CHECK(stage->count(*stage->select({"c"}), 4, budget) == 2);
    CHECK(stage->count(*stage->select({"c", "b.1", "b.1"}), 1, budget) == 4);
    CHECK(stage->count(*stage->select({"d"}), 1, budget) == 0);
  }
  std::uint64_t count = 40;
  CHECK(none(stage->log().count(*stage->select({"c"}), 1, 9, count)));
  CHECK(count == 43);
  CHECK(none(stage->log().count(*stage->select({"c"}), 1, 8, count)));
  CHECK(count == 45);
}

TEST_CASE("log: searches see what is committed only, erasures as well") {
  const auto stage = nine();
  const auto wild = stage->select({"a.*"});
  const auto literal = stage->select({"c"});
  stage->append("a.4");
  CHECK(stage->log().erase(9));
  CHECK(found(stage->last(*wild, 100), 7));
  CHECK(found(stage->last(*literal, 100), 9));
  CHECK(stage->count(*literal, 1) == 2);  // what leaves is not counted any more
  CHECK(stage->count(*stage->select({}), 1) == 8);
  CHECK_FALSE(stage->log().has_ahead(9));
  CHECK(stage->log().has_ahead(10));
  stage->commit();
  CHECK(found(stage->last(*wild, 100), 10));
  CHECK(found(stage->last(*literal, 100), 6));
  CHECK(stage->count(*literal, 1) == 2);
  CHECK(stage->log().of("c") == store::SubjectTotals{.messages = 2, .last = 6});
}

TEST_CASE("log: each selected subject is visited once, in order, with its totals") {
  const auto stage = nine();
  using Subjects = test::LogStage::Subjects;
  for (const std::size_t budget : {1U, 2U, 100U}) {
    CAPTURE(budget);
    CHECK(stage->subjects(*stage->select({}), {}, budget).size() == 7);
    CHECK(stage->subjects(*stage->select({"c", "*.2", "b.*", "*.*"}), {}, budget) ==
          Subjects{{"a.1", {1, 1}},
                   {"a.2", {1, 4}},
                   {"a.3", {1, 7}},
                   {"b.1", {1, 2}},
                   {"b.2", {1, 5}},
                   {"b.3", {1, 8}},
                   {"c", {3, 9}}});
    CHECK(stage->subjects(*stage->select({"*.3"}), "a.3", budget) == Subjects{{"b.3", {1, 8}}});
    CHECK(stage->subjects(*stage->select({"c"}), "c", budget).empty());
    CHECK(stage->subjects(*stage->select({"c"}), "bzz", budget) == Subjects{{"c", {3, 9}}});
    CHECK(stage->subjects(*stage->select({"d.>"}), {}, budget).empty());
  }
}

TEST_CASE("log: a visit that ends the walk goes on behind the subject it has seen") {
  const auto stage = nine();
  const auto all = stage->select({});
  std::vector<std::string> seen;
  std::string after;
  for (int page = 0; page < 20; ++page) {
    const store::Walked walked = stage->log().each_subject(
        *all, after, [&](std::string_view subject, const store::SubjectTotals&) {
          seen.emplace_back(subject);
          return false;
        });
    if (walked.all) break;
    CHECK(walked.after == seen.back());
    after = walked.after;
  }
  CHECK(seen == std::vector<std::string>{"a.1", "a.2", "a.3", "b.1", "b.2", "b.3", "c"});
}

TEST_CASE("log: subjects whose messages are erased are visited no more") {
  const auto stage = nine();
  CHECK(stage->log().erase(4));
  CHECK(stage->subjects(*stage->select({"a.*"})).size() == 3);
  stage->commit();
  CHECK(stage->subjects(*stage->select({"a.*"})).size() == 2);
  CHECK(stage->log().totals().subjects == 6);
}

TEST_CASE("log: first_since finds the first message that is not older") {
  const auto stage = make_stage();
  CHECK(none(stage->first_since({})));
  for (int i = 1; i <= 2'000; ++i) stage->append_at(i / 2);
  stage->commit();
  const auto at = [](std::int64_t seconds) { return test::LogStage::at_second(seconds); };
  CHECK(found(stage->first_since(at(-5)), 1));
  CHECK(found(stage->first_since(at(1)), 2));
  for (const int second : {2, 100, 500, 767, 768, 999}) {
    CHECK(found(stage->first_since(at(second)), static_cast<Sequence>(second) * 2));
    CHECK(found(stage->first_since(at(second) - base::Duration(1)),
                static_cast<Sequence>(second) * 2));
    CHECK(found(stage->first_since(at(second) + base::Duration(1)),
                static_cast<Sequence>(second) * 2 + 2));
  }
  CHECK(found(stage->first_since(at(1'000)), 2'000));
  CHECK(none(stage->first_since(at(1'000) + base::Duration(1))));
  for (Sequence sequence = 200; sequence <= 1'900; ++sequence) {
    CHECK(stage->log().erase(sequence));
  }
  stage->commit();
  CHECK(found(stage->first_since(at(500)), 1'901));
  CHECK(found(stage->first_since(at(99)), 198));
  CHECK(found(stage->first_since(at(100)), 1'901));
}

TEST_CASE("log: the first of a subject follows those that are erased before it") {
  const auto stage = make_stage();
  for (int i = 0; i < 900; ++i) stage->append("s." + std::to_string(i % 3));
  for (Sequence first = 1; first + 3 <= 900; first += 3) {
    CHECK(stage->log().ahead_first_of("s.0") == first);
    CHECK(stage->log().erase(first));
  }
  CHECK(stage->log().ahead_first_of("s.0") == 898);
  CHECK(stage->log().ahead_first_of("s.1") == 2);
  CHECK(stage->log().ahead_first_of("absent") == 0);
  CHECK(stage->log().erase(898));
  CHECK(stage->log().ahead_first_of("s.0") == 0);
  stage->append("s.0");
  CHECK(stage->log().ahead_first_of("s.0") == 901);
}

TEST_CASE("log: the last of a subject falls back to the one before when it is erased") {
  const auto stage = nine();
  CHECK(stage->log().erase(9));
  CHECK(stage->log().erase(6));
  CHECK(stage->log().ahead_of("c") == store::SubjectTotals{.messages = 1, .last = 3});
  CHECK(stage->log().of("c") == store::SubjectTotals{.messages = 3, .last = 9});
  stage->commit();
  CHECK(stage->log().of("c") == store::SubjectTotals{.messages = 1, .last = 3});
  CHECK(stage->log().erase(3));
  CHECK(stage->log().ahead_of("c") == store::SubjectTotals{});
}

TEST_CASE("log: a selection stays true while subjects come and go by the thousand") {
  const auto stage = make_stage();
  const auto odd = stage->select({"*.odd"});
  int number = 0;
  for (int round = 0; round < 20; ++round) {
    // An odd number, so that a subject's number in the log is even and odd in turn.
    for (int i = 0; i < 1'001; ++i, ++number) {
      stage->append(std::to_string(number) + (number % 2 == 0 ? ".even" : ".odd"));
    }
    stage->commit();
    const Sequence last = stage->log().totals().last;
    const bool ends_odd = number % 2 == 0;
    CHECK(stage->count(*odd, last - 999) == 500);
    CHECK(found(stage->last(*odd, last), ends_odd ? last : last - 1));
    CHECK(found(stage->next(*odd, last - 2), ends_odd ? last - 2 : last - 1));
    stage->append("stays");  // or every number would be given back at once
    stage->erase_through(last);
    stage->commit();
    CHECK(none(stage->next(*odd, 1)));
    CHECK(stage->log().totals().subjects == 1);
  }
}

TEST_CASE("log: a footprint shows what is held, and less when it was erased") {
  const auto stage = make_stage();
  const std::uint64_t empty = stage->log().footprint().memory_bytes;
  CHECK(empty < 64U << 10);
  for (int i = 0; i < 4'000; ++i) stage->append("s." + std::to_string(i), std::string(500, 'p'));
  stage->commit();
  const store::Log::Footprint full = stage->log().footprint();
  CHECK(full.memory_bytes + full.disk_bytes > 4'000 * 500);
  CHECK(full.segments > 0);
  CHECK(full.damaged == 0);
  stage->erase_through(stage->log().totals().last);
  for (int i = 0; i < 10; ++i) {
    stage->append("a");
    stage->commit();
  }
  CHECK(stage->log().footprint().memory_bytes < full.memory_bytes / 4);
}
