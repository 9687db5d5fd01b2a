#include "jetstream/ack.h"

#include <doctest/doctest.h>

using namespace spanwire;
using namespace spanwire::jetstream;

TEST_CASE("ack: an empty body and two words acknowledge") {
  for (const std::string_view body : {"", "+ACK", "+OK"}) {
    CHECK(parse_ack(body).kind == AckKind::ack);
  }
}

TEST_CASE("ack: what is no word of ours does nothing") {
  for (const std::string_view body :
       {"+", "+AC", "+ACKx", "+OK ", "+WPIx", "+ack", "NAK", "x", "-NA"}) {
    CAPTURE(body);
    CHECK(parse_ack(body).kind == AckKind::unknown);
  }
}

TEST_CASE("ack: a nak may wait") {
  const Ack plain = parse_ack("-NAK");
  CHECK(plain.kind == AckKind::nak);
  CHECK_FALSE(plain.delay);
  CHECK_FALSE(plain.bad_delay);
  CHECK(parse_ack("-NAK ").bad_delay == false);
  CHECK(parse_ack("-NAK 5s").delay == std::chrono::seconds(5));
  CHECK(parse_ack(R"(-NAK {"delay":1500})").delay == base::Duration(1500));
  CHECK(parse_ack(R"(-NAK{"delay":7} )").delay == base::Duration(7));
  CHECK(parse_ack("-NAK {}").delay == base::Duration(0));
}

TEST_CASE("ack: a delay that can not be read is none") {
  for (const std::string_view body :
       {"-NAK x", "-NAK 5", R"(-NAK {"delay":"5s"})", "-NAK {", "-NAKx"}) {
    CAPTURE(body);
    const Ack ack = parse_ack(body);
    CHECK(ack.kind == AckKind::nak);
    CHECK_FALSE(ack.delay);
    CHECK(ack.bad_delay);
  }
}

TEST_CASE("ack: progress, the end with its reason, and the next messages") {
  CHECK(parse_ack("+WPI").kind == AckKind::progress);
  const Ack term = parse_ack("+TERM  no use \n");
  CHECK(term.kind == AckKind::term);
  CHECK(term.text == "no use");
  CHECK(parse_ack("+TERM").text.empty());
  const Ack next = parse_ack(R"(+NXT {"batch":5})");
  CHECK(next.kind == AckKind::next);
  CHECK(next.text == R"( {"batch":5})");
  CHECK(parse_ack("+NXT").text.empty());
}
