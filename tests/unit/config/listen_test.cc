#include "config/listen.h"

#include <doctest/doctest.h>

using namespace spanwire;
using config::Listen;

TEST_CASE("listen: a host and a port, a port alone, an IPv6 address in brackets") {
  CHECK(config::parse_listen("127.0.0.1:4222").value() == Listen{"127.0.0.1", 4222});
  CHECK(config::parse_listen("localhost:-1").value() == Listen{"localhost", config::any_port});
  CHECK(config::parse_listen("[::1]:4222").value() == Listen{"::1", 4222});
  CHECK(config::parse_listen("[fe80::1%eth0]:1").value() == Listen{"fe80::1%eth0", 1});
  CHECK(config::parse_listen(":4222").value() == Listen{"", 4222});
  CHECK(config::parse_listen("4222").value() == Listen{"", 4222});
  CHECK(config::parse_listen("-1").value() == Listen{"", config::any_port});
  CHECK(config::listen_on(65'535).value() == Listen{"", 65'535});
}

TEST_CASE("listen: what is no address is refused") {
  for (const char* text : {"", ":", "host", "host:", "host:x", "host:1x", "::1", "::1:4222",
                           "[::1]", "[]:1", "[::1:4222", "a b:1", "a/b:1", "nats://h:1", "h: 1",
                           "h:+1", "h:99999999999999999999", "[[::1]]:1", "[::1]x:1"}) {
    CAPTURE(text);
    CHECK_FALSE(config::parse_listen(text));
  }
  CHECK_FALSE(config::parse_listen("host:65536"));
  CHECK_FALSE(config::parse_listen("host:-2"));
  CHECK_FALSE(config::listen_on(65'536));
  CHECK_FALSE(config::listen_on(-2));
}

TEST_CASE("listen: its text gives the same again") {
  for (const char* text : {"127.0.0.1:4222", "[::1]:0", ":-1", "host:65535"}) {
    CAPTURE(text);
    CHECK(config::to_text(config::parse_listen(text).value()) == text);
  }
}
