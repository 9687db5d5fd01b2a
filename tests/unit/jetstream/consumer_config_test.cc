#include "jetstream/consumer_config.h"

#include <doctest/doctest.h>

using namespace spanwire;
using namespace spanwire::jetstream;

namespace {

// A request of CONSUMER.CREATE.S.c and what nats-server 2.14.5 answers; no code: it creates the
// consumer.
struct Case {
  std::string_view body;
  ApiError error;
};

StreamConfig stream_of(std::string_view settings) {
  std::string body = R"({"name":"S","subjects":["s.>"])";
  if (!settings.empty()) {
    body += ',';
    body += settings;
  }
  auto request = parse_stream_request(body + "}", true);
  REQUIRE(request);
  REQUIRE_FALSE(check_stream_config(request->config));
  return request->config;
}

tl::expected<ConsumerConfig, ApiError> create(std::string_view body, const StreamConfig& stream,
                                              const ConsumerBounds& bounds = {}) {
  auto request = parse_consumer_request(body, true);
  if (!request) return tl::unexpected(request.error());
  const ConsumerAddress address{
      .form = ConsumerAddress::Form::named, .stream = "S", .consumer = "c", .filter = {}};
  if (auto error = check_consumer_address(*request, address)) return tl::unexpected(*error);
  ConsumerConfig& config = request->config;
  set_required_level(config);
  if (auto error = check_consumer_config(config, stream, bounds, request->pedantic)) {
    return tl::unexpected(*error);
  }
  if (auto error = check_work_queue(config, true, stream, {})) return tl::unexpected(*error);
  return config;
}

void check_create(std::string_view stream, const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    CAPTURE(one.body);
    const auto config = create(one.body, stream_of(stream));
    const ApiError error = config ? ApiError{} : config.error();
    CHECK(error.code == one.error.code);
    CHECK(error.err_code == one.error.err_code);
    CHECK(error.description == one.error.description);
  }
}

void check_create(const std::vector<Case>& cases) {
  check_create({}, cases);
}

std::string shown(const ConsumerConfig& config, std::string_view version = "2.14.5") {
  std::string out;
  json::Writer writer(out);
  write_consumer_config(writer, config, version);
  return out;
}

std::string created(std::string_view body) {
  const auto config = create(body, stream_of({}));
  REQUIRE(config);
  return shown(*config);
}

constexpr std::string_view full_request =
    R"({"stream_name":"S","config":{"durable_name":"c","ack_policy":"all","description":"<x>",)"
    R"("deliver_policy":"by_start_time","opt_start_time":"2020-01-01T02:00:00.50+02:00",)"
    R"("backoff":[1000000000,2000000000],"max_deliver":5,"filter_subjects":["s.a","s.b"],)"
    R"("replay_policy":"original","sample_freq":"50%","max_waiting":7,"headers_only":true,)"
    R"("max_batch":3,"max_expires":1000000000,"max_bytes":100,"inactive_threshold":1000000000,)"
    R"("num_replicas":1,"mem_storage":true,"metadata":{"x":"y"},)"
    R"("pause_until":"2030-01-01T00:00:00Z"}})";

}  // namespace

TEST_CASE("consumer config: defaults are filled in, and shown in nats-server's order") {
  CHECK(created(R"({"stream_name":"S"})") ==
        R"({"name":"c","deliver_policy":"all","ack_policy":"none","max_deliver":-1,)"
        R"("replay_policy":"instant","max_waiting":512,"inactive_threshold":5000000000,)"
        R"("num_replicas":0,"metadata":{"_nats.level":"4","_nats.req.level":"0",)"
        R"("_nats.ver":"2.14.5"}})");
  CHECK(created(R"({"stream_name":"S","config":{"ack_policy":"explicit"}})") ==
        R"({"name":"c","deliver_policy":"all","ack_policy":"explicit","ack_wait":30000000000,)"
        R"("max_deliver":-1,"replay_policy":"instant","max_waiting":512,"max_ack_pending":1000,)"
        R"("inactive_threshold":5000000000,"num_replicas":0,"metadata":{"_nats.level":"4",)"
        R"("_nats.req.level":"0","_nats.ver":"2.14.5"}})");
}

