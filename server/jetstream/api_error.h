// The errors of the JetStream API: a number that clients switch on, an HTTP-like code, and a text
// that people and some clients read. All three are nats-server's, for those that one server gives.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "json/writer.h"

namespace spanwire::jetstream {

struct ApiError {
  int code = 0;      // as HTTP has them: 400, 404, 503, …
  int err_code = 0;  // what clients switch on: the value of an Err
  std::string description;

  friend bool operator==(const ApiError&, const ApiError&) = default;
};

// By its err_code.
enum class Err : std::uint16_t {
  account_resources_exceeded = 10002,
  bad_request = 10003,
  cluster_required = 10010,
  consumer_create = 10012,
  consumer_name_exists = 10013,
  consumer_not_found = 10014,
  snapshot_deliver_subject_invalid = 10015,
  consumer_durable_name_not_in_subject = 10016,
  consumer_durable_name_not_match_subject = 10017,
  consumer_durable_name_not_set = 10018,
  consumer_ephemeral_with_durable_name = 10020,
  insufficient_resources = 10023,
  invalid_json = 10025,
  maximum_consumers_limit = 10026,
  maximum_streams_limit = 10027,
  memory_resources_exceeded = 10028,
  no_account = 10035,
  no_message_found = 10037,
  not_empty_request = 10038,
  not_enabled_for_account = 10039,
  restore_subscribe_failed = 10042,
  sequence_not_found = 10043,
  storage_resources_exceeded = 10047,
  stream_create = 10049,
  stream_delete = 10050,
  stream_general = 10051,
  stream_invalid_config = 10052,
  stream_limits = 10053,
  stream_message_exceeds_maximum = 10054,
  stream_mismatch = 10056,
  stream_msg_delete_failed = 10057,
  stream_name_exists = 10058,
  stream_not_found = 10059,
  expected_stream_mismatch = 10060,
  stream_restore = 10062,
  stream_snapshot = 10064,
  stream_subject_overlap = 10065,
  stream_update = 10069,
  wrong_last_msg_id = 10070,
  wrong_last_sequence = 10071,
  temp_storage_failed = 10072,
  stream_replicas_not_supported = 10074,
  not_enabled = 10076,
  stream_store_failed = 10077,
  consumer_config_required = 10078,
  consumer_deliver_to_wildcards = 10079,
  consumer_push_max_waiting = 10080,
  consumer_deliver_cycle = 10081,
  consumer_max_pending_ack_policy_required = 10082,
  consumer_small_heartbeat = 10083,
  consumer_pull_requires_ack = 10084,
  consumer_pull_with_rate_limit = 10086,
  consumer_max_waiting_negative = 10087,
  consumer_heartbeat_requires_push = 10088,
  consumer_flow_control_requires_push = 10089,
  consumer_direct_requires_push = 10090,
  consumer_direct_requires_ephemeral = 10091,
  consumer_filter_not_subset = 10093,
  consumer_invalid_policy = 10094,
  consumer_invalid_sampling = 10095,
  stream_invalid = 10096,
  stream_header_exceeds_maximum = 10097,
  consumer_work_queue_requires_explicit_ack = 10098,
  consumer_work_queue_multiple_unfiltered = 10099,
  consumer_work_queue_not_unique = 10100,
  consumer_work_queue_not_deliver_all = 10101,
  consumer_name_too_long = 10102,
  consumer_bad_durable_name = 10103,
  consumer_store_failed = 10104,
  consumer_description_too_long = 10107,
  consumer_with_flow_control_needs_heartbeats = 10108,
  stream_sealed = 10109,
  stream_purge_failed = 10110,
  stream_rollup_failed = 10111,
  consumer_invalid_deliver_subject = 10112,
  stream_max_bytes_required = 10113,
  consumer_max_request_batch_negative = 10114,
  consumer_max_request_expires_too_small = 10115,
  consumer_max_deliver_backoff = 10116,
  stream_info_max_subjects = 10117,
  no_limits = 10120,
  consumer_max_pending_ack_excess = 10121,
  stream_max_stream_bytes_exceeded = 10122,
  consumer_max_request_batch_exceeded = 10125,
  consumer_name_contains_path_separators = 10127,
  stream_name_contains_path_separators = 10128,
  stream_name_exists_restore_failed = 10130,
  consumer_create_filter_subject_mismatch = 10131,
  consumer_create_durable_and_name_mismatch = 10132,
  replicas_count_cannot_be_negative = 10133,
  consumer_metadata_length = 10135,
  consumer_duplicate_filter_subjects = 10136,
  consumer_multiple_filters_not_allowed = 10137,
  consumer_overlapping_subject_filters = 10138,
  consumer_empty_filter = 10139,
  consumer_already_exists = 10148,
  consumer_does_not_exist = 10149,
  consumer_inactive_threshold_excess = 10153,
  stream_transform_invalid_source = 10155,
  stream_transform_invalid_destination = 10156,
  pedantic = 10157,
  stream_duplicate_message_conflict = 10158,
  consumer_priority_policy_without_group = 10159,
  consumer_invalid_priority_group = 10160,
  consumer_empty_group_name = 10161,
  consumer_invalid_group_name = 10162,
  wrong_last_sequence_constant = 10164,
  message_ttl_invalid = 10165,
  message_ttl_disabled = 10166,
  stream_too_many_requests = 10167,
  message_incr_disabled = 10168,
  atomic_publish_disabled = 10174,
  consumer_push_with_priority_group = 10178,
  stream_min_last_seq = 10180,
  consumer_ack_policy_invalid = 10181,
  consumer_replay_policy_invalid = 10182,
  consumer_ack_wait_negative = 10183,
  consumer_back_off_negative = 10184,
  required_api_level = 10185,
  message_schedules_disabled = 10188,
  stream_expected_last_seq_per_subject_invalid = 10193,
  stream_offline_reason = 10194,
  consumer_offline_reason = 10195,
  consumer_priority_group_with_policy_none = 10196,
  consumer_pinned_ttl_without_priority_policy_none = 10197,
  consumer_invalid_reset = 10204,
  batch_publish_disabled = 10205,
  consumer_ack_flow_control_requires_push = 10218,
  consumer_ack_flow_control_requires_flow_control = 10219,
  consumer_ack_flow_control_requires_max_ack_pending = 10220,
  consumer_ack_flow_control_requires_no_ack_wait = 10221,
  consumer_ack_flow_control_requires_no_max_deliver = 10222,
};

// The error with its text. `text` stands where the description has a place for it, as in "wrong
// last sequence: {seq}"; where a description is only such a place it is the whole of it.
ApiError api_error(Err err, std::string_view text = {});
// For the one with two places.
ApiError api_error(Err err, std::string_view first, std::string_view second);
template <std::integral Number>
ApiError api_error(Err err, Number number) {
  return api_error(err, std::string_view(std::to_string(number)));
}

// {"code":404,"err_code":10059,"description":"stream not found"}
void write_api_error(json::Writer& writer, const ApiError& error);

}  // namespace spanwire::jetstream
