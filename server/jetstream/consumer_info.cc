#include "jetstream/consumer_info.h"

#include "jetstream/stream.h"

namespace spanwire::jetstream {
namespace {

void write_pair(json::Writer& writer, std::string_view name, const SequencePair& pair) {
  writer.key(name).begin_object();
  writer.member("consumer_seq", pair.consumer).member("stream_seq", pair.stream);
  if (pair.last_active) writer.member("last_active", *pair.last_active);
  writer.end_object();
}

}  // namespace

void write_consumer_info(json::Writer& writer, Consumer& consumer, const Stream& stream,
                         base::WallTime now, std::string_view version, ShowConfig config) {
  writer.member("stream_name", stream.name())
      .member("name", consumer.name())
      .member("created", consumer.created());
  if (config == ShowConfig::yes) {
    writer.key("config");
    write_consumer_config(writer, consumer.config(), version);
  }
  write_pair(writer, "delivered", consumer.delivered());
  write_pair(writer, "ack_floor", consumer.ack_floor());
  writer.member("num_ack_pending", consumer.unacknowledged())
      .member("num_redelivered", consumer.redelivered())
      .member("num_waiting", consumer.config().is_pull() ? consumer.waiting() : 0)
      .member("num_pending", consumer.pending());
  if (consumer.push_bound()) writer.member("push_bound", true);
  if (consumer.paused()) {
    const base::Duration left = *consumer.config().pause_until - now;
    writer.member("paused", true)
        .member("pause_remaining", static_cast<std::int64_t>(left.count()));
  }
  writer.member("ts", now);
}

}  // namespace spanwire::jetstream
