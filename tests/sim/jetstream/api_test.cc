// The JetStream API, as a client has it: exact answers, as nats-server 2.14.5 gives them.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "jetstream/directory.h"
#include "tests/support/jetstream_world.h"

using namespace spanwire;
using test::JetStreamClient;
using test::JetStreamWorld;
using test::member_of;

namespace {

constexpr const char* s_config = R"({"name":"S","subjects":["s.>"],"storage":"memory"})";

std::string error_of(const std::string& answer) {
  return member_of(answer, "err_code");
}

struct OneStream {
  explicit OneStream(std::size_t loops = 1) : world({.loops = loops}), client(world) {
    client.api("STREAM.CREATE.S", s_config);
  }
  JetStreamWorld world;
  JetStreamClient client;
};

}  // namespace

TEST_CASE("jetstream api: an account without streams") {
  JetStreamWorld world;
  JetStreamClient client(world);
  CHECK(client.api("INFO") ==
        R"({"type":"io.nats.jetstream.api.v1.account_info_response","memory":0,"storage":0,)"
        R"("reserved_memory":0,"reserved_storage":0,"streams":0,"consumers":0,"limits":{)"
        R"("max_memory":-1,"max_storage":-1,"max_streams":-1,"max_consumers":-1,)"
        R"("max_ack_pending":-1,"memory_max_stream_bytes":-1,"storage_max_stream_bytes":-1,)"
        R"("max_bytes_required":false},"api":{"level":4,"total":0,"errors":0}})");
  CHECK(client.api("STREAM.NAMES") ==
        R"({"type":"io.nats.jetstream.api.v1.stream_names_response","total":0,"offset":0,)"
        R"("limit":1024,"streams":null})");
  CHECK(client.api("STREAM.LIST") ==
        R"({"type":"io.nats.jetstream.api.v1.stream_list_response","total":0,"offset":0,)"
        R"("limit":256,"streams":[]})");
  CHECK(client.api("STREAM.INFO.N") ==
        R"({"type":"io.nats.jetstream.api.v1.stream_info_response","error":{"code":404,)"
        R"("err_code":10059,"description":"stream not found"},"total":0,"offset":0,"limit":0})");
}