TEST_CASE("consumer config: every field is shown as nats-server shows it, times in UTC") {
  CHECK(created(full_request) ==
        R"({"durable_name":"c","name":"c","description":"\u003cx\u003e",)"
        R"("deliver_policy":"by_start_time","opt_start_time":"2020-01-01T00:00:00.5Z",)"
        R"("ack_policy":"all","ack_wait":1000000000,"max_deliver":5,)"
        R"("backoff":[1000000000,2000000000],"filter_subjects":["s.a","s.b"],)"
        R"("replay_policy":"original","sample_freq":"50%","max_waiting":7,)"
        R"("max_ack_pending":1000,"headers_only":true,"max_batch":3,"max_expires":1000000000,)"
        R"("max_bytes":100,"inactive_threshold":1000000000,"num_replicas":1,"mem_storage":true,)"
        R"("metadata":{"_nats.level":"4","_nats.req.level":"1","_nats.ver":"2.14.5","x":"y"},)"
        R"("pause_until":"2030-01-01T00:00:00Z"})");
  CHECK(created(R"({"stream_name":"S","config":{"deliver_subject":"dd","deliver_group":"g",)"
                R"("filter_subject":"s.a","flow_control":true,"idle_heartbeat":1000000000,)"
                R"("rate_limit_bps":1000}})") ==
        R"({"name":"c","deliver_policy":"all","ack_policy":"none","max_deliver":-1,)"
        R"("filter_subject":"s.a","replay_policy":"instant","rate_limit_bps":1000,)"
        R"("flow_control":true,"deliver_subject":"dd","deliver_group":"g",)"
        R"("idle_heartbeat":1000000000,"inactive_threshold":5000000000,"num_replicas":0,)"
        R"("metadata":{"_nats.level":"4","_nats.req.level":"0","_nats.ver":"2.14.5"}})");
}

TEST_CASE("consumer config: what is written is read back the same") {
  const auto config = create(full_request, stream_of({}));
  REQUIRE(config);
  const std::string text = shown(*config, {});
  const auto document = json::Document::parse(text);
  REQUIRE(document);
  CHECK(parse_consumer_config(document->root(), true) == *config);
}

TEST_CASE("consumer config: a body cut anywhere is refused") {
  const StreamConfig stream = stream_of({});
  for (std::size_t size = 1; size < full_request.size(); ++size) {
    const auto config = create(full_request.substr(0, size), stream);
    REQUIRE_FALSE(config);
    CHECK(config.error().err_code == 10025);
  }
}

TEST_CASE("consumer config: Go's zero time is written as such") {
  const std::string text =
      created(R"({"stream_name":"S","config":{"pause_until":"0001-01-01T00:00:00Z"}})");
  CHECK(text.ends_with(R"("_nats.req.level":"0","_nats.ver":"2.14.5"},)"
                       R"("pause_until":"0001-01-01T00:00:00Z"})"));
}

TEST_CASE("consumer config: what this server does not do yet is refused by its name") {
  const std::pair<std::string_view, std::string_view> fields[] = {
      {"priority_groups", R"(["a"])"},
      {"priority_policy", R"("overflow")"},
      {"priority_timeout", "5"},
      {"ack_policy", R"("flow_control")"},
      {"sourcing", "true"}};
  for (const auto& [name, value] : fields) {
    const std::string body =
        R"({"stream_name":"S","config":{")" + std::string(name) + "\":" + std::string(value) + "}}";
    CAPTURE(body);
    const auto config = create(body, stream_of({}));
    REQUIRE_FALSE(config);
    CHECK(config.error().err_code == 10012);
    CHECK(config.error().description == "consumer configuration field '" + std::string(name) +
                                            "' asks for what this server does not support yet");
  }
  check_create({{R"({"stream_name":"S","config":{"priority_groups":[],"sourcing":false}})", {}}});
}

