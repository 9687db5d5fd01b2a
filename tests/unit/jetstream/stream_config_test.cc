#include "jetstream/stream_config.h"

#include <doctest/doctest.h>

#include <limits>

using namespace spanwire;
using namespace spanwire::jetstream;

namespace {

// A request of STREAM.CREATE.S and what nats-server 2.14.5 answers; no code: it creates the stream.
struct Case {
  std::string_view body;
  ApiError error;
};

tl::expected<StreamConfig, ApiError> create(std::string_view body,
                                            const StreamBounds& bounds = {}) {
  auto request = parse_stream_request(body, true);
  if (!request) return tl::unexpected(request.error());
  if (auto error = check_stream_create(request->config, "S")) return tl::unexpected(*error);
  if (auto error = check_stream_config(request->config, bounds, request->pedantic)) {
    return tl::unexpected(*error);
  }
  set_required_level(request->config);
  return request->config;
}

void check_error(const std::optional<ApiError>& got, const ApiError& wanted) {
  const ApiError error = got.value_or(ApiError{});
  CHECK(error.code == wanted.code);
  CHECK(error.err_code == wanted.err_code);
  CHECK(error.description == wanted.description);
}

void check_create(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    CAPTURE(one.body);
    const auto config = create(one.body);
    check_error(config ? std::nullopt : std::optional(config.error()), one.error);
  }
}

ApiError refused(std::string_view body, const StreamBounds& bounds = {}) {
  const auto config = create(body, bounds);
  return config ? ApiError{} : config.error();
}

std::string shown(const StreamConfig& config, std::string_view version = "2.14.5") {
  std::string out;
  json::Writer writer(out);
  write_stream_config(writer, config, version);
  return out;
}

std::string created(std::string_view body) {
  const auto config = create(body);
  REQUIRE(config);
  return shown(*config);
}

}  // namespace

TEST_CASE("stream config: defaults are filled in, and shown in nats-server's order") {
  CHECK(created(R"({"name":"S"})") ==
        R"({"name":"S","subjects":["S"],"retention":"limits","max_consumers":-1,"max_msgs":-1,)"
        R"("max_bytes":-1,"max_age":0,"max_msgs_per_subject":-1,"max_msg_size":-1,)"
        R"("discard":"old","storage":"file","num_replicas":1,"duplicate_window":120000000000,)"
        R"("compression":"none","allow_direct":false,"mirror_direct":false,"sealed":false,)"
        R"("deny_delete":false,"deny_purge":false,"allow_rollup_hdrs":false,)"
        R"("consumer_limits":{},"allow_msg_ttl":false,)"
        R"("metadata":{"_nats.level":"4","_nats.req.level":"0","_nats.ver":"2.14.5"}})");
}

constexpr std::string_view full_request =
    R"({"name":"S","subjects":["b.>"],"max_age":1000000000,"description":"d <x>",)"
    R"("retention":"workqueue","storage":"memory","discard":"new","max_msgs_per_subject":5,)"
    R"("discard_new_per_subject":true,"max_msg_size":100,"no_ack":true,"compression":"s2",)"
    R"("first_seq":10,"subject_transform":{"src":"b.*","dest":"b.x.{{wildcard(1)}}"},)"
    R"("republish":{"dest":"r.>"},"allow_direct":true,"deny_delete":true,"deny_purge":false,)"
    R"("allow_rollup_hdrs":true,"consumer_limits":{"inactive_threshold":5000000000,)"
    R"("max_ack_pending":10},"allow_msg_ttl":true,"subject_delete_marker_ttl":2000000000,)"
    R"("metadata":{"z":"1","a":"2"}})";

TEST_CASE("stream config: every field is shown as nats-server shows it") {
  CHECK(created(full_request) ==
        R"({"name":"S","description":"d \u003cx\u003e","subjects":["b.\u003e"],)"
        R"("retention":"workqueue","max_consumers":-1,"max_msgs":-1,"max_bytes":-1,)"
        R"("max_age":1000000000,"max_msgs_per_subject":5,"max_msg_size":100,"discard":"new",)"
        R"("storage":"memory","num_replicas":1,"no_ack":true,"duplicate_window":1000000000,)"
        R"("compression":"s2","first_seq":10,)"
        R"("subject_transform":{"src":"b.*","dest":"b.x.{{wildcard(1)}}"},)"
        R"("republish":{"src":"\u003e","dest":"r.\u003e"},"allow_direct":true,)"
        R"("mirror_direct":false,"discard_new_per_subject":true,"sealed":false,)"
        R"("deny_delete":true,"deny_purge":false,"allow_rollup_hdrs":true,)"
        R"("consumer_limits":{"inactive_threshold":5000000000,"max_ack_pending":10},)"
        R"("allow_msg_ttl":true,"subject_delete_marker_ttl":2000000000,)"
        R"("metadata":{"_nats.level":"4","_nats.req.level":"1","_nats.ver":"2.14.5",)"
        R"("a":"2","z":"1"}})");
}

