// The HTTP session: what is read when, and what is answered.
#include <doctest/doctest.h>

#include "tests/unit/web/fixture.h"

using namespace spanwire;
using test::answers;
using test::Listener;
using test::TestPeer;
using Lines = std::vector<std::string>;

namespace {

std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n";
}

std::string post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

}  // namespace

TEST_CASE("web: a request is answered, and the connection stays") {
  Listener listener;
  TestPeer& client = listener.connect();
  client.write(get("/now"));
  listener.world.settle();
  const std::string got = client.take();
  CHECK(got.starts_with("HTTP/1.1 200 OK\r\nDate: "));
  CHECK(got.find("\r\nContent-Type: text/plain\r\n") != std::string::npos);
  CHECK(got.ends_with("\r\nContent-Length: 0\r\n\r\n"));
  CHECK_FALSE(client.closed());
  client.write(post("/now", "hello"));
  listener.world.settle();
  CHECK(answers(client.take()) == Lines{"200 hello"});
  CHECK(listener.seen == Lines{"GET /now ", "POST /now hello"});
}

TEST_CASE("web: requests of one read are answered in order, wherever the input is cut") {
  const std::string input = post("/now", "1") + get("/now") + "POST /now HTTP/1.1\r\nHost: x\r\n" +
                            "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n" +
                            "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" + post("/now", "last");
  const Lines expected = {"200 1", "200", "200 abc", "404", "200 last"};
  for (std::size_t cut = 0; cut <= input.size(); ++cut) {
    CAPTURE(cut);
    Listener listener;
    TestPeer& client = listener.connect();
    client.write(input.substr(0, cut));
    listener.world.settle();
    client.write(input.substr(cut));
    listener.world.settle();
    CHECK(answers(client.received()) == expected);
  }
  Listener listener;
  TestPeer& client = listener.connect();
  client.set_read_limit(1);
  client.write(input);
  listener.world.settle();
  CHECK(answers(client.received()) == expected);
}

TEST_CASE("web: a request is read only when the one before is answered") {
  Listener listener;
  TestPeer& client = listener.connect();
  client.write(get("/later") + post("/now", "x") + get("/later") + get("/now"));
  listener.world.settle();
  CHECK(listener.seen == Lines{"GET /later "});
  CHECK(client.paused());
  CHECK(client.received().empty());
  listener.later.front().send({.body = "first"});
  listener.world.settle();
  CHECK(listener.seen.size() == 3);
  CHECK(answers(client.take()) == Lines{"200 first", "200 x"});
  listener.later.back().refuse(503, "not now");
  listener.world.settle();
  CHECK(answers(client.received()) == Lines{"503", "200"});
  CHECK_FALSE(client.paused());
}

TEST_CASE("web: an answer to a client that has gone is without effect") {
  Listener listener;
  TestPeer& client = listener.connect();
  client.write(get("/later") + get("/now"));
  listener.world.settle();
  CHECK(listener.later.front().wanted());
  client.hang_up();
  listener.world.settle();
  CHECK_FALSE(listener.later.front().wanted());
  listener.later.front().send({.body = "x"});
  CHECK(client.received().empty());
  CHECK(listener.seen.size() == 1);
}

TEST_CASE(
    "web: who watches an answer is told of it, of no other one, and if the client has gone too") {
  Listener listener;
  TestPeer& client = listener.connect();
  Lines told;
  const auto watch = [&told](const web::Given& given) {
    told.push_back(std::to_string(given.status) + " " + std::to_string(given.body_bytes) + " " +
                   std::string(given.reason));
  };
  client.write(get("/later") + get("/later") + get("/later"));
  listener.world.settle();
  listener.later.back().set_watch(watch);
  listener.later.back().send({.body = "first"});
  listener.world.settle();
  listener.later.back().send({.body = "not watched"});
  listener.world.settle();
  CHECK(told == Lines{"200 5 "});
  listener.later.back().set_watch(watch);
  client.hang_up();
  listener.world.settle();
  listener.later.back().refuse(503, "not now");
  CHECK(told == Lines{"200 5 ", "503 0 not now"});
}

TEST_CASE("web: a request that its handler gives up is answered 500") {
  Listener listener;
  TestPeer& client = listener.connect();
  client.write(get("/never") + get("/now"));
  listener.world.settle();
  CHECK(answers(client.received()) == Lines{"500", "200"});
  CHECK(listener.site.stats().unanswered.get() == 1);
}

TEST_CASE("web: HEAD is answered as GET, without the body") {
  Listener listener;
  TestPeer& client = listener.connect();
  client.write("HEAD /large HTTP/1.1\r\nHost: x\r\n\r\n");
  listener.world.settle();
  CHECK(client.received().ends_with("\r\nContent-Length: 100000\r\n\r\n"));
}

