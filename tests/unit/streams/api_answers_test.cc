#include "streams/api_answers.h"

#include <doctest/doctest.h>

using namespace spanwire;
using namespace spanwire::streams;
using Kind = Failure::Kind;

namespace {

std::string error_text(std::string_view code, std::string_view number, std::string_view text) {
  return std::string(R"({"type":"t","error":{"code":)")
      .append(code)
      .append(R"(,"err_code":)")
      .append(number)
      .append(R"(,"description":")")
      .append(text)
      .append(R"("},"stream":"S","seq":0})");
}

Failure failure(std::string_view code, std::string_view number, std::string_view text) {
  const auto ack = read_pub_ack(error_text(code, number, text), "S");
  REQUIRE(!ack);
  return failure_of(ack.error());
}

bus::MessageView status_message(std::string_view headers) {
  bus::MessageView out;
  out.headers = headers;
  return out;
}

}  // namespace

TEST_CASE("answers: a PubAck tells the sequence, and whether it was there before") {
  const auto first = read_pub_ack(R"({"stream":"S","seq":7})", "S");
  REQUIRE(first);
  CHECK(first->sequence == 7);
  CHECK(!first->duplicate);
  CHECK(read_pub_ack(R"({"stream":"S", "seq":7, "duplicate": true,"domain":"d"})", "S")->duplicate);
}

TEST_CASE("answers: a PubAck of another stream is refused, in words") {
  const auto other = read_pub_ack(R"({"stream":"T","seq":7})", "S");
  REQUIRE(!other);
  CHECK(failure_of(other.error()).kind == Kind::refused);
  CHECK(other.error().text == "the subject belongs to the stream T");
}

TEST_CASE("answers: what an error means") {
  CHECK(failure("400", "10071", "wrong last sequence: 1").kind == Kind::wrong_last);
  CHECK(failure("400", "10164", "wrong last sequence").kind == Kind::wrong_last);
  CHECK(failure("404", "10059", "stream not found").kind == Kind::not_found);
  CHECK(failure("404", "10059", "stream not found").text == "stream not found");
  CHECK(failure("400", "10065", "no").kind == Kind::refused);
  CHECK(failure("500", "10052", "no").kind == Kind::refused);
  CHECK(failure("503", "10077", "maximum messages exceeded").kind == Kind::refused);
  CHECK(failure("503", "10077", "write failed").kind == Kind::unknown);
  CHECK(failure("503", "10008", "temporarily unavailable").kind == Kind::unknown);
  CHECK(failure("500", "10047", "insufficient storage resources available").kind == Kind::refused);
  CHECK(failure("503", "10039", "not enabled").text ==
        "not enabled: enable JetStream there for this account");
}

TEST_CASE("answers: an error's text is one line of bounded length") {
  const Failure long_one = failure("400", "1", "a\\r\\nb" + std::string(5000, 'x'));
  CHECK(long_one.text.starts_with("a  b"));
  CHECK(long_one.text.size() == 512);
}

TEST_CASE("answers: what is none is unknown, wherever it is cut") {
  const std::string_view whole =
      R"({"config":{"allow_direct":true,"num_replicas":1},"state":{"messages":1}})";
  CHECK(read_stream(whole));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const auto cut = read_stream(whole.substr(0, i));
    REQUIRE(!cut);
    CHECK(failure_of(cut.error()).kind == Kind::unknown);
  }
  for (const char* wrong : {"[]", "1", R"({"error":1})", R"({"seq":-1,"stream":"S"})",
                            R"({"seq":"1","stream":"S"})", R"({"stream":"S"})"}) {
    CAPTURE(wrong);
    CHECK(!read_pub_ack(wrong, "S"));
    CHECK(!read_stream(wrong));
    CHECK(!read_stored(wrong));
    CHECK(!read_purged(wrong));
    CHECK(!read_success(wrong));
    CHECK(!read_consumer(wrong));
  }
}

TEST_CASE("answers: a stream with replicas is not read directly") {
  const auto of = [](std::string_view config) {
    return read_stream(R"({"state":{},"config":{)" + std::string(config) + "}}").value().direct;
  };
  CHECK(of(R"("allow_direct":true)"));
  CHECK(!of(""));
  CHECK(!of(R"("allow_direct":true,"num_replicas":3)"));
}

TEST_CASE("answers: a stored message is decoded") {
  const auto read =
      read_stored(R"({"message":{"subject":"s.a","seq":3,"hdrs":"TkFUUy8xLjANCg0K","data":"eA==",)"
                  R"("time":"2026-08-01T12:00:00.5Z"}})");
  REQUIRE(read);
  CHECK(read->sequence == 3);
  CHECK(read->message->view().subject == "s.a");
  CHECK(read->message->view().headers == "NATS/1.0\r\n\r\n");
  CHECK(read->message->view().payload == "x");
  CHECK(read->time.time_since_epoch().count() == 1'785'585'600'500'000'000);
}