TEST_CASE("stream config: what is written is read back the same") {
  const auto config = create(full_request);
  REQUIRE(config);
  const std::string text = shown(*config, {});
  CHECK(text.find("_nats.ver") == std::string::npos);
  const auto document = json::Document::parse(text);
  REQUIRE(document);
  CHECK(parse_stream_config(document->root(), true) == *config);
}

TEST_CASE("stream config: a body cut anywhere is refused, and nothing else happens") {
  for (std::size_t size = 1; size < full_request.size(); ++size) {
    CAPTURE(size);
    CHECK(refused(full_request.substr(0, size)).err_code == 10025);
  }
}

TEST_CASE("stream config: what is not strict passes over unknown names only") {
  CHECK(parse_stream_request(R"({"name":"S","bogus":1})", false));
  CHECK_FALSE(parse_stream_request(R"({"name":"S","bogus":1})", true));
  const auto wrong = parse_stream_request(R"({"name":1,"bogus":1})", false);
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().err_code == 10025);
  const auto text = parse_stream_request(R"({"name":"S"} x)", false);
  REQUIRE_FALSE(text);
  CHECK(text.error().description == "invalid JSON: invalid character 'x' after top-level value");
}

TEST_CASE("stream config: what this server does not do yet is refused by its name") {
  const std::pair<std::string_view, std::string_view> fields[] = {
      {"mirror", R"({"name":"T"})"},     {"mirror", "{}"},
      {"sources", R"([{"name":"T"}])"},  {"allow_msg_counter", "true"},
      {"allow_atomic", "true"},          {"allow_msg_schedules", "true"},
      {"allow_batched", "true"},         {"persist_mode", R"("async")"},
      {"placement", R"({"tags":["a"]})"}};
  for (const auto& [name, value] : fields) {
    const std::string body =
        R"({"name":"S",")" + std::string(name) + "\":" + std::string(value) + "}";
    CAPTURE(body);
    const ApiError error = refused(body);
    CHECK(error.err_code == 10052);
    CHECK(error.description == "stream configuration field '" + std::string(name) +
                                   "' asks for what this server does not support yet");
  }
  check_create({{R"({"name":"S","mirror":null,"sources":[],"allow_msg_counter":false})", {}},
                {R"({"name":"S","persist_mode":"","placement":{"cluster":"","tags":[]}})", {}}});
}

TEST_CASE("stream config: names, descriptions and metadata are bounded") {
  StreamConfig config;
  config.name = std::string(max_name_bytes + 1, 'n');
  config.description = std::string(max_description_bytes + 1, 'd');
  config.metadata["k"] = std::string(max_metadata_bytes, 'v');
  const auto description = [&] {
    return check_stream_config(config).value_or(ApiError{}).description;
  };
  CHECK(description() == "stream name is too long, maximum allowed is 255");
  config.name.pop_back();
  CHECK(description() == "stream description is too long, maximum allowed is 4096");
  config.description.pop_back();
  CHECK(description() == "stream metadata exceeds maximum size of 131072 bytes");
  config.metadata["k"].pop_back();
  CHECK(description().empty());
  config.name = "a.b";
  CHECK(description() == "stream name is required and can not contain '.', '*', '>', '\\', '/'");
}

TEST_CASE("stream config: the subject of a request names no path") {
  StreamConfig config;
  config.name = "a/b";
  CHECK(check_stream_create(config, "a/b") == api_error(Err::stream_name_contains_path_separators));
  CHECK(check_stream_create(config, "b") == api_error(Err::stream_mismatch));
}

