#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/contract/streams/stage.h"

using namespace spanwire;
using namespace spanwire::test;
using streams::Failure;

TEST_CASE("ensure: makes a stream, and finds it as it is") {
  StreamsTest test;
  const auto made = test.ensure(test.spec());
  REQUIRE(made);
  CHECK(made->messages == 0);
  test.put("s.a", "x");
  test.put("s.a", "y");
  const auto found = test.ensure(test.spec());
  REQUIRE(found);
  CHECK(found->messages == 2);
  CHECK(found->first == 1);
  CHECK(found->last == 2);
  CHECK(found->bytes > 0);
}

TEST_CASE("ensure: changes what can be changed, and keeps the messages") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  test.put("s.a", "x");
  streams::StreamSpec spec = test.spec();
  spec.subjects.emplace_back("t.*");
  spec.max_messages = 2;
  const auto changed = test.ensure(spec);
  REQUIRE(changed);
  CHECK(changed->messages == 1);
  test.put("t.b", "y");
  test.put("t.b", "z");
  CHECK(test.ensure(spec)->first == 2);
}

TEST_CASE("ensure: what cannot be changed is refused, and stays") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  streams::StreamSpec spec = test.spec();
  spec.retention = streams::StreamSpec::Retention::work_queue;
  const auto refused = test.ensure(spec);
  REQUIRE(!refused);
  CHECK(refused.error().kind == Failure::Kind::refused);
  CHECK(!refused.error().text.empty());
  CHECK(test.put("s.a", "x") == 1);
}

TEST_CASE("ensure: subjects of another stream are refused") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  streams::StreamSpec spec = test.spec();
  spec.name = std::string("T");
  CHECK(text_of(test.ensure(spec)) == "refused");
  spec.subjects = {"t.>"};
  CHECK(text_of(test.ensure(spec)) == "ok");
}

TEST_CASE("a name that cannot be a stream's is refused by every call") {
  StreamsTest test;
  for (const std::string name : {"", "a b", "a.b", "a*", ">", "a/b", "a\r\nPUB x 0", "a\x7f"}) {
    CAPTURE(name);
    streams::StreamSpec spec = test.spec();
    spec.name = name;
    test.stream = name;
    CHECK(text_of(test.ensure(spec)) == "refused");
    CHECK(text_of(test.append({.subject = "s.a"})) == "refused");
    CHECK(text_of(test.read({.sequence = 1})) == "refused");
    CHECK(text_of(test.purge({})) == "refused");
    CHECK(text_of(test.drop(name)) == "refused");
    CHECK(text_of(test.drop("S", name)) == "refused");
  }
}

TEST_CASE("what asks for a stream that is not there finds none") {
  StreamsTest test;
  const auto gone = test.read({.sequence = 1});
  REQUIRE(!gone);
  CHECK(gone.error().kind == Failure::Kind::not_found);
  CHECK(gone.error().text.find("stream") != std::string::npos);
  CHECK(text_of(test.append({.subject = "s.a"})) == "not_found");
  CHECK(text_of(test.purge({})) == "not_found");
  CHECK(text_of(test.drop("S")) == "not_found");
  CHECK(text_of(test.drop("S", "d")) == "not_found");
}

TEST_CASE("drop: the stream is gone with its messages") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  test.put("s.a", "x");
  CHECK(test.drop("S"));
  CHECK(text_of(test.read({.sequence = 1})) == "not_found");
  CHECK(text_of(test.drop("S")) == "not_found");
  CHECK(test.ensure(test.spec())->messages == 0);
  CHECK(test.put("s.a", "y") == 1);
}

TEST_CASE("purge: everything, by filter, below a sequence, all but the last") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  for (const char* subject : {"s.a", "s.b", "s.a", "s.b", "s.a"}) test.put(subject, "x");
  CHECK(test.purge({.filter = "s.a", .keep = 2}).value() == 1);
  CHECK(test.read_text({.sequence = 1}) == "not_found");
  CHECK(test.purge({.below = 3}).value() == 1);
  CHECK(test.read_text({.sequence = 2}) == "not_found");
  CHECK(test.purge({.filter = "s.b"}).value() == 1);
  CHECK(test.purge({.keep = 1}).value() == 1);
  CHECK(test.read_text({.sequence = 5}) == "5 s.a=x");
  CHECK(test.purge({}).value() == 1);
  CHECK(test.purge({}).value() == 0);
  CHECK(test.put("s.a", "y") == 6);
}

TEST_CASE("purge: keeping and a sequence together are refused") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  test.put("s.a", "x");
  CHECK(text_of(test.purge({.below = 2, .keep = 1})) == "refused");
  CHECK(test.read_text({.sequence = 1}) == "1 s.a=x");
}

TEST_CASE("calls of one stream take effect in their order") {
  StreamsTest test;
  std::vector<std::string> order;
  test.client->ensure(test.spec(), [&](const auto& result) {
    order.push_back(fmt::format("ensure {}", text_of(result)));
  });
  test.client->append("S", {{.subject = "s.a", .payload = "x"}, {.subject = "s.a", .payload = "y"}},
                      [&](const auto& results) {
                        order.push_back(fmt::format("append {}", text_of(results.at(1))));
                      });
  test.client->read("S", {.sequence = 2}, [&](const auto& result) {
    order.push_back(fmt::format("read {}", text_of(result)));
  });
  test.client->purge("S", {}, [&](const auto& result) {
    order.push_back(fmt::format("purge {}", result.value_or(0)));
  });
  test.client->read("S", {.sequence = 2}, [&](const auto& result) {
    order.push_back(fmt::format("read {}", text_of(result)));
  });
  test.client->append("S", {{.subject = "s.a", .payload = "z"}}, [&](const auto& results) {
    order.push_back(fmt::format("append {}", text_of(results.at(0))));
  });
  test.client->drop(
      "S", [&](const auto& result) { order.push_back(fmt::format("drop {}", text_of(result))); });
  CHECK(order.empty());  // never inside the call
  test.stage->run_until([&] { return order.size() == 7; });
  CHECK(order == std::vector<std::string>{"ensure ok", "append ok", "read ok", "purge 2",
                                          "read not_found", "append ok", "drop ok"});
}

TEST_CASE("a client that is destroyed drops its Dones") {
  StreamsTest test;
  REQUIRE(test.ensure(test.spec()));
  bool called = false;
  test.client->append("S", {{.subject = "s.a"}}, [&](const auto&) { called = true; });
  test.client->read("S", {.sequence = 1}, [&](const auto&) { called = true; });
  test.client->drop("", [&](const auto&) { called = true; });
  test.client.reset();
  test.stage->settle();
  CHECK(!called);
}

TEST_CASE("a Done may destroy the client") {
  StreamsTest test;
  bool called = false;
  test.client->ensure(test.spec(), [&](const auto&) {
    test.client.reset();
    called = true;
  });
  test.client->purge("S", {},
                     [&](const auto&) { FAIL_CHECK("called after the client was destroyed"); });
  test.stage->run_until([&] { return called; });
  test.stage->settle();
  CHECK(called);
}

TEST_CASE("two clients see the same streams") {
  StreamsTest test;
  const auto other = test.stage->make_client();
  REQUIRE(test.ensure(test.spec()));
  test.put("s.a", "x");
  const auto read = test.wait<streams::Result<streams::StoredMessage>>(
      [&](auto done) { other->read("S", {.sequence = 1}, std::move(done)); });
  REQUIRE(read);
  CHECK(read->message->view().payload == "x");
}
