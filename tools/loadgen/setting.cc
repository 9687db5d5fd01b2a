#include "tools/loadgen/setting.h"

#include <fmt/core.h>

#include <algorithm>

namespace spanwire::loadgen {
namespace {

std::string consumer_name(std::uint64_t consumer) {
  return fmt::format("c{:07}", consumer);
}

std::string about_consumer(std::string_view verb, const Shape& shape, std::uint64_t stream,
                           std::uint64_t consumer) {
  return fmt::format("CONSUMER.{}.{}.{}", verb, stream_name(shape, stream),
                     consumer_name(consumer));
}

// With one consumer there is no filter; a watcher sees the whole bucket.
std::string filter_of(const Shape& shape, std::uint64_t stream, std::uint64_t consumer) {
  if (shape.consumer == Consumer::watch) return subject_of(shape, stream) + ">";
  if (shape.consumers <= 1) return "";
  return fmt::format("{}{:07}", subject_of(shape, stream), consumer);
}

std::string_view delivery_fields(Consumer consumer) {
  switch (consumer) {
    case Consumer::none:
    case Consumer::pull:
      return R"("ack_policy":"explicit","deliver_policy":"all")";
    case Consumer::push:
      return R"("ack_policy":"none","deliver_policy":"all")";
    case Consumer::ordered:  // as the official clients ask for one
      return R"("ack_policy":"none","deliver_policy":"all","max_deliver":1,"flow_control":true,)"
             R"("idle_heartbeat":5000000000,"mem_storage":true,"num_replicas":1)";
    case Consumer::watch:
      return R"("ack_policy":"none","deliver_policy":"last_per_subject","max_deliver":1,)"
             R"("flow_control":true,"idle_heartbeat":5000000000,"mem_storage":true,)"
             R"("num_replicas":1)";
  }
  return "";
}

}  // namespace

std::string stream_name(const Shape& shape, std::uint64_t stream) {
  return shape.keys ? "KV_load" : fmt::format("LOAD{:04}", stream);
}

std::string subject_of(const Shape& shape, std::uint64_t stream) {
  if (shape.keys) return "$KV.load.";
  const bool several = shape.subjects > 1 || shape.consumers > 1;
  return fmt::format("load.{:04}{}", stream, several ? "." : "");
}

std::string deliver_subject(const Shape& shape, std::uint64_t consumer) {
  if (shape.consumers <= 1) return std::string(only_delivery);
  return "deliver." + consumer_name(consumer);
}

// A bucket is configured as nats.go does it.
Api::Request create_stream(const Shape& shape, std::uint64_t stream) {
  const std::string name = stream_name(shape, stream);
  const std::string subject = subject_of(shape, stream);
  const std::string subjects =
      subject.ends_with('.') ? fmt::format(R"("{}>")", subject) : fmt::format(R"("{}")", subject);
  const std::string_view kind =
      shape.keys ? R"("discard":"new","max_msgs_per_subject":1,"allow_rollup_hdrs":true,)"
                   R"("deny_delete":true,"allow_direct":true,"duplicate_window":120000000000)"
                 : R"("discard":"old","max_msgs_per_subject":-1)";
  return {.subject = "STREAM.CREATE." + name,
          .body = fmt::format(R"({{"name":"{}","subjects":[{}],"retention":"limits",)"
                              R"("storage":"{}","max_consumers":-1,"max_msgs":-1,"max_bytes":-1,)"
                              R"("max_age":0,"max_msg_size":-1,"num_replicas":1,{}}})",
                              name, subjects, shape.memory ? "memory" : "file", kind)};
}

Api::Request create_consumer(const Shape& shape, std::uint64_t stream, std::uint64_t consumer) {
  const std::string name = stream_name(shape, stream);
  const std::string own = consumer_name(consumer);
  const std::string filter = filter_of(shape, stream, consumer);
  const bool ephemeral = shape.consumer == Consumer::ordered || shape.consumer == Consumer::watch;
  const bool pushes = shape.consumer != Consumer::pull && shape.consumer != Consumer::none;
  std::string config = fmt::format(R"("name":"{}","replay_policy":"instant",{})", own,
                                   delivery_fields(shape.consumer));
  if (!ephemeral) config += fmt::format(R"(,"durable_name":"{}")", own);
  if (pushes) config += fmt::format(R"(,"deliver_subject":"{}")", deliver_subject(shape, consumer));
  if (!filter.empty()) config += fmt::format(R"(,"filter_subject":"{}")", filter);
  return {.subject = fmt::format("CONSUMER.CREATE.{}.{}{}{}", name, own, filter.empty() ? "" : ".",
                                 filter),
          .body = fmt::format(R"({{"stream_name":"{}","config":{{{}}},"action":"create"}})", name,
                              config)};
}

Api::Request delete_consumer(const Shape& shape, std::uint64_t stream, std::uint64_t consumer) {
  return {.subject = about_consumer("DELETE", shape, stream, consumer), .body = {}};
}

Api::Request consumer_info(const Shape& shape, std::uint64_t stream, std::uint64_t consumer) {
  return {.subject = about_consumer("INFO", shape, stream, consumer), .body = {}};
}

Api::Request next_messages(const Shape& shape, std::uint64_t stream, std::uint64_t consumer,
                           std::uint64_t batch) {
  return {.subject = about_consumer("MSG.NEXT", shape, stream, consumer),
          .body = fmt::format(R"({{"batch":{},"expires":5000000000}})", batch)};
}

std::uint64_t subject_number(const Shape& shape, std::uint64_t number) {
  return number * std::max<std::uint64_t>(1, shape.consumers / std::max(1U, shape.subjects));
}

base::Result<Held> held_by(Api& api, const Shape& shape, std::uint64_t stream) {
  const auto info = api.ask({.subject = "STREAM.INFO." + stream_name(shape, stream), .body = {}});
  if (!info) return tl::unexpected(info.error());
  const auto state = info->root().find("state");
  const auto messages = state ? state->find("messages") : std::nullopt;
  const auto last = state ? state->find("last_seq") : std::nullopt;
  if (!messages || !last || !messages->uint64() || !last->uint64()) {
    return base::fail("a stream's information has no state");
  }
  return Held{.messages = *messages->uint64(), .last_sequence = *last->uint64()};
}

}  // namespace spanwire::loadgen
