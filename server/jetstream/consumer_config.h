// The configuration of a consumer: from JSON and back as nats-server spells it, its defaults, and
// the rules of creating and of changing one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/clock.h"
#include "jetstream/api_error.h"
#include "jetstream/stream_config.h"
#include "json/document.h"
#include "json/writer.h"

namespace spanwire::jetstream {

enum class DeliverPolicy : std::uint8_t {
  all,
  last,
  only_new,
  by_start_sequence,
  by_start_time,
  last_per_subject,
};
enum class AckPolicy : std::uint8_t { none, all, each };  // each is `explicit`
enum class ReplayPolicy : std::uint8_t { instant, original };

inline constexpr base::Duration default_ack_wait = std::chrono::seconds(30);
inline constexpr std::int64_t default_max_ack_pending = 1000;
inline constexpr std::int64_t default_max_waiting = 512;
// How long an ephemeral consumer outlives the last interest, where it does not say.
inline constexpr base::Duration default_inactive_threshold = std::chrono::seconds(5);

// Zero is `not set`, and -1 `no limit` where the reference has it so.
struct ConsumerConfig {
  std::string durable;
  std::string name;
  std::string description;
  DeliverPolicy deliver_policy = DeliverPolicy::all;
  std::uint64_t opt_start_seq = 0;
  std::optional<base::WallTime> opt_start_time;
  AckPolicy ack_policy = AckPolicy::none;
  base::Duration ack_wait{};
  std::int64_t max_deliver = 0;
  std::vector<base::Duration> backoff;
  std::string filter_subject;
  std::vector<std::string> filter_subjects;
  ReplayPolicy replay_policy = ReplayPolicy::instant;
  std::uint64_t rate_limit_bps = 0;  // bits
  std::string sample_freq;           // "100%" or "100"; see sample_percent()
  std::int64_t max_waiting = 0;
  std::int64_t max_ack_pending = 0;
  bool flow_control = false;
  bool headers_only = false;
  std::int64_t max_batch = 0;
  base::Duration max_expires{};
  std::int64_t max_bytes = 0;
  std::string deliver_subject;  // empty: a pull consumer
  std::string deliver_group;
  base::Duration idle_heartbeat{};
  base::Duration inactive_threshold{};
  std::int64_t replicas = 0;
  bool mem_storage = false;
  bool direct = false;  // a mirror's or source's own: not counted, not listed, without acks
  Metadata metadata;
  std::optional<base::WallTime> pause_until;  // only CONSUMER.PAUSE changes it later

  bool is_pull() const { return deliver_subject.empty(); }
  bool is_durable() const { return !durable.empty(); }
  // The filter or filters; empty: everything.
  std::vector<std::string> filters() const;
  // How many of a hundred acks are sampled; 0 without sampling. After check_consumer_config().
  int sample_percent() const;

  friend bool operator==(const ConsumerConfig&, const ConsumerConfig&) = default;
};

enum class ConsumerAction : std::uint8_t { create_or_update, update, create };

// The body of CONSUMER.CREATE and CONSUMER.DURABLE.CREATE.
struct ConsumerRequest {
  std::string stream;
  ConsumerConfig config;
  ConsumerAction action = ConsumerAction::create_or_update;
  bool pedantic = false;
};

// What the subject of the request says, all of it still to be checked.
struct ConsumerAddress {
  enum class Form : std::uint8_t {
    ephemeral,  // CONSUMER.CREATE.<stream>
    durable,    // CONSUMER.DURABLE.CREATE.<stream>.<consumer>
    named,      // CONSUMER.CREATE.<stream>.<consumer>[.<filter>]
  };
  Form form = Form::ephemeral;
  std::string_view stream;
  std::string_view consumer;  // empty: none in the subject
  std::string_view filter;    // with its dots; empty: none in the subject
};

// What bounds a consumer from outside; zero: nothing does.
struct ConsumerBounds {
  std::int64_t server_max_ack_pending = 0;
  std::int64_t account_max_ack_pending = 0;
  std::int64_t max_request_batch = 0;  // the server's
};

// Reads the body of a request. With `strict`, an unknown field is an error (10025). What this
// server does not do yet (priority groups, the flow_control ack policy, sourcing) is refused.
tl::expected<ConsumerRequest, ApiError> parse_consumer_request(std::string_view body, bool strict);
// A configuration alone, as write_consumer_config() wrote it.
tl::expected<ConsumerConfig, ApiError> parse_consumer_config(json::Value object, bool strict);

// What the subject and the body must agree on; then settles the consumer's name: empty if the
// server is to choose one. Comes before everything else.
std::optional<ApiError> check_consumer_address(ConsumerRequest& request,
                                               const ConsumerAddress& address);

// Fills in the defaults, then checks what one configuration can tell beside its stream's. `config`
// is only good if nothing is returned.
std::optional<ApiError> check_consumer_config(ConsumerConfig& config, const StreamConfig& stream,
                                              const ConsumerBounds& bounds = {},
                                              bool pedantic = false);

// For a new consumer of a work-queue stream, and when one is updated: `others` are the stream's
// consumers without it. On other streams nothing is wrong.
std::optional<ApiError> check_work_queue(const ConsumerConfig& fresh, bool is_new,
                                         const StreamConfig& stream,
                                         const std::vector<const ConsumerConfig*>& others);

// Whether a consumer that is `old` may become `fresh`. `interest` says whether somebody listens on
// the deliver subject of `old`: then it can not change. An API answer gives these as
// api_error(Err::consumer_create, …): they are so already.
std::optional<ApiError> check_consumer_update(const ConsumerConfig& old,
                                              const ConsumerConfig& fresh, bool interest);

// Whether the action `create` may find this consumer there; what servers add to the metadata does
// not count.
bool same_consumer(const ConsumerConfig& a, const ConsumerConfig& b);

// As set_required_level() of a stream.
void set_required_level(ConsumerConfig& config);

// The object in nats-server's order. With a version also `_nats.ver` and `_nats.level`, as answers
// have them.
void write_consumer_config(json::Writer& writer, const ConsumerConfig& config,
                           std::string_view version = {});

}  // namespace spanwire::jetstream
