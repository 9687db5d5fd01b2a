// What was appended is what is read.
#include <doctest/doctest.h>

#include "contract/store/stage.h"

using namespace spanwire;
using store::Sequence;
using test::make_stage;
using test::Stored;

TEST_CASE("log: a message is read as it was appended") {
  const auto stage = make_stage();
  stage->append("orders.eu", std::string("pay\0load", 8), "NATS/1.0\r\nA: b\r\n\r\n");
  stage->commit();
  CHECK(*stage->read(1) == Stored{.subject = "orders.eu",
                                  .headers = "NATS/1.0\r\nA: b\r\n\r\n",
                                  .payload = std::string("pay\0load", 8),
                                  .time = stage->now});
}

TEST_CASE("log: headers and payload may be empty, each and both") {
  const auto stage = make_stage();
  stage->append("a", "", "");
  stage->append("a", "p", "");
  stage->append("a", "", "h");
  stage->commit();
  CHECK(stage->read(1)->payload.empty());
  CHECK(stage->read(1)->headers.empty());
  CHECK(stage->read(2)->payload == "p");
  CHECK(stage->read(2)->headers.empty());
  CHECK(stage->read(3)->payload.empty());
  CHECK(stage->read(3)->headers == "h");
}

TEST_CASE("log: times keep their nanoseconds, those before 1970 too") {
  const auto stage = make_stage();
  stage->now = base::WallTime(base::Duration(1'700'000'000'123'456'789));
  stage->append("a");
  stage->commit();
  CHECK((stage->read(1)->time == stage->now));
}

TEST_CASE("log: a payload of eight MiB, between small ones") {
  const auto stage = make_stage();
  std::string large(8U << 20, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31 >> 8);
  stage->append("a", "before");
  stage->append("b", large, "headers");
  stage->append("a", "behind");
  stage->commit();
  CHECK(stage->read(1)->payload == "before");
  CHECK((stage->read(2)->payload == large));
  CHECK(stage->read(2)->headers == "headers");
  CHECK(stage->read(3)->payload == "behind");
  CHECK(stage->log().erase(2));
  stage->commit();
  CHECK(stage->read(3)->payload == "behind");
}

TEST_CASE("log: subjects may be very long, and differ in their last byte only") {
  const auto stage = make_stage();
  const std::string subject(60'000, 's');
  stage->append(subject + 'a');
  stage->append(subject + 'b');
  stage->append(subject);
  stage->commit();
  CHECK(stage->read(1)->subject == subject + 'a');
  CHECK(stage->read(3)->subject == subject);
  CHECK(stage->log().of(subject + 'b') == store::SubjectTotals{.messages = 1, .last = 2});
  CHECK(stage->log().of(subject + 'c') == store::SubjectTotals{});
  CHECK(stage->log().subject_of(2) == subject + 'b');
  CHECK(stage->log().totals().subjects == 3);
}

TEST_CASE("log: subjects are bytes, whatever NATS would say to them") {
  const auto stage = make_stage();
  const std::vector<std::string> subjects = {"*", ">", "a.*", "a.>", ".", "a..b", "\xff\x01"};
  for (const std::string& subject : subjects) stage->append(subject);
  stage->commit();
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    CHECK(stage->read(i + 1)->subject == subjects[i]);
    CHECK(stage->log().of(subjects[i]).messages == 1);
  }
}

TEST_CASE("log: what one read gave may be appended again") {
  const auto stage = make_stage();
  stage->append("a", "again and again");
  stage->commit();
  for (Sequence sequence = 1; sequence <= 200; ++sequence) {
    if (!stage->read(sequence)) FAIL("gone");
    store::Message message;
    REQUIRE(stage->log().read(sequence, message) == store::Read::found);
    stage->log().append({.subject = message.subject,
                         .headers = message.headers,
                         .payload = message.payload,
                         .time = message.time});
    stage->commit();
  }
  CHECK(stage->read(201)->payload == "again and again");
}

TEST_CASE("log: sequences beyond the last, and 0, are gone") {
  const auto stage = make_stage();
  stage->append("a");
  stage->commit();
  CHECK_FALSE(stage->read(0).has_value());
  CHECK_FALSE(stage->read(2).has_value());
  CHECK_FALSE(stage->read(~Sequence{0}).has_value());
}

TEST_CASE("log: messages that stay are read where most others were erased") {
  const auto stage = make_stage();
  constexpr int rounds = 400;
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i < 20; ++i) stage->append("s." + std::to_string(i), std::string(500, 'p'));
    stage->commit();
  }
  for (Sequence sequence = 1; sequence <= rounds * 20; ++sequence) {
    if (sequence % 97 != 0) CHECK(stage->log().erase(sequence));
    if (sequence % 50 == 0) stage->commit();
  }
  for (int i = 0; i < 200; ++i) stage->commit();
  std::uint64_t left = 0;
  for (Sequence sequence = 97; sequence <= rounds * 20; sequence += 97) {
    const auto got = stage->read(sequence);
    REQUIRE(got.has_value());
    CHECK(got->subject == "s." + std::to_string((sequence - 1) % 20));
    CHECK(got->payload.size() == 500);
    ++left;
  }
  CHECK(stage->log().totals().messages == left);
  const auto everything = stage->select({});
  CHECK(stage->count(*everything, 2) == left);
  CHECK(stage->next(*everything, 98).sequence == 194);
}
