#include "jetstream/api_requests.h"

#include <span>

#include "jetstream/direct_get.h"
#include "jetstream/request_reader.h"

namespace spanwire::jetstream {
namespace {

constexpr Field<PageRequest> offset_field[] = {field<&PageRequest::offset>("offset", "int")};
constexpr Field<PageRequest> subject_field[] = {field<&PageRequest::subject>("subject", "string")};
constexpr Field<PageRequest> detail_fields[] = {
    field<&PageRequest::deleted_details>("deleted_details", "bool"),
    field<&PageRequest::subjects_filter>("subjects_filter", "string")};
constexpr Field<PurgeBody> purge_fields[] = {field<&PurgeBody::seq>("seq", "uint64"),
                                             field<&PurgeBody::filter>("filter", "string"),
                                             field<&PurgeBody::keep>("keep", "uint64")};
constexpr Field<DeleteMessageBody> delete_fields[] = {
    field<&DeleteMessageBody::seq>("seq", "uint64"),
    field<&DeleteMessageBody::no_erase>("no_erase", "bool")};
constexpr Field<PauseBody> pause_fields[] = {
    field<&PauseBody::pause_until>("pause_until", "time.Time")};
constexpr Field<ResetBody> reset_fields[] = {field<&ResetBody::seq>("seq", "uint64")};
constexpr Field<BackupBody> backup_fields[] = {
    field<&BackupBody::deliver_subject>("deliver_subject", "string"),
    field<&BackupBody::no_consumers>("no_consumers", "bool"),
    field<&BackupBody::chunk_size>("chunk_size", "int"),
    field<&BackupBody::window_size>("window_size", "int"),
    field<&BackupBody::check>("jsck", "bool")};
constexpr Field<MessageRequest> message_fields[] = {
    field<&MessageRequest::seq>("seq", "uint64"),
    field<&MessageRequest::last_by_subject>("last_by_subj", "string"),
    field<&MessageRequest::next_by_subject>("next_by_subj", "string"),
    field<&MessageRequest::batch>("batch", "int"),
    field<&MessageRequest::max_bytes>("max_bytes", "int"),
    field<&MessageRequest::start_time>("start_time", "time.Time"),
    field<&MessageRequest::multi_last>("multi_last", "[]string"),
    field<&MessageRequest::up_to_seq>("up_to_seq", "uint64"),
    field<&MessageRequest::up_to_time>("up_to_time", "time.Time"),
    field<&MessageRequest::no_headers>("no_hdr", "bool")};

template <class Body, std::size_t size>
std::optional<ApiError> read_plain(std::string_view body, bool strict, std::string_view type,
                                   const Field<Body> (&fields)[size], Body& out) {
  RequestReader reader(type, strict);
  return read_body(body, reader, [&](RequestReader& its, json::Value root) {
    its.read_members(root, [&](json::Value member) {
      return its.read_field<Body>(std::span<const Field<Body>>(fields), member, out);
    });
  });
}

std::optional<ApiError> read_page(std::string_view body, bool strict, std::string_view type,
                                  std::span<const Field<PageRequest>> more, PageRequest& out) {
  RequestReader reader(type, strict);
  return read_body(body, reader, [&](RequestReader& its, json::Value root) {
    its.read_members(root, [&](json::Value member) {
      return its.read_field<PageRequest>(std::span<const Field<PageRequest>>(offset_field), member,
                                         out, "ApiPagedRequest") ||
             its.read_field<PageRequest>(more, member, out);
    });
  });
}

}  // namespace

std::optional<ApiError> read_stream_names(std::string_view body, bool strict, PageRequest& out) {
  return read_page(body, strict, "JSApiStreamNamesRequest", subject_field, out);
}

std::optional<ApiError> read_stream_list(std::string_view body, bool strict, PageRequest& out) {
  return read_page(body, strict, "JSApiStreamListRequest", subject_field, out);
}

std::optional<ApiError> read_consumers(std::string_view body, bool strict, PageRequest& out) {
  return read_page(body, strict, "JSApiConsumersRequest", {}, out);
}

std::optional<ApiError> read_stream_info(std::string_view body, bool strict, PageRequest& out) {
  return read_page(body, strict, "JSApiStreamInfoRequest", detail_fields, out);
}

std::optional<ApiError> read_purge(std::string_view body, bool strict, PurgeBody& out) {
  return read_plain(body, strict, "JSApiStreamPurgeRequest", purge_fields, out);
}

std::optional<ApiError> read_delete_message(std::string_view body, bool strict,
                                            DeleteMessageBody& out) {
  return read_plain(body, strict, "JSApiMsgDeleteRequest", delete_fields, out);
}

std::optional<ApiError> read_pause(std::string_view body, bool strict, PauseBody& out) {
  return read_plain(body, strict, "JSApiConsumerPauseRequest", pause_fields, out);
}

std::optional<ApiError> read_backup(std::string_view body, bool strict, BackupBody& out) {
  return read_plain(body, strict, "JSApiStreamSnapshotRequest", backup_fields, out);
}

std::optional<ApiError> read_reset(std::string_view body, ResetBody& out) {
  return read_plain(body, false, "JSApiConsumerResetRequest", reset_fields, out);
}

std::optional<ApiError> parse_message_request(std::string_view body, bool strict,
                                              MessageRequest& out) {
  return read_plain(body, strict, "JSApiMsgGetRequest", message_fields, out);
}

}  // namespace spanwire::jetstream
