#include <doctest/doctest.h>
#include <fmt/format.h>

#include "bus/headers.h"
#include "tests/contract/streams/stage.h"

using namespace spanwire;
using namespace spanwire::test;
using streams::Failure;

TEST_CASE("append: a batch is stored in its order") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  std::vector<streams::Appending> messages;
  for (int i = 0; i < 100; ++i) {
    messages.push_back({.subject = fmt::format("s.{}", i % 7), .payload = std::to_string(i)});
  }
  const auto results = test.append_all(std::move(messages));
  REQUIRE(results.size() == 100);
  for (std::size_t i = 0; i < results.size(); ++i) {
    REQUIRE(results[i]);
    CHECK(results[i]->sequence == i + 1);
    CHECK(!results[i]->duplicate);
  }
  CHECK(test.read_text({.sequence = 50}) == "50 s.0=49");
}

TEST_CASE("append: two batches do not change places") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  std::vector<streams::Sequence> got;
  for (int i = 0; i < 10; ++i) {
    test.client->append("S", {{.subject = "s.a"}, {.subject = "s.b"}}, [&](const auto& results) {
      for (const auto& result : results) got.push_back(result ? result->sequence : 0);
    });
  }
  test.stage->run_until([&] { return got.size() == 20; });
  REQUIRE(got.size() == 20);
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == i + 1);
}

TEST_CASE("append: of no message is done, with nothing") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  bool called = false;
  test.client->append("S", {}, [&](const auto& results) {
    called = true;
    CHECK(results.empty());
  });
  CHECK(!called);
  test.stage->run_until([&] { return called; });
  CHECK(called);
}

TEST_CASE("append: one that is refused does not hold up the others") {
  StreamsTest test;
  streams::StreamSpec spec = test.spec();
  spec.max_message_bytes = 10;
  REQUIRE(test.ensure(spec));
  const auto results =
      test.append_all({{.subject = "s.a", .payload = "1"},
                       {.subject = "s.a", .payload = "more than ten bytes"},
                       {.subject = "s.*", .payload = "3"},
                       {.subject = "s a", .payload = "4"},
                       {.subject = "", .payload = "5"},
                       {.subject = "s.a", .headers = "no block", .payload = "6", .id = "i"},
                       {.subject = "s.a", .payload = "7", .id = "a\r\nb: c"},
                       {.subject = "s.a", .payload = "8"}});
  std::string kinds;
  for (const auto& result : results) kinds.append(text_of(result)).append(1, ' ');
  CHECK(kinds == "ok refused refused refused refused refused refused ok ");
  CHECK(results.back()->sequence == 2);
}

TEST_CASE("append: the expected last of the subject, and of the stream") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  CHECK(test.append({.subject = "s.a", .expect = {.last_of_subject = 0}})->sequence == 1);
  const auto wrong = test.append({.subject = "s.a", .expect = {.last_of_subject = 0}});
  REQUIRE(!wrong);
  CHECK(wrong.error().kind == Failure::Kind::wrong_last);
  CHECK(test.append({.subject = "s.b", .expect = {.last_of_subject = 0}})->sequence == 2);
  CHECK(test.append({.subject = "s.a", .expect = {.last_of_subject = 1}})->sequence == 3);
  CHECK(text_of(test.append({.subject = "s.a", .expect = {.last = 2}})) == "wrong_last");
  CHECK(test.append({.subject = "s.a", .expect = {.last = 3}})->sequence == 4);
  CHECK(test.append({.subject = "s.b", .expect = {.last = 4, .last_of_subject = 2}})->sequence ==
        5);
}

TEST_CASE("append: what a batch expects may be stored by the batch itself") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  const auto results = test.append_all({{.subject = "s.a", .expect = {.last = 0}},
                                        {.subject = "s.a", .expect = {.last_of_subject = 1}},
                                        {.subject = "s.a", .expect = {.last_of_subject = 1}},
                                        {.subject = "s.a", .expect = {.last = 2}}});
  CHECK(text_of(results[0]) == "ok");
  CHECK(text_of(results[1]) == "ok");
  CHECK(text_of(results[2]) == "wrong_last");
  CHECK(text_of(results[3]) == "ok");
}

TEST_CASE("append: an id is stored once") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  CHECK(test.append({.subject = "s.a", .payload = "x", .id = "one"})->sequence == 1);
  CHECK(test.append({.subject = "s.a", .payload = "x", .id = "two"})->sequence == 2);
  const auto again = test.append({.subject = "s.a", .payload = "x", .id = "one"});
  REQUIRE(again);
  CHECK(again->sequence == 1);
  CHECK(again->duplicate);
  CHECK(test.ensure(test.spec())->messages == 2);
}

TEST_CASE("append: headers and bytes are kept as they are") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  const std::string payload("\0\r\n\xff .", 6);
  REQUIRE(test.append({.subject = "s.a",
                       .headers = "NATS/1.0\r\nA: 1\r\nNats-Sequence: 7\r\nA: 2\r\n\r\n",
                       .payload = payload,
                       .id = "i"}));
  for (const auto kind : {streams::Which::Kind::at, streams::Which::Kind::last}) {
    const auto read = test.read({.kind = kind, .sequence = 1, .subject = "s.a"});
    REQUIRE(read);
    const bus::MessageView view = read->message->view();
    CHECK(view.payload == payload);
    CHECK(view.headers.starts_with("NATS/1.0\r\nA: 1\r\nNats-Sequence: 7\r\nA: 2\r\n"));
    CHECK(view.headers.ends_with("\r\n\r\n"));
    CHECK(!bus::find_header(view.headers, "Nats-Stream"));
    CHECK(read->sequence == 1);
  }
}

TEST_CASE("append: a full stream that discards new messages refuses them") {
  StreamsTest test;
  streams::StreamSpec spec = test.spec();
  spec.max_messages = 2;
  spec.discard = streams::StreamSpec::Discard::new_messages;
  REQUIRE(test.ensure(spec));
  test.put("s.a", "x");
  test.put("s.a", "y");
  const auto full = test.append({.subject = "s.a"});
  REQUIRE(!full);
  CHECK(full.error().kind == Failure::Kind::refused);
  CHECK(full.error().text.find("maximum messages") != std::string::npos);
}

TEST_CASE("append: a subject of no stream is not found, one of another stream is refused") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  streams::StreamSpec other = test.spec();
  other.name = std::string("T");
  other.subjects = {"t"};
  REQUIRE(test.ensure(other));
  CHECK(text_of(test.append({.subject = "u.a"})) == "not_found");
  CHECK(text_of(test.append({.subject = "t"})) == "refused");
}

TEST_CASE("append: more open calls than the limit are refused, those before are stored") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  std::size_t stored = 0, refused = 0;
  const auto count = [&](const auto& results) {
    for (const auto& result : results) ++(result ? stored : refused);
  };
  std::vector<streams::Appending> most(streams::max_open_calls - 1, {.subject = "s.a"});
  test.client->append("S", most, count);
  test.client->append("S", {{.subject = "s.a"}, {.subject = "s.a"}}, count);
  test.client->append("S", {{.subject = "s.a"}}, count);
  std::string read;
  test.client->read("S", {.sequence = 1}, [&](const auto& result) { read = text_of(result); });
  test.stage->run_until([&] { return stored + refused == streams::max_open_calls + 2; });
  CHECK(refused == 2);
  CHECK(stored == streams::max_open_calls);
  CHECK(read == "refused");
  CHECK(test.append({.subject = "s.a"})->sequence == streams::max_open_calls + 1);
}
