#include "config/reference_keys.h"

#include <algorithm>
#include <array>

namespace spanwire::config {
namespace {

template <std::size_t count>
constexpr ReferenceBlock block_of(const std::array<ReferenceKey, count>& keys) {
  return {.keys = keys};
}

constexpr auto ocsp_peer_keys = std::to_array<ReferenceKey>({
    {"verify"},
    {"ca_timeout"},
    {"allowed_clockskew"},
    {"warn_only"},
    {"unknown_is_good"},
    {"allow_when_ca_unreachable"},
    {"cache_ttl_when_next_update_unset"},
});
constexpr ReferenceBlock ocsp_peer = block_of(ocsp_peer_keys);

constexpr auto certificate_keys = std::to_array<ReferenceKey>({{"cert_file"}, {"key_file"}});
constexpr ReferenceBlock certificate = block_of(certificate_keys);

constexpr auto tls_keys = std::to_array<ReferenceKey>({
    {"cert_file"},
    {"key_file"},
    {"ca_file"},
    {"insecure"},
    {"verify"},
    {"verify_and_map"},
    {"verify_cert_and_check_known_urls"},
    {"allow_insecure_cipher_suites"},
    {"cipher_suites"},
    {"curve_preferences"},
    {"timeout"},
    {"connection_rate_limit"},
    {"pinned_certs"},
    {"cert_store"},
    {"cert_match_by"},
    {"cert_match"},
    {"ca_certs_match"},
    {"cert_match_skip_invalid"},
    {"handshake_first first immediate"},
    {"ocsp_peer", &ocsp_peer},
    {"certs certificates", &certificate},
    {"min_version"},
});
constexpr ReferenceBlock tls = block_of(tls_keys);

constexpr auto subject_permission_keys = std::to_array<ReferenceKey>({{"allow"}, {"deny"}});
constexpr ReferenceBlock subject_permission = block_of(subject_permission_keys);

constexpr auto allow_responses_keys = std::to_array<ReferenceKey>({
    {"max max_msgs max_messages max_responses"},
    {"expires expiration ttl"},
});
constexpr ReferenceBlock allow_responses = block_of(allow_responses_keys);

constexpr auto permissions_keys = std::to_array<ReferenceKey>({
    {"pub publish import", &subject_permission},
    {"sub subscribe export", &subject_permission},
    {"publish_allow_responses allow_responses", &allow_responses},
});
constexpr ReferenceBlock permissions = block_of(permissions_keys);

constexpr auto user_keys = std::to_array<ReferenceKey>({
    {"nkey"},
    {"user username"},
    {"pass password"},
    {"permission permissions authorization", &permissions},
    {"allowed_connection_types connection_types clients"},
    {"proxy_required"},
});
constexpr ReferenceBlock user = block_of(user_keys);

constexpr auto auth_callout_keys = std::to_array<ReferenceKey>({
    {"issuer"},
    {"account acc"},
    {"auth_users users"},
    {"xkey key"},
    {"allowed_accounts"},
});
constexpr ReferenceBlock auth_callout = block_of(auth_callout_keys);

constexpr auto authorization_keys = std::to_array<ReferenceKey>({
    {"user username"},
    {"pass password"},
    {"token"},
    {"timeout"},
    {"users", &user},
    {"default_permission default_permissions permissions", &permissions},
    {"auth_callout auth_hook", &auth_callout},
    {"proxy_required"},
});
constexpr ReferenceBlock authorization = block_of(authorization_keys);

constexpr auto simple_authorization_keys = std::to_array<ReferenceKey>({
    {"user username"},
    {"pass password"},
    {"token"},
    {"timeout"},
});
constexpr ReferenceBlock simple_authorization = block_of(simple_authorization_keys);

constexpr auto compression_keys =
    std::to_array<ReferenceKey>({{"mode"}, {"rtt_thresholds thresholds rtts rtt"}});
constexpr ReferenceBlock compression = block_of(compression_keys);

constexpr auto cluster_keys = std::to_array<ReferenceKey>({
    {"name"},
    {"listen"},
    {"port"},
    {"host net"},
    {"authorization", &authorization},
    {"routes"},
    {"tls", &tls},
    {"cluster_advertise advertise"},
    {"no_advertise"},
    {"connect_retries"},
    {"connect_backoff"},
    {"permissions", &permissions},
    {"pool_size"},
    {"accounts"},
    {"compression", &compression},
    {"ping_interval"},
    {"ping_max"},
    {"write_deadline"},
    {"write_timeout"},
});
constexpr ReferenceBlock cluster = block_of(cluster_keys);

constexpr auto remote_gateway_keys =
    std::to_array<ReferenceKey>({{"name"}, {"tls", &tls}, {"url"}, {"urls"}});
constexpr ReferenceBlock remote_gateway = block_of(remote_gateway_keys);

constexpr auto gateway_keys = std::to_array<ReferenceKey>({
    {"name"},
    {"listen"},
    {"port"},
    {"host net"},
    {"authorization", &authorization},
    {"tls", &tls},
    {"advertise"},
    {"connect_retries"},
    {"connect_backoff"},
    {"gateways", &remote_gateway},
    {"reject_unknown reject_unknown_cluster"},
    {"write_deadline"},
    {"write_timeout"},
});
constexpr ReferenceBlock gateway = block_of(gateway_keys);

constexpr auto leaf_user_keys = std::to_array<ReferenceKey>({
    {"user username"},
    {"pass password"},
    {"account"},
    {"proxy_required"},
});
constexpr ReferenceBlock leaf_user = block_of(leaf_user_keys);

constexpr auto leaf_authorization_keys = std::to_array<ReferenceKey>({
    {"user username"},
    {"pass password"},
    {"nkey"},
    {"timeout"},
    {"users", &leaf_user},
    {"account"},
    {"proxy_required"},
});
constexpr ReferenceBlock leaf_authorization = block_of(leaf_authorization_keys);

constexpr auto leaf_proxy_keys =
    std::to_array<ReferenceKey>({{"url"}, {"username"}, {"password"}, {"timeout"}});
constexpr ReferenceBlock leaf_proxy = block_of(leaf_proxy_keys);

constexpr auto cluster_migrate_keys = std::to_array<ReferenceKey>({{"leader_migrate_delay"}});
constexpr ReferenceBlock cluster_migrate = block_of(cluster_migrate_keys);

constexpr auto leaf_remote_keys = std::to_array<ReferenceKey>({
    {"no_randomize dont_randomize"},
    {"url urls"},
    {"account local"},
    {"creds credentials"},
    {"nkey seed"},
    {"tls", &tls},
    {"hub"},
    {"deny_imports deny_import"},
    {"deny_exports deny_export"},
    {"ws_compress ws_compression websocket_compress websocket_compression"},
    {"ws_no_masking websocket_no_masking"},
    {"jetstream_cluster_migrate js_cluster_migrate", &cluster_migrate},
    {"isolate_leafnode_interest isolate"},
    {"request_isolation"},
    {"compression", &compression},
    {"first_info_timeout"},
    {"dial_timeout"},
    {"disabled"},
    {"proxy", &leaf_proxy},
    {"ignore_discovered_servers"},
});
constexpr ReferenceBlock leaf_remote = block_of(leaf_remote_keys);

constexpr auto leafnodes_keys = std::to_array<ReferenceKey>({
    {"listen"},
    {"port"},
    {"host net"},
    {"authorization", &leaf_authorization},
    {"remotes", &leaf_remote},
    {"reconnect reconnect_delay reconnect_interval"},
    {"dial_timeout"},
    {"tls", &tls},
    {"leafnode_advertise advertise"},
    {"no_advertise"},
    {"min_version minimum_version"},
    {"compression", &compression},
    {"isolate_leafnode_interest isolate"},
    {"write_deadline"},
    {"write_timeout"},
});
constexpr ReferenceBlock leafnodes = block_of(leafnodes_keys);

constexpr auto jetstream_batch_keys = std::to_array<ReferenceKey>({
    {"max_inflight_per_stream"},
    {"max_inflight_total"},
    {"max_msgs"},
    {"timeout"},
});
constexpr ReferenceBlock jetstream_batch = block_of(jetstream_batch_keys);

constexpr auto jetstream_limits_keys = std::to_array<ReferenceKey>({
    {"max_ack_pending"},
    {"max_ha_assets"},
    {"max_request_batch"},
    {"duplicate_window"},
    {"batch", &jetstream_batch},
});
constexpr ReferenceBlock jetstream_limits = block_of(jetstream_limits_keys);

constexpr auto jetstream_tpm_keys = std::to_array<ReferenceKey>({
    {"keys_file"},
    {"encryption_password"},
    {"srk_password"},
    {"pcr"},
    {"cipher"},
});
constexpr ReferenceBlock jetstream_tpm = block_of(jetstream_tpm_keys);

constexpr auto jetstream_keys = std::to_array<ReferenceKey>({
    {"enabled enable"},
    {"strict"},
    {"store store_dir storedir"},
    {"sync sync_interval"},
    {"max_memory_store max_mem_store max_mem"},
    {"max_file_store max_file"},
    {"domain"},
    {"key ek encryption_key"},
    {"prev_key prev_ek prev_encryption_key"},
    {"cipher"},
    {"extension_hint"},
    {"limits", &jetstream_limits},
    {"tpm", &jetstream_tpm},
    {"unique_tag"},
    {"max_outstanding_catchup"},
    {"max_buffered_size"},
    {"max_buffered_msgs"},
    {"request_queue_limit"},
    {"info_queue_limit"},
    {"meta_compact"},
    {"meta_compact_size"},
    {"meta_compact_sync"},
    {"max_concurrent_io"},
});
constexpr ReferenceBlock jetstream = block_of(jetstream_keys);

constexpr auto account_jetstream_keys = std::to_array<ReferenceKey>({
    {"max_memory max_mem mem memory"},
    {"max_store max_file max_disk store disk"},
    {"max_streams streams"},
    {"max_consumers consumers"},
    {"max_bytes_required max_stream_bytes max_bytes"},
    {"mem_max_stream_bytes memory_max_stream_bytes"},
    {"disk_max_stream_bytes store_max_stream_bytes"},
    {"max_ack_pending"},
    {"cluster_traffic"},
});
constexpr ReferenceBlock account_jetstream = block_of(account_jetstream_keys);

constexpr auto account_limits_keys = std::to_array<ReferenceKey>({
    {"max_connections max_conn"},
    {"max_subscriptions max_subs"},
    {"max_payload max_pay"},
    {"max_leafnodes max_leafs"},
});
constexpr ReferenceBlock account_limits = block_of(account_limits_keys);

constexpr auto message_trace_keys = std::to_array<ReferenceKey>({{"dest"}, {"sampling"}});
constexpr ReferenceBlock message_trace = block_of(message_trace_keys);

constexpr auto mapping_keys = std::to_array<ReferenceKey>({
    {"dest destination"},
    {"weight"},
    {"cluster"},
});
constexpr ReferenceBlock mapping = block_of(mapping_keys);
constexpr ReferenceBlock mappings{.keys = {}, .each = &mapping};

constexpr auto foreign_subject_keys = std::to_array<ReferenceKey>({{"account"}, {"subject"}});
constexpr ReferenceBlock foreign_subject = block_of(foreign_subject_keys);

constexpr auto latency_keys = std::to_array<ReferenceKey>({{"sampling"}, {"subject"}});
constexpr ReferenceBlock latency = block_of(latency_keys);

constexpr auto export_keys = std::to_array<ReferenceKey>({
    {"stream"},
    {"service"},
    {"response response_type"},
    {"threshold response_threshold response_max_time response_time"},
    {"accounts"},
    {"latency", &latency},
    {"account_token_position"},
    {"allow_trace"},
});
constexpr ReferenceBlock account_export = block_of(export_keys);

constexpr auto import_keys = std::to_array<ReferenceKey>({
    {"stream", &foreign_subject},
    {"service", &foreign_subject},
    {"prefix"},
    {"to"},
    {"share"},
    {"allow_trace"},
});
constexpr ReferenceBlock account_import = block_of(import_keys);

constexpr auto account_keys = std::to_array<ReferenceKey>({
    {"nkey"},
    {"imports", &account_import},
    {"exports", &account_export},
    {"jetstream", &account_jetstream},
    {"users", &user},
    {"default_permissions", &permissions},
    {"mappings maps", &mappings},
    {"limits", &account_limits},
    {"msg_trace trace_dest", &message_trace},
});
constexpr ReferenceBlock account = block_of(account_keys);
constexpr ReferenceBlock accounts{.keys = {}, .each = &account};

constexpr auto websocket_keys = std::to_array<ReferenceKey>({
    {"listen"},
    {"port"},
    {"host net"},
    {"advertise"},
    {"no_tls"},
    {"tls", &tls},
    {"same_origin"},
    {"allowed_origins allowed_origin allow_origins allow_origin origins origin"},
    {"handshake_timeout"},
    {"compress compression"},
    {"authorization authentication", &simple_authorization},
    {"jwt_cookie"},
    {"user_cookie"},
    {"pass_cookie"},
    {"token_cookie"},
    {"no_auth_user"},
    {"headers"},
    {"ping_interval"},
});
constexpr ReferenceBlock websocket = block_of(websocket_keys);

constexpr auto mqtt_keys = std::to_array<ReferenceKey>({
    {"listen"},
    {"port"},
    {"host net"},
    {"tls", &tls},
    {"authorization authentication", &simple_authorization},
    {"no_auth_user"},
    {"ack_wait ackwait"},
    {"js_api_timeout api_timeout"},
    {"max_ack_pending max_pending max_inflight"},
    {"js_domain"},
    {"stream_replicas"},
    {"consumer_replicas"},
    {"consumer_memory_storage"},
    {"consumer_inactive_threshold consumer_auto_cleanup"},
    {"reject_qos2_publish"},
    {"downgrade_qos2_subscribe"},
});
constexpr ReferenceBlock mqtt = block_of(mqtt_keys);

constexpr auto ocsp_keys = std::to_array<ReferenceKey>({{"mode"}, {"urls"}, {"url"}});
constexpr ReferenceBlock ocsp = block_of(ocsp_keys);

constexpr auto ocsp_cache_keys = std::to_array<ReferenceKey>({
    {"type"},
    {"local_store"},
    {"preserve_revoked"},
    {"save_interval"},
});
constexpr ReferenceBlock ocsp_cache = block_of(ocsp_cache_keys);

constexpr auto resolver_keys = std::to_array<ReferenceKey>({
    {"dir"},
    {"type"},
    {"allow_delete"},
    {"hard_delete"},
    {"limit"},
    {"ttl"},
    {"interval"},
    {"timeout"},
});
constexpr ReferenceBlock resolver = block_of(resolver_keys);

constexpr auto trusted_proxy_keys = std::to_array<ReferenceKey>({{"key public_key"}});
constexpr ReferenceBlock trusted_proxy = block_of(trusted_proxy_keys);
constexpr auto proxies_keys = std::to_array<ReferenceKey>({{"trusted", &trusted_proxy}});
constexpr ReferenceBlock proxies = block_of(proxies_keys);

constexpr auto top_keys = std::to_array<ReferenceKey>({
    {"listen"},
    {"client_advertise"},
    {"port"},
    {"server_name"},
    {"host net"},
    {"debug"},
    {"trace"},
    {"trace_verbose"},
    {"trace_headers"},
    {"logtime"},
    {"logtime_utc"},
    {"mappings maps", &mappings},
    {"disable_sublist_cache no_sublist_cache"},
    {"accounts", &accounts},
    {"default_sentinel"},
    {"authorization", &authorization},
    {"http"},
    {"https"},
    {"http_port monitor_port"},
    {"https_port"},
    {"http_base_path"},
    {"cluster", &cluster},
    {"gateway", &gateway},
    {"leaf leafnodes", &leafnodes},
    {"store_dir storedir"},
    {"jetstream", &jetstream},
    {"logfile log_file"},
    {"logfile_size_limit log_size_limit"},
    {"logfile_max_num log_max_num"},
    {"syslog"},
    {"remote_syslog"},
    {"pidfile pid_file"},
    {"ports_file_dir"},
    {"prof_port"},
    {"prof_block_rate"},
    {"max_control_line"},
    {"max_payload"},
    {"max_pending"},
    {"proxy_protocol"},
    {"max_connections max_conn"},
    {"max_traced_msg_len"},
    {"max_subscriptions max_subs"},
    {"max_sub_tokens max_subscription_tokens"},
    {"ping_interval"},
    {"ping_max"},
    {"tls", &tls},
    {"ocsp", &ocsp},
    {"allow_non_tls"},
    {"write_deadline"},
    {"write_timeout"},
    {"lame_duck_duration"},
    {"lame_duck_grace_period"},
    {"operator operators roots root root_operators root_operator"},
    {"resolver account_resolver accounts_resolver", &resolver},
    {"resolver_tls", &tls},
    {"resolver_preload"},
    {"resolver_pinned_accounts"},
    {"no_auth_user"},
    {"system_account system"},
    {"no_system_account no_system no_sys_acc"},
    {"no_header_support"},
    {"trusted trusted_keys"},
    {"connect_error_reports"},
    {"reconnect_error_reports"},
    {"websocket ws", &websocket},
    {"mqtt", &mqtt},
    {"server_tags"},
    {"server_metadata"},
    {"feature_flags"},
    {"default_js_domain"},
    {"ocsp_cache", &ocsp_cache},
    {"no_fast_producer_stall"},
    {"max_closed_clients"},
    {"proxies", &proxies},
});
constexpr ReferenceBlock top = block_of(top_keys);

bool has_name(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(' '), names.size());
    if (names.substr(0, end) == name) return true;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return false;
}

}  // namespace

const ReferenceBlock& reference_keys() {
  return top;
}

const ReferenceKey* find(const ReferenceBlock& block, std::string_view name) {
  const auto found =
      std::find_if(block.keys.begin(), block.keys.end(),
                   [&](const ReferenceKey& key) { return has_name(key.names, name); });
  return found == block.keys.end() ? nullptr : &*found;
}

}  // namespace spanwire::config
