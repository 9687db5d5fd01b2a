// What bridges say and hear of streams (streams/), in the terms of the streams here.
#pragma once

#include "jetstream/ack.h"
#include "jetstream/ack_subject.h"
#include "jetstream/api_error.h"
#include "jetstream/consumer_config.h"
#include "jetstream/direct_get.h"
#include "jetstream/stream_config.h"
#include "store/log.h"
#include "streams/client.h"

namespace spanwire::jetstream {

streams::Failure failure_of(const ApiError& error);
inline streams::Failure unknown_failure(std::string_view text) {
  return {.kind = streams::Failure::Kind::unknown, .text = std::string(text)};
}

StreamConfig stream_config_of(streams::StreamSpec spec);
streams::StreamState state_of(const store::Totals& totals);
MessageRequest message_request_of(streams::Which which);
ConsumerRequest consumer_request_of(const std::string& stream, const streams::FeedSpec& spec);

streams::AckToken token_of(const Delivery& delivery);
// What an acknowledgement needs of it.
Delivery delivery_of(const streams::AckToken& token);
Ack ack_of(streams::Verdict verdict, base::Duration delay);

}  // namespace spanwire::jetstream
