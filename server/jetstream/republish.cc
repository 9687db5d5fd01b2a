// What a stream publishes again, once it is committed. A message may be gone by then, replaced by a
// later one of the same commit, and what was before it too: so it is made when the message is
// stored.
#include "bus/headers.h"
#include "jetstream/stream.h"
#include "json/writer.h"

namespace spanwire::jetstream {

// `previous` is the last message of its subject before this one; 0: there is none.
void Stream::republish_later(Sequence sequence, const store::Appending& message,
                             Sequence previous) {
  if (!republish_ || !subject::matches(republish_->source(), message.subject)) return;
  Republished again{.sequence = sequence, .headers = std::string(message.headers)};
  republish_->apply(message.subject, branch_.random().next(), again.subject);
  bus::append_header(again.headers, "Nats-Stream", config_.name);
  bus::append_header(again.headers, "Nats-Subject", message.subject);
  bus::append_header(again.headers, "Nats-Sequence", std::to_string(sequence));
  std::string time;
  json::append_time(time, message.time);
  bus::append_header(again.headers, "Nats-Time-Stamp", time);
  bus::append_header(again.headers, "Nats-Last-Sequence", std::to_string(previous));
  if (config_.republish->headers_only) {
    bus::append_header(again.headers, "Nats-Msg-Size", std::to_string(message.payload.size()));
  } else {
    again.payload = message.payload;
  }
  republishing_.push_back(std::move(again));
}

void Stream::republish_through(Sequence last) {
  while (!republishing_.empty() && republishing_.front().sequence <= last) {
    const Republished again = std::move(republishing_.front());
    republishing_.pop_front();
    branch_.seat().publish(
        {.route = again.subject, .headers = again.headers, .payload = again.payload});
  }
}

}  // namespace spanwire::jetstream