TEST_CASE("web: an unknown path is 404, an unknown method 405 with those that are known") {
  Listener listener;
  CHECK(listener.answer_to(get("/nowhere")).starts_with("HTTP/1.1 404 "));
  const std::string got = listener.answer_to("PUT /now HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(got.starts_with("HTTP/1.1 405 "));
  CHECK(got.find("\r\nAllow: GET, HEAD, POST\r\n") != std::string::npos);
  CHECK(listener.seen.empty());
}

TEST_CASE("web: paths are compared decoded, and a malformed one is refused") {
  Listener listener;
  CHECK(answers(listener.answer_to(get("/n%6fw"))) == Lines{"200"});
  CHECK(answers(listener.answer_to(get("/now%2"))) == Lines{"400"});
  CHECK(answers(listener.answer_to(get("/now?a=%zz") + get("/now"))) == Lines{"400", "200"});
}

TEST_CASE("web: a body larger than the route allows is refused, however it is sent") {
  Listener listener;
  CHECK(answers(listener.answer_to(post("/now", "0123456789"))) == Lines{"200 0123456789"});
  TestPeer& announced = listener.connect();
  announced.write("POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n");
  listener.world.settle();
  CHECK(answers(announced.received()) == Lines{"413"});
  CHECK(announced.closed());
  TestPeer& chunked = listener.connect();
  chunked.write(
      "POST /now HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "a\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n");
  listener.world.settle();
  CHECK(answers(chunked.received()) == Lines{"413"});
  CHECK(chunked.closed());
  CHECK(answers(listener.answer_to("GET /now HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")) ==
        Lines{"413"});
  CHECK(listener.seen.size() == 1);
}

TEST_CASE("web: 100 Continue is sent before a body that is wanted, and only then") {
  const std::string head =
      "POST /now HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ";
  Listener listener;
  TestPeer& client = listener.connect();
  client.write(head + "5\r\n\r\n");
  listener.world.settle();
  CHECK(client.take() == "HTTP/1.1 100 Continue\r\n\r\n");
  client.write("hello");
  listener.world.settle();
  CHECK(answers(client.take()) == Lines{"200 hello"});
  client.write(head + "5\r\n\r\nhello");  // it did not wait
  listener.world.settle();
  CHECK(answers(client.take()) == Lines{"200 hello"});
  client.write(head + "11\r\n\r\n");
  listener.world.settle();
  CHECK(answers(client.take()) == Lines{"413"});
  CHECK(client.closed());
}

TEST_CASE("web: a refused request with a body ends the connection, one without does not") {
  Listener listener;
  TestPeer& with = listener.connect();
  with.write(post("/nowhere", "x") + get("/now"));
  TestPeer& without = listener.connect();
  without.write(post("/nowhere", "") + get("/now"));
  listener.world.settle();
  CHECK(answers(with.received()) == Lines{"404"});
  CHECK(with.received().find("\r\nConnection: close\r\n") != std::string::npos);
  CHECK(with.closed());
  CHECK(answers(without.received()) == Lines{"404", "200"});
}

TEST_CASE("web: a connection is closed as its client's version and Connection field say") {
  Listener listener;
  for (const char* last :
       {"GET /now HTTP/1.0\r\n\r\n", "GET /now HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"}) {
    CAPTURE(last);
    TestPeer& client = listener.connect();
    client.write(std::string("GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n") + last +
                 get("/now"));
    listener.world.settle();
    CHECK(answers(client.received()) == Lines{"200", "200"});
    CHECK(client.closed());
  }
  TestPeer& later = listener.connect();
  later.write(get("/later", "Connection: close\r\n") + get("/now"));
  listener.world.settle();
  CHECK_FALSE(later.closed());
  listener.later.back().send({});
  listener.world.settle();
  CHECK(answers(later.received()) == Lines{"200"});
  CHECK(later.closed());
}

TEST_CASE("web: what is no request is answered and ends the connection") {
  Listener listener;
  TestPeer& client = listener.connect();
  client.write(get("/now") + "!!\r\n" + get("/now"));
  listener.world.settle();
  CHECK(answers(client.received()) == Lines{"200", "400"});
  CHECK(client.closed());
  CHECK(listener.site.stats().malformed.get() == 1);
}

TEST_CASE("web: a large answer arrives whole, copied or by reference") {
  Listener listener;
  CHECK(listener.answer_to(get("/large")).ends_with(std::string(100'000, 'l')));
  bus::MessageView view;
  view.route = "a";
  view.subject = "a";
  const std::string payload(bus::by_reference_bytes, 'p');
  view.payload = payload;
  const base::Ref<const bus::Message> message = bus::Message::copy(view);
  for (const bool head : {false, true}) {
    TestPeer& client = listener.connect();
    client.write((head ? "HEAD" : "GET") + get("/later").substr(3) + get("/now"));
    listener.world.settle();
    listener.later.back().send({.body = message->view().payload, .message = message});
    listener.world.settle();
    if (!head) CHECK(answers(client.received()) == Lines{"200 " + payload, "200"});
    if (head) CHECK(client.received().find("ppp") == std::string::npos);
  }
}

TEST_CASE("web: one connection has so many requests in a turn, then it is another's") {
  Listener listener({.requests_a_turn = 4});
  TestPeer& greedy = listener.connect();
  TestPeer& other = listener.connect();
  std::string many;
  for (int i = 0; i < 10; ++i) many += get("/now");
  greedy.write(many);
  other.write(post("/now", "other"));
  listener.world.step(0);
  CHECK(listener.seen.size() == 5);
  CHECK(listener.seen.back() == "POST /now other");
  listener.world.settle();
  CHECK(answers(greedy.received()) == Lines(10, "200"));
}

TEST_CASE("web: a client that does not take its answers is not read any more") {
  Listener listener({.max_pending = 250'000});
  TestPeer& client = listener.connect();
  client.set_accepting(false);
  std::string many;
  for (int i = 0; i < 10; ++i) many += get("/large");
  client.write(many);
  listener.world.advance(std::chrono::seconds(1));
  CHECK(client.pending_bytes() > 300'000);
  CHECK(client.pending_bytes() < 310'000);
  client.set_accepting(true);
  listener.world.advance(std::chrono::seconds(1));
  CHECK(answers(client.received()).size() == 10);
}

TEST_CASE("web: one connection too many is told so and closed") {
  Listener listener;
  TestPeer& client = listener.world.connect(0);
  client.set_surplus();
  client.attach(std::make_unique<web::Session>(client, listener.site));
  client.write(get("/now"));
  listener.world.settle();
  CHECK(answers(client.received()) == Lines{"503"});
  CHECK(client.closed());
  CHECK(listener.seen.empty());
}