TEST_CASE("answers: a stored message without a subject, number, time or in bad base64 is none") {
  for (const char* wrong :
       {R"({"message":{"seq":3,"time":"2026-08-01T12:00:00Z"}})",
        R"({"message":{"subject":"a","time":"2026-08-01T12:00:00Z"}})",
        R"({"message":{"subject":"a","seq":3}})",
        R"({"message":{"subject":"a","seq":3,"time":"2026-02-30T12:00:00Z"}})",
        R"({"message":{"subject":"a","seq":3,"time":"2026-08-01T12:00:00+02:00"}})",
        R"({"message":{"subject":"a","seq":3,"time":"2026-08-01T24:00:00Z"}})",
        R"({"message":{"subject":"a","seq":3,"time":"2026-08-01T12:00:00.Z"}})",
        R"({"message":{"subject":"a","seq":3,"time":"9999-08-01T12:00:00Z"}})",
        R"({"message":{"subject":"a","seq":3,"time":"2026-08-01T12:00:00Z","data":"!"}})"}) {
    CAPTURE(wrong);
    CHECK(!read_stored(wrong));
  }
}

TEST_CASE("answers: of a message read directly, only the last headers are the server's") {
  bus::MessageView message;
  message.payload = "x";
  message.headers =
      "NATS/1.0\r\nA: 1\r\nNats-Sequence: 9\r\nNats-Stream: S\r\nNats-Subject: s.a\r\n"
      "Nats-Sequence: 3\r\nNats-Time-Stamp: 2026-08-01T12:00:00.123456789Z\r\n\r\n";
  const auto read = read_direct(message);
  REQUIRE(read);
  CHECK(read->sequence == 3);
  CHECK(read->message->view().subject == "s.a");
  CHECK(read->message->view().headers == "NATS/1.0\r\nA: 1\r\nNats-Sequence: 9\r\n\r\n");
  message.headers =
      "NATS/1.0\r\nNats-Stream: S\r\nNats-Subject: s.a\r\nNats-Sequence: 3\r\n"
      "Nats-Time-Stamp: 2026-08-01T12:00:00Z\r\n\r\n";
  CHECK(read_direct(message)->message->view().headers.empty());
  message.headers = "NATS/1.0 404 Message Not Found\r\n\r\n";
  CHECK(failure_of(read_direct(message).error()).kind == Kind::not_found);
  message.headers = "NATS/1.0\r\nNats-Stream: S\r\nNats-Sequence: 3\r\n\r\n";
  CHECK(!read_direct(message));
  message.headers = {};
  CHECK(!read_direct(message));
}

TEST_CASE("ack subject: both forms, and back") {
  for (const char* text : {"$JS.ACK.S.c.2.30.4.1785585600000000000.5",
                           "$JS.ACK.hub.HASH.S.c.2.30.4.1785585600000000000.5",
                           "$JS.ACK._.HASH.S.c.2.30.4.1785585600000000000.5.more.x"}) {
    CAPTURE(text);
    const auto ack = parse_ack_subject(text);
    REQUIRE(ack);
    CHECK(ack->consumer == "c");
    CHECK(ack->prefix.ends_with("S.c."));
    CHECK(ack->token.attempt == 2);
    CHECK(ack->token.sequence == 30);
    CHECK(ack->token.delivery == 4);
    CHECK(ack->pending == 5);
    CHECK(ack_subject(ack->prefix, ack->token) == std::string(ack->prefix) + "2.30.4.0.0");
  }
}

TEST_CASE("ack subject: others are none") {
  for (const char* text :
       {"", "$JS.ACK", "$JS.ACK.", "$JS.ACK.S.c.1.1.1.1", "$JS.ACK.S.c.1.1.1.1.x",
        "$JS.ACK.S.c.1.1.1.1.1.1", "$JS.ACK.S.c.1.0.1.1.1", "$JS.ACK.S.c.1.1.0.1.1",
        "$JS.ACK.S.c.-1.1.1.1.1", "$JS.ACK.S..1.1.1.1.1", "$JS.ACK.S.c.99999999999.1.1.1.1"}) {
    CAPTURE(text);
    CHECK(!parse_ack_subject(text));
  }
}

TEST_CASE("status: how a pull request stands") {
  using Stands = PullStatus::Kind;
  const auto of = [](std::string_view headers) {
    return parse_pull_status(status_message(headers));
  };
  CHECK(of("NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 7\r\n\r\n")->last_delivery == 7);
  const auto over = of("NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 3\r\n\r\n");
  CHECK(over->kind == Stands::over);
  CHECK(over->left == 3);
  CHECK(of("NATS/1.0 409 Consumer Deleted\r\n\r\n")->kind == Stands::consumer_gone);
  CHECK(of("NATS/1.0 503\r\n\r\n")->kind == Stands::consumer_gone);
  CHECK(of("NATS/1.0 409 Server Shutdown\r\n\r\n")->kind == Stands::over);
  const auto large = of("NATS/1.0 409 Exceeded MaxRequestBatch of 10\r\n\r\n");
  CHECK(large->kind == Stands::too_large);
  CHECK(large->limit == 10);
  CHECK(of("NATS/1.0 409 Exceeded MaxRequestBatch of \r\n\r\n")->kind == Stands::refused);
  CHECK(of("NATS/1.0 409 Consumer is push based\r\n\r\n")->kind == Stands::refused);
  CHECK(of("NATS/1.0 400 Bad Request\r\n\r\n")->kind == Stands::refused);
  CHECK(!of("NATS/1.0\r\nA: 1\r\n\r\n"));
  CHECK(!of(""));
}
