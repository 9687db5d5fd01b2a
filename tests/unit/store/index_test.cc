#include "store/index.h"

#include <doctest/doctest.h>

#include <map>

#include "base/random.h"

using namespace spanwire;
using store::Found;
using store::Index;
using store::IndexSegment;
using store::Sequence;

namespace {

base::WallTime second(std::int64_t seconds) {
  return base::WallTime(std::chrono::seconds(seconds));
}

// An index with messages of a hundred bytes each; a message's time is its sequence in seconds.
struct Stage {
  Index index{[](Sequence sequence) { return second(static_cast<std::int64_t>(sequence)); }};
  store::Ticket ticket = 0;
  std::uint32_t offset = 0;

  Stage() { index.open_segment(1); }
  void append(std::string_view subject, std::uint32_t counted = 80) {
    append_at(index.ahead().last + 1, subject, counted);
  }
  void append_at(Sequence sequence, std::string_view subject, std::uint32_t counted = 80) {
    index.append({.sequence = sequence,
                  .offset = offset,
                  .counted = counted,
                  .time = second(static_cast<std::int64_t>(sequence)),
                  .subject = subject});
    offset += counted + 20;
  }
  void open(std::uint64_t number) {
    index.open_segment(number);
    offset = 0;
  }
  void commit() {
    index.end_part(++ticket);
    index.commit(ticket);
  }
  Sequence next(Sequence from) {
    store::IndexSelection all({});
    std::size_t budget = 1'000;
    return index.next(all, from, budget).sequence;
  }
};

}  // namespace

