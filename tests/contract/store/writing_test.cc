// What is said to a log, and when others see it.
#include <doctest/doctest.h>

#include "contract/store/stage.h"

using namespace spanwire;
using store::Read;
using store::Sequence;
using test::make_stage;

TEST_CASE("log: an empty one has given no sequence, and its first will be 1") {
  const auto stage = make_stage();
  const store::Log& log = stage->log();
  for (const store::Totals& totals : {log.totals(), log.ahead()}) {
    CHECK(totals.messages == 0);
    CHECK(totals.bytes == 0);
    CHECK(totals.first == 1);
    CHECK(totals.last == 0);
    CHECK(totals.subjects == 0);
    CHECK(totals.deleted() == 0);
    CHECK((totals.first_time == base::WallTime{}));
    CHECK((totals.last_time == base::WallTime{}));
  }
  CHECK(log.ahead_first() == 0);
  CHECK_FALSE(log.has(0));
  CHECK_FALSE(log.has(1));
  CHECK(log.failed() == nullptr);
  CHECK(stage->append("a") == 1);
  CHECK(stage->append("a") == 2);
}

TEST_CASE("log: an append is ahead at once and visible once it is committed") {
  const auto stage = make_stage();
  store::Log& log = stage->log();
  const auto everything = stage->select({});
  stage->append("a", "one");
  CHECK(log.ahead().messages == 1);
  CHECK(log.ahead().last == 1);
  CHECK(log.ahead_of("a") == store::SubjectTotals{.messages = 1, .last = 1});
  CHECK(log.ahead_first() == 1);
  CHECK(log.subject_of(1) == "a");
  CHECK(log.totals().messages == 0);
  CHECK(log.totals().last == 0);
  CHECK(log.of("a") == store::SubjectTotals{});
  CHECK_FALSE(log.has(1));
  store::Message message;
  CHECK(log.read(1, message) == Read::gone);
  CHECK(stage->next(*everything, 1).kind == store::Found::Kind::none);
  CHECK(stage->last(*everything, 1).kind == store::Found::Kind::none);
  CHECK(stage->count(*everything, 1) == 0);
  CHECK(stage->subjects(*everything).empty());
  CHECK(stage->first_since({}).kind == store::Found::Kind::none);
  stage->commit();
  CHECK(log.totals().messages == 1);
  CHECK(log.totals().last == 1);
  CHECK(log.of("a") == store::SubjectTotals{.messages = 1, .last = 1});
  CHECK(log.has(1));
  CHECK(stage->read(1)->payload == "one");
  CHECK(stage->count(*everything, 1) == 1);
}

TEST_CASE("log: an erased message stays visible until its erasure is committed") {
  const auto stage = make_stage();
  store::Log& log = stage->log();
  stage->append("a");
  stage->append("a");
  stage->commit();
  CHECK(log.erase(1));
  CHECK(log.ahead().messages == 1);
  CHECK(log.ahead().first == 2);
  CHECK(log.ahead_of("a").messages == 1);
  CHECK(log.ahead_first_of("a") == 2);
  CHECK(log.has(1));
  CHECK(stage->read(1).has_value());
  CHECK(log.subject_of(1) == "a");
  CHECK(log.totals().first == 1);
  CHECK(log.of("a").messages == 2);
  stage->commit();
  CHECK_FALSE(log.has(1));
  CHECK_FALSE(stage->read(1).has_value());
  CHECK(log.subject_of(1).empty());
  CHECK(log.totals().first == 2);
  CHECK(log.of("a").messages == 1);
}

TEST_CASE("log: a message that was erased before its commit is never seen") {
  const auto stage = make_stage();
  store::Log& log = stage->log();
  stage->append("a");
  stage->append("b");
  CHECK(log.erase(1));
  stage->commit();
  CHECK_FALSE(log.has(1));
  CHECK(log.has(2));
  CHECK(log.totals().messages == 1);
  CHECK(log.totals().first == 2);
  CHECK(log.totals().subjects == 1);
}

TEST_CASE("log: what was not there, or is not there any more, cannot be erased") {
  const auto stage = make_stage();
  store::Log& log = stage->log();
  CHECK_FALSE(log.erase(0));
  CHECK_FALSE(log.erase(1));
  stage->append("a");
  CHECK_FALSE(log.erase(2));
  CHECK(log.erase(1));
  CHECK_FALSE(log.erase(1));
  stage->commit();
  CHECK_FALSE(log.erase(1));
}

TEST_CASE("log: commits are numbered from 1, told once each and in order") {
  const auto stage = make_stage();
  CHECK(stage->log().commit() == 1);
  stage->append("a");
  CHECK(stage->log().commit() == 2);
  CHECK(stage->log().commit() == 3);
  stage->settle();
  store::Ticket told = 0;
  for (const auto& [ticket, fine] : stage->owner.committed) {
    CHECK(fine);
    CHECK(ticket > told);
    told = ticket;
  }
  CHECK(told == 3);
}

