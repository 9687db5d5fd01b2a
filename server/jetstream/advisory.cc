#include "jetstream/advisory.h"

#include <fmt/format.h>

namespace spanwire::jetstream {
namespace {

// The subject's word for an action.
std::string_view word(std::string_view action) {
  if (action == "create") return "CREATED";
  return action == "delete" ? "DELETED" : "UPDATED";
}

}  // namespace

Advisory::Advisory(Branch& branch, std::string_view type) : branch_(branch), writer_(text_) {
  writer_.begin_object()
      .member("type", fmt::format("io.nats.jetstream.{}", type))
      .member("id", branch.next_id())
      .member("timestamp", branch.now());
}

std::string Advisory::text() {
  optional("domain", branch_.settings().domain);
  writer_.end_object();
  return std::move(text_);
}

void write_client(Branch& branch, json::Writer& writer) {
  writer.key("client").begin_object().member("acc", branch.account().name).end_object();
}

void advise_stream(Branch& branch, std::string_view stream, std::string_view action) {
  const std::string subject = fmt::format("$JS.EVENT.ADVISORY.STREAM.{}.{}", word(action), stream);
  branch.advise(subject, Advisory(branch, "advisory.v1.stream_action")
                             .member("stream", stream)
                             .member("action", action)
                             .text());
}

void advise_consumer(Branch& branch, std::string_view stream, std::string_view consumer,
                     std::string_view action) {
  const std::string subject =
      fmt::format("$JS.EVENT.ADVISORY.CONSUMER.{}.{}.{}", word(action), stream, consumer);
  branch.advise(subject, Advisory(branch, "advisory.v1.consumer_action")
                             .member("stream", stream)
                             .member("consumer", consumer)
                             .member("action", action)
                             .text());
}

}  // namespace spanwire::jetstream
