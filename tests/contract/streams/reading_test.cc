#include <doctest/doctest.h>

#include "tests/contract/streams/stage.h"

using namespace spanwire;
using namespace spanwire::test;
using Kind = streams::Which::Kind;

TEST_CASE("read: at a sequence, the next that matches, the last of a subject") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  for (const char* subject : {"s.a", "s.b", "s.a", "s.b.c"}) test.put(subject, subject);
  CHECK(test.read_text({.sequence = 2}) == "2 s.b=s.b");
  CHECK(test.read_text({.sequence = 5}) == "not_found");
  CHECK(test.read_text({.sequence = 0}) == "not_found");
  CHECK(test.read_text({.kind = Kind::next, .subject = "s.b"}) == "2 s.b=s.b");
  CHECK(test.read_text({.kind = Kind::next, .sequence = 2, .subject = "s.*"}) == "2 s.b=s.b");
  CHECK(test.read_text({.kind = Kind::next, .sequence = 3, .subject = "s.b.>"}) == "4 s.b.c=s.b.c");
  CHECK(test.read_text({.kind = Kind::next, .sequence = 3, .subject = "s.b"}) == "not_found");
  CHECK(test.read_text({.kind = Kind::next, .sequence = 3}) == "3 s.a=s.a");
  CHECK(test.read_text({.kind = Kind::last, .subject = "s.a"}) == "3 s.a=s.a");
  CHECK(test.read_text({.kind = Kind::last, .subject = "s.x"}) == "not_found");
}

TEST_CASE("read: the time is when the message was stored") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  test.put("s.a", "x");
  test.stage->advance(std::chrono::milliseconds(200));
  test.put("s.a", "y");
  const auto first = test.read({.sequence = 1});
  const auto second = test.read({.sequence = 2});
  REQUIRE(first);
  REQUIRE(second);
  const base::Duration between = second->time - first->time;
  CHECK(between >= std::chrono::milliseconds(150));
  CHECK(between <= std::chrono::seconds(5));
}

TEST_CASE("read: a message may be empty, and one without headers has none") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  test.put("s.a", "");
  const auto read = test.read({.sequence = 1});
  REQUIRE(read);
  CHECK(read->message->view().payload.empty());
  CHECK(read->message->view().headers.empty());
}

TEST_CASE("read: a stream that this client did not make is read too") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  REQUIRE(test.append({.subject = "s.a", .headers = "NATS/1.0\r\nA: 1\r\n\r\n", .payload = "x"}));
  test.client = test.stage->make_client();
  CHECK(test.read_text({.sequence = 1}) == "1 s.a=x");
  CHECK(test.read_text({.kind = Kind::last, .subject = "s.a"}) == "1 s.a=x");
  CHECK(test.read({.sequence = 1})->message->view().headers == "NATS/1.0\r\nA: 1\r\n\r\n");
  CHECK(test.read_text({.sequence = 2}) == "not_found");
}
