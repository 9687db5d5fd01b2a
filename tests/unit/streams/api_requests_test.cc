#include "streams/api_requests.h"

#include <doctest/doctest.h>

using namespace spanwire;
using namespace spanwire::streams;
using namespace std::chrono_literals;

TEST_CASE("requests: a stream") {
  StreamSpec spec;
  spec.name = std::string("S");
  spec.subjects = {"s.>"};
  spec.retention = StreamSpec::Retention::work_queue;
  spec.discard = StreamSpec::Discard::new_messages;
  spec.max_age = 2s;
  const std::string body = stream_request(spec, 3);
  for (const char* part : {R"("name":"S")", R"("retention":"workqueue")", R"("discard":"new")",
                           R"("max_age":2000000000)", R"("num_replicas":3)", R"("storage":"file")",
                           R"("allow_direct":true)"}) {
    CAPTURE(part);
    CHECK(body.find(part) != std::string::npos);
  }
}

TEST_CASE("requests: last messages of each subject need a filter") {
  FeedSpec spec;
  spec.from = FeedSpec::From::last_of_each_subject;
  const auto body = [&] {
    return consumer_request({.stream = "S", .name = "c", .spec = spec, .from = spec.from});
  };
  CHECK(body().find("\"filter_subject\":\"\\u003e\"") != std::string::npos);
  spec.filters = {"a", "b"};
  CHECK(body().find(R"("filter_subjects":["a","b"])") != std::string::npos);
}

TEST_CASE("requests: an acknowledgement") {
  CHECK(ack_payload(Verdict::done, {}) == "+ACK");
  CHECK(ack_payload(Verdict::again, {}) == "-NAK");
  CHECK(ack_payload(Verdict::again, 2s) == "-NAK {\"delay\":2000000000}");
  CHECK(ack_payload(Verdict::never, 2s) == "+TERM");
  CHECK(ack_payload(Verdict::in_progress, {}) == "+WPI");
}

TEST_CASE("requests: what is expected goes behind the message's own headers") {
  std::string out;
  CHECK(append_headers({.headers = "NATS/1.0\r\nA: 1\r\n\r\n",
                        .id = "i",
                        .expect = {.last = 4, .last_of_subject = 0}},
                       out));
  CHECK(out ==
        "NATS/1.0\r\nA: 1\r\nNats-Msg-Id: i\r\nNats-Expected-Last-Sequence: 4\r\n"
        "Nats-Expected-Last-Subject-Sequence: 0\r\n\r\n");
  CHECK(append_headers({}, out));
  CHECK(out.empty());
  CHECK(!append_headers({.id = "a\nb"}, out));
  CHECK(!append_headers({.headers = "A: 1", .id = "i"}, out));
}

TEST_CASE("requests: names that are one token") {
  CHECK(is_name("S"));
  CHECK(is_name("$MQTT_\xc3\xa4"));
  CHECK(is_name(std::string(255, 'a')));
  for (const std::string name : {"", "a.b", "*", ">", "a b", "a/b", "a\\b", "a\n"}) {
    CHECK(!is_name(name));
  }
  CHECK(!is_name(std::string(256, 'a')));
}
