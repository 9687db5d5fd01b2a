#include "tools/loadgen/shapes.h"

#include <algorithm>
#include <array>

namespace spanwire::loadgen {
namespace {

constexpr std::uint32_t kib = 1024;
constexpr std::uint32_t million = 1'000'000;
constexpr std::uint32_t some_keys = 100'000;
constexpr std::uint32_t filled = 200'000;  // messages of a stream that is read

// Work on a key-value bucket with so many keys.
constexpr Shape key_shape(std::string_view name, std::string_view title, Kind kind,
                          std::uint32_t keys) {
  Shape shape{.name = name, .title = title, .kind = kind, .protocol = Protocol::streams};
  shape.subjects = keys;
  shape.count = keys;
  shape.keys = true;
  if (kind == Kind::consume) shape.consumer = Consumer::watch;
  return shape;
}

constexpr auto table = std::to_array<Shape>({
    {.name = "pub-16",
     .title = "publish only, 16 B",
     .spread = Spread::none,
     .size = 16,
     .subscribers = 0},
    {.name = "1-1-16", .title = "1→1, 16 B", .size = 16},
    {.name = "1-1-128", .title = "1→1, 128 B"},
    {.name = "1-1-1k", .title = "1→1, 1 KiB", .size = kib},
    {.name = "1-1-16k", .title = "1→1, 16 KiB", .size = 16 * kib},
    {.name = "10-10-16", .title = "10→10, 16 B", .size = 16, .publishers = 10, .subscribers = 10},
    {.name = "10-10-128", .title = "10→10, 128 B", .publishers = 10, .subscribers = 10},
    {.name = "10-10-1k", .title = "10→10, 1 KiB", .size = kib, .publishers = 10, .subscribers = 10},
    {.name = "10-1-128",
     .title = "10 publishers, 1 subject, 1 subscriber, 128 B",
     .spread = Spread::all,
     .publishers = 10},
    {.name = "fan-16",
     .title = "1→10, 16 B",
     .unit = Unit::delivery,
     .spread = Spread::all,
     .size = 16,
     .subscribers = 10},
    {.name = "fan-128",
     .title = "1→10, 128 B",
     .unit = Unit::delivery,
     .spread = Spread::all,
     .subscribers = 10},
    {.name = "fan-1k",
     .title = "1→10, 1 KiB",
     .unit = Unit::delivery,
     .spread = Spread::all,
     .size = kib,
     .subscribers = 10},
    {.name = "queue-10-128",
     .title = "queue group of 10, 128 B",
     .spread = Spread::queue,
     .subscribers = 10},
    {.name = "queue-1000-128",
     .title = "queue group of 1,000, 128 B",
     .spread = Spread::queue,
     .subscribers = 1000},
    {.name = "rr-1", .title = "request-reply, 1 pair, 16 B", .kind = Kind::request, .size = 16},
    {.name = "rr-10",
     .title = "request-reply, 10 pairs, 16 B",
     .kind = Kind::request,
     .size = 16,
     .publishers = 10,
     .subscribers = 10},
    {.name = "rr-100",
     .title = "request-reply, 100 pairs, 16 B",
     .kind = Kind::request,
     .size = 16,
     .publishers = 100,
     .subscribers = 100},
    {.name = "single-10-10-128",
     .title = "a write for each message, 10→10, 128 B",
     .publishers = 10,
     .subscribers = 10,
     .single = true},
    {.name = "headers-1-1-128", .title = "1→1, 128 B and four headers", .headers = true},
    {.name = "1-1-1m", .title = "1→1, 1 MiB", .size = kib * kib},
    {.name = "subjects-0",
     .title = "1,000,000 subjects at random, nobody subscribed, 16 B",
     .spread = Spread::none,
     .size = 16,
     .subscribers = 0,
     .subjects = million},
    {.name = "subjects-1",
     .title = "1,000,000 subjects at random, one wildcard, 16 B",
     .size = 16,
     .subjects = million},
    {.name = "wild-100k",
     .title = "1,000 of 100,000 wildcards hot, 16 B",
     .size = 16,
     .subjects = 1000,
     .wildcards = 100'000},
    {.name = "churn-100k",
     .title = "1,000 of 100,000 wildcards hot, each tenth message with an inbox, 16 B",
     .size = 16,
     .subjects = 1000,
     .wildcards = 100'000,
     .passing = Passing::inbox},
    {.name = "churn-fleet",
     .title = "1,000 of 100,000 wildcards hot, each tenth message with a device, 16 B",
     .size = 16,
     .subjects = 1000,
     .wildcards = 100'000,
     .passing = Passing::device},
    {.name = "busy-1k",
     .title = "5→5, 128 B, the busy 1 % of 1,000 connections",
     .publishers = 5,
     .subscribers = 5,
     .bystanders = 990},
    {.name = "busy-10k",
     .title = "50→50, 128 B, the busy 1 % of 10,000 connections",
     .publishers = 50,
     .subscribers = 50,
     .bystanders = 9900},
    {.name = "all-100",
     .title = "1→100, 1 KiB, all read",
     .unit = Unit::delivery,
     .spread = Spread::all,
     .size = kib,
     .subscribers = 100},
    {.name = "stall-100",
     .title = "1→100, 1 KiB, and one more stops reading",
     .unit = Unit::delivery,
     .spread = Spread::all,
     .size = kib,
     .subscribers = 100,
     .sleepers = 1},
    {.name = "pace-1-1-128", .title = "1→1, 128 B on a clock", .kind = Kind::paced, .rate = 20'000},
    {.name = "pace-10-10-128",
     .title = "10→10, 128 B on a clock",
     .kind = Kind::paced,
     .publishers = 10,
     .subscribers = 10,
     .rate = 20'000},
    {.name = "idle",
     .title = "an idle connection with one subscription",
     .kind = Kind::connections,
     .unit = Unit::connection,
     .count = 10'000},
    {.name = "subs-1m",
     .title = "1,000,000 subscriptions, each",
     .kind = Kind::subscriptions,
     .unit = Unit::subscription,
     .count = million},

    {.name = "mqtt-1-1-16", .title = "MQTT 1→1, 16 B", .protocol = Protocol::mqtt, .size = 16},
    {.name = "mqtt-1-1-128", .title = "MQTT 1→1, 128 B", .protocol = Protocol::mqtt},
    {.name = "mqtt-fan-16",
     .title = "MQTT 1→10, 16 B",
     .protocol = Protocol::mqtt,
     .unit = Unit::delivery,
     .spread = Spread::all,
     .size = 16,
     .subscribers = 10},
    {.name = "mqtt-fan-128",
     .title = "MQTT 1→10, 128 B",
     .protocol = Protocol::mqtt,
     .unit = Unit::delivery,
     .spread = Spread::all,
     .subscribers = 10},
    {.name = "mqtt-10-10-16",
     .title = "MQTT 10→10, 16 B",
     .protocol = Protocol::mqtt,
     .size = 16,
     .publishers = 10,
     .subscribers = 10},
    {.name = "mqtt-10-10-128",
     .title = "MQTT 10→10, 128 B",
     .protocol = Protocol::mqtt,
     .publishers = 10,
     .subscribers = 10},

    {.name = "http-get-1",
     .title = "GET, 16 B",
     .kind = Kind::http,
     .protocol = Protocol::http,
     .unit = Unit::request,
     .size = 16,
     .publishers = 16},
    {.name = "http-get-16",
     .title = "GET, 16 B, 16 in a write",
     .kind = Kind::http,
     .protocol = Protocol::http,
     .unit = Unit::request,
     .size = 16,
     .publishers = 16,
     .depth = 16},
    {.name = "http-post-1",
     .title = "POST, 16 B",
     .kind = Kind::http,
     .protocol = Protocol::http,
     .unit = Unit::request,
     .size = 16,
     .publishers = 16,
     .method = Method::post},
    {.name = "http-post-16",
     .title = "POST, 16 B, 16 in a write",
     .kind = Kind::http,
     .protocol = Protocol::http,
     .unit = Unit::request,
     .size = 16,
     .publishers = 16,
     .method = Method::post,
     .depth = 16},

    {.name = "js-file-256",
     .title = "file stream, 256 unacknowledged, 128 B",
     .kind = Kind::append,
     .protocol = Protocol::streams},
    {.name = "js-memory-256",
     .title = "memory stream, 256 unacknowledged, 128 B",
     .kind = Kind::append,
     .protocol = Protocol::streams,
     .memory = true},
    {.name = "js-wait",
     .title = "file stream, one publisher waits for each acknowledgement, 128 B",
     .kind = Kind::append,
     .protocol = Protocol::streams,
     .window = 1},
    {.name = "js-wait-1000",
     .title = "1,000 file streams, each with a publisher that waits, 128 B",
     .kind = Kind::append,
     .protocol = Protocol::streams,
     .publishers = 1000,
     .window = 1,
     .links = 50},
    {.name = "js-deliver",
     .title = "from publish to an ordered push consumer's delivery, 128 B",
     .kind = Kind::append,
     .protocol = Protocol::streams,
     .window = 1,
     .consumer = Consumer::ordered,
     .consumers = 1},
    {.name = "js-filters-10",
     .title = "10 durable consumers, one matches, 128 B",
     .kind = Kind::append,
     .protocol = Protocol::streams,
     .subjects = 10,
     .consumer = Consumer::push,
     .consumers = 10},
    {.name = "js-filters-10k",
     .title = "10,000 durable consumers, one matches, 128 B",
     .kind = Kind::append,
     .protocol = Protocol::streams,
     .subjects = 10,
     .consumer = Consumer::push,
     .consumers = 10'000},
    {.name = "js-pull-256",
     .title = "pull consumer, batches of 256, each message acknowledged, 128 B",
     .kind = Kind::consume,
     .protocol = Protocol::streams,
     .count = filled,
     .consumer = Consumer::pull},
    {.name = "js-push",
     .title = "ordered push consumer, 128 B",
     .kind = Kind::consume,
     .protocol = Protocol::streams,
     .count = filled,
     .consumer = Consumer::ordered},
    key_shape("kv-put", "key-value put, 100,000 keys, 128 B", Kind::append, some_keys),
    key_shape("kv-get", "key-value get, 100,000 keys, 128 B", Kind::lookup, some_keys),
    key_shape("kv-watch", "key-value watch of 100,000 keys, 128 B", Kind::consume, some_keys),
    key_shape("kv-put-1m", "key-value put, 1,000,000 keys, 128 B", Kind::append, million),
    key_shape("kv-get-1m", "key-value get, 1,000,000 keys, 128 B", Kind::lookup, million),
    key_shape("kv-watch-1m", "key-value watch of 1,000,000 keys, 128 B", Kind::consume, million),
    {.name = "js-hold-1000",
     .title = "1,000 file streams with 10 durable consumers each, a stream",
     .kind = Kind::assets,
     .protocol = Protocol::streams,
     .unit = Unit::stream,
     .count = 1000,
     .consumers = 10},
    {.name = "disk-growing",
     .title = "write of 128 B behind the end of a file, and fdatasync",
     .kind = Kind::disk,
     .protocol = Protocol::streams,
     .disk = Disk::growing},
    {.name = "disk-written",
     .title = "write of 128 B into blocks written before, and fdatasync",
     .kind = Kind::disk,
     .protocol = Protocol::streams,
     .disk = Disk::written},
});

}  // namespace

std::span<const Shape> shapes() {
  return table;
}

const Shape* find_shape(std::string_view name) {
  const auto found = std::ranges::find(table, name, &Shape::name);
  return found == table.end() ? nullptr : &*found;
}

std::uint64_t connections_of(const Shape& shape) {
  switch (shape.kind) {
    case Kind::connections:
      return shape.count;
    case Kind::subscriptions:
      return holders;
    case Kind::http:
      return shape.publishers;
    case Kind::append:  // and the one that asks the API
      return std::uint64_t{shape.links} + (shape.consumers > 0 ? 1 : 0) + 1;
    case Kind::consume:  // the one that filled it, too
    case Kind::lookup:
      return 3;
    case Kind::assets:
      return 1;
    case Kind::disk:
      return 0;
    default:
      return std::uint64_t{shape.publishers} + shape.subscribers + shape.bystanders +
             shape.sleepers;
  }
}

std::string_view name_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::nats:
      return "nats";
    case Protocol::mqtt:
      return "mqtt";
    case Protocol::http:
      return "http";
    case Protocol::streams:
      return "streams";
  }
  return "";
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::stream:
      return "stream";
    case Kind::request:
      return "request";
    case Kind::paced:
      return "paced";
    case Kind::connections:
      return "connections";
    case Kind::subscriptions:
      return "subscriptions";
    case Kind::http:
      return "http";
    case Kind::append:
      return "append";
    case Kind::consume:
      return "consume";
    case Kind::lookup:
      return "lookup";
    case Kind::assets:
      return "assets";
    case Kind::disk:
      return "disk";
  }
  return "";
}

std::string_view name_of(Unit unit) {
  switch (unit) {
    case Unit::message:
      return "message";
    case Unit::delivery:
      return "delivery";
    case Unit::request:
      return "request";
    case Unit::connection:
      return "connection";
    case Unit::subscription:
      return "subscription";
    case Unit::stream:
      return "stream";
  }
  return "";
}

std::string_view name_of(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::post:
      return "POST";
  }
  return "";
}

}  // namespace spanwire::loadgen