TEST_CASE("index segment: missing sequences are told, few or many") {
  for (const Sequence step : {1U, 2U, 5U, 40U, 70'000U, 1'000'000U}) {
    CAPTURE(step);
    IndexSegment segment(1);
    for (std::uint32_t i = 0; i < 600; ++i) {
      segment.append(1 + i * step, i * 10, 7, i, second(i));
      if (i % 100 == 50) segment.seal();
    }
    CHECK(segment.live() == 600);
    CHECK(segment.live_bytes() == 4'200);
    for (std::uint32_t i = 0; i < 600; ++i) {
      const std::size_t position = segment.find(1 + i * step);
      REQUIRE(position < segment.size());
      CHECK(segment.subject(position) == i);
      CHECK(segment.offset(position) == i * 10);
      CHECK(segment.counted(position) == 7);
      CHECK(segment.sequence(segment.lower_bound(i * step + 1)) == i * step + 1);
    }
    CHECK(segment.find(0) == segment.size());
    CHECK(segment.find(600 * step + 1) == segment.size());
    CHECK(segment.next_live(segment.find(1) + 1, segment.size(), store::no_subject) ==
          segment.find(1 + step));
    if (step > 1) CHECK(segment.next_live(1, 2, store::no_subject) <= 2);
  }
}

TEST_CASE("index segment: a message with another overhead counts for what it was said to") {
  base::Random random(5);
  IndexSegment segment(1);
  std::vector<std::uint32_t> counted;
  std::uint32_t offset = 0;
  for (std::uint32_t i = 0; i < 1'000; ++i) {
    counted.push_back(random.below(100));
    segment.append(i + 1, offset, counted.back(), 0, {});
    offset += counted.back() + 20 + (i % 7 == 0 ? random.below(50) : 0);
  }
  for (std::uint32_t i = 0; i < 1'000; ++i) CHECK(segment.counted(i) == counted[i]);
  for (std::uint32_t i = 1'000; i > 500; --i) {
    segment.pop();
    CHECK(segment.size() == i - 1);
    CHECK(segment.counted(i - 2) == counted[i - 2]);
  }
  segment.append(2'000, offset, 33, 0, {});
  CHECK(segment.counted(499) == counted[499]);
  CHECK(segment.counted(segment.find(2'000)) == 33);
}

TEST_CASE("index: what was not committed is dropped, and nothing of it stays") {
  Stage it;
  for (int i = 0; i < 10; ++i) it.append(i % 2 == 0 ? "even" : "odd");
  it.commit();
  const store::Totals before = it.index.totals();
  CHECK(it.index.erase(1));
  CHECK(it.index.erase(10));
  it.append("new");
  it.index.end_part(++it.ticket);
  CHECK(it.index.erase_through(4, 100));
  it.open(2);
  it.append("even");
  CHECK(it.index.erase(12));
  it.index.drop_uncommitted();
  for (const store::Totals& totals : {it.index.totals(), it.index.ahead()}) {
    CHECK(totals.messages == before.messages);
    CHECK(totals.bytes == before.bytes);
    CHECK(totals.first == before.first);
    CHECK(totals.last == before.last);
    CHECK(totals.subjects == before.subjects);
    CHECK((totals.last_time == before.last_time));
  }
  CHECK(it.index.ahead_of("even").messages == 5);
  CHECK(it.index.ahead_of("even").last == 9);
  CHECK(it.index.ahead_of("odd").last == 10);
  CHECK(it.index.ahead_of("new").messages == 0);
  CHECK(it.index.ahead_first_of("odd") == 2);
  CHECK(it.index.take_dead() == std::vector<std::uint64_t>{2});
  it.open(3);
  it.append("again");
  it.commit();
  CHECK(it.index.totals().last == 11);
  CHECK(it.index.erase(1));
}

TEST_CASE("index: a segment whose messages are all erased is told once, the open one is not") {
  Stage it;
  it.append("a");
  it.append("a");
  it.open(2);
  it.append("a");
  it.commit();
  CHECK(it.index.erase_through(3, 100));
  CHECK(it.index.take_dead().empty());
  it.commit();
  CHECK(it.index.take_dead() == std::vector<std::uint64_t>{1});
  CHECK(it.index.take_dead().empty());
  it.open(3);
  it.commit();
  CHECK(it.index.take_dead() == std::vector<std::uint64_t>{2});
  it.open(4);
  CHECK(it.index.take_dead() == std::vector<std::uint64_t>{3});
}

TEST_CASE("index: a segment written anew takes over, with what was erased meanwhile") {
  Stage it;
  for (int i = 0; i < 20; ++i) it.append("s." + std::to_string(i % 4));
  it.open(2);
  for (int i = 0; i < 20; ++i) it.append("s." + std::to_string(i % 4));
  it.open(3);
  it.append("s.0");
  it.commit();
  for (Sequence sequence = 1; sequence <= 40; ++sequence) {
    if (sequence % 10 != 0) CHECK(it.index.erase(sequence));
  }
  it.commit();
  auto fresh = std::make_unique<IndexSegment>(4);
  for (const Sequence sequence : {10, 20, 30, 40}) {
    const auto place = it.index.find(sequence);
    REQUIRE(place.has_value());
    const IndexSegment& old = *it.index.segments()[place->segment - 1];
    const std::size_t position = old.find(sequence);
    fresh->append(sequence, static_cast<std::uint32_t>(sequence) * 50, old.counted(position),
                  old.subject(position), second(static_cast<std::int64_t>(sequence)));
  }
  CHECK(it.index.erase(20));
  it.commit();
  CHECK(it.index.erase(30));
  it.index.replace(0, 1, std::move(fresh));
  CHECK(it.index.take_dead() == std::vector<std::uint64_t>{1, 2});
  CHECK(it.index.segments().size() == 2);
  CHECK(it.index.find(10)->segment == 4);
  CHECK(it.index.find(40)->offset == 2'000);
  CHECK_FALSE(it.index.find(20).has_value());
  CHECK(it.index.has(30));
  CHECK_FALSE(it.index.erase(30));
  it.commit();
  CHECK_FALSE(it.index.has(30));
  CHECK(it.next(11) == 40);
  CHECK(it.index.totals().messages == 3);
  CHECK(it.index.totals().bytes == 240);
  CHECK(it.index.of("s.3").last == 40);
}

TEST_CASE("index: segments may be replayed with the holes that compaction left") {
  Stage it;
  it.append_at(5, "a");
  it.append_at(6, "b");
  it.append_at(1'000'000, "a");
  it.append_at(1'000'020, "b");
  it.commit();
  CHECK(it.index.totals().messages == 4);
  CHECK(it.index.totals().first == 5);
  CHECK(it.index.totals().deleted() == 1'000'012);
  CHECK(it.next(7) == 1'000'000);
  CHECK(it.next(1'000'001) == 1'000'020);
  CHECK(it.index.of("b").last == 1'000'020);
  CHECK(it.index.erase(1'000'020));
  CHECK(it.index.ahead_of("b").last == 6);
  CHECK(it.index.first_since(second(8)).sequence == 1'000'000);
  store::IndexSelection all({});
  std::size_t budget = 10;
  CHECK(it.index.last(all, 999'999, budget).sequence == 6);
}

TEST_CASE("index: what a start appends is what was appended and committed") {
  Stage it;
  Stage start;
  base::Random random(5);
  for (std::uint32_t i = 0; i < 3'000; ++i) {
    const std::string subject = "s." + std::to_string(random.below(40));
    it.append(subject);
    const Sequence sequence = it.index.ahead().last;
    CHECK(start.index.append_committed({.sequence = sequence,
                                        .offset = i * 100,
                                        .counted = 80,
                                        .time = second(static_cast<std::int64_t>(sequence)),
                                        .subject = subject}) != store::no_subject);
    for (std::uint32_t erased = random.below(3); erased != 0; --erased) {
      const Sequence any = 1 + random.below(static_cast<std::uint32_t>(sequence));
      CHECK(it.index.erase(any) == start.index.erase(any));
    }
    if (random.below(8) != 0) continue;
    it.commit();
    start.commit();
    CHECK(start.index.totals().messages == it.index.totals().messages);
    CHECK(start.index.totals().bytes == it.index.totals().bytes);
    CHECK(start.index.totals().first == it.index.totals().first);
    CHECK(start.index.totals().last == it.index.totals().last);
    CHECK(start.index.totals().last_time == it.index.totals().last_time);
    CHECK(start.index.totals().subjects == it.index.totals().subjects);
    CHECK(start.index.of(subject).messages == it.index.of(subject).messages);
    CHECK(start.index.of(subject).last == it.index.of(subject).last);
    CHECK(start.index.ahead_of(subject).last == it.index.ahead_of(subject).last);
  }
}

namespace {

// Consumes subjects from their fronts while they grow, and erases some in between. So many messages
// stand there before the first question.
void keep_histories(Stage& it, int before, std::uint32_t subjects) {
  std::map<std::string, std::vector<Sequence>> model;
  base::Random random(11);
  for (int i = 0; i < before + 20'000; ++i) {
    const std::string subject = "s." + std::to_string(random.below(subjects));
    it.append(subject);
    std::vector<Sequence>& sequences = model[subject];
    sequences.push_back(it.index.ahead().last);
    if (i % 32 == 0) it.commit();
    if (it.index.segment_full() || i % 10'000 == 9'999) it.open(static_cast<std::uint64_t>(i + 2));
    if (i < before) continue;
    const std::size_t most = subject == "s.0" ? 1'000 : 5;
    while (sequences.size() > most) {
      CHECK(it.index.ahead_first_of(subject) == sequences.front());
      CHECK(it.index.erase(sequences.front()));
      sequences.erase(sequences.begin());
    }
    if (random.below(50) == 0 && !sequences.empty()) {
      const std::size_t any = random.below(static_cast<std::uint32_t>(sequences.size()));
      CHECK(it.index.erase(sequences[any]));
      sequences.erase(sequences.begin() + static_cast<std::ptrdiff_t>(any));
    }
  }
  for (const auto& [subject, sequences] : model) {
    CHECK(it.index.ahead_first_of(subject) == (sequences.empty() ? 0 : sequences.front()));
    CHECK(it.index.ahead_of(subject).messages == sequences.size());
    CHECK(it.index.ahead_of(subject).last == (sequences.empty() ? 0 : sequences.back()));
  }
}

}  // namespace

TEST_CASE("index: the first of a subject with a long history, appended while it is consumed") {
  Stage it;
  keep_histories(it, 0, 6);
}

TEST_CASE("index: the first of many subjects that were there before anybody asked") {
  for (const std::uint32_t subjects : {6U, 3'000U, 30'000U}) {
    CAPTURE(subjects);
    Stage it;
    keep_histories(it, 110'000, subjects);
  }
}

TEST_CASE("index selection: a number that was given to another subject is looked at again") {
  store::SubjectTable subjects;
  store::IndexSelection odd({subject::parse_nats_filter("*.odd").value()});
  std::size_t budget = 1'000'000;
  for (int i = 0; i < 5'000; ++i) {
    const store::SubjectId id = subjects.number(std::to_string(i) + ".odd");
    odd.renew(subjects);
    CHECK(odd.selects(subjects, id, budget));
  }
  for (store::SubjectId id = 0; id < 4'999; ++id) subjects.emptied(id);
  subjects.recycle();
  CHECK(subjects.epoch() == 1);
  for (int i = 0; i < 4'000; ++i) {
    const store::SubjectId id = subjects.number(std::to_string(i) + ".even");
    CHECK(id < 5'000);
    odd.renew(subjects);
    CHECK_FALSE(odd.selects(subjects, id, budget));
  }
  odd.renew(subjects);
  CHECK(odd.selects(subjects, 4'999, budget));
}