TEST_CASE("consumer config: JSON is refused in the words of Go") {
  check_create({
      {R"({"stream_name":"S","config":{"x":1}})",
       {400, 10025, R"(invalid JSON: json: unknown field "x")"}},
      {R"({"stream_name":"S","x":1})", {400, 10025, R"(invalid JSON: json: unknown field "x")"}},
      {R"({"stream_name":1})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal number into Go struct field "
        "CreateConsumerRequest.stream_name of type string"}},
      {R"({"stream_name":"S","config":1})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal number into Go struct field "
        "CreateConsumerRequest.config of type server.ConsumerConfig"}},
      {R"({"stream_name":"S","config":{"max_deliver":"x"}})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal string into Go struct field "
        "ConsumerConfig.config.max_deliver of type int"}},
      {R"({"stream_name":"S","config":{"backoff":["x"]}})",
       {400, 10025,
        "invalid JSON: json: cannot unmarshal string into Go struct field "
        "ConsumerConfig.config.backoff of type time.Duration"}},
      {R"({"stream_name":"S","config":{"opt_start_time":5}})",
       {400, 10025, "invalid JSON: Time.UnmarshalJSON: input is not a JSON string"}},
      {R"({"stream_name":"S","config":{"ack_policy":"x"}})",
       {400, 10025, R"(invalid JSON: can not unmarshal "\"x\"")"}},
      {R"({"stream_name":"S","config":{"replay_policy":"x"}})",
       {400, 10025, R"(invalid JSON: can not unmarshal "\"x\"")"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"x"}})",
       {400, 10025, R"(invalid JSON: can not unmarshal "\"x\"")"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"undefined"}})", {}},
      {R"({"stream_name":"S","action":"x"})",
       {400, 10025, R"(invalid JSON: unknown consumer action: "x")"}},
      {R"({"stream_name":"S","config":{"priority_policy":"x"}})",
       {400, 10025, R"(invalid JSON: unknown priority policy: "x")"}},
      {R"({"stream_name":"S","config":{"priority_policy":"none"}})", {}},
      {R"({"stream_name":"S"})", {}},
      {R"({"stream_name":"S","config":null})", {}},
      {"", {400, 10056, "stream name in subject does not match request"}},
  });
}

TEST_CASE(
    "consumer config: a negative limit is the default, unless the caller is "
    "pedantic") {
  check_create({
      {R"({"stream_name":"S","config":{"max_deliver":-2}})", {}},
      {R"({"stream_name":"S","config":{"max_deliver":-2},"pedantic":true})",
       {400, 10157, "pedantic mode: max_deliver must be set to -1"}},
      {R"({"stream_name":"S","config":{"max_waiting":-1},"pedantic":true})",
       {400, 10157, "pedantic mode: max_waiting must not be negative"}},
      {R"({"stream_name":"S","config":{"max_ack_pending":-2},"pedantic":true})",
       {400, 10157, "pedantic mode: max_ack_pending must be set to -1"}},
      {R"({"stream_name":"S","config":{"max_batch":-1},"pedantic":true})",
       {400, 10157, "pedantic mode: max_batch must not be negative"}},
      {R"({"stream_name":"S","config":{"max_expires":-1},"pedantic":true})",
       {400, 10157, "pedantic mode: max_expires must not be negative"}},
      {R"({"stream_name":"S","config":{"max_bytes":-1},"pedantic":true})",
       {400, 10157, "pedantic mode: max_bytes must not be negative"}},
      {R"({"stream_name":"S","config":{"inactive_threshold":-1},"pedantic":true})",
       {400, 10157, "pedantic mode: inactive_threshold must not be negative"}},
      {R"({"stream_name":"S","config":{"deliver_subject":"d","idle_heartbeat":-1},)"
       R"("pedantic":true})",
       {400, 10157, "pedantic mode: idle_heartbeat must not be negative"}},
  });
}

