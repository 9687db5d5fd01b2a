#include <doctest/doctest.h>

#include "jetstream/stream_config.h"

using namespace spanwire;
using namespace spanwire::jetstream;

namespace {

// A stream, an update of it, and what nats-server 2.14.5 answers; no code: it is updated.
struct Case {
  std::string_view old;
  std::string_view fresh;
  ApiError error;
};

StreamConfig checked(std::string_view body) {
  auto request = parse_stream_request(body, true);
  REQUIRE(request);
  REQUIRE_FALSE(check_stream_config(request->config));
  set_required_level(request->config);
  return request->config;
}

void check_update(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    CAPTURE(one.old);
    CAPTURE(one.fresh);
    StreamConfig fresh = checked(one.fresh);
    const ApiError error = check_stream_update(checked(one.old), fresh).value_or(ApiError{});
    CHECK(error.code == one.error.code);
    CHECK(error.err_code == one.error.err_code);
    CHECK(error.description == one.error.description);
  }
}

}  // namespace

TEST_CASE("stream update: sealing settles what follows from it, and is for ever") {
  const StreamConfig old = checked(R"({"name":"S","max_age":1000000000,"allow_rollup_hdrs":true})");
  StreamConfig fresh = old;
  fresh.sealed = true;
  REQUIRE_FALSE(check_stream_update(old, fresh));
  CHECK(fresh.max_age == base::Duration(0));
  CHECK(fresh.discard == Discard::new_messages);
  CHECK(fresh.deny_delete);
  CHECK(fresh.deny_purge);
  CHECK_FALSE(fresh.allow_rollup);
  StreamConfig open = fresh;
  open.sealed = false;
  const auto refused = check_stream_update(fresh, open);
  REQUIRE(refused);
  CHECK(refused->description == "stream configuration update can not unseal a sealed stream");
}

TEST_CASE("stream update: the name stays") {
  const StreamConfig old = checked(R"({"name":"S"})");
  StreamConfig fresh = checked(R"({"name":"T"})");
  const auto refused = check_stream_update(old, fresh);
  REQUIRE(refused);
  CHECK(refused->description == "stream configuration name must match original");
}

TEST_CASE("stream update: two streams are the same whatever servers added to their metadata") {
  const StreamConfig one = checked(R"({"name":"S","metadata":{"a":"1"}})");
  StreamConfig other = one;
  other.metadata["_nats.ver"] = "2.11.0";
  other.metadata["_nats.level"] = "1";
  other.metadata["_nats.req.level"] = "9";
  CHECK(same_stream(one, other));
  other.metadata["a"] = "2";
  CHECK_FALSE(same_stream(one, other));
  other = one;
  other.subjects = {"T", "S"};
  CHECK_FALSE(same_stream(one, other));
}

TEST_CASE("stream update: the level that a configuration needs is kept, what answers add is not") {
  StreamConfig config = checked(R"({"name":"S","allow_msg_ttl":true})");
  config.metadata["_nats.ver"] = "x";
  set_required_level(config);
  CHECK(config.metadata == Metadata{{"_nats.req.level", "1"}});
  config.allow_msg_ttl = false;
  set_required_level(config);
  CHECK(config.metadata == Metadata{{"_nats.req.level", "0"}});
}

TEST_CASE("stream update: storage stays") {
  check_update({
      {R"({"name":"S"})",
       R"({"name":"S","storage":"memory"})",
       {500, 10052, "stream configuration update can not change storage type"}},
      {R"({"name":"S"})", R"({"name":"S","storage":"file"})", {}},
  });
}

TEST_CASE("stream update: retention changes only between limits and interest") {
  check_update({
      {R"({"name":"S"})", R"({"name":"S","retention":"interest"})", {}},
      {R"({"name":"S","retention":"interest"})", R"({"name":"S"})", {}},
      {R"({"name":"S"})",
       R"({"name":"S","retention":"workqueue"})",
       {500, 10052,
        "stream configuration update can not change retention policy to/from "
        "workqueue"}},
      {R"({"name":"S","retention":"workqueue"})",
       R"({"name":"S"})",
       {500, 10052,
        "stream configuration update can not change retention policy to/from "
        "workqueue"}},
      {R"({"name":"S","retention":"workqueue"})", R"({"name":"S","retention":"workqueue"})", {}},
  });
}

TEST_CASE("stream update: what is denied stays denied") {
  check_update({
      {R"({"name":"S","deny_delete":true})",
       R"({"name":"S"})",
       {500, 10052, "stream configuration update can not cancel deny message deletes"}},
      {R"({"name":"S"})", R"({"name":"S","deny_delete":true})", {}},
      {R"({"name":"S","deny_purge":true})",
       R"({"name":"S"})",
       {500, 10052, "stream configuration update can not cancel deny purge"}},
      {R"({"name":"S"})", R"({"name":"S","deny_purge":true})", {}},
  });
}

TEST_CASE("stream update: messages keep their own TTL") {
  check_update({
      {R"({"name":"S","allow_msg_ttl":true})",
       R"({"name":"S"})",
       {500, 10052, "message TTL status can not be disabled"}},
      {R"({"name":"S"})", R"({"name":"S","allow_msg_ttl":true})", {}},
  });
}

TEST_CASE("stream update: the rest may change") {
  check_update({
      {R"({"name":"S"})", R"({"name":"S","subjects":["q","w"]})", {}},
      {R"({"name":"S","max_consumers":4})", R"({"name":"S","max_consumers":3})", {}},
      {R"({"name":"S","max_bytes":1000})", R"({"name":"S","max_bytes":500})", {}},
      {R"({"name":"S"})", R"({"name":"S","compression":"s2"})", {}},
      {R"({"name":"S","republish":{"dest":"t.>"}})", R"({"name":"S"})", {}},
      {R"({"name":"S","no_ack":true})", R"({"name":"S"})", {}},
      {R"({"name":"S"})", R"({"name":"S","mirror_direct":true})", {}},
      {R"({"name":"S"})", R"({"name":"S","first_seq":10})", {}},
  });
}
