#include "jetstream/api_error.h"

#include <algorithm>
#include <iterator>

#include "base/assert.h"

namespace spanwire::jetstream {
namespace {

struct Row {
  Err err;
  int code;
  std::string_view description;  // {} is a place for a text
};

// In the order of the numbers.
constexpr Row rows[] = {
    {Err::account_resources_exceeded, 400, "resource limits exceeded for account"},
    {Err::bad_request, 400, "bad request"},
    {Err::cluster_required, 503, "JetStream clustering support required"},
    {Err::consumer_create, 500, "{}"},
    {Err::consumer_name_exists, 400, "consumer name already in use"},
    {Err::consumer_not_found, 404, "consumer not found"},
    {Err::snapshot_deliver_subject_invalid, 400, "deliver subject not valid"},
    {Err::consumer_durable_name_not_in_subject, 400,
     "consumer expected to be durable but no durable name set in subject"},
    {Err::consumer_durable_name_not_match_subject, 400,
     "consumer name in subject does not match durable name in request"},
    {Err::consumer_durable_name_not_set, 400,
     "consumer expected to be durable but a durable name was not set"},
    {Err::consumer_ephemeral_with_durable_name, 400,
     "consumer expected to be ephemeral but a durable name was set in request"},
    {Err::insufficient_resources, 503, "insufficient resources"},
    {Err::invalid_json, 400, "invalid JSON: {}"},
    {Err::maximum_consumers_limit, 400, "maximum consumers limit reached"},
    {Err::maximum_streams_limit, 400, "maximum number of streams reached"},
    {Err::memory_resources_exceeded, 500, "insufficient memory resources available"},
    {Err::no_account, 503, "account not found"},
    {Err::no_message_found, 404, "no message found"},
    {Err::not_empty_request, 400, "expected an empty request payload"},
    {Err::not_enabled_for_account, 503, "JetStream not enabled for account"},
    {Err::restore_subscribe_failed, 500,
     "JetStream unable to subscribe to restore snapshot {}: {}"},
    {Err::sequence_not_found, 400, "sequence {} not found"},
    {Err::storage_resources_exceeded, 500, "insufficient storage resources available"},
    {Err::stream_create, 500, "{}"},
    {Err::stream_delete, 500, "{}"},
    {Err::stream_general, 500, "{}"},
    {Err::stream_invalid_config, 500, "{}"},
    {Err::stream_limits, 500, "{}"},
    {Err::stream_message_exceeds_maximum, 400, "message size exceeds maximum allowed"},
    {Err::stream_mismatch, 400, "stream name in subject does not match request"},
    {Err::stream_msg_delete_failed, 500, "{}"},
    {Err::stream_name_exists, 400, "stream name already in use with a different configuration"},
    {Err::stream_not_found, 404, "stream not found"},
    {Err::expected_stream_mismatch, 400, "expected stream does not match"},
    {Err::stream_restore, 500, "restore failed: {}"},
    {Err::stream_snapshot, 500, "snapshot failed: {}"},
    {Err::stream_subject_overlap, 400, "subjects overlap with an existing stream"},
    {Err::stream_update, 500, "{}"},
    {Err::wrong_last_msg_id, 400, "wrong last msg ID: {}"},
    {Err::wrong_last_sequence, 400, "wrong last sequence: {}"},
    {Err::temp_storage_failed, 500, "JetStream unable to open temp storage for restore"},
    {Err::stream_replicas_not_supported, 500, "replicas > 1 not supported in non-clustered mode"},
    {Err::not_enabled, 503, "JetStream not enabled"},
    {Err::stream_store_failed, 503, "{}"},
    {Err::consumer_config_required, 400, "consumer config required"},
    {Err::consumer_deliver_to_wildcards, 400, "consumer deliver subject has wildcards"},
    {Err::consumer_push_max_waiting, 400, "consumer in push mode can not set max waiting"},
    {Err::consumer_deliver_cycle, 400, "consumer deliver subject forms a cycle"},
    {Err::consumer_max_pending_ack_policy_required, 400,
     "consumer requires ack policy for max ack pending"},
    {Err::consumer_small_heartbeat, 400, "consumer idle heartbeat needs to be >= 100ms"},
    {Err::consumer_pull_requires_ack, 400,
     "consumer in pull mode requires explicit ack policy on workqueue stream"},
    {Err::consumer_pull_with_rate_limit, 400, "consumer in pull mode can not have rate limit set"},
    {Err::consumer_max_waiting_negative, 400, "consumer max waiting needs to be positive"},
    {Err::consumer_heartbeat_requires_push, 400,
     "consumer idle heartbeat requires a push based consumer"},
    {Err::consumer_flow_control_requires_push, 400,
     "consumer flow control requires a push based consumer"},
    {Err::consumer_direct_requires_push, 400, "consumer direct requires a push based consumer"},
    {Err::consumer_direct_requires_ephemeral, 400,
     "consumer direct requires an ephemeral consumer"},
    {Err::consumer_filter_not_subset, 400,
     "consumer filter subject is not a valid subset of the interest subjects"},
    {Err::consumer_invalid_policy, 400, "{}"},
    {Err::consumer_invalid_sampling, 400, "failed to parse consumer sampling configuration: {}"},
    {Err::stream_invalid, 500, "stream not valid"},
    {Err::stream_header_exceeds_maximum, 400, "header size exceeds maximum allowed of 64k"},
    {Err::consumer_work_queue_requires_explicit_ack, 400, "workqueue stream requires explicit ack"},
    {Err::consumer_work_queue_multiple_unfiltered, 400,
     "multiple non-filtered consumers not allowed on workqueue stream"},
    {Err::consumer_work_queue_not_unique, 400, "filtered consumer not unique on workqueue stream"},
    {Err::consumer_work_queue_not_deliver_all, 400,
     "consumer must be deliver all on workqueue stream"},
    {Err::consumer_name_too_long, 400, "consumer name is too long, maximum allowed is {}"},
    {Err::consumer_bad_durable_name, 400, "durable name can not contain '.', '*', '>'"},
    {Err::consumer_store_failed, 500, "error creating store for consumer: {}"},
    {Err::consumer_description_too_long, 400,
     "consumer description is too long, maximum allowed is {}"},
    {Err::consumer_with_flow_control_needs_heartbeats, 400,
     "consumer with flow control also needs heartbeats"},
    {Err::stream_sealed, 400, "invalid operation on sealed stream"},
    {Err::stream_purge_failed, 500, "{}"},
    {Err::stream_rollup_failed, 500, "{}"},
    {Err::consumer_invalid_deliver_subject, 400, "invalid push consumer deliver subject"},
    {Err::stream_max_bytes_required, 400, "account requires a stream config to have max bytes set"},
    {Err::consumer_max_request_batch_negative, 400, "consumer max request batch needs to be > 0"},
    {Err::consumer_max_request_expires_too_small, 400,
     "consumer max request expires needs to be >= 1ms"},
    {Err::consumer_max_deliver_backoff, 400,
     "max deliver is required to be > length of backoff values"},
    {Err::stream_info_max_subjects, 500, "subject details would exceed maximum allowed"},
    {Err::no_limits, 400, "no JetStream default or applicable tiered limit present"},
    {Err::consumer_max_pending_ack_excess, 400,
     "consumer max ack pending exceeds system limit of {}"},
    {Err::stream_max_stream_bytes_exceeded, 400,
     "stream max bytes exceeds account limit max stream bytes"},
    {Err::consumer_max_request_batch_exceeded, 400,
     "consumer max request batch exceeds server limit of {}"},
    {Err::consumer_name_contains_path_separators, 400,
     "Consumer name can not contain path separators"},
    {Err::stream_name_contains_path_separators, 400, "Stream name can not contain path separators"},
    {Err::stream_name_exists_restore_failed, 400, "stream name already in use, cannot restore"},
    {Err::consumer_create_filter_subject_mismatch, 400,
     "Consumer create request did not match filtered subject from create subject"},
    {Err::consumer_create_durable_and_name_mismatch, 400,
     "Consumer Durable and Name have to be equal if both are provided"},
    {Err::replicas_count_cannot_be_negative, 400, "replicas count cannot be negative"},
    {Err::consumer_metadata_length, 400, "consumer metadata exceeds maximum size of {}"},
    {Err::consumer_duplicate_filter_subjects, 400,
     "consumer cannot have both FilterSubject and FilterSubjects specified"},
    {Err::consumer_multiple_filters_not_allowed, 400,
     "consumer with multiple subject filters cannot use subject based API"},
    {Err::consumer_overlapping_subject_filters, 400, "consumer subject filters cannot overlap"},
    {Err::consumer_empty_filter, 400, "consumer filter in FilterSubjects cannot be empty"},
    {Err::consumer_already_exists, 400, "consumer already exists"},
    {Err::consumer_does_not_exist, 400, "consumer does not exist"},
    {Err::consumer_inactive_threshold_excess, 400,
     "consumer inactive threshold exceeds system limit of {}"},
    {Err::stream_transform_invalid_source, 400, "stream transform source: {}"},
    {Err::stream_transform_invalid_destination, 400, "stream transform: {}"},
    {Err::pedantic, 400, "pedantic mode: {}"},
    {Err::stream_duplicate_message_conflict, 409, "duplicate message id is in process"},
    {Err::consumer_priority_policy_without_group, 400,
     "Setting PriorityPolicy requires at least one PriorityGroup to be set"},
    {Err::consumer_invalid_priority_group, 400,
     "Provided priority group does not exist for this consumer"},
    {Err::consumer_empty_group_name, 400, "Group name cannot be an empty string"},
    {Err::consumer_invalid_group_name, 400,
     "Valid priority group name must match A-Z, a-z, 0-9, -_/=)+ and may not exceed 16 characters"},
    {Err::wrong_last_sequence_constant, 400, "wrong last sequence"},
    {Err::message_ttl_invalid, 400, "invalid per-message TTL"},
    {Err::message_ttl_disabled, 400, "per-message TTL is disabled"},
    {Err::stream_too_many_requests, 429, "too many requests"},
    {Err::message_incr_disabled, 400, "message counters is disabled"},
    {Err::atomic_publish_disabled, 400, "atomic publish is disabled"},
    {Err::consumer_push_with_priority_group, 400,
     "priority groups can not be used with push consumers"},
    {Err::stream_min_last_seq, 412, "min last sequence"},
    {Err::consumer_ack_policy_invalid, 400, "consumer ack policy invalid"},
    {Err::consumer_replay_policy_invalid, 400, "consumer replay policy invalid"},
    {Err::consumer_ack_wait_negative, 400, "consumer ack wait needs to be positive"},
    {Err::consumer_back_off_negative, 400, "consumer backoff needs to be positive"},
    {Err::required_api_level, 412, "JetStream minimum api level required"},
    {Err::message_schedules_disabled, 400, "message schedules is disabled"},
    {Err::stream_expected_last_seq_per_subject_invalid, 400,
     "missing sequence for expected last sequence per subject"},
    {Err::stream_offline_reason, 500, "stream is offline: {}"},
    {Err::consumer_offline_reason, 500, "consumer is offline: {}"},
    {Err::consumer_priority_group_with_policy_none, 400,
     "consumer can not have priority groups when policy is none"},
    {Err::consumer_pinned_ttl_without_priority_policy_none, 400,
     "PinnedTTL cannot be set when PriorityPolicy is none"},
    {Err::consumer_invalid_reset, 400, "invalid reset: {}"},
    {Err::batch_publish_disabled, 400, "batch publish is disabled"},
    {Err::consumer_ack_flow_control_requires_push, 400,
     "flow control ack policy requires a push based consumer"},
    {Err::consumer_ack_flow_control_requires_flow_control, 400,
     "flow control ack policy requires flow control"},
    {Err::consumer_ack_flow_control_requires_max_ack_pending, 400,
     "flow control ack policy requires max ack pending"},
    {Err::consumer_ack_flow_control_requires_no_ack_wait, 400,
     "flow control ack policy requires unset ack wait"},
    {Err::consumer_ack_flow_control_requires_no_max_deliver, 400,
     "flow control ack policy requires unset max deliver"},
};

constexpr std::string_view place = "{}";

const Row& row_of(Err err) {
  const Row* found = std::lower_bound(std::begin(rows), std::end(rows), err,
                                      [](const Row& row, Err wanted) { return row.err < wanted; });
  BASE_ASSERT(found != std::end(rows) && found->err == err);  // every Err has its row
  return *found;
}

// Moves the description up to the next place to `out`, and the text into it.
void fill_place(std::string& out, std::string_view& rest, std::string_view text) {
  const std::size_t at = rest.find(place);
  if (at == std::string_view::npos) return;
  out += rest.substr(0, at);
  out += text;
  rest.remove_prefix(at + place.size());
}

}  // namespace

ApiError api_error(Err err, std::string_view text) {
  return api_error(err, text, {});
}

ApiError api_error(Err err, std::string_view first, std::string_view second) {
  const Row& row = row_of(err);
  ApiError error{.code = row.code, .err_code = static_cast<int>(err), .description = {}};
  std::string_view rest = row.description;
  fill_place(error.description, rest, first);
  fill_place(error.description, rest, second);
  error.description += rest;
  return error;
}

void write_api_error(json::Writer& writer, const ApiError& error) {
  writer.begin_object().member("code", error.code).member("err_code", error.err_code);
  if (!error.description.empty()) writer.member("description", error.description);
  writer.end_object();
}

}  // namespace spanwire::jetstream
