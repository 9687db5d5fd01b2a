#include "jetstream/unacknowledged.h"

#include <doctest/doctest.h>

#include <vector>

using namespace spanwire;
using base::WallTime;
using jetstream::Sequence;
using jetstream::UnacknowledgedSet;
using std::chrono::seconds;

namespace {

WallTime at(int second) {
  return WallTime(seconds(second));
}

// What of a set is due by a time, in the order in which it is delivered again.
std::vector<Sequence> due_by(UnacknowledgedSet& set, WallTime now) {
  set.queue_due(now, [](Sequence) { return true; });
  std::vector<Sequence> all;
  while (const Sequence next = set.first_queued()) {
    all.push_back(next);
    set.unqueue(next);
  }
  return all;
}

}  // namespace

TEST_CASE("unacknowledged: what is not acknowledged in time is due, in the order of its times") {
  UnacknowledgedSet set;
  set.delivered(3, 1, at(0), at(30));
  set.delivered(1, 2, at(0), at(20));
  set.delivered(2, 3, at(0), at(40));
  CHECK(set.next_due() == at(20));
  CHECK(due_by(set, at(19)).empty());
  CHECK(due_by(set, at(30)) == std::vector<Sequence>{1, 3});
  CHECK(due_by(set, at(30)).empty());
  CHECK(due_by(set, at(40)) == std::vector<Sequence>{2});
}

TEST_CASE("unacknowledged: what was acknowledged is never due") {
  UnacknowledgedSet set;
  set.delivered(1, 1, at(0), at(10));
  set.delivered(2, 2, at(0), at(10));
  CHECK(set.remove(1));
  CHECK_FALSE(set.remove(1));
  CHECK(due_by(set, at(10)) == std::vector<Sequence>{2});
}

TEST_CASE("unacknowledged: what is acknowledged long before it is due does not pile up") {
  UnacknowledgedSet set;
  for (Sequence i = 1; i <= 100'000; ++i) {
    set.delivered(i, i, at(0), at(static_cast<int>(i)));
    if (i > 10) CHECK(set.remove(i - 10));
    REQUIRE(set.times() < 1000);
  }
  CHECK(set.next_due() <= at(99'991));
  const auto due = due_by(set, at(100'000));
  CHECK(due.size() == 10);
  CHECK(due.front() == 99'991);
}

TEST_CASE("unacknowledged: a postponed message is due at its new time alone") {
  UnacknowledgedSet set;
  set.delivered(1, 1, at(0), at(10));
  set.postpone(1, at(50));
  CHECK(due_by(set, at(49)).empty());
  CHECK(due_by(set, at(50)) == std::vector<Sequence>{1});
  set.postpone(9, at(5));  // it is not there
  CHECK(due_by(set, at(60)).empty());
}

TEST_CASE("unacknowledged: a redelivered message keeps the number of its first delivery") {
  UnacknowledgedSet set;
  set.delivered(7, 1, at(0), at(10));
  set.delivered(7, 5, at(11), at(21));
  REQUIRE(set.find(7) != nullptr);
  CHECK(set.find(7)->delivery == 1);
  CHECK(set.find(7)->delivered_at == at(11));
  CHECK(due_by(set, at(20)).empty());
  CHECK(due_by(set, at(21)) == std::vector<Sequence>{7});
}

TEST_CASE("unacknowledged: who refuses what is due keeps it out of the queue") {
  UnacknowledgedSet set;
  set.delivered(1, 1, at(0), at(10));
  set.delivered(2, 2, at(0), at(10));
  set.queue_due(at(10), [&](Sequence sequence) {
    if (sequence == 1) set.remove(1);
    return sequence != 1;
  });
  CHECK(set.first_queued() == 2);
  CHECK(set.queued_count() == 1);
  CHECK(set.size() == 1);
}

TEST_CASE("unacknowledged: a queued message stands once in the queue however often it is refused") {
  UnacknowledgedSet set;
  set.delivered(1, 1, at(0), at(10));
  set.queue(1);
  set.queue(1);
  CHECK(set.queued_count() == 1);
  set.unqueue(1);
  CHECK(set.first_queued() == 0);
  set.queue(1);
  CHECK(set.first_queued() == 1);
}

TEST_CASE("unacknowledged: what is below a sequence is gone with its counts and its queue") {
  UnacknowledgedSet set;
  for (Sequence sequence = 1; sequence <= 4; ++sequence) {
    set.delivered(sequence, sequence, at(0), at(10));
    set.set_redeliveries(sequence, sequence);
    set.queue(sequence);
  }
  set.remove_below(3);
  CHECK(set.size() == 2);
  CHECK(set.lowest() == 3);
  CHECK(set.redelivered() == 2);
  CHECK(set.redeliveries(2) == 0);
  CHECK(set.redeliveries(3) == 3);
  CHECK(due_by(set, at(0)) == std::vector<Sequence>{3, 4});
}