TEST_CASE(
    "consumer config: a push consumer has one literal subject, which its stream "
    "does not capture") {
  check_create({
      {R"({"stream_name":"S","config":{"deliver_subject":"d"}})", {}},
      {R"({"stream_name":"S","config":{"deliver_subject":"*"}})",
       {400, 10079, "consumer deliver subject has wildcards"}},
      {R"({"stream_name":"S","config":{"deliver_subject":"a.>"}})",
       {400, 10079, "consumer deliver subject has wildcards"}},
      {R"({"stream_name":"S","config":{"deliver_subject":"d d"}})",
       {400, 10112, "invalid push consumer deliver subject"}},
      {R"({"stream_name":"S","config":{"deliver_subject":"a..b"}})",
       {400, 10112, "invalid push consumer deliver subject"}},
      {R"({"stream_name":"S","config":{"deliver_subject":"s.x"}})",
       {400, 10081, "consumer deliver subject forms a cycle"}},
      {R"({"stream_name":"S","config":{"deliver_subject":"s.>"}})",
       {400, 10079, "consumer deliver subject has wildcards"}},
  });
}

TEST_CASE("consumer config: what a push consumer can not have") {
  check_create({
      {R"({"stream_name":"S","config":{"deliver_subject":"d","max_waiting":5}})",
       {400, 10080, "consumer in push mode can not set max waiting"}},
      {R"({"stream_name":"S","config":{"deliver_subject":"d","max_ack_pending":5}})",
       {400, 10082, "consumer requires ack policy for max ack pending"}},
      {R"({"stream_name":"S","config":{"deliver_subject":"d","max_ack_pending":5,)"
       R"("ack_policy":"explicit"}})",
       {}},
      {R"({"stream_name":"S","config":{"deliver_subject":"d",)"
       R"("idle_heartbeat":99999999}})",
       {400, 10083, "consumer idle heartbeat needs to be >= 100ms"}},
      {R"({"stream_name":"S","config":{"deliver_subject":"d",)"
       R"("idle_heartbeat":100000000}})",
       {}},
      {R"({"stream_name":"S","config":{"deliver_subject":"d","flow_control":true}})",
       {400, 10108, "consumer with flow control also needs heartbeats"}},
      {R"({"stream_name":"S","config":{"deliver_subject":"d","flow_control":true,)"
       R"("idle_heartbeat":1000000000}})",
       {}},
  });
}

TEST_CASE("consumer config: what a pull consumer can not have") {
  check_create({
      {R"({"stream_name":"S","config":{"rate_limit_bps":1}})",
       {400, 10086, "consumer in pull mode can not have rate limit set"}},
      {R"({"stream_name":"S","config":{"idle_heartbeat":1000000000}})",
       {400, 10088, "consumer idle heartbeat requires a push based consumer"}},
      {R"({"stream_name":"S","config":{"flow_control":true}})",
       {400, 10089, "consumer flow control requires a push based consumer"}},
      {R"({"stream_name":"S","config":{"max_expires":999999}})",
       {400, 10115, "consumer max request expires needs to be >= 1ms"}},
      {R"({"stream_name":"S","config":{"max_expires":1000000}})", {}},
      {R"({"stream_name":"S","config":{"direct":true}})",
       {400, 10090, "consumer direct requires a push based consumer"}},
      {R"({"stream_name":"S","config":{"max_waiting":1}})", {}},
  });
}

TEST_CASE("consumer config: a direct consumer is an ephemeral push consumer") {
  check_create({
      {R"({"stream_name":"S","config":{"direct":true,"deliver_subject":"d"}})", {}},
      {R"({"stream_name":"S","config":{"direct":true,"deliver_subject":"d",)"
       R"("durable_name":"c"}})",
       {400, 10091, "consumer direct requires an ephemeral consumer"}},
  });
}

