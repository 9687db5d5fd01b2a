#include "jetstream/ack_subject.h"

#include <doctest/doctest.h>

#include <limits>

using namespace spanwire;
using namespace spanwire::jetstream;

namespace {

Delivery delivery_of(std::uint64_t number) {
  return {.delivered = number,
          .stream_sequence = number,
          .consumer_sequence = number,
          .time = base::WallTime(base::Duration(1'795'285'250'450'638'424)),
          .pending = number};
}

}  // namespace

TEST_CASE("ack subject: it is spelled as nats-server's first form") {
  AckSubject subject("S", "c");
  Delivery delivery = delivery_of(1);
  delivery.stream_sequence = 42;
  delivery.pending = 0;
  CHECK(subject.prefix() == "$JS.ACK.S.c.");
  CHECK(subject.write(delivery) == "$JS.ACK.S.c.1.42.1.1795285250450638424.0");
  CHECK(subject.write(delivery_of(7)) == "$JS.ACK.S.c.7.7.7.1795285250450638424.7");
  CHECK(subject.prefix() == "$JS.ACK.S.c.");
}

TEST_CASE("ack subject: the largest numbers fit, and come back") {
  AckSubject subject("S", "c");
  Delivery delivery = delivery_of(std::numeric_limits<std::uint64_t>::max());
  delivery.time = base::WallTime::min();
  const auto parsed = parse_ack_subject(subject.write(delivery));
  REQUIRE(parsed);
  CHECK(parsed->delivery == delivery);
  CHECK(parsed->stream == "S");
  CHECK(parsed->consumer == "c");
  CHECK(parsed->domain.empty());
}

TEST_CASE("ack subject: the second form has a domain and an account, and may have more") {
  for (const std::string_view text :
       {"$JS.ACK._.AbCdEfGh.S.c.1.2.3.4.5", "$JS.ACK._.AbCdEfGh.S.c.1.2.3.4.5.rest.more"}) {
    const auto parsed = parse_ack_subject(text);
    REQUIRE(parsed);
    CHECK(parsed->domain == "_");
    CHECK(parsed->account_hash == "AbCdEfGh");
    CHECK(parsed->stream == "S");
    CHECK(parsed->consumer == "c");
    CHECK(parsed->delivery.delivered == 1);
    CHECK(parsed->delivery.stream_sequence == 2);
    CHECK(parsed->delivery.consumer_sequence == 3);
    CHECK(parsed->delivery.time == base::WallTime(base::Duration(4)));
    CHECK(parsed->delivery.pending == 5);
  }
}

TEST_CASE("ack subject: eight and ten tokens are neither form, nor are other words") {
  for (const std::string_view text :
       {"", "$JS.ACK.", "$JS.ACK.S.c.1.2.3.4", "$JS.ACK.S.c.1.2.3.4.5.6", "$JS.FC.S.c.1.2.3.4.5",
        "$JS.ACK.S.c.x.2.3.4.5", "$JS.ACK.S.c.1.2.3.4.", "$JS.ACK.S.c.1.-2.3.4.5",
        "$JS.ACK.S.c.1.2.3.4.99999999999999999999", "x$JS.ACK.S.c.1.2.3.4.5"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_ack_subject(text));
  }
}
