// What an HTTP client publishes.
#include <doctest/doctest.h>

#include "tests/support/line_session.h"
#include "tests/unit/web/fixture.h"

using namespace spanwire;
using test::answers;
using test::Listener;
using test::TestPeer;
using Lines = std::vector<std::string>;

namespace {

std::string publish(std::string_view subject, std::string_view body) {
  return "POST /publish?to=" + std::string(subject) +
         " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

}  // namespace

TEST_CASE("publish: a message reaches the subscribers of every loop") {
  Listener listener({}, {.loops = 2});
  TestPeer& near = test::connect_line(listener.world, 0);
  TestPeer& far = test::connect_line(listener.world, 1);
  near.write("sub a.b\n");
  far.write("sub a.>\n");
  listener.world.settle();
  CHECK(answers(listener.answer_to(publish("a.b", "hello"))) == Lines{"200"});
  CHECK(near.received() == "msg a.b hello\n");
  CHECK(far.received() == "msg a.b hello\n");
}

TEST_CASE("publish: a subject that would break a line is refused") {
  Listener listener;
  CHECK(answers(listener.answer_to(publish("a%0ab", "x"))) == Lines{"200"});
  CHECK_FALSE(listener.publish_admitted);
  listener.answer_to(publish("a.b", "x"));
  CHECK(listener.publish_admitted);
}

TEST_CASE("publish: while the bus is full the next request waits, the answer does not") {
  Listener listener({}, {.loops = 2, .router = {.lane_limit_bytes = 1000}});
  TestPeer& far = test::connect_line(listener.world, 1);
  far.write("sub a\n");
  listener.world.settle();
  TestPeer& client = listener.connect();
  client.write(publish("a", std::string(900, 'x')) + publish("a", "y"));
  listener.world.step(0);
  CHECK(answers(client.received()) == Lines{"200"});
  CHECK(client.paused());
  listener.world.settle();
  CHECK(answers(client.received()) == Lines{"200", "200"});
  CHECK(far.received().ends_with("msg a y\n"));
}