TEST_CASE("consumer config: filters are valid, not empty and do not overlap") {
  check_create({
      {R"({"stream_name":"S","config":{"filter_subject":"s.a",)"
       R"("filter_subjects":["s.b"]}})",
       {400, 10136, "consumer cannot have both FilterSubject and FilterSubjects specified"}},
      {R"({"stream_name":"S","config":{"filter_subject":"a..b"}})",
       {500, 10052, "invalid subject"}},
      {R"({"stream_name":"S","config":{"filter_subject":"nowhere"}})", {}},
      {R"({"stream_name":"S","config":{"filter_subjects":[""]}})",
       {400, 10139, "consumer filter in FilterSubjects cannot be empty"}},
      {R"({"stream_name":"S","config":{"filter_subjects":["a","b c"]}})",
       {500, 10052, "invalid subject"}},
      {R"({"stream_name":"S","config":{"filter_subjects":["s.*","s.a"]}})",
       {400, 10138, "consumer subject filters cannot overlap"}},
      {R"({"stream_name":"S","config":{"filter_subjects":["s.a","s.a"]}})",
       {400, 10138, "consumer subject filters cannot overlap"}},
      {R"({"stream_name":"S","config":{"filter_subjects":["s.a.*","s.*.b"]}})", {}},
      {R"({"stream_name":"S","config":{"filter_subjects":[]}})", {}},
  });
}

