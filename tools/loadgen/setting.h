// The streams and consumers of a shape: their names, subjects and configurations.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tools/loadgen/api.h"
#include "tools/loadgen/shapes.h"

namespace spanwire::loadgen {

std::string stream_name(const Shape& shape, std::uint64_t stream);
// What a publisher's subjects begin with; with several of them seven digits follow.
std::string subject_of(const Shape& shape, std::uint64_t stream);
// Where a push consumer delivers to: a subject of its own, or the only one. The reference delivers
// only where somebody has subscribed to just that subject.
std::string deliver_subject(const Shape& shape, std::uint64_t consumer);
inline constexpr std::string_view only_delivery = "deliver.all";

// The requests that create stream `stream`, and consumer `consumer` of it. With a hundred filters
// and ten subjects every tenth filter matches one.
Api::Request create_stream(const Shape& shape, std::uint64_t stream);
Api::Request create_consumer(const Shape& shape, std::uint64_t stream, std::uint64_t consumer);
Api::Request delete_consumer(const Shape& shape, std::uint64_t stream, std::uint64_t consumer);
Api::Request consumer_info(const Shape& shape, std::uint64_t stream, std::uint64_t consumer);
// The request of a pull consumer for so many messages.
Api::Request next_messages(const Shape& shape, std::uint64_t stream, std::uint64_t consumer,
                           std::uint64_t batch);
// The number in the digits of the subject that publishers use as their `number`th.
std::uint64_t subject_number(const Shape& shape, std::uint64_t number);

// What a stream holds now.
struct Held {
  std::uint64_t messages = 0;
  std::uint64_t last_sequence = 0;
};
base::Result<Held> held_by(Api& api, const Shape& shape, std::uint64_t stream);

}  // namespace spanwire::loadgen
