#include "tools/loadgen/jetstream_wire.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace spanwire;
using namespace std::string_view_literals;
using loadgen::NatsEvent;

namespace {

NatsEvent::Kind kind_of(std::string_view in) {
  return loadgen::read_headed_event(in).kind;
}

bool acknowledges(std::string_view payload) {
  return loadgen::read_pub_ack(payload, "LOAD").has_value();
}

}  // namespace

TEST_CASE("jetstream: a message with headers is read only when it is whole") {
  const auto input = "HMSG a.b 1 reply.to 18 21\r\nNATS/1.0\r\nA: b\r\n\r\nxyz\r\n"sv;
  for (std::size_t size = 0; size < input.size(); ++size) {
    CHECK(kind_of(input.substr(0, size)) == NatsEvent::Kind::need_more);
  }
  const auto event = loadgen::read_headed_event(input);
  REQUIRE(event.kind == NatsEvent::Kind::message);
  CHECK(event.size_bytes == input.size());
  CHECK(event.subject == "a.b");
  CHECK(event.reply == "reply.to");
  CHECK(event.headers == "NATS/1.0\r\nA: b\r\n\r\n");
  CHECK(event.payload == "xyz");
}

TEST_CASE("jetstream: a message with headers may have no reply, one without headers has none") {
  const auto headed = loadgen::read_headed_event("HMSG a 1 12 12\r\nNATS/1.0\r\n\r\n\r\nPONG\r\n");
  REQUIRE(headed.kind == NatsEvent::Kind::message);
  CHECK(headed.reply.empty());
  CHECK(headed.payload.empty());
  CHECK(loadgen::read_headed_event("MSG a 1 0\r\n\r\n").headers.empty());
}

TEST_CASE("jetstream: an HMSG whose sizes cannot be is an error") {
  CHECK(kind_of("HMSG a 1 13 12\r\n") == NatsEvent::Kind::error);
  CHECK(kind_of("HMSG a 1 12\r\n") == NatsEvent::Kind::error);
  CHECK(kind_of("HMSG a 1 r more 12 12\r\n") == NatsEvent::Kind::error);
  CHECK(kind_of("HMSG a 1 12 x\r\n") == NatsEvent::Kind::error);
  CHECK(kind_of("HMSG a 1 12 18446744073709551615\r\n") == NatsEvent::Kind::need_more);
}

TEST_CASE("jetstream: a status stands behind the version, and headers alone have none") {
  CHECK(loadgen::status_of("NATS/1.0 408 Request Timeout\r\n\r\n") == 408);
  CHECK(loadgen::status_of("NATS/1.0 503\r\n\r\n") == 503);
  CHECK(loadgen::status_of("NATS/1.0\r\nA: 5\r\n\r\n") == 0);
  CHECK(loadgen::status_of("NATS/1.0 x\r\n\r\n") == 0);
  CHECK(loadgen::status_of("") == 0);
}

TEST_CASE("jetstream: a header is found by its whole name") {
  const auto headers = "NATS/1.0 100 Idle Heartbeat\r\nNats-Last: 7\r\nNats-Last-More:x\r\n\r\n"sv;
  CHECK(loadgen::header_value(headers, "Nats-Last") == "7");
  CHECK(loadgen::header_value(headers, "Nats-Last-More") == "x");
  CHECK(loadgen::header_value(headers, "Nats").empty());
  CHECK(loadgen::header_value(headers, "Nats-Other").empty());
  CHECK(loadgen::header_value("", "Nats-Last").empty());
}

TEST_CASE("jetstream: an acknowledgement gives the sequence in the stream that is meant") {
  const auto sequence = loadgen::read_pub_ack(R"({"stream":"LOAD", "seq":42})", "LOAD");
  REQUIRE(sequence);
  CHECK(*sequence == 42);
  CHECK(acknowledges(R"({"seq":1,"domain":"hub","stream":"LOAD","duplicate":false})"));
  CHECK_FALSE(acknowledges(R"({"stream":"OTHER","seq":42})"));
}

TEST_CASE("jetstream: errors, duplicates and halves are no acknowledgement") {
  CHECK_FALSE(acknowledges(R"({"error":{"code":503},"stream":"LOAD","seq":0})"));
  CHECK_FALSE(acknowledges(R"({"stream":"LOAD","seq":7,"error":{"code":503}})"));
  CHECK_FALSE(acknowledges(R"({"stream":"LOAD","seq":7,"duplicate": true})"));
  CHECK_FALSE(acknowledges(R"({"stream":"LOAD","seq":0})"));
  CHECK_FALSE(acknowledges(R"({"stream":"LOAD","seq":-7})"));
  CHECK_FALSE(acknowledges(R"({"stream":"LOAD","seq":7} )"
                           "x"));
  const auto whole = R"({"stream":"LOAD","seq":7})"sv;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_FALSE(acknowledges(whole.substr(0, size)));
  }
}

TEST_CASE("jetstream: a delivery's reply tells where it stands, with and without a domain") {
  for (const auto reply :
       {"$JS.ACK.LOAD.c1.1.22.21.1700000000.5"sv, "$JS.ACK.hub.ACCT.LOAD.c1.1.22.21.1700000000.5"sv,
        "$JS.ACK._.ACCT.LOAD.c1.1.22.21.1700000000.5.random"sv}) {
    const auto delivery = loadgen::read_delivery(reply);
    REQUIRE(delivery);
    CHECK(delivery->stream == "LOAD");
    CHECK(delivery->consumer == "c1");
    CHECK(delivery->times == 1);
    CHECK(delivery->stream_sequence == 22);
    CHECK(delivery->consumer_sequence == 21);
    CHECK(delivery->pending == 5);
  }
}

TEST_CASE("jetstream: any other reply is no delivery's") {
  CHECK_FALSE(loadgen::read_delivery(""));
  CHECK_FALSE(loadgen::read_delivery("_INBOX.a.b"));
  CHECK_FALSE(loadgen::read_delivery("$JS.ACK.LOAD.c1.1.22.21.1700000000"));
  CHECK_FALSE(loadgen::read_delivery("$JS.ACK.LOAD.c1.one.22.21.1700000000.5"));
  CHECK_FALSE(loadgen::read_delivery("$JS.ACK.x.LOAD.c1.1.22.21.1700000000.5"));
}