TEST_CASE("jetstream api: creating a stream is idempotent for the same configuration only") {
  JetStreamWorld world;
  JetStreamClient client(world);
  const std::string made = client.api("STREAM.CREATE.S", s_config);
  CHECK(made.starts_with(
      R"({"type":"io.nats.jetstream.api.v1.stream_create_response","config":{"name":"S",)"
      R"("subjects":["s.\u003e"],"retention":"limits","max_consumers":-1,"max_msgs":-1,)"
      R"("max_bytes":-1,"max_age":0,"max_msgs_per_subject":-1,"max_msg_size":-1,)"
      R"("discard":"old","storage":"memory","num_replicas":1,"duplicate_window":120000000000,)"
      R"("compression":"none","allow_direct":false,"mirror_direct":false,"sealed":false,)"
      R"("deny_delete":false,"deny_purge":false,"allow_rollup_hdrs":false,"consumer_limits":{},)"
      R"("allow_msg_ttl":false,"metadata":{"_nats.level":"4","_nats.req.level":"0",)"
      R"("_nats.ver":"2.14.5"}},"created":")"));
  CHECK(made.find(R"("state":{"messages":0,"bytes":0,"first_seq":0,)"
                  R"("first_ts":"0001-01-01T00:00:00Z","last_seq":0,)"
                  R"("last_ts":"0001-01-01T00:00:00Z","consumer_count":0},"ts":")") !=
        std::string::npos);
  CHECK(made.ends_with(R"(,"did_create":true})"));
  CHECK(error_of(client.api("STREAM.CREATE.S", s_config)).empty());
  CHECK(error_of(client.api("STREAM.CREATE.S",
                            R"({"name":"S","subjects":["s.>","t"],"storage":"memory"})")) ==
        "10058");
  CHECK(error_of(client.api("STREAM.CREATE.T",
                            R"({"name":"T","subjects":["s.1"],"storage":"memory"})")) == "10065");
  CHECK(error_of(client.api("STREAM.CREATE.T", R"({"name":"X"})")) == "10056");
  CHECK(error_of(client.api("STREAM.CREATE.T", "{")) == "10025");
  CHECK(error_of(client.api("STREAM.CREATE.T", R"({"name":"T","bogus":1})")) == "10025");
}

TEST_CASE("jetstream api: a stream that needs more room than there is is refused") {
  JetStreamWorld world({.max_memory_store = 1000});
  JetStreamClient client(world);
  const auto create = [&](const char* name, int bytes) {
    return error_of(client.api(
        fmt::format("STREAM.CREATE.{}", name),
        fmt::format(R"({{"name":"{}","subjects":["{}"],"storage":"memory","max_bytes":{}}})", name,
                    name, bytes)));
  };
  CHECK(create("A", 1001) == "10028");
  CHECK(create("A", 600).empty());
  CHECK(create("B", 401) == "10028");
  CHECK(create("B", 400).empty());
  CHECK(member_of(client.api("INFO"), "reserved_memory") == "1000");
  CHECK(member_of(client.api("STREAM.DELETE.A"), "success") == "true");
  CHECK(member_of(client.api("INFO"), "reserved_memory") == "400");
  // Without a store there are no file streams.
  CHECK(error_of(client.api("STREAM.CREATE.F", R"({"name":"F"})")) == "10047");
}

TEST_CASE("jetstream api: what the operator limits is refused beyond it, and else the default") {
  JetStreamWorld world({.max_ack_pending = 50,
                        .max_request_batch = 30,
                        .max_duplicate_window = std::chrono::seconds(60)});
  JetStreamClient client(world);
  CHECK(member_of(client.api("STREAM.CREATE.S", s_config), "duplicate_window") == "60000000000");
  const std::string longer =
      R"({"name":"S","subjects":["s.>"],"storage":"memory","duplicate_window":61000000000})";
  CHECK(error_of(client.api("STREAM.UPDATE.S", longer)) == "10052");
  const std::string plain =
      client.api("CONSUMER.CREATE.S.c",
                 R"({"stream_name":"S","config":{"name":"c","ack_policy":"explicit"}})");
  CHECK(member_of(plain, "max_ack_pending") == "50");
  CHECK(member_of(plain, "max_batch") == "30");
  const auto refused = [&](std::string_view field) {
    return error_of(client.api(
        "CONSUMER.CREATE.S.d",
        fmt::format(R"({{"stream_name":"S","config":{{"name":"d","ack_policy":"explicit",{}}}}})",
                    field)));
  };
  CHECK(refused(R"("max_ack_pending":51)") == "10121");
  CHECK(refused(R"("max_batch":31)") == "10125");
}

TEST_CASE("jetstream api: what was published is acknowledged and counted") {
  OneStream one;
  CHECK(one.client.request("s.1", "hello") == R"({"stream":"S","seq":1})");
  CHECK(one.client.request("s.2", "hello", "a: b\r\n") == R"({"stream":"S","seq":2})");
  CHECK(one.client.request("t.2", "hello") == "503");
  const std::string info = one.client.api("STREAM.INFO.S");
  CHECK(info.find(R"("state":{"messages":2,"bytes":)") != std::string::npos);
  CHECK(member_of(info, "num_subjects") == "2");
  CHECK(info.find(R"("cluster":{"leader":"test"},"ts":)") != std::string::npos);
}

TEST_CASE("jetstream api: a publisher that does not wait is counted by the info it asks for next") {
  OneStream one;
  for (int i = 0; i < 10; ++i) one.client.publish("s.x", "y");
  CHECK(member_of(one.client.api("STREAM.INFO.S"), "messages") == "10");
}

TEST_CASE("jetstream api: subjects and deleted sequences are told when asked for") {
  OneStream one;
  for (int i = 0; i < 5; ++i) one.client.publish(fmt::format("s.{}", i), "x");
  CHECK(member_of(one.client.api("STREAM.MSG.DELETE.S", R"({"seq":2})"), "success") == "true");
  const std::string all =
      one.client.api("STREAM.INFO.S", R"({"subjects_filter":">","deleted_details":true})");
  CHECK(all.find(R"("num_subjects":4,"subjects":{"s.0":1,"s.2":1,"s.3":1,"s.4":1},)"
                 R"("num_deleted":1,"deleted":[2],"consumer_count":0)") != std::string::npos);
  CHECK(all.find(R"("total":4,"offset":0,"limit":100000,)") != std::string::npos);
  const std::string page =
      one.client.api("STREAM.INFO.S", R"({"subjects_filter":"s.*","offset":2})");
  CHECK(page.find(R"("subjects":{"s.3":1,"s.4":1})") != std::string::npos);
  CHECK(page.find(R"("total":4,"offset":2,"limit":100000,)") != std::string::npos);
  const std::string none = one.client.api("STREAM.INFO.S", R"({"subjects_filter":"zz"})");
  CHECK(none.find(R"("total":0,"offset":0,"limit":0,)") != std::string::npos);
}

TEST_CASE("jetstream api: names and lists come in pages and by subject") {
  JetStreamWorld world({.loops = 3});
  JetStreamClient client(world, 2);
  for (int i = 0; i < 300; ++i) {
    client.api(fmt::format("STREAM.CREATE.N{:03}", i),
               fmt::format(R"({{"name":"N{:03}","subjects":["n.{}"],"storage":"memory"}})", i, i));
  }
  CHECK(client.api("STREAM.NAMES", R"({"subject":"n.299"})")
            .ends_with(R"("total":1,"offset":0,"limit":1024,"streams":["N299"]})"));
  const std::string names = client.api("STREAM.NAMES", R"({"offset":298})");
  CHECK(names.ends_with(R"("total":300,"offset":298,"limit":1024,"streams":["N298","N299"]})"));
  const std::string list = client.api("STREAM.LIST");
  CHECK(list.find(R"("total":300,"offset":0,"limit":256,"streams":[{"config":{"name":"N000")") !=
        std::string::npos);
  CHECK(list.find(R"("name":"N255")") != std::string::npos);
  CHECK(list.find(R"("name":"N256")") == std::string::npos);
  CHECK(client.api("STREAM.LIST", R"({"offset":299})").find(R"("name":"N299")") !=
        std::string::npos);
  CHECK(client.api("STREAM.LIST", R"({"offset":"x"})")
            .find("cannot unmarshal string into Go struct field "
                  "JSApiStreamListRequest.ApiPagedRequest.offset of type int") !=
        std::string::npos);
}

TEST_CASE("jetstream api: a stream is changed, within the rules") {
  OneStream one;
  CHECK(one.client.request("u", "x") == "503");
  const std::string changed = one.client.api(
      "STREAM.UPDATE.S", R"({"name":"S","subjects":["s.>","u"],"storage":"memory"})");
  CHECK(changed.starts_with(R"({"type":"io.nats.jetstream.api.v1.stream_update_response",)"));
  CHECK(changed.find("did_create") == std::string::npos);
  CHECK(one.client.request("u", "x") == R"({"stream":"S","seq":1})");
  CHECK(error_of(one.client.api("STREAM.UPDATE.S", R"({"name":"S","subjects":["s.>"]})")) ==
        "10052");
  CHECK(error_of(one.client.api("STREAM.UPDATE.N", R"({"name":"N"})")) == "10059");
  CHECK(error_of(one.client.api("STREAM.UPDATE.N", R"({"name":"S"})")) == "10056");
}

TEST_CASE("jetstream api: a stream that is deleted is nobody") {
  OneStream one;
  CHECK(error_of(one.client.api("STREAM.DELETE.S", R"({"x":1})")) == "10038");
  CHECK(one.client.api("STREAM.DELETE.S") ==
        R"({"type":"io.nats.jetstream.api.v1.stream_delete_response","success":true})");
  CHECK(error_of(one.client.api("STREAM.DELETE.S")) == "10059");
  CHECK(one.client.request("s.1", "x") == "503");
  CHECK(one.client.request("$JS.API.CONSUMER.MSG.NEXT.S.c", "1") == "503");
  CHECK(error_of(one.client.api("STREAM.CREATE.S", s_config)).empty());
  CHECK(one.client.request("s.1", "x") == R"({"stream":"S","seq":1})");
}

TEST_CASE("jetstream api: purging by subject, sequence and how many to keep") {
  OneStream one;
  for (int i = 0; i < 10; ++i) one.client.publish(i % 2 == 0 ? "s.a" : "s.b", "x");
  CHECK(one.client.api("STREAM.PURGE.S", R"({"filter":"s.a","keep":2})") ==
        R"({"type":"io.nats.jetstream.api.v1.stream_purge_response","success":true,"purged":3})");
  CHECK(member_of(one.client.api("STREAM.PURGE.S", R"({"seq":5})"), "purged") == "2");
  CHECK(member_of(one.client.api("STREAM.PURGE.S", R"({"keep":1})"), "purged") == "4");
  CHECK(member_of(one.client.api("STREAM.PURGE.S"), "purged") == "1");
  const std::string info = one.client.api("STREAM.INFO.S");
  CHECK(member_of(info, "first_seq") == "11");
  CHECK(member_of(info, "last_seq") == "10");
  CHECK(error_of(one.client.api("STREAM.PURGE.S", R"({"seq":1,"keep":1})")) == "10003");
  CHECK(error_of(one.client.api("STREAM.PURGE.N")) == "10059");
  CHECK(member_of(one.client.api("STREAM.PURGE.S", R"({"filter":"a..b"})"), "purged") == "0");
}

TEST_CASE("jetstream api: one message is got by sequence, subject and time") {
  OneStream one;
  one.client.publish("s.0", "hello");
  one.client.publish("s.1", "hello", "a: b\r\n");
  one.client.publish("s.2", "");
  const std::string plain = one.client.api("STREAM.MSG.GET.S", R"({"seq":1})");
  CHECK(plain.starts_with(R"({"type":"io.nats.jetstream.api.v1.stream_msg_get_response",)"
                          R"("message":{"subject":"s.0","seq":1,"data":"aGVsbG8=","time":")"));
  CHECK(one.client.api("STREAM.MSG.GET.S", R"({"seq":2})")
            .find(R"("seq":2,"hdrs":"TkFUUy8xLjANCmE6IGINCg0K","data":"aGVsbG8=","time":)") !=
        std::string::npos);
  CHECK(one.client.api("STREAM.MSG.GET.S", R"({"seq":2,"no_hdr":true})").find("hdrs") ==
        std::string::npos);
  const auto get = [&](const char* body) { return one.client.api("STREAM.MSG.GET.S", body); };
  CHECK(member_of(get(R"({"last_by_subj":"s.*"})"), "seq") == "3");
  CHECK(member_of(get(R"({"last_by_subj":"s.0"})"), "seq") == "1");
  CHECK(member_of(get(R"({"next_by_subj":"s.*","seq":2})"), "seq") == "2");
  CHECK(member_of(get(R"({"start_time":"1990-01-01T00:00:00Z"})"), "seq") == "1");
  CHECK(error_of(get(R"({"seq":4})")) == "10037");
  CHECK(error_of(get(R"({"last_by_subj":"q"})")) == "10037");
  CHECK(error_of(get(R"({"start_time":"2200-01-01T00:00:00Z"})")) == "10037");
  CHECK(error_of(get(R"({"seq":1,"last_by_subj":"s"})")) == "10003");
  CHECK(error_of(get(R"({"batch":1})")) == "10003");
  CHECK(error_of(get("")) == "10003");
  CHECK(error_of(get(R"({"seq":-1})")) == "10025");
}

TEST_CASE("jetstream api: what a stream forbids") {
  OneStream one;
  one.client.api("STREAM.CREATE.D", R"({"name":"D","subjects":["d"],"storage":"memory",)"
                                    R"("deny_delete":true,"deny_purge":true})");
  one.client.publish("d", "x");
  CHECK(error_of(one.client.api("STREAM.MSG.DELETE.D", R"({"seq":1})")) == "10057");
  CHECK(error_of(one.client.api("STREAM.PURGE.D")) == "10110");
  one.client.publish("s.1", "x");
  CHECK(error_of(one.client.api("STREAM.UPDATE.S", R"({"name":"S","subjects":["s.>"],)"
                                                   R"("storage":"memory","sealed":true})"))
            .empty());
  CHECK(error_of(one.client.api("STREAM.MSG.DELETE.S", R"({"seq":1})")) == "10109");
  CHECK(error_of(one.client.api("STREAM.PURGE.S")) == "10109");
  CHECK(error_of(one.client.request("s.1", "x")) == "10109");
}

TEST_CASE("jetstream api: consumers are made in three forms") {
  OneStream one;
  one.client.publish("s.1", "x");
  const std::string made =
      one.client.api("CONSUMER.CREATE.S.d", R"({"stream_name":"S","config":{"durable_name":"d",)"
                                            R"("ack_policy":"explicit"}})");
  CHECK(made.starts_with(
      R"({"type":"io.nats.jetstream.api.v1.consumer_create_response","stream_name":"S",)"
      R"("name":"d","created":")"));
  CHECK(made.find(R"("config":{"durable_name":"d","name":"d","deliver_policy":"all",)"
                  R"("ack_policy":"explicit","ack_wait":30000000000,"max_deliver":-1,)"
                  R"("replay_policy":"instant","max_waiting":512,"max_ack_pending":1000,)"
                  R"("num_replicas":0,"metadata":{"_nats.level":"4","_nats.req.level":"0",)"
                  R"("_nats.ver":"2.14.5"}},"delivered":{"consumer_seq":0,"stream_seq":0},)"
                  R"("ack_floor":{"consumer_seq":0,"stream_seq":0},"num_ack_pending":0,)"
                  R"("num_redelivered":0,"num_waiting":0,"num_pending":1,"ts":")") !=
        std::string::npos);
  CHECK(member_of(one.client.api("CONSUMER.DURABLE.CREATE.S.e",
                                 R"({"stream_name":"S","config":{"durable_name":"e"}})"),
                  "name") == "\"e\"");
  const std::string drawn = one.client.api("CONSUMER.CREATE.S", R"({"stream_name":"S"})");
  CHECK(member_of(drawn, "name").size() == 10);
  CHECK(drawn.find(R"("config":{"deliver_policy")") != std::string::npos);
  CHECK(member_of(
            one.client.api("CONSUMER.CREATE.S.f.s.1", R"({"stream_name":"S","config":{"name":"f",)"
                                                      R"("filter_subject":"s.1"}})"),
            "filter_subject") == "\"s.1\"");
  CHECK(member_of(one.client.api("CONSUMER.NAMES.S"), "total") == "4");
  CHECK(one.client.api("CONSUMER.NAMES.S", R"({"offset":4})")
            .ends_with(R"("total":4,"offset":4,"limit":1024,"consumers":[]})"));
  CHECK(one.client.api("CONSUMER.LIST.S").find(R"("metadata":{"_nats.req.level":"0"})") !=
        std::string::npos);
  CHECK(member_of(one.client.api("STREAM.INFO.S"), "consumer_count") == "4");
  CHECK(member_of(one.client.api("INFO"), "consumers") == "4");
}

TEST_CASE("jetstream api: which consumers are refused") {
  OneStream one;
  const auto create = [&](const char* subject, const char* body) {
    return error_of(one.client.api(fmt::format("CONSUMER.CREATE.{}", subject), body));
  };
  CHECK(create("S.d", R"({"stream_name":"S","config":{"durable_name":"d"}})").empty());
  CHECK(create("S.d", R"({"stream_name":"S","config":{"durable_name":"d"}})").empty());
  CHECK(create("S.d", R"({"stream_name":"S","config":{"durable_name":"d","description":"q"},)"
                      R"("action":"create"})") == "10148");
  CHECK(create("S.d", R"({"stream_name":"S","config":{"durable_name":"d",)"
                      R"("ack_policy":"explicit"}})") == "10012");
  CHECK(create("S.e", R"({"stream_name":"S","config":{"name":"e"},"action":"update"})") == "10149");
  CHECK(create("S.f.s.1", R"({"stream_name":"S","config":{"name":"f",)"
                          R"("filter_subject":"s.2"}})") == "10131");
  CHECK(create("N.f", R"({"stream_name":"N","config":{"name":"f"}})") == "10059");
  CHECK(create("S.f", R"({"stream_name":"N"})") == "10056");
  CHECK(create("S.f", R"({"stream_name":"S","bogus":1})") == "10025");
  one.client.api("STREAM.CREATE.M", R"({"name":"M","subjects":["m"],"storage":"memory",)"
                                    R"("max_consumers":1})");
  CHECK(create("M.a", R"({"stream_name":"M","config":{"name":"a"}})").empty());
  CHECK(create("M.b", R"({"stream_name":"M","config":{"name":"b"}})") == "10026");
}

TEST_CASE("jetstream api: consumers are told of, paused, reset and deleted") {
  OneStream one;
  one.client.api("CONSUMER.CREATE.S.d", R"({"stream_name":"S","config":{"durable_name":"d",)"
                                        R"("ack_policy":"explicit"}})");
  CHECK(error_of(one.client.api("CONSUMER.INFO.S.d", R"({"x":1})")) == "10038");
  CHECK(error_of(one.client.api("CONSUMER.INFO.S.n")) == "10014");
  CHECK(error_of(one.client.api("CONSUMER.INFO.N.n")) == "10059");
  const std::string paused =
      one.client.api("CONSUMER.PAUSE.S.d", R"({"pause_until":"2200-01-01T00:00:00Z"})");
  CHECK(paused.find(R"("paused":true,"pause_until":"2200-01-01T00:00:00Z","pause_remaining":)") !=
        std::string::npos);
  CHECK(member_of(one.client.api("CONSUMER.INFO.S.d"), "paused") == "true");
  CHECK(one.client.api("CONSUMER.PAUSE.S.d") ==
        R"({"type":"io.nats.jetstream.api.v1.consumer_pause_response","paused":false,)"
        R"("pause_until":"0001-01-01T00:00:00Z"})");
  CHECK(member_of(one.client.api("CONSUMER.INFO.S.d"), "paused").empty());
  CHECK(member_of(one.client.api("CONSUMER.RESET.S.d", R"({"seq":3})"), "reset_seq") == "3");
  CHECK(one.client.api("CONSUMER.UNPIN.S.d", R"({"group":"g"})").find("10160") !=
        std::string::npos);
  CHECK(one.client.api("CONSUMER.DELETE.S.d") ==
        R"({"type":"io.nats.jetstream.api.v1.consumer_delete_response","success":true})");
  CHECK(error_of(one.client.api("CONSUMER.DELETE.S.d")) == "10014");
}

TEST_CASE("jetstream api: a higher level than this server's is refused") {
  OneStream one;
  CHECK(error_of(one.client.request("$JS.API.INFO", {}, "Nats-Required-Api-Level: 99\r\n")) ==
        "10185");
  CHECK(error_of(one.client.request("$JS.API.INFO", {}, "Nats-Required-Api-Level: 4\r\n")).empty());
}

TEST_CASE("jetstream api: what nobody asks nats-server is not answered") {
  OneStream one;
  CHECK(one.client.request("$JS.API.STREAM.FOO").empty());
  CHECK(one.client.request("$JS.API.STREAM.INFO.S.S").empty());
  CHECK(error_of(one.client.api("STREAM.LEADER.STEPDOWN.S")) == "10010");
}

TEST_CASE("jetstream api: a domain is a second spelling of every subject") {
  JetStreamWorld world({.domain = "hub"});
  JetStreamClient client(world);
  CHECK(error_of(client.request("$JS.hub.API.STREAM.CREATE.S", s_config)).empty());
  CHECK(client.request("s.1", "x") == R"({"stream":"S","domain":"hub","seq":1})");
  CHECK(member_of(client.request("$JS.hub.API.STREAM.INFO.S"), "domain") == "\"hub\"");
  client.api("CONSUMER.CREATE.S.d", R"({"stream_name":"S","config":{"durable_name":"d"}})");
  CHECK(client.request("$JS.hub.API.CONSUMER.MSG.NEXT.S.d", "1") == "x");
  CHECK(client.request("$JS.other.API.INFO") == "503");
}

TEST_CASE("jetstream api: events tell of streams and consumers, and of requests if asked") {
  OneStream one;
  JetStreamClient watcher(one.world);
  watcher.subscribe("$JS.EVENT.ADVISORY.*.*.>");
  one.client.api("STREAM.CREATE.T", R"({"name":"T","subjects":["t"],"storage":"memory"})");
  one.client.api("STREAM.UPDATE.T", R"({"name":"T","subjects":["t"],"storage":"memory",)"
                                    R"("max_msgs":5})");
  one.client.api("CONSUMER.CREATE.T.d", R"({"stream_name":"T","config":{"durable_name":"d"}})");
  one.client.api("CONSUMER.DELETE.T.d");
  one.client.api("STREAM.DELETE.T");
  std::string subjects;
  for (const auto& got : watcher.take()) subjects += got.subject.substr(19) + ' ';
  CHECK(subjects ==
        "STREAM.CREATED.T STREAM.UPDATED.T CONSUMER.CREATED.T.d "
        "CONSUMER.DELETED.T.d STREAM.DELETED.T ");
  JetStreamClient auditor(one.world);
  auditor.subscribe("$JS.EVENT.ADVISORY.API");
  one.client.api("STREAM.NAMES");
  const auto audits = auditor.take();
  REQUIRE(audits.size() == 1);
  CHECK(audits[0].payload.find(R"("type":"io.nats.jetstream.advisory.v1.api_audit")") !=
        std::string::npos);
  CHECK(audits[0].payload.find(R"("subject":"$JS.API.STREAM.NAMES")") != std::string::npos);
}

TEST_CASE("jetstream api: what was answered is known on every loop, at once") {
  JetStreamWorld world({.loops = 3});
  std::vector<std::unique_ptr<JetStreamClient>> clients;
  for (std::size_t i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<JetStreamClient>(world, i));
  }
  for (int round = 0; round < 30; ++round) {
    JetStreamClient& maker = *clients[static_cast<std::size_t>(round) % 3];
    JetStreamClient& user = *clients[static_cast<std::size_t>(round + 1) % 3];
    const std::string name = fmt::format("R{}", round);
    const std::string config =
        fmt::format(R"({{"name":"{}","subjects":["r.>"],"storage":"memory"}})", name);
    REQUIRE(error_of(maker.api("STREAM.CREATE." + name, config)).empty());
    CHECK(user.request("r.1", "x") == fmt::format(R"({{"stream":"{}","seq":1}})", name));
    CHECK(error_of(user.api("STREAM.CREATE.Z", R"({"name":"Z","subjects":["r.2"],)"
                                               R"("storage":"memory"})")) == "10065");
    CHECK(member_of(user.api("STREAM.INFO." + name), "messages") == "1");
    CHECK(member_of(maker.api("STREAM.DELETE." + name), "success") == "true");
    CHECK(user.request("r.1", "x") == "503");
  }
}

TEST_CASE("jetstream api: of those who create and delete at once each is answered") {
  JetStreamWorld world({.loops = 3});
  std::vector<std::unique_ptr<JetStreamClient>> clients;
  for (std::size_t i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<JetStreamClient>(world, i));
    clients.back()->subscribe(fmt::format("answer.{}", i));
  }
  std::mt19937 rng(7);
  std::size_t asked = 0;
  for (int i = 0; i < 300; ++i) {
    const std::size_t loop = rng() % 3;
    const std::string reply = fmt::format("answer.{}", loop);
    const bool create = rng() % 2 == 0;
    clients[loop]->publish(create ? "$JS.API.STREAM.CREATE.S" : "$JS.API.STREAM.DELETE.S",
                           create ? s_config : "", {}, reply);
    ++asked;
    if (rng() % 4 == 0) world.world().step(rng() % 3);
  }
  world.world().settle_at_random(rng);
  std::size_t answered = 0;
  for (const auto& client : clients) answered += client->take().size();
  CHECK(answered == asked);
}

TEST_CASE("jetstream api: requests beyond the limit are dropped, counted and told of") {
  OneStream one;
  JetStreamClient watcher(one.world);
  watcher.subscribe("$JS.EVENT.ADVISORY.API.LIMIT_REACHED");
  watcher.subscribe("answers");
  for (std::size_t i = 0; i < jetstream::max_waiting_requests + 5; ++i) {
    one.client.publish("$JS.API.STREAM.NAMES", {}, {}, "answers");
  }
  one.world.settle();
  const auto got = watcher.take();
  CHECK(got.size() == jetstream::max_waiting_requests + 1);
  CHECK(member_of(got.front().payload, "dropped") == "5");
}
