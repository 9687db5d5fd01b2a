#include "jetstream/consumer_changes.h"

#include <optional>
#include <utility>
#include <vector>

#include "jetstream/advisory.h"
#include "jetstream/consumer.h"
#include "jetstream/stream.h"

namespace spanwire::jetstream {
namespace {

std::vector<const ConsumerConfig*> others_of(const Stream& stream, const Consumer* except) {
  std::vector<const ConsumerConfig*> others;
  for (const auto& [name, consumer] : stream.consumers()) {
    if (consumer.get() != except) others.push_back(&consumer->config());
  }
  return others;
}

std::optional<ApiError> check_change(const Stream& stream, Branch& branch, const Consumer& consumer,
                                     const ConsumerRequest& asked) {
  if (asked.action == ConsumerAction::create && !same_consumer(asked.config, consumer.config())) {
    return api_error(Err::consumer_already_exists);
  }
  if (auto error =
          check_work_queue(asked.config, false, stream.config(), others_of(stream, &consumer))) {
    return error;
  }
  const std::string& deliver = consumer.config().deliver_subject;
  const bool interest = !deliver.empty() && branch.seat().interested(deliver);
  return check_consumer_update(consumer.config(), asked.config, interest);
}

std::optional<ApiError> check_new(const Stream& stream, const ConsumerRequest& asked) {
  if (asked.action == ConsumerAction::update) return api_error(Err::consumer_does_not_exist);
  const std::int64_t most = stream.config().max_consumers;
  if (most > 0 && stream.consumers().size() >= static_cast<std::size_t>(most)) {
    return api_error(Err::maximum_consumers_limit);
  }
  return check_work_queue(asked.config, true, stream.config(), others_of(stream, nullptr));
}

// What ends it is decided by how it was made, not by whether a change says `durable_name` again.
base::Duration kept_threshold(const ConsumerConfig& known) {
  const bool may_stay_unused = known.is_durable() || known.inactive_threshold.count() == 0;
  return may_stay_unused ? base::Duration::zero() : default_inactive_threshold;
}

}  // namespace

tl::expected<Consumer*, ApiError> settle_consumer(Branch& branch, Stream& stream,
                                                  ConsumerRequest asked) {
  ConsumerConfig& config = asked.config;
  Consumer* known = stream.find_consumer(config.durable.empty() ? config.name : config.durable);
  if (known != nullptr) config.pause_until = known->config().pause_until;
  set_required_level(config);
  const ConsumerBounds bounds{.server_max_ack_pending = branch.settings().max_ack_pending,
                              .max_request_batch = branch.settings().max_request_batch};
  const bool says_threshold = config.inactive_threshold.count() > 0 ||
                              stream.config().consumer_limits.inactive_threshold.count() > 0;
  if (const auto error = check_consumer_config(config, stream.config(), bounds, asked.pedantic)) {
    return tl::unexpected(*error);
  }
  if (known != nullptr) {
    if (!says_threshold) {
      // To `create` one again it must be asked for as it is, this included.
      const bool again = asked.action == ConsumerAction::create;
      config.inactive_threshold = again ? base::Duration{} : kept_threshold(known->config());
    }
    if (const auto error = check_change(stream, branch, *known, asked)) {
      return tl::unexpected(*error);
    }
    stream.update_consumer(*known, std::move(config));
    if (known->paused()) stream.advise_pause(*known);
    return known;
  }
  if (const auto error = check_new(stream, asked)) return tl::unexpected(*error);
  Consumer& consumer = stream.add_consumer(std::move(config));
  advise_consumer(branch, stream.name(), consumer.name(), "create");
  if (consumer.paused()) stream.advise_pause(consumer);
  return &consumer;
}

}  // namespace spanwire::jetstream
