// Making and changing consumers, whoever asks for it: at the home of their stream.
#pragma once

#include <tl/expected.hpp>

#include "jetstream/api_error.h"
#include "jetstream/branch.h"
#include "jetstream/consumer_config.h"

namespace spanwire::jetstream {

class Consumer;
class Stream;

// Makes the consumer, or changes the one of that name; committed with Stream::after_commit().
// `asked` agrees with its address (check_consumer_address).
tl::expected<Consumer*, ApiError> settle_consumer(Branch& branch, Stream& stream,
                                                  ConsumerRequest asked);

}  // namespace spanwire::jetstream
