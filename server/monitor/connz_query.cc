#include "monitor/connz_query.h"

#include <array>
#include <utility>

#include "monitor/page.h"

namespace spanwire::monitor {
namespace {

using Sort = ConnectionSort;

constexpr std::array<std::pair<std::string_view, Sort>, 14> sorts = {{
    {"cid", Sort::cid},
    {"start", Sort::start},
    {"subs", Sort::subscriptions},
    {"pending", Sort::pending},
    {"msgs_to", Sort::messages_to},
    {"msgs_from", Sort::messages_from},
    {"bytes_to", Sort::bytes_to},
    {"bytes_from", Sort::bytes_from},
    {"last", Sort::last},
    {"idle", Sort::idle},
    {"uptime", Sort::uptime},
    {"stop", Sort::stop},
    {"reason", Sort::reason},
    {"rtt", Sort::round_trip},
}};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string text_parameter(const http::Query& query, std::string_view name) {
  return std::string(query.find(name).value_or(std::string_view()));
}

base::Status read_state(const http::Query& query, ConnzQuery& out) {
  const std::string state = lower(text_parameter(query, "state"));
  out.open = state.empty() || state == "open" || state == "any" || state == "all";
  out.closed = state == "closed" || state == "any" || state == "all";
  if (!out.open && !out.closed) return base::fail("the parameter state is open, closed or any");
  return {};
}

base::Status read_sort(const http::Query& query, ConnzQuery& out) {
  const std::string name = text_parameter(query, "sort");
  bool known = name.empty();
  for (const auto& [each, sort] : sorts) {
    if (each != name) continue;
    out.sort = sort;
    known = true;
  }
  if (!known) return base::fail("the parameter sort names no order");
  const bool of_closed = out.sort == Sort::stop || out.sort == Sort::reason;
  if (of_closed && out.open) return base::fail("only closed connections have that order");
  return {};
}

base::Status read_style(const http::Query& query, ConnzQuery& out) {
  const auto auth = flag_parameter(query, "auth");
  if (!auth) return tl::unexpected(auth.error());
  out.style.auth = *auth;
  if (lower(text_parameter(query, "subs")) == "detail") {
    out.style.list = ListStyle::detail;
    return {};
  }
  const auto subjects = flag_parameter(query, "subs");
  if (!subjects) return tl::unexpected(subjects.error());
  if (*subjects) out.style.list = ListStyle::subjects;
  return {};
}

base::Status read_window(const http::Query& query, ConnzQuery& out) {
  const auto offset = number_parameter(query, "offset");
  const auto limit = number_parameter(query, "limit");
  const auto cid = number_parameter(query, "cid");
  for (const auto* read : {&offset, &limit, &cid}) {
    if (!*read) return tl::unexpected(read->error());
  }
  if (*cid < 0) return base::fail("the parameter cid is negative");
  if (*offset > 0) out.offset = static_cast<std::size_t>(*offset);
  if (*limit > 0) out.limit = static_cast<std::size_t>(*limit);
  out.cid = static_cast<std::uint64_t>(*cid);
  if (out.cid != 0) out.limit = 1;
  return {};
}

std::int64_t number_of(base::WallTime time) {
  return time.time_since_epoch().count();
}

}  // namespace

bool ConnzQuery::matches(const ConnectionRow& row) const {
  return (cid == 0 || row.cid == cid) && (user.empty() || row.user == user) &&
         (account.empty() || row.account == account) &&
         (mqtt_client.empty() || (row.wire == "mqtt" && row.name == mqtt_client));
}

base::Result<ConnzQuery> read_connz_query(const http::Query& query) {
  ConnzQuery out;
  for (const auto& read : {read_state, read_sort, read_style, read_window}) {
    if (const auto status = read(query, out); !status) return tl::unexpected(status.error());
  }
  out.user = text_parameter(query, "user");
  out.account = text_parameter(query, "acc");
  out.mqtt_client = text_parameter(query, "mqtt_client");
  return out;
}

ConnectionKey key_of(const ConnectionRow& row, ConnectionSort sort, base::WallTime now) {
  ConnectionKey key{.cid = row.cid};
  const base::WallTime end = row.end(now);
  const auto set = [&key](auto number) { key.number = static_cast<std::int64_t>(number); };
  switch (sort) {
    case Sort::cid:
      break;
    case Sort::start:
      set(number_of(row.start));
      break;
    case Sort::subscriptions:
      set(row.subscriptions);
      break;
    case Sort::pending:
      set(row.pending_bytes);
      break;
    case Sort::messages_to:
      set(row.out_messages);
      break;
    case Sort::messages_from:
      set(row.in_messages);
      break;
    case Sort::bytes_to:
      set(row.out_bytes);
      break;
    case Sort::bytes_from:
      set(row.in_bytes);
      break;
    case Sort::last:
      set(number_of(row.last_activity));
      break;
    case Sort::idle:
      set((end - row.last_activity).count());
      break;
    case Sort::uptime:
      set((end - row.start).count());
      break;
    case Sort::stop:
      set(number_of(row.stop));
      break;
    case Sort::reason:
      key.text = row.reason;
      break;
    case Sort::round_trip:
      set(row.round_trip.count());
      break;
  }
  return key;
}

bool comes_before(const ConnectionKey& a, const ConnectionKey& b, ConnectionSort sort) {
  const bool smallest_first = sort == Sort::start || sort == Sort::uptime;
  if (a.number != b.number) return (a.number < b.number) == smallest_first;
  if (a.text != b.text) return a.text < b.text;
  return a.cid < b.cid;
}

}  // namespace spanwire::monitor