TEST_CASE("log: when a commit is told it is visible") {
  const auto stage = make_stage();
  bool seen = false;
  stage->owner.on_commit = [&](store::Ticket) {
    seen = stage->log().has(1) && stage->log().totals().messages == 1;
  };
  stage->append("a");
  stage->commit();
  CHECK(seen);
}

TEST_CASE("log: the owner may append inside on_committed, for the next commit") {
  const auto stage = make_stage();
  stage->owner.on_commit = [&](store::Ticket ticket) {
    if (ticket == 1) stage->append("again");
  };
  stage->append("a");
  stage->commit();
  CHECK(stage->log().ahead().messages == 2);
  CHECK(stage->log().totals().messages == 1);
  stage->commit();
  CHECK(stage->log().totals().messages == 2);
}

TEST_CASE("log: erasing through a sequence takes everything up to it") {
  const auto stage = make_stage();
  for (int i = 0; i < 10; ++i) stage->append(i % 2 == 0 ? "even" : "odd");
  stage->commit();
  CHECK(stage->log().erase(2));
  stage->erase_through(4);
  CHECK(stage->log().ahead_of("even") == store::SubjectTotals{.messages = 3, .last = 9});
  CHECK(stage->log().totals().messages == 10);
  stage->commit();
  const store::Totals& totals = stage->log().totals();
  CHECK(totals.messages == 6);
  CHECK(totals.first == 5);
  CHECK(totals.last == 10);
  CHECK(totals.deleted() == 0);
}

TEST_CASE("log: erasing through what is erased already changes nothing") {
  const auto stage = make_stage();
  stage->append("a");
  stage->append("a");
  stage->erase_through(1);
  stage->erase_through(1);
  stage->erase_through(0);
  stage->commit();
  CHECK(stage->log().totals().messages == 1);
  CHECK(stage->log().totals().first == 2);
}

TEST_CASE("log: erasing through a sequence beyond the last makes the next one follow it") {
  const auto stage = make_stage();
  stage->append("a");
  stage->commit();
  stage->erase_through(99);
  CHECK(stage->log().ahead().first == 100);
  CHECK(stage->log().ahead().last == 99);
  CHECK(stage->log().totals().last == 1);
  stage->commit();
  CHECK(stage->log().totals().first == 100);
  CHECK(stage->log().totals().last == 99);
  CHECK(stage->append("a") == 100);
  stage->commit();
  CHECK(stage->log().totals().messages == 1);
  CHECK(stage->log().has(100));
  CHECK_FALSE(stage->log().has(99));
}

TEST_CASE("log: an empty one may begin at a far sequence") {
  const auto stage = make_stage();
  const Sequence far = Sequence{1} << 50;
  stage->erase_through(far);
  CHECK(stage->append("a") == far + 1);
  CHECK(stage->append("a") == far + 2);
  stage->commit();
  CHECK(stage->log().totals().first == far + 1);
  CHECK(stage->read(far + 2).has_value());
  const auto everything = stage->select({});
  CHECK(stage->next(*everything, 1).sequence == far + 1);
  CHECK(stage->last(*everything, far * 2).sequence == far + 2);
}

TEST_CASE("log: erasing through takes as many as its budget, from the front") {
  const auto stage = make_stage();
  for (int i = 0; i < 10; ++i) stage->append("a");
  stage->commit();
  CHECK_FALSE(stage->log().erase_through(8, 3));
  CHECK(stage->log().ahead().first == 4);
  CHECK_FALSE(stage->log().erase_through(8, 3));
  CHECK(stage->log().erase_through(8, 3));
  CHECK(stage->log().ahead().first == 9);
  stage->commit();
  CHECK(stage->log().totals().messages == 2);
}

TEST_CASE("log: sequences are never given again, whatever was erased") {
  const auto stage = make_stage();
  for (int i = 0; i < 5; ++i) stage->append("a");
  CHECK(stage->log().erase(5));
  stage->commit();
  CHECK(stage->append("a") == 6);
  stage->erase_through(6);
  stage->commit();
  CHECK(stage->append("a") == 7);
  CHECK(stage->log().erase(7));
  CHECK(stage->append("a") == 8);
}

TEST_CASE("log: the last time stays when its message is erased") {
  const auto stage = make_stage();
  stage->append_at(10);
  stage->append_at(20);
  CHECK(stage->log().erase(2));
  stage->commit();
  CHECK((stage->log().totals().last_time == test::LogStage::at_second(20)));
  CHECK((stage->log().totals().first_time == test::LogStage::at_second(10)));
  CHECK(stage->log().erase(1));
  stage->commit();
  CHECK((stage->log().totals().last_time == test::LogStage::at_second(20)));
  CHECK((stage->log().totals().first_time == base::WallTime{}));
}

