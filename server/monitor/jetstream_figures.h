// What several pages tell of JetStream as a whole.
#pragma once

#include "jetstream/server.h"
#include "json/writer.h"

namespace spanwire::monitor {

// The member "config".
void write_jetstream_config(json::Writer& json, const jetstream::Server& server);
// Members: what all accounts have used and reserved, and what they have asked the API.
void write_jetstream_stats(json::Writer& json, const jetstream::Server& server);

// The member "api", as nats-server has it.
struct ApiFigures {
  int level = 0;
  std::uint64_t total = 0;
  std::uint64_t errors = 0;
  std::uint64_t inflight = 0;
};
void write_api_figures(json::Writer& json, const ApiFigures& figures);

}  // namespace spanwire::monitor
