// What is traced at the wish of operators, and the changes they may make to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "http/uri.h"
#include "wire/tracer.h"

namespace spanwire::monitor {

struct TraceChange {
  enum class Kind : std::uint8_t { none, add, remove, clear };
  Kind kind = Kind::none;
  std::optional<std::uint64_t> connection;
  std::optional<std::string> subject;  // a filter in NATS spelling, known to be one
};

// POST adds and DELETE removes `cid` or `subject` or both; DELETE of neither, or `off`, is an end
// to all of them. The error says what is wrong.
base::Result<TraceChange> read_trace_change(http::Method method, const http::Query& query);

class TraceBook {
 public:
  static constexpr std::size_t max_entries = 16;  // of each kind

  // All of the change or, if there is no room for it, nothing.
  base::Status apply(const TraceChange& change);

  const std::vector<std::uint64_t>& connections() const { return connections_; }
  const std::vector<std::string>& subjects() const { return subjects_; }
  wire::TraceFilters filters() const;

 private:
  std::vector<std::uint64_t> connections_;
  std::vector<std::string> subjects_;
};

}  // namespace spanwire::monitor
