#include <doctest/doctest.h>

#include "jetstream/consumer_config.h"

using namespace spanwire;
using namespace spanwire::jetstream;

namespace {

StreamConfig plain_stream() {
  StreamConfig stream;
  stream.name = "S";
  stream.subjects = {"s.>"};
  REQUIRE_FALSE(check_stream_config(stream));
  return stream;
}

StreamConfig work_queue() {
  StreamConfig stream = plain_stream();
  stream.retention = Retention::work_queue;
  return stream;
}

ConsumerConfig with_filters(std::vector<std::string> filters) {
  ConsumerConfig config;
  config.ack_policy = AckPolicy::each;
  config.filter_subjects = std::move(filters);
  return config;
}

ConsumerConfig durable(std::string name) {
  ConsumerConfig config;
  config.durable = config.name = std::move(name);
  config.ack_policy = AckPolicy::each;
  REQUIRE_FALSE(check_consumer_config(config, plain_stream()));
  return config;
}

using Change = void (*)(ConsumerConfig& config);

std::string refusal(Change change, bool interest = false) {
  const ConsumerConfig old = durable("c");
  ConsumerConfig fresh = old;
  change(fresh);
  return check_consumer_update(old, fresh, interest).value_or(ApiError{}).description;
}

using Form = ConsumerAddress::Form;

std::optional<ApiError> address(ConsumerRequest& request, Form form, std::string_view consumer,
                                std::string_view filter = {}) {
  return check_consumer_address(
      request, {.form = form, .stream = "S", .consumer = consumer, .filter = filter});
}

ConsumerRequest request_of(std::string durable_name, std::string name = {}) {
  ConsumerRequest request;
  request.stream = "S";
  request.config.durable = std::move(durable_name);
  request.config.name = std::move(name);
  return request;
}

}  // namespace

TEST_CASE("consumer rules: what an update can not change") {
  const std::pair<Change, std::string_view> changes[] = {
      {[](ConsumerConfig& c) { c.deliver_policy = DeliverPolicy::last; },
       "deliver policy can not be updated"},
      {[](ConsumerConfig& c) { c.mem_storage = true; }, "storage type can not be updated"},
      {[](ConsumerConfig& c) { c.opt_start_seq = 2; }, "start sequence can not be updated"},
      {[](ConsumerConfig& c) { c.opt_start_time = base::WallTime(); },
       "start time can not be updated"},
      {[](ConsumerConfig& c) { c.ack_policy = AckPolicy::all; }, "ack policy can not be updated"},
      {[](ConsumerConfig& c) { c.replay_policy = ReplayPolicy::original; },
       "replay policy can not be updated"},
      {[](ConsumerConfig& c) { c.idle_heartbeat = base::Duration(1); },
       "heart beats can not be updated"},
      {[](ConsumerConfig& c) { c.flow_control = true; }, "flow control can not be updated"},
      {[](ConsumerConfig& c) { c.max_waiting = 5; }, "max waiting can not be updated"},
      {[](ConsumerConfig& c) { c.deliver_subject = "d"; },
       "can not update pull consumer to push based"}};
  for (const auto& [change, text] : changes) CHECK(refusal(change) == text);
}

TEST_CASE("consumer rules: what an update may change") {
  const Change changes[] = {[](ConsumerConfig& c) { c.description = "x"; },
                            [](ConsumerConfig& c) { c.filter_subject = "s.a"; },
                            [](ConsumerConfig& c) { c.ack_wait = base::Duration(5); },
                            [](ConsumerConfig& c) { c.max_deliver = 5; },
                            [](ConsumerConfig& c) { c.max_ack_pending = 5; },
                            [](ConsumerConfig& c) { c.headers_only = true; },
                            [](ConsumerConfig& c) { c.inactive_threshold = base::Duration(5); },
                            [](ConsumerConfig& c) { c.metadata["a"] = "1"; }};
  for (const Change change : changes) CHECK(refusal(change).empty());
}

TEST_CASE("consumer rules: a deliver subject changes while nobody listens") {
  ConsumerConfig old = durable("c");
  old.deliver_subject = "d";
  ConsumerConfig fresh = old;
  fresh.deliver_subject = "e";
  CHECK_FALSE(check_consumer_update(old, fresh, false));
  CHECK(check_consumer_update(old, fresh, true) == api_error(Err::consumer_name_exists));
  fresh.deliver_subject.clear();
  CHECK(check_consumer_update(old, fresh, false) ==
        api_error(Err::consumer_create, "can not update push consumer to pull based"));
  CHECK_FALSE(check_consumer_update(old, old, true));
}

TEST_CASE("consumer rules: two consumers are the same whatever servers added to their metadata") {
  const ConsumerConfig one = durable("c");
  ConsumerConfig other = one;
  other.metadata["_nats.ver"] = "2.11.0";
  set_required_level(other);
  CHECK(same_consumer(one, other));
  other.max_deliver = 3;
  CHECK_FALSE(same_consumer(one, other));
}

TEST_CASE("consumer rules: a subject for durable consumers has the durable name") {
  ConsumerRequest request = request_of("c");
  CHECK(address(request, Form::durable, "") ==
        api_error(Err::consumer_durable_name_not_in_subject));
  CHECK(address(request, Form::durable, "x") ==
        api_error(Err::consumer_durable_name_not_match_subject));
  CHECK_FALSE(address(request, Form::durable, "c"));
  CHECK(request.config.name == "c");
  request = request_of("");
  CHECK(address(request, Form::durable, "c") == api_error(Err::consumer_durable_name_not_set));
}