TEST_CASE("stream config: the server and the account bound a stream") {
  const StreamBounds bounds{.max_duplicate_window = std::chrono::seconds(90),
                            .max_stream_bytes = 100,
                            .max_bytes_required = true};
  CHECK(refused(R"({"name":"S"})", bounds) == api_error(Err::stream_max_bytes_required));
  CHECK(refused(R"({"name":"S","max_bytes":101})", bounds) ==
        api_error(Err::stream_max_stream_bytes_exceeded));
  CHECK(refused(R"({"name":"S","max_bytes":100,"duplicate_window":91000000000})", bounds)
            .description == "duplicates window can not be larger then server limit of 1m30s");
  const auto config = create(R"({"name":"S","max_bytes":100})", bounds);
  REQUIRE(config);
  CHECK(config->duplicate_window == std::chrono::seconds(90));
}

TEST_CASE("stream config: republishing all as nothing is a cycle, not republishing of nothing") {
  CHECK(refused(R"({"name":"S","subjects":["x.>"],"subject_transform":{"src":"x.>","dest":""},)"
                R"("republish":{"src":">","dest":">"}})")
            .description == "stream configuration for republish destination forms a cycle");
}

TEST_CASE("stream config: the largest numbers are taken, one more is not") {
  CHECK(refused(R"({"name":"S","max_msgs":9223372036854775807})") == ApiError{});
  CHECK(refused(R"({"name":"S","max_msgs":9223372036854775808})").err_code == 10025);
  CHECK(refused(R"({"name":"S","max_msg_size":2147483647})") == ApiError{});
  CHECK(refused(R"({"name":"S","max_msg_size":2147483648})").err_code == 10025);
}

TEST_CASE("stream config: JSON is refused in the words of Go") {
  check_create({
      {R"({"name":"S","bogus":1})", {400, 10025, R"(invalid JSON: json: unknown field "bogus")"}},
      {R"({"name":1})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal number into Go struct field "
        "StreamConfigRequest.StreamConfig.name of type string"}},
      {R"({"name":"S","max_msgs":"1"})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal string into Go struct field "
        "StreamConfigRequest.StreamConfig.max_msgs of type int64"}},
      {R"({"name":"S","max_msgs":1.5})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal number 1.5 into Go struct field "
        "StreamConfigRequest.StreamConfig.max_msgs of type int64"}},
      {R"({"name":"S","subjects":"x"})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal string into Go struct field "
        "StreamConfigRequest.StreamConfig.subjects of type []string"}},
      {R"({"name":"S","subjects":[1]})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal number into Go struct field "
        "StreamConfigRequest.StreamConfig.subjects of type string"}},
      {R"({"name":"S","max_age":"1s"})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal string into Go struct field "
        "StreamConfigRequest.StreamConfig.max_age of type time.Duration"}},
      {R"({"name":"S","max_msg_size":3000000000})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal number 3000000000 into Go struct field "
        "StreamConfigRequest.StreamConfig.max_msg_size of type int32"}},
      {R"({"name":"S","first_seq":-1})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal number -1 into Go struct field "
        "StreamConfigRequest.StreamConfig.first_seq of type uint64"}},
      {R"({"name":"S","republish":1})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal number into Go struct field "
        "StreamConfigRequest.StreamConfig.republish of type server.RePublish"}},
      {R"({"name":"S","republish":{"x":1}})",
       {400, 10025, R"(invalid JSON: json: unknown field "x")"}},
      {R"({"name":"S","republish":{"src":1}})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal number into Go struct field "
        "RePublish.StreamConfig.republish.src of type string"}},
      {R"({"name":"S","metadata":{"a":1}})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal number into Go struct field "
        "StreamConfigRequest.StreamConfig.metadata of type string"}},
      {R"({"name":"S","metadata":[]})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal array into Go struct field "
        "StreamConfigRequest.StreamConfig.metadata of type map[string]string"}},
      {R"({"name":"S","sealed":1})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal number into Go struct field "
        "StreamConfigRequest.StreamConfig.sealed of type bool"}},
      {R"({"name":"S","consumer_limits":{"max_ack_pending":"x"}})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal string into Go struct field "
        "StreamConsumerLimits.StreamConfig.consumer_limits.max_ack_pending of type "
        "int"}},
      {R"({"name":"S","pedantic":1})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal number into Go struct field "
        "StreamConfigRequest.pedantic of type bool"}},
      {"[]",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal array into Go value of type "
        "server.StreamConfigRequest"}},
      {"{", {400, 10025, "invalid JSON: unexpected EOF"}},
      {R"({"name":"S"} x)",
       {400, 10025,
        "invalid JSON: invalid character 'x' looking for beginning of value at "
        "offset 14"}},
      {R"({"name":"S"} {"description":"y"})", {}},
      {R"({"NAME":"S","Max_Msgs":7})", {}},
      {R"({"name":"S","max_msgs":null})", {}},
  });
}

