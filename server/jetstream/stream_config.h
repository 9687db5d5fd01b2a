// The configuration of a stream: from JSON and back as nats-server spells it, its defaults, and the
// rules of creating and of changing one. Data only: whether streams overlap and how many an account
// may have is known to those who hold them all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/clock.h"
#include "jetstream/api_error.h"
#include "jetstream/api_level.h"
#include "json/document.h"
#include "json/writer.h"
#include "store/log.h"

namespace spanwire::jetstream {

inline constexpr std::size_t max_name_bytes = 255;
inline constexpr std::size_t max_description_bytes = 4096;
inline constexpr std::size_t max_metadata_bytes = 128U << 10U;

enum class Retention : std::uint8_t { limits, interest, work_queue };
// Which messages a full stream gives up.
enum class Discard : std::uint8_t { old_messages, new_messages };
enum class Compression : std::uint8_t { none, s2 };

// Defaults and bounds for the consumers of a stream; zero: none.
struct ConsumerLimits {
  base::Duration inactive_threshold{};
  std::int64_t max_ack_pending = 0;

  friend bool operator==(const ConsumerLimits&, const ConsumerLimits&) = default;
};

struct SubjectTransformConfig {
  std::string source;
  std::string destination;

  friend bool operator==(const SubjectTransformConfig&, const SubjectTransformConfig&) = default;
};

struct RepublishConfig {
  std::string source;  // after check_stream_config() never empty: `>` stands for all
  std::string destination;
  bool headers_only = false;

  friend bool operator==(const RepublishConfig&, const RepublishConfig&) = default;
};

// Where a limit is -1 there is none; check_stream_config() makes so of a zero.
struct StreamConfig {
  std::string name;
  std::string description;
  std::vector<std::string> subjects;
  Retention retention = Retention::limits;
  std::int64_t max_consumers = 0;
  std::int64_t max_msgs = 0;
  std::int64_t max_bytes = 0;
  base::Duration max_age{};  // zero: none
  std::int64_t max_msgs_per_subject = 0;
  std::int32_t max_msg_size = 0;
  Discard discard = Discard::old_messages;
  store::Storage storage = store::Storage::file;
  std::int64_t replicas = 0;
  bool no_ack = false;
  base::Duration duplicate_window{};
  Compression compression = Compression::none;
  std::uint64_t first_seq = 0;
  std::optional<SubjectTransformConfig> subject_transform;
  std::optional<RepublishConfig> republish;
  bool allow_direct = false;
  bool mirror_direct = false;
  bool discard_new_per_subject = false;
  bool sealed = false;
  bool deny_delete = false;
  bool deny_purge = false;
  bool allow_rollup = false;
  ConsumerLimits consumer_limits;
  bool allow_msg_ttl = false;
  base::Duration subject_delete_marker_ttl{};
  Metadata metadata;

  friend bool operator==(const StreamConfig&, const StreamConfig&) = default;
};

// The body of STREAM.CREATE and STREAM.UPDATE.
struct StreamRequest {
  StreamConfig config;
  bool pedantic = false;  // the caller wants an error where a default would be filled in
};

// What bounds a stream from outside; zero: nothing does.
struct StreamBounds {
  base::Duration max_duplicate_window{};  // the server's
  std::int64_t max_stream_bytes = 0;      // the account's, for one stream
  bool max_bytes_required = false;        // the account's
};

// Reads the body of a request. With `strict`, an unknown field is an error (10025). A field of what
// this server does not do yet (mirror, sources, …) is refused unless it has the value that leaves
// it off. An empty body is a configuration without a name.
tl::expected<StreamRequest, ApiError> parse_stream_request(std::string_view body, bool strict);
// The body of STREAM.RESTORE. The state that it has too is not looked at.
tl::expected<StreamConfig, ApiError> parse_restore_request(std::string_view body, bool strict);
// A configuration alone, as write_stream_config() wrote it.
tl::expected<StreamConfig, ApiError> parse_stream_config(json::Value object, bool strict);

// What only creating a stream asks for. `name` is the token of the API's subject. Comes before
// check_stream_config().
std::optional<ApiError> check_stream_create(const StreamConfig& config, std::string_view name);

// Fills in the defaults, then checks what one configuration can tell. `config` is only good if
// nothing is returned.
std::optional<ApiError> check_stream_config(StreamConfig& config, const StreamBounds& bounds = {},
                                            bool pedantic = false);

// For an update, after check_stream_config(): whether a stream that is `old` may become `fresh`. Of
// one that is sealed it settles what follows from that.
std::optional<ApiError> check_stream_update(const StreamConfig& old, StreamConfig& fresh);

// Creating a stream again is no error if the checked configurations are the same; what servers add
// to the metadata does not count.
bool same_stream(const StreamConfig& a, const StreamConfig& b);

// Sets `_nats.req.level`, the API level that the configuration needs, and drops what is added only
// to answers. Before a configuration is stored.
void set_required_level(StreamConfig& config);

// The object in nats-server's order. With a version also `_nats.ver` and `_nats.level`, as answers
// have them; without one the configuration as it is kept.
void write_stream_config(json::Writer& writer, const StreamConfig& config,
                         std::string_view version = {});

}  // namespace spanwire::jetstream
