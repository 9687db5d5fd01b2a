// Reading a stream that was filled before, from its first message to its last and then again with a
// new consumer, as often as the time allows and at least once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "tools/loadgen/api.h"
#include "tools/loadgen/deliveries.h"
#include "tools/loadgen/report.h"

namespace spanwire::loadgen {

class ConsumeRun {
 public:
  explicit ConsumeRun(Plan plan);

  base::Result<Report> run();

 private:
  base::Status open();
  // Creates a consumer, takes every message from it, and deletes it.
  base::Status pass();
  // Asks for the next batch.
  base::Status pull(std::uint64_t messages);
  // Until so many messages have come in all passes.
  base::Status receive(std::uint64_t count);
  base::Status await_acknowledged();

  Plan plan_;
  std::optional<Api> api_;
  std::optional<Listener> listener_;
  std::string buffer_;
  std::uint64_t passes_ = 0;
  std::uint64_t pulls_ = 0;
};

}  // namespace spanwire::loadgen