TEST_CASE("consumer config: where delivery begins, all") {
  check_create({
      {R"({"stream_name":"S","config":{"deliver_policy":"all"}})", {}},
      {R"({"stream_name":"S","config":{"deliver_policy":"all","opt_start_seq":5}})",
       {400, 10094,
        "consumer delivery policy is deliver all, but optional start sequence is "
        "also set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"all",)"
       R"("opt_start_time":"2020-01-01T00:00:00Z"}})",
       {400, 10094,
        "consumer delivery policy is deliver all, but optional start time is also set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"all",)"
       R"("opt_start_time":"2020-01-01T00:00:00Z","opt_start_seq":2}})",
       {400, 10094,
        "consumer delivery policy is deliver all, but optional start sequence is "
        "also set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"all","filter_subject":"s.a"}})", {}},
  });
}

TEST_CASE("consumer config: where delivery begins, last") {
  check_create({
      {R"({"stream_name":"S","config":{"deliver_policy":"last"}})", {}},
      {R"({"stream_name":"S","config":{"deliver_policy":"last","opt_start_seq":5}})",
       {400, 10094,
        "consumer delivery policy is deliver last, but optional start sequence is "
        "also set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"last",)"
       R"("opt_start_time":"2020-01-01T00:00:00Z"}})",
       {400, 10094,
        "consumer delivery policy is deliver last, but optional start time is also "
        "set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"last",)"
       R"("opt_start_time":"2020-01-01T00:00:00Z","opt_start_seq":2}})",
       {400, 10094,
        "consumer delivery policy is deliver last, but optional start sequence is "
        "also set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"last",)"
       R"("filter_subject":"s.a"}})",
       {}},
  });
}

TEST_CASE("consumer config: where delivery begins, new") {
  check_create({
      {R"({"stream_name":"S","config":{"deliver_policy":"new"}})", {}},
      {R"({"stream_name":"S","config":{"deliver_policy":"new","opt_start_seq":5}})",
       {400, 10094,
        "consumer delivery policy is deliver new, but optional start sequence is "
        "also set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"new",)"
       R"("opt_start_time":"2020-01-01T00:00:00Z"}})",
       {400, 10094,
        "consumer delivery policy is deliver new, but optional start time is also set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"new",)"
       R"("opt_start_time":"2020-01-01T00:00:00Z","opt_start_seq":2}})",
       {400, 10094,
        "consumer delivery policy is deliver new, but optional start sequence is "
        "also set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"new","filter_subject":"s.a"}})", {}},
  });
}

TEST_CASE("consumer config: where delivery begins, last_per_subject") {
  check_create({
      {R"({"stream_name":"S","config":{"deliver_policy":"last_per_subject"}})",
       {400, 10094,
        "consumer delivery policy is deliver last per subject, but optional filter "
        "subject is not set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"last_per_subject",)"
       R"("opt_start_seq":5}})",
       {400, 10094,
        "consumer delivery policy is deliver last per subject, but optional start "
        "sequence is also set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"last_per_subject",)"
       R"("opt_start_time":"2020-01-01T00:00:00Z"}})",
       {400, 10094,
        "consumer delivery policy is deliver last per subject, but optional start "
        "time is also set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"last_per_subject",)"
       R"("opt_start_time":"2020-01-01T00:00:00Z","opt_start_seq":2}})",
       {400, 10094,
        "consumer delivery policy is deliver last per subject, but optional start "
        "sequence is also set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"last_per_subject",)"
       R"("filter_subject":"s.a"}})",
       {}},
  });
}

TEST_CASE("consumer config: where delivery begins, by_start_sequence") {
  check_create({
      {R"({"stream_name":"S","config":{"deliver_policy":"by_start_sequence"}})",
       {400, 10094,
        "consumer delivery policy is deliver by start sequence, but optional start "
        "sequence is not set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"by_start_sequence",)"
       R"("opt_start_seq":5}})",
       {}},
      {R"({"stream_name":"S","config":{"deliver_policy":"by_start_sequence",)"
       R"("opt_start_time":"2020-01-01T00:00:00Z"}})",
       {400, 10094,
        "consumer delivery policy is deliver by start sequence, but optional start "
        "sequence is not set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"by_start_sequence",)"
       R"("opt_start_time":"2020-01-01T00:00:00Z","opt_start_seq":2}})",
       {400, 10094,
        "consumer delivery policy is deliver by start sequence, but optional start "
        "time is also set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"by_start_sequence",)"
       R"("filter_subject":"s.a"}})",
       {400, 10094,
        "consumer delivery policy is deliver by start sequence, but optional start "
        "sequence is not set"}},
  });
}

TEST_CASE("consumer config: where delivery begins, by_start_time") {
  check_create({
      {R"({"stream_name":"S","config":{"deliver_policy":"by_start_time"}})",
       {400, 10094,
        "consumer delivery policy is deliver by start time, but optional start time "
        "is not set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"by_start_time",)"
       R"("opt_start_seq":5}})",
       {400, 10094,
        "consumer delivery policy is deliver by start time, but optional start time "
        "is not set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"by_start_time",)"
       R"("opt_start_time":"2020-01-01T00:00:00Z"}})",
       {}},
      {R"({"stream_name":"S","config":{"deliver_policy":"by_start_time",)"
       R"("opt_start_time":"2020-01-01T00:00:00Z","opt_start_seq":2}})",
       {400, 10094,
        "consumer delivery policy is deliver by start time, but optional start start "
        "sequence is also set"}},
      {R"({"stream_name":"S","config":{"deliver_policy":"by_start_time",)"
       R"("filter_subject":"s.a"}})",
       {400, 10094,
        "consumer delivery policy is deliver by start time, but optional start time "
        "is not set"}},
  });
}

TEST_CASE("consumer config: backoff has no more steps than deliveries") {
  check_create({
      {R"({"stream_name":"S","config":{"backoff":[1,2]}})", {}},
      {R"({"stream_name":"S","config":{"backoff":[1,2],"max_deliver":2}})", {}},
      {R"({"stream_name":"S","config":{"backoff":[1,2],"max_deliver":1}})",
       {400, 10116, "max deliver is required to be > length of backoff values"}},
      {R"({"stream_name":"S","config":{"backoff":[-1]}})",
       {400, 10184, "consumer backoff needs to be positive"}},
      {R"({"stream_name":"S","config":{"backoff":[1000000000],"ack_wait":5},)"
       R"("pedantic":true})",
       {400, 10157, "pedantic mode: first backoff value has to equal batch AckWait"}},
      {R"({"stream_name":"S","config":{"backoff":[1000000000],"ack_wait":1000000000},)"
       R"("pedantic":true})",
       {}},
      {R"({"stream_name":"S","config":{"ack_wait":-5}})",
       {400, 10183, "consumer ack wait needs to be positive"}},
  });
}

TEST_CASE("consumer config: sampling is a percentage") {
  check_create({
      {R"({"stream_name":"S","config":{"sample_freq":"50"}})", {}},
      {R"({"stream_name":"S","config":{"sample_freq":"50%"}})", {}},
      {R"({"stream_name":"S","config":{"sample_freq":"200"}})", {}},
      {R"({"stream_name":"S","config":{"sample_freq":"x"}})",
       {400, 10095,
        R"(failed to parse consumer sampling configuration: strconv.Atoi: parsing "x": )"
        "invalid syntax"}},
      {R"({"stream_name":"S","config":{"sample_freq":"5%%"}})",
       {400, 10095,
        "failed to parse consumer sampling configuration: strconv.Atoi: parsing "
        R"("5%": invalid syntax)"}},
      {R"({"stream_name":"S","config":{"sample_freq":""}})", {}},
      {R"({"stream_name":"S","config":{"sample_freq":"99999999999999999999"}})",
       {400, 10095,
        "failed to parse consumer sampling configuration: strconv.Atoi: parsing "
        R"("99999999999999999999": value out of range)"}},
  });
}

TEST_CASE("consumer config: replicas are those of the stream") {
  check_create({
      {R"({"stream_name":"S","config":{"num_replicas":-1}})",
       {400, 10133, "replicas count cannot be negative"}},
      {R"({"stream_name":"S","config":{"num_replicas":1}})", {}},
      {R"({"stream_name":"S","config":{"num_replicas":3}})",
       {500, 10074, "replicas > 1 not supported in non-clustered mode"}},
  });
}

TEST_CASE("consumer config: bounds of the stream") {
  check_create(
      R"("consumer_limits":{"max_ack_pending":10,"inactive_threshold":7000000000})",
      {
          {R"({"stream_name":"S","config":{}})", {}},
          {R"({"stream_name":"S","config":{"ack_policy":"explicit","max_ack_pending":10}})", {}},
          {R"({"stream_name":"S","config":{"ack_policy":"explicit","max_ack_pending":11}})",
           {400, 10121, "consumer max ack pending exceeds system limit of 10"}},
          {R"({"stream_name":"S","config":{"inactive_threshold":7000000000}})", {}},
          {R"({"stream_name":"S","config":{"inactive_threshold":8000000000}})",
           {400, 10153, "consumer inactive threshold exceeds system limit of 7s"}},
          {R"({"stream_name":"S","config":{"ack_policy":"explicit"},"pedantic":true})",
           {400, 10157,
            "pedantic mode: max_ack_pending must be set if it's configured in stream "
            "limits"}},
      });
}

TEST_CASE("consumer config: a work queue is acknowledged one by one, from its beginning") {
  check_create(
      R"("retention":"workqueue")",
      {
          {R"({"stream_name":"S","config":{"ack_policy":"explicit"}})", {}},
          {R"({"stream_name":"S","config":{}})",
           {400, 10084, "consumer in pull mode requires explicit ack policy on workqueue stream"}},
          {R"({"stream_name":"S","config":{"deliver_subject":"d"}})",
           {400, 10098, "workqueue stream requires explicit ack"}},
          {R"({"stream_name":"S","config":{"ack_policy":"all"}})",
           {400, 10098, "workqueue stream requires explicit ack"}},
          {R"({"stream_name":"S","config":{"ack_policy":"explicit",)"
           R"("deliver_policy":"new"}})",
           {400, 10101, "consumer must be deliver all on workqueue stream"}},
      });
}
