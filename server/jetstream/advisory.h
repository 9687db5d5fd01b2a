// The events that JetStream publishes for whoever watches it: `$JS.EVENT.ADVISORY.>` and
// `$JS.EVENT.METRIC.>`.
#pragma once

#include <string>
#include <string_view>

#include "jetstream/branch.h"
#include "json/writer.h"

namespace spanwire::jetstream {

// Builds one: opened by the constructor, closed by text().
class Advisory {
 public:
  // `type`: what follows `io.nats.jetstream.`, as in `advisory.v1.nak`.
  Advisory(Branch& branch, std::string_view type);
  Advisory(const Advisory&) = delete;
  Advisory& operator=(const Advisory&) = delete;

  template <class T>
  Advisory& member(std::string_view name, const T& value) {
    writer_.member(name, value);
    return *this;
  }
  Advisory& optional(std::string_view name, std::string_view value) {
    if (!value.empty()) writer_.member(name, value);
    return *this;
  }
  // For members that are no plain values.
  json::Writer& writer() { return writer_; }
  std::string text();

 private:
  Branch& branch_;
  std::string text_;
  json::Writer writer_;
};

// The member "client": who asked, as far as it is known.
void write_client(Branch& branch, json::Writer& writer);

// A stream, or a consumer of it, was made, changed or ended: `create`, `modify`, `delete`.
void advise_stream(Branch& branch, std::string_view stream, std::string_view action);
void advise_consumer(Branch& branch, std::string_view stream, std::string_view consumer,
                     std::string_view action);

}  // namespace spanwire::jetstream
