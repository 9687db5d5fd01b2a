// Which lines of a wire's protocol go into the log: all of them, or those of one connection or one
// subject, as somebody asked while the server runs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "subject/filter.h"

namespace spanwire::wire {

// Few: each line of a traced wire is held against all of them.
struct TraceFilters {
  std::vector<std::uint64_t> connections;  // Peer::id()
  std::vector<subject::Filter> subjects;   // of messages, whoever sends or gets them
};

// A bridge has one; its sessions ask on() for each line, and the rest only if that is so.
class Tracer {
 public:
  // `all`: whatever filters there are.
  explicit Tracer(bool all) : all_(all), on_(all) {}

  void set(const TraceFilters& filters) {
    filters_ = filters;
    on_ = all_ || !filters.connections.empty() || !filters.subjects.empty();
  }

  bool on() const { return on_; }
  // Every line of this connection.
  bool wants(std::uint64_t connection) const {
    const auto& all = filters_.connections;
    return all_ || std::find(all.begin(), all.end(), connection) != all.end();
  }
  // A line of this connection about this subject.
  bool wants(std::uint64_t connection, std::string_view subject) const {
    return wants(connection) ||
           std::any_of(filters_.subjects.begin(), filters_.subjects.end(),
                       [subject](const auto& filter) { return matches(filter, subject); });
  }

 private:
  bool all_;
  bool on_;
  TraceFilters filters_;
};

}  // namespace spanwire::wire