TEST_CASE("consumer rules: a subject without a name is for ephemeral consumers") {
  ConsumerRequest request = request_of("c");
  CHECK(address(request, Form::ephemeral, "") ==
        api_error(Err::consumer_ephemeral_with_durable_name));
  request = request_of("", "mine");
  CHECK_FALSE(address(request, Form::ephemeral, ""));
  CHECK(request.config.name == "mine");
  request = request_of("", "a/b");
  CHECK(address(request, Form::ephemeral, "") ==
        api_error(Err::consumer_name_contains_path_separators));
}

TEST_CASE("consumer rules: a subject with a name names the consumer") {
  ConsumerRequest request = request_of("", "other");
  CHECK_FALSE(address(request, Form::named, "c"));
  CHECK(request.config.name == "c");
  request = request_of("x");
  CHECK(address(request, Form::named, "c") ==
        api_error(Err::consumer_durable_name_not_match_subject));
  CHECK(address(request, Form::named, "a\\b") ==
        api_error(Err::consumer_name_contains_path_separators));
  request.stream = "T";
  CHECK(address(request, Form::named, "x") == api_error(Err::stream_mismatch));
}

TEST_CASE("consumer rules: a filter in the subject is the filter of the body") {
  ConsumerRequest request = request_of("");
  CHECK(address(request, Form::named, "c", "s.a") ==
        api_error(Err::consumer_create_filter_subject_mismatch));
  request.config.filter_subject = "s.a";
  CHECK_FALSE(address(request, Form::named, "c", "s.a"));
  request.config.filter_subjects = {"s.a"};
  CHECK(address(request, Form::named, "c", "s.a") ==
        api_error(Err::consumer_multiple_filters_not_allowed));
}

TEST_CASE("consumer rules: more replicas need a cluster") {
  ConsumerRequest request = request_of("");
  request.config.replicas = 2;
  CHECK(address(request, Form::named, "c") == api_error(Err::stream_replicas_not_supported));
  request.config.replicas = 1;
  CHECK_FALSE(address(request, Form::named, "c"));
}

TEST_CASE("consumer rules: texts are bounded") {
  ConsumerConfig config;
  const StreamConfig stream = plain_stream();
  config.durable = config.name = std::string(max_name_bytes + 1, 'n');
  CHECK(check_consumer_config(config, stream) ==
        api_error(Err::consumer_name_too_long, max_name_bytes));
  config.durable = config.name = std::string(max_name_bytes, 'n');
  config.description = std::string(max_description_bytes + 1, 'd');
  CHECK(check_consumer_config(config, stream) ==
        api_error(Err::consumer_description_too_long, max_description_bytes));
  config.description.clear();
  config.metadata["k"] = std::string(max_metadata_bytes, 'v');
  CHECK(check_consumer_config(config, stream) == api_error(Err::consumer_metadata_length, "128KB"));
  config.metadata.clear();
  CHECK_FALSE(check_consumer_config(config, stream));
  config.name = "other";
  CHECK(check_consumer_config(config, stream) ==
        api_error(Err::consumer_create_durable_and_name_mismatch));
}

TEST_CASE("consumer rules: server and account bound it, and give defaults") {
  const ConsumerBounds bounds{
      .server_max_ack_pending = 50, .account_max_ack_pending = 40, .max_request_batch = 30};
  ConsumerConfig config = with_filters({});
  REQUIRE_FALSE(check_consumer_config(config, plain_stream(), bounds));
  CHECK(config.max_ack_pending == 40);
  CHECK(config.max_batch == 30);
  config.max_ack_pending = 41;
  CHECK(check_consumer_config(config, plain_stream(), bounds) ==
        api_error(Err::consumer_max_pending_ack_excess, 40));
  config.max_ack_pending = 51;
  CHECK(check_consumer_config(config, plain_stream(), bounds) ==
        api_error(Err::consumer_max_pending_ack_excess, 50));
  config.max_ack_pending = 1;
  config.max_batch = 31;
  CHECK(check_consumer_config(config, plain_stream(), bounds) ==
        api_error(Err::consumer_max_request_batch_exceeded, 30));
}

TEST_CASE("consumer rules: on a work queue no two consumers take the same message") {
  const StreamConfig queue = work_queue();
  const ConsumerConfig all = with_filters({});
  const ConsumerConfig one = with_filters({"s.a", "s.b.*"});
  ConsumerConfig direct = all;
  direct.direct = true;
  CHECK_FALSE(check_work_queue(all, true, queue, {&direct}));
  CHECK(check_work_queue(all, true, queue, {&one}) ==
        api_error(Err::consumer_work_queue_multiple_unfiltered));
  CHECK(check_work_queue(one, true, queue, {&all}) ==
        api_error(Err::consumer_work_queue_not_unique));
  CHECK(check_work_queue(with_filters({"s.*.c"}), true, queue, {&one}) ==
        api_error(Err::consumer_work_queue_not_unique));
  CHECK(check_work_queue(with_filters({"s.>"}), false, queue, {&one}) ==
        api_error(Err::consumer_work_queue_not_unique));
  CHECK_FALSE(check_work_queue(with_filters({"s.c"}), true, queue, {&one, &direct}));
  CHECK_FALSE(check_work_queue(all, true, plain_stream(), {&one}));
}

TEST_CASE("consumer rules: samples are percents of acks") {
  ConsumerConfig config;
  CHECK(config.sample_percent() == 0);
  config.sample_freq = "30%";
  CHECK(config.sample_percent() == 30);
  config.sample_freq = "200";
  CHECK(config.sample_percent() == 100);
  config.sample_freq = "-1";
  const auto refused = check_consumer_config(config, plain_stream());
  REQUIRE(refused);
  CHECK(refused->err_code == 10095);
}
