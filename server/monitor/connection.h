// A connection as the pages show it: read on its loop, written anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "bus/interest.h"
#include "json/writer.h"
#include "session/peer.h"
#include "session/session.h"

namespace spanwire::monitor {

struct SubscriptionRow {
  std::uint64_t cid = 0;
  std::string account;
  std::string subject;
  std::string queue;
  std::string sid;
  std::uint64_t messages = 0;
  std::uint64_t limit = 0;  // 0: none
};

struct ConnectionRow {
  std::uint64_t cid = 0;
  std::string wire;
  std::string ip;
  std::uint16_t port = 0;
  base::WallTime start{};
  base::WallTime last_activity{};
  base::WallTime stop{};    // of one that is closed
  std::string_view reason;  // static storage; empty while it is open
  base::Duration round_trip{};
  std::size_t pending_bytes = 0;
  std::uint64_t in_messages = 0, in_bytes = 0, out_messages = 0, out_bytes = 0;
  std::size_t subscriptions = 0;
  std::string name;
  std::string lang;
  std::string version;
  std::string user;
  std::string account;
  std::vector<SubscriptionRow> list;  // of its subscriptions, where that was asked for
  bool list_is_cut = false;

  base::WallTime end(base::WallTime now) const { return reason.empty() ? now : stop; }
};

// On the loop of both; the peer has a session.
ConnectionRow read_connection(const session::Peer& peer);
SubscriptionRow read_subscription(const session::Peer& peer, const bus::Subscription& subscription);

enum class ListStyle : std::uint8_t { none, subjects, detail };
struct ConnectionStyle {
  ListStyle list = ListStyle::none;
  bool auth = false;  // the user and the account
};

void write_connection(json::Writer& json, const ConnectionRow& row, base::WallTime now,
                      const ConnectionStyle& style);
// With the account where it stands alone, not below its connection.
void write_subscription(json::Writer& json, const SubscriptionRow& row, bool with_account);

}  // namespace spanwire::monitor