TEST_CASE("log: a clock that goes back is corrected to the last message's time") {
  const auto stage = make_stage();
  stage->append_at(100);
  stage->append_at(50);
  stage->append_at(101);
  stage->commit();
  CHECK((stage->read(2)->time == test::LogStage::at_second(100)));
  CHECK((stage->read(3)->time == test::LogStage::at_second(101)));
  CHECK(stage->first_since(test::LogStage::at_second(60)).sequence == 1);
}

TEST_CASE("log: bytes are those that nats-server counts, of each storage") {
  const store::Message bare{.subject = "ab", .payload = "1234"};
  const store::Message headed{.subject = "ab", .headers = "hhh", .payload = "1234"};
  CHECK(counted_bytes(store::Storage::memory, bare) == 22);
  CHECK(counted_bytes(store::Storage::memory, headed) == 25);
  CHECK(counted_bytes(store::Storage::file, bare) == 36);
  CHECK(counted_bytes(store::Storage::file, headed) == 43);
  const auto stage = make_stage();
  const store::Storage storage = stage->log().storage();
  stage->append("ab", "1234");
  stage->append("ab", "1234", "hhh");
  stage->commit();
  CHECK(stage->log().totals().bytes ==
        counted_bytes(storage, bare) + counted_bytes(storage, headed));
  CHECK(stage->log().erase(1));
  CHECK(stage->log().ahead().bytes == counted_bytes(storage, headed));
  stage->commit();
  CHECK(stage->log().totals().bytes == counted_bytes(storage, headed));
}

TEST_CASE("log: uncommitted bytes grow with what is said and end with its commit") {
  const auto stage = make_stage();
  CHECK(stage->log().uncommitted_bytes() == 0);
  stage->append("a", std::string(1000, 'x'));
  CHECK(stage->log().uncommitted_bytes() >= 1000);
  stage->append("a", std::string(1000, 'x'));
  CHECK(stage->log().uncommitted_bytes() >= 2000);
  stage->commit();
  CHECK(stage->log().uncommitted_bytes() == 0);
}

TEST_CASE("log: notes are no messages") {
  const auto stage = make_stage();
  stage->append("a");
  stage->log().note(7, "of the owner");
  stage->append("a");
  stage->commit();
  CHECK(stage->log().totals().messages == 2);
  CHECK(stage->log().totals().last == 2);
  CHECK(stage->read(1)->payload == "x");
  CHECK(stage->read(2)->payload == "x");
  stage->log().note(7, "alone");
  stage->commit();
  CHECK(stage->owner.committed.back().first == 2);
  CHECK(stage->log().erase(1));
  stage->commit();
  CHECK(stage->log().totals().bytes == stage->log().ahead().bytes);
}

TEST_CASE("log: closing commits what was said") {
  const auto stage = make_stage();
  stage->append("a");
  bool closed = false;
  stage->log().close([&closed] { closed = true; });
  stage->settle();
  CHECK(closed);
  REQUIRE_FALSE(stage->owner.committed.empty());
  CHECK(stage->owner.committed.back().second);
}

TEST_CASE("log: a message may leave numbers out, and those are of messages that are gone") {
  const auto stage = make_stage();
  store::Log& log = stage->log();
  const auto append_as = [&](Sequence sequence, std::string_view payload) {
    return log.append(
        {.subject = "a", .payload = payload, .time = stage->now, .sequence = sequence});
  };
  CHECK(append_as(7, "seven") == 7);
  CHECK(append_as(3, "not before the last") == 8);
  CHECK(append_as(300'000, "far") == 300'000);
  CHECK(append_as(0, "next") == 300'001);
  CHECK(log.ahead().messages == 4);
  CHECK(log.ahead().first == 7);
  stage->commit();
  CHECK(log.totals().first == 7);
  CHECK(log.totals().last == 300'001);
  CHECK(log.totals().deleted() == 300'001 - 7 + 1 - 4);
  CHECK_FALSE(log.has(6));
  CHECK_FALSE(log.has(9));
  CHECK_FALSE(log.has(299'999));
  CHECK(stage->read(7)->payload == "seven");
  CHECK(stage->read(300'000)->payload == "far");
  const auto everything = stage->select({});
  CHECK(stage->next(*everything, 9).sequence == 300'000);
  CHECK(stage->last(*everything, 299'999).sequence == 8);
  CHECK(stage->count(*everything, 1) == 4);
  stage->erase_through(8);
  stage->commit();
  CHECK(log.totals().first == 300'000);
  CHECK(log.totals().messages == 2);
  CHECK(log.ahead_first_of("a") == 300'000);
}
