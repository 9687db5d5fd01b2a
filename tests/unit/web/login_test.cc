// Who an HTTP client is.
#include <doctest/doctest.h>

#include "tests/unit/web/fixture.h"

using namespace spanwire;
using test::answers;
using test::Listener;
using test::TestPeer;
using Lines = std::vector<std::string>;

namespace {

// ann:secret, bob:hidden, ann:wrong
const std::string ann = "Authorization: Basic YW5uOnNlY3JldA==\r\n";
const std::string bob = "Authorization: Basic Ym9iOmhpZGRlbg==\r\n";
const std::string wrong = "Authorization: Basic YW5uOndyb25n\r\n";

std::string get(std::string_view fields, std::string_view path = "/now") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n";
}

std::string post(std::string_view fields, std::string_view body) {
  return "POST /now HTTP/1.1\r\nHost: x\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

struct Closed : Listener {
  Closed() {
    access.open_to_all = false;
    access.users = {{"ann", "secret"}, {"bob", "hidden"}};
  }
};

}  // namespace

TEST_CASE("login: without one the answer says how to log in, and the connection stays") {
  Closed listener;
  TestPeer& client = listener.connect();
  client.write(get(""));
  listener.world.settle();
  const std::string got = client.take();
  CHECK(got.starts_with("HTTP/1.1 401 "));
  CHECK(got.find("\r\nWWW-Authenticate: Basic realm=\"spanwire\", charset=\"UTF-8\"\r\n") !=
        std::string::npos);
  client.write(get(ann));
  listener.world.settle();
  CHECK(answers(client.received()) == Lines{"200"});
  CHECK(listener.seen == Lines{"GET /now  as ann"});
}

TEST_CASE("login: a connection's password is checked once") {
  Closed listener;
  TestPeer& client = listener.connect();
  client.write(get(ann) + post(ann, "x") + get(ann));
  listener.world.settle();
  CHECK(answers(client.received()) == Lines{"200", "200 x", "200"});
  CHECK(listener.access.logins_checked == 1);
}

TEST_CASE("login: each request is its own user's") {
  Closed listener;
  TestPeer& client = listener.connect();
  client.write(get(ann) + get(bob) + get("") + get(bob) + get(ann));
  listener.world.settle();
  CHECK(answers(client.received()) == Lines{"200", "200", "401", "200", "200"});
  CHECK(listener.seen ==
        Lines{"GET /now  as ann", "GET /now  as bob", "GET /now  as bob", "GET /now  as ann"});
}

TEST_CASE("login: a wrong password is refused, and checked again when it comes again") {
  Closed listener;
  TestPeer& client = listener.connect();
  client.write(get(wrong) + get(wrong) + get(ann) + get(wrong));
  listener.world.settle();
  CHECK(answers(client.received()) == Lines{"401", "401", "200", "401"});
  CHECK(listener.access.logins_checked == 4);
  CHECK(listener.site.stats().rejected.get() == 3);
}

TEST_CASE("login: what is no Basic login is refused without a check") {
  Closed listener;
  TestPeer& client = listener.connect();
  client.write(get("Authorization: Bearer abc\r\n") + get("Authorization: Basic !!\r\n"));
  listener.world.settle();
  CHECK(answers(client.received()) == Lines{"401", "401"});
  CHECK(listener.access.logins_checked == 0);
}

TEST_CASE("login: an open server takes everybody, but no wrong password") {
  Listener listener;
  TestPeer& client = listener.connect();
  client.write(get("") + get("Authorization: Bearer abc\r\n") + get(wrong));
  listener.world.settle();
  CHECK(answers(client.received()) == Lines{"200", "200", "401"});
}

TEST_CASE("login: a route may ask for none") {
  Closed listener;
  CHECK(answers(listener.answer_to(get("", "/open") + get(wrong, "/open"))) == Lines{"200", "200"});
  CHECK(listener.access.logins_checked == 0);
}

TEST_CASE("login: nothing is lost of what comes while it is checked, wherever the input is cut") {
  const std::string input = post(ann, "hello") + post(bob, "you") + get(ann);
  for (std::size_t cut = 0; cut <= input.size(); ++cut) {
    CAPTURE(cut);
    Closed listener;
    TestPeer& client = listener.connect();
    client.write(input.substr(0, cut));
    listener.world.step(0);
    client.write(input.substr(cut));
    listener.world.settle();
    CHECK(answers(client.received()) == Lines{"200 hello", "200 you", "200"});
  }
}

TEST_CASE("login: a refused request with a body is answered before the body comes") {
  Closed listener;
  TestPeer& client = listener.connect();
  client.write(post(wrong, "hello").substr(0, post(wrong, "hello").size() - 5));
  listener.world.settle();
  CHECK(answers(client.received()) == Lines{"401"});
  CHECK(client.closed());
}

TEST_CASE("login: a client may go away while its login is checked") {
  Closed listener;
  TestPeer& client = listener.connect();
  client.write(get(ann));
  client.read();
  client.hang_up();
  listener.world.settle();
  CHECK(client.received().empty());
  CHECK(listener.seen.empty());
}