TEST_CASE(
    "stream config: of several errors the first counts, but one of an "
    "enumeration before it") {
  check_create({
      {R"({"name":"S","bogus":1,"max_msgs":"x"})",
       {400, 10025, R"(invalid JSON: json: unknown field "bogus")"}},
      {R"({"name":"S","max_msgs":"x","bogus":1})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal string into Go struct field "
        "StreamConfigRequest.StreamConfig.max_msgs of type int64"}},
      {R"({"name":"S","bogus":1,"retention":"x"})",
       {400, 10025, R"(invalid JSON: can not unmarshal "\"x\"")"}},
  });
}

TEST_CASE("stream config: enumerations have the names that Go writes") {
  check_create({
      {R"({"name":"S","retention":"x"})",
       {400, 10025, R"(invalid JSON: can not unmarshal "\"x\"")"}},
      {R"({"name":"S","retention":1})", {400, 10025, R"(invalid JSON: can not unmarshal "1")"}},
      {R"({"name":"S","retention":null})",
       {400, 10025, R"(invalid JSON: can not unmarshal "null")"}},
      {R"({"name":"S","retention":"interest"})", {}},
      {R"({"name":"S","storage":"FILE"})",
       {400, 10025, R"(invalid JSON: can not unmarshal "\"FILE\"")"}},
      {R"({"name":"S","storage":"memory"})", {}},
      {R"({"name":"S","discard":"x"})", {400, 10025, R"(invalid JSON: can not unmarshal "\"x\"")"}},
      {R"({"name":"S","discard":"NEW"})", {}},
      {R"({"name":"S","compression":"x"})",
       {400, 10025, "invalid JSON: unknown compression algorithm"}},
      {R"({"name":"S","compression":1})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal number into Go struct field "
        "StreamConfigRequest.StreamConfig.compression of type string"}},
      {R"({"name":"S","compression":null})",
       {400, 10025, "invalid JSON: unknown compression algorithm"}},
      {R"({"name":"S","compression":"s2"})", {}},
      {R"({"name":"S","persist_mode":"x"})",
       {400, 10025, R"(invalid JSON: can not unmarshal "\"x\"")"}},
      {R"({"name":"S","persist_mode":"default"})", {}},
  });
}

TEST_CASE("stream config: the name is that of the subject") {
  check_create({
      {"", {400, 10056, "stream name in subject does not match request"}},
      {"null", {400, 10056, "stream name in subject does not match request"}},
      {R"({"name":"T"})", {400, 10056, "stream name in subject does not match request"}},
      {R"({"name":"S"})", {}},
  });
}

TEST_CASE("stream config: a limit below -1 is none, unless the caller is pedantic") {
  check_create({
      {R"({"name":"S","max_msgs":-2})", {}},
      {R"({"name":"S","max_msgs":-2,"pedantic":true})",
       {400, 10157, "pedantic mode: max_msgs must be set to -1"}},
      {R"({"name":"S","max_bytes":-5,"pedantic":true})",
       {400, 10157, "pedantic mode: max_bytes must be set to -1"}},
      {R"({"name":"S","max_msgs_per_subject":-5,"pedantic":true})",
       {400, 10157, "pedantic mode: max_msgs_per_subject must be set to -1"}},
      {R"({"name":"S","max_msg_size":-5,"pedantic":true})",
       {400, 10157, "pedantic mode: max_msg_size must be set to -1"}},
      {R"({"name":"S","max_consumers":-5,"pedantic":true})",
       {400, 10157, "pedantic mode: max_consumers must be set to -1"}},
      {R"({"name":"S","max_consumers":-1,"pedantic":true})", {}},
  });
}

TEST_CASE("stream config: max_age is at least 100 ms") {
  check_create({
      {R"({"name":"S","max_age":-1})", {500, 10052, "max age can not be negative"}},
      {R"({"name":"S","max_age":99999999})", {500, 10052, "max age needs to be >= 100ms"}},
      {R"({"name":"S","max_age":100000000})", {}},
  });
}

TEST_CASE("stream config: the duplicate window is at least 100 ms and at most max_age") {
  check_create({
      {R"({"name":"S","duplicate_window":-1})",
       {500, 10052, "duplicates window can not be negative"}},
      {R"({"name":"S","duplicate_window":99999999})",
       {500, 10052, "duplicates window needs to be >= 100ms"}},
      {R"({"name":"S","duplicate_window":100000000})", {}},
      {R"({"name":"S","duplicate_window":2000000000,"max_age":1000000000})",
       {500, 10052, "duplicates window can not be larger then max age"}},
      {R"({"name":"S","duplicate_window":1000000000,"max_age":1000000000})", {}},
      {R"({"name":"S","max_age":1000000000,"pedantic":true})",
       {400, 10157, "pedantic mode: duplicate window cannot be bigger than max age"}},
  });
}

TEST_CASE("stream config: rollups need purging") {
  check_create({
      {R"({"name":"S","deny_purge":true,"allow_rollup_hdrs":true})",
       {500, 10052, "roll-ups require the purge permission"}},
      {R"({"name":"S","deny_purge":true})", {}},
      {R"({"name":"S","allow_rollup_hdrs":true})", {}},
  });
}

TEST_CASE("stream config: discarding new messages of a subject needs a limit of it") {
  check_create({
      {R"({"name":"S","discard_new_per_subject":true})",
       {500, 10052, "discard new per subject requires discard new policy to be set"}},
      {R"({"name":"S","discard_new_per_subject":true,"discard":"new"})",
       {500, 10052, "discard new per subject requires max msgs per subject > 0"}},
      {R"({"name":"S","discard_new_per_subject":true,"discard":"new",)"
       R"("max_msgs_per_subject":1})",
       {}},
  });
}

TEST_CASE(
    "stream config: delete markers live for a second at least, and need TTLs and "
    "rollups") {
  check_create({
      {R"({"name":"S","subject_delete_marker_ttl":-1})",
       {500, 10052, "subject delete marker TTL must not be negative"}},
      {R"({"name":"S","subject_delete_marker_ttl":999999999})",
       {500, 10052, "subject delete marker TTL must be at least 1 second"}},
      {R"({"name":"S","subject_delete_marker_ttl":1000000000})", {}},
      {R"({"name":"S","subject_delete_marker_ttl":1000000000,"pedantic":true})",
       {500, 10052, "subject delete marker cannot be set if message TTLs are disabled"}},
      {R"({"name":"S","subject_delete_marker_ttl":1000000000,"allow_msg_ttl":true,)"
       R"("pedantic":true})",
       {500, 10052, "subject delete marker cannot be set if roll-ups are disabled"}},
      {R"({"name":"S","subject_delete_marker_ttl":1000000000,"allow_msg_ttl":true,)"
       R"("allow_rollup_hdrs":true,"pedantic":true})",
       {}},
  });
}

TEST_CASE("stream config: one replica without a cluster") {
  check_create({
      {R"({"name":"S","num_replicas":-1})", {400, 10133, "replicas count cannot be negative"}},
      {R"({"name":"S","num_replicas":0})", {}},
      {R"({"name":"S","num_replicas":1})", {}},
      {R"({"name":"S","num_replicas":3})",
       {500, 10074, "replicas > 1 not supported in non-clustered mode"}},
      {R"({"name":"S","num_replicas":6})", {500, 10052, "maximum replicas is 5"}},
  });
}

TEST_CASE("stream config: subjects are valid and do not overlap") {
  check_create({
      {R"({"name":"S","subjects":["a..b"]})", {500, 10052, "invalid subject"}},
      {R"({"name":"S","subjects":[".a"]})", {500, 10052, "invalid subject"}},
      {R"({"name":"S","subjects":[""]})", {500, 10052, "invalid subject"}},
      {R"({"name":"S","subjects":["a b"]})", {500, 10052, "invalid subject"}},
      {R"({"name":"S","subjects":[">.a"]})", {500, 10052, "invalid subject"}},
      {R"({"name":"S","subjects":["a","a"]})", {500, 10052, R"(subject "a" overlaps with "a")"}},
      {R"({"name":"S","subjects":["a.*","*.b"]})",
       {500, 10052, R"(subject "a.*" overlaps with "*.b")"}},
      {R"({"name":"S","subjects":["a.*","a.>"]})",
       {500, 10052, R"(subject "a.*" overlaps with "a.>")"}},
      {R"({"name":"S","subjects":["a.>","a"]})", {}},
      {R"({"name":"S","subjects":["a.*.c","a.b"]})", {}},
  });
}

TEST_CASE("stream config: what the server answers itself is not captured with acks") {
  check_create({
      {R"({"name":"S","subjects":[">"]})",
       {500, 10052, "capturing all subjects requires no-ack to be true"}},
      {R"({"name":"S","subjects":["$JS.>"]})",
       {500, 10052, "subjects that overlap with jetstream api require no-ack to be true"}},
      {R"({"name":"S","subjects":["*.>"]})",
       {500, 10052, "subjects that overlap with jetstream api require no-ack to be true"}},
      {R"({"name":"S","subjects":["$JS.API.x"]})",
       {500, 10052, "subjects that overlap with jetstream api require no-ack to be true"}},
      {R"({"name":"S","subjects":["$JSC.x"]})",
       {500, 10052, "subjects that overlap with jetstream api require no-ack to be true"}},
      {R"({"name":"S","subjects":["$NRG.x"]})",
       {500, 10052, "subjects that overlap with jetstream api require no-ack to be true"}},
      {R"({"name":"S","subjects":["$SYS.x"]})",
       {500, 10052, "subjects that overlap with system api require no-ack to be true"}},
      {R"({"name":"S","subjects":["$JS.EVENT.>"]})", {}},
      {R"({"name":"S","subjects":["$SYS.ACCOUNT.x"]})", {}},
      {R"({"name":"S","subjects":["$KV.b.>"]})", {}},
      {R"({"name":"S","subjects":[">"],"no_ack":true})", {}},
      {R"({"name":"S","subjects":["$JS.>"],"no_ack":true})", {}},
  });
}

TEST_CASE("stream config: a republished message does not come back") {
  check_create({
      {R"({"name":"S","republish":{"dest":"r.>"}})", {}},
      {R"({"name":"S","republish":{"dest":"r.>"},"pedantic":true})",
       {400, 10157, "pedantic mode: republish source can not be empty"}},
      {R"({"name":"S","republish":{"src":">","dest":">"}})",
       {500, 10052, "stream configuration for republish destination forms a cycle"}},
      {R"({"name":"S","republish":{"src":"x","dest":"S"}})",
       {500, 10052, "stream configuration for republish destination forms a cycle"}},
      {R"({"name":"S","republish":{"src":"x","dest":"r.>"}})",
       {500, 10052,
        "stream configuration for republish with transform from 'x' to 'r.>' not "
        "valid"}},
      {R"({"name":"S","republish":{"src":"x.*","dest":"r.$2"}})",
       {500, 10052,
        "stream configuration for republish with transform from 'x.*' to 'r.$2' not "
        "valid"}},
      {R"({"name":"S","republish":{"src":"x.*","dest":"r.$1"}})", {}},
      {R"({"name":"S","subjects":["x.>"],"subject_transform":{"src":"x.>",)"
       R"("dest":"z.>"},"republish":{"src":">","dest":">"}})",
       {}},
      {R"({"name":"S","subjects":["x.>"],"subject_transform":{"src":"x.>",)"
       R"("dest":"z.>"},"republish":{"src":">","dest":">"},"pedantic":true})",
       {400, 10157, "pedantic mode: implicit republish based on subject transform"}},
  });
}

TEST_CASE("stream config: a subject transform is one") {
  check_create({
      {R"({"name":"S","subject_transform":{"src":"a b","dest":"c"}})",
       {400, 10155, "stream transform source: invalid subject a b"}},
      {R"({"name":"S","subject_transform":{"src":"x.*","dest":"y.$1"}})", {}},
      {R"({"name":"S","subject_transform":{"src":"x","dest":""}})", {}},
  });
}

TEST_CASE("stream config: what only an update or a mirror may set") {
  check_create({
      {R"({"name":"S","sealed":true})",
       {500, 10052, "stream configuration for create can not be sealed"}},
      {R"({"name":"S","mirror_direct":true})",
       {500, 10052, "stream has no mirror but does have mirror direct"}},
  });
}

TEST_CASE("stream config: texts have limits") {
  check_create({
      {R"({"name":"S","description":"D"})", {}},
      {R"({"name":"S","metadata":{"k":"v"}})", {}},
  });
}
