// Making, changing and ending streams, whoever asks for it: what is checked at the account's
// directory, and what is done at the stream's home. The stream's entry must not be busy.
#pragma once

#include <optional>
#include <string_view>
#include <tl/expected.hpp>

#include "base/done.h"
#include "jetstream/api_error.h"
#include "jetstream/branch.h"
#include "jetstream/stream_config.h"

namespace spanwire::jetstream {

class Directory;
class Stream;

// Called once, maybe inside the call: on the directory's loop if it was refused there, else at the
// stream's home, when it is committed. `here` is the account's branch on that loop.
using Changed = base::Done<Branch& /* here */, tl::expected<Stream*, ApiError>>;
using Removed = base::Done<Branch& /* here */, std::optional<ApiError>>;

// What is asked for beside the configuration.
struct StreamTerms {
  std::string_view name;  // must be the configuration's
  bool pedantic = false;
};

// Makes a stream. One that is there with the same configuration is what was asked for.
void create_stream(Directory& directory, StreamConfig config, const StreamTerms& terms,
                   Changed done);
void update_stream(Directory& directory, StreamConfig config, const StreamTerms& terms,
                   Changed done);
void remove_stream(Directory& directory, std::string_view name, Removed done);

// Whether a stream of this configuration may be purged.
std::optional<ApiError> check_purge(const StreamConfig& config);

}  // namespace spanwire::jetstream
