// How long an HTTP client may take.
#include <doctest/doctest.h>

#include "tests/unit/web/fixture.h"

using namespace spanwire;
using std::chrono::seconds;
using test::answers;
using test::Listener;
using test::TestPeer;
using Lines = std::vector<std::string>;

namespace {

const std::string whole = "GET /now HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string later = "GET /later HTTP/1.1\r\nHost: x\r\n\r\n";
const web::Settings quick = {.request_timeout = seconds(10), .idle_timeout = seconds(30)};

void write(Listener& listener, TestPeer& client, std::string_view bytes) {
  client.write(bytes);
  listener.world.settle();
}

}  // namespace

TEST_CASE("timeouts: a head that does not come to its end is answered 408") {
  Listener listener(quick);
  TestPeer& client = listener.connect();
  for (int i = 0; i < 5; ++i) {  // each byte is no new beginning
    write(listener, client, whole.substr(static_cast<std::size_t>(i), 1));
    listener.world.advance(seconds(2) - std::chrono::milliseconds(1));
    CHECK(client.received().empty());
  }
  listener.world.advance(std::chrono::milliseconds(5));
  CHECK(answers(client.received()) == Lines{"408"});
  CHECK(client.closed());
  CHECK(listener.site.stats().timeouts.get() == 1);
}

TEST_CASE("timeouts: a body that does not come to its end is answered 408") {
  Listener listener(quick);
  TestPeer& client = listener.connect();
  write(listener, client, "POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel");
  listener.world.advance(seconds(9));
  write(listener, client, "l");
  CHECK(client.received().empty());
  listener.world.advance(seconds(1));
  CHECK(answers(client.received()) == Lines{"408"});
}

TEST_CASE("timeouts: a connection without a request is closed without a word") {
  Listener listener(quick);
  TestPeer& never = listener.connect();
  TestPeer& once = listener.connect();
  listener.world.advance(seconds(20));
  write(listener, once, whole);
  once.take();
  listener.world.advance(seconds(11));
  CHECK(never.closed());
  CHECK(never.received().empty());
  CHECK_FALSE(once.closed());
  listener.world.advance(seconds(19));
  CHECK(once.closed());
  CHECK(once.received().empty());
}

TEST_CASE("timeouts: a request counts from its own first byte") {
  Listener listener(quick);
  TestPeer& client = listener.connect();
  listener.world.advance(seconds(25));
  write(listener, client, whole.substr(0, 5));
  listener.world.advance(seconds(9));
  write(listener, client, whole.substr(5));
  CHECK(answers(client.take()) == Lines{"200"});
  listener.world.advance(seconds(9));
  write(listener, client, whole.substr(0, 5));
  listener.world.advance(seconds(9));
  write(listener, client, whole.substr(5));
  CHECK(answers(client.received()) == Lines{"200"});
}

TEST_CASE("timeouts: the time that an answer takes is not the client's") {
  Listener listener(quick);
  TestPeer& client = listener.connect();
  write(listener, client, later);
  listener.world.advance(seconds(100));
  CHECK_FALSE(client.closed());
  listener.later.front().send({});
  listener.world.settle();
  CHECK(answers(client.take()) == Lines{"200"});
  listener.world.advance(seconds(29));
  CHECK_FALSE(client.closed());
  listener.world.advance(seconds(2));
  CHECK(client.closed());
}
