// What a stream does with a captured message: the checks in nats-server's order, then the append.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bus/message.h"
#include "jetstream/api_error.h"
#include "jetstream/publish_headers.h"
#include "jetstream/stream.h"

namespace spanwire::jetstream {

// Lives for one message. The stream's log holds what it says; nothing of it is published.
class Intake {
 public:
  Intake(Stream& stream, const bus::MessageView& message);

  void run();

 private:
  std::optional<ApiError> check();
  std::optional<ApiError> check_expectations();
  std::optional<ApiError> check_rollup() const;
  std::optional<ApiError> check_sizes() const;
  std::optional<ApiError> check_limits();
  std::optional<ApiError> check_new_for_old() const;
  std::optional<ApiError> read_ttl();
  bool answer_duplicate();
  Sequence last_of(std::string_view subject) const;
  store::Message as_stored() const;
  void store_message();
  void roll_up(Sequence sequence);
  void refuse(const ApiError& error);

  Stream& stream_;
  const bus::MessageView& message_;
  std::string_view subject_;
  std::string transformed_;
  std::string_view headers_;
  std::string rewritten_headers_;
  PublishHeaders asked_;
  std::int64_t ttl_seconds_ = 0;
  bool wanted_ = true;  // by a consumer, where that is what keeps messages
};

}  // namespace spanwire::jetstream
