// What a request for /connz asks for.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "http/uri.h"
#include "monitor/connection.h"

namespace spanwire::monitor {

enum class ConnectionSort : std::uint8_t {
  cid,
  start,
  subscriptions,
  pending,
  messages_to,
  messages_from,
  bytes_to,
  bytes_from,
  last,
  idle,
  uptime,
  stop,
  reason,
  round_trip,
};

struct ConnzQuery {
  static constexpr std::size_t default_limit = 1024;

  ConnectionSort sort = ConnectionSort::cid;
  ConnectionStyle style;
  bool open = true;
  bool closed = false;
  std::size_t offset = 0;
  std::size_t limit = default_limit;
  // Only those with: 0 or empty is any.
  std::uint64_t cid = 0;
  std::string user;
  std::string account;
  std::string mqtt_client;

  bool by_description() const { return !user.empty() || !account.empty() || !mqtt_client.empty(); }
  bool matches(const ConnectionRow& row) const;
};

// The error names the parameter that is wrong.
base::Result<ConnzQuery> read_connz_query(const http::Query& query);

// Where a connection stands among others.
struct ConnectionKey {
  std::int64_t number = 0;
  std::string_view text;  // static storage
  std::uint64_t cid = 0;
};

ConnectionKey key_of(const ConnectionRow& row, ConnectionSort sort, base::WallTime now);
// Whether `a` comes first: the order that nats-server has for each sort, of equal ones the older.
bool comes_before(const ConnectionKey& a, const ConnectionKey& b, ConnectionSort sort);

}  // namespace spanwire::monitor
