#include "monitor/connection.h"

#include <charconv>

#include "account/account.h"
#include "bus/port.h"
#include "monitor/page.h"

namespace spanwire::monitor {
namespace {

std::uint16_t port_of(std::string_view remote) {
  std::uint16_t port = 0;
  const char* const end = remote.data() + remote.size();
  std::from_chars(remote.data() + remote.rfind(':') + 1, end, port);
  return port;
}

void write_list(json::Writer& json, const ConnectionRow& row, ListStyle style) {
  if (style == ListStyle::none || row.list.empty()) return;
  if (style == ListStyle::detail) {
    json.key("subscriptions_list_detail").begin_array();
    for (const SubscriptionRow& each : row.list) write_subscription(json, each, false);
  } else {
    json.key("subscriptions_list").begin_array();
    for (const SubscriptionRow& each : row.list) json.value(each.subject);
  }
  json.end_array();
  if (row.list_is_cut) json.member("subscriptions_list_is_cut", true);
}

}  // namespace

ConnectionRow read_connection(const session::Peer& peer) {
  ConnectionRow row;
  session::Description about = peer.session()->describe();
  row.cid = peer.id();
  row.wire = std::move(about.kind);
  row.ip = peer.remote_host();
  row.port = port_of(peer.remote());
  row.start = peer.start_time();
  row.last_activity = peer.last_activity();
  row.round_trip = about.round_trip.value_or(base::Duration{});
  row.pending_bytes = peer.pending_bytes();
  row.name = std::move(about.name);
  row.lang = std::move(about.lang);
  row.version = std::move(about.version);
  row.user = std::move(about.user);
  if (about.port == nullptr) return row;
  const bus::Traffic& traffic = about.port->traffic();
  row.in_messages = traffic.in_messages.get();
  row.in_bytes = traffic.in_bytes.get();
  row.out_messages = traffic.out_messages.get();
  row.out_bytes = traffic.out_bytes.get();
  row.subscriptions = about.port->subscriptions();
  row.account = about.port->principal().account->name;
  return row;
}

SubscriptionRow read_subscription(const session::Peer& peer,
                                  const bus::Subscription& subscription) {
  // The entry stands as long as this subscription, and its filter never changes.
  return {.cid = peer.id(),
          .account = subscription.port->principal().account->name,
          .subject = subscription.entry->filter().to_string(),
          .queue = subscription.group == nullptr ? std::string() : subscription.group->name,
          .sid = peer.session()->subscription_name(subscription.tag),
          .messages = subscription.delivered,
          .limit = subscription.limit};
}

void write_connection(json::Writer& json, const ConnectionRow& row, base::WallTime now,
                      const ConnectionStyle& style) {
  const base::WallTime end = row.end(now);
  json.begin_object().member("cid", row.cid).member("kind", "Client").member("type", row.wire);
  json.member("ip", row.ip).member("port", row.port);
  json.member("start", row.start).member("last_activity", row.last_activity);
  if (!row.reason.empty()) json.member("stop", row.stop).member("reason", row.reason);
  json.member("rtt", duration_text(row.round_trip));
  json.member("uptime", uptime_text(end - row.start));
  json.member("idle", uptime_text(end - row.last_activity));
  json.member("pending_bytes", row.pending_bytes);
  json.member("in_msgs", row.in_messages).member("out_msgs", row.out_messages);
  json.member("in_bytes", row.in_bytes).member("out_bytes", row.out_bytes);
  json.member("subscriptions", row.subscriptions);
  if (!row.name.empty()) json.member("name", row.name);
  if (!row.lang.empty()) json.member("lang", row.lang);
  if (!row.version.empty()) json.member("version", row.version);
  if (style.auth && !row.user.empty()) json.member("authorized_user", row.user);
  if (style.auth && row.account != account::global_account_name && !row.account.empty()) {
    json.member("account", row.account);
  }
  write_list(json, row, style.list);
  if (style.auth && !row.account.empty()) json.member("name_tag", row.account);
  if (row.wire == "mqtt" && !row.name.empty()) json.member("mqtt_client", row.name);
  json.end_object();
}

void write_subscription(json::Writer& json, const SubscriptionRow& row, bool with_account) {
  json.begin_object();
  if (with_account) json.member("account", row.account).member("account_tag", row.account);
  json.member("subject", row.subject);
  if (!row.queue.empty()) json.member("qgroup", row.queue);
  json.member("sid", row.sid).member("msgs", row.messages);
  if (row.limit != 0) json.member("max", row.limit);
  json.member("cid", row.cid).end_object();
}

}  // namespace spanwire::monitor
