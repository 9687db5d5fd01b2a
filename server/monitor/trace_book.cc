#include "monitor/trace_book.h"

#include <fmt/format.h>

#include <algorithm>

#include "monitor/page.h"

namespace spanwire::monitor {
namespace {

template <class T>
bool contains(const std::vector<T>& all, const T& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

template <class T>
bool has_room(const std::vector<T>& all, const std::optional<T>& one) {
  return !one || contains(all, *one) || all.size() < TraceBook::max_entries;
}

template <class T>
void change(std::vector<T>& all, const std::optional<T>& one, bool add) {
  if (!one) return;
  std::erase(all, *one);
  if (add) all.push_back(*one);
}

}  // namespace

base::Result<TraceChange> read_trace_change(http::Method method, const http::Query& query) {
  TraceChange change;
  if (method == http::Method::get || method == http::Method::head) return change;
  change.kind = method == http::Method::post ? TraceChange::Kind::add : TraceChange::Kind::remove;
  if (query.find("cid")) {
    const auto cid = number_parameter(query, "cid");
    if (!cid) return tl::unexpected(cid.error());
    if (*cid <= 0) return base::fail("the parameter cid is not the number of a connection");
    change.connection = static_cast<std::uint64_t>(*cid);
  }
  if (const auto text = query.find("subject")) {
    if (!subject::parse_nats_filter(*text)) {
      return base::fail("the parameter subject is not a subject that one can subscribe to");
    }
    change.subject = *text;
  }
  const bool names_nothing = !change.connection && !change.subject;
  const bool off = query.find("off").has_value();
  if (off && !names_nothing) return base::fail("off ends all traces: to end one, DELETE it");
  if (off || (names_nothing && change.kind == TraceChange::Kind::remove)) {
    change.kind = TraceChange::Kind::clear;
  } else if (names_nothing) {
    return base::fail("name a connection by cid, or a subject by subject");
  }
  return change;
}

base::Status TraceBook::apply(const TraceChange& wanted) {
  switch (wanted.kind) {
    case TraceChange::Kind::none:
      return {};
    case TraceChange::Kind::clear:
      connections_.clear();
      subjects_.clear();
      return {};
    case TraceChange::Kind::add:
      if (!has_room(connections_, wanted.connection) || !has_room(subjects_, wanted.subject)) {
        return base::fail(fmt::format("there are {} traces already: end one first", max_entries));
      }
      break;
    case TraceChange::Kind::remove:
      break;
  }
  const bool add = wanted.kind == TraceChange::Kind::add;
  change(connections_, wanted.connection, add);
  change(subjects_, wanted.subject, add);
  return {};
}

wire::TraceFilters TraceBook::filters() const {
  wire::TraceFilters filters;
  filters.connections = connections_;
  for (const std::string& text : subjects_) {
    filters.subjects.push_back(*subject::parse_nats_filter(text));
  }
  return filters;
}

}  // namespace spanwire::monitor
