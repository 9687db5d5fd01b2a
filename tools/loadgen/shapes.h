// The loads that servers are compared under, as a table: who publishes how much to whom.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace spanwire::loadgen {

// Streams are spoken to in NATS; they are a protocol of their own here as their peers need a store.
enum class Protocol : std::uint8_t { nats, mqtt, http, streams };

enum class Kind : std::uint8_t {
  stream,         // publishers send as fast as the window lets them
  request,        // pairs of a requester and a responder, one request at a time
  paced,          // publishers send on a clock, whatever comes back: latency
  connections,    // connections that do nothing but hold one subscription
  subscriptions,  // very many subscriptions on a few connections
  http,           // requests on connections that are kept open
  append,         // publishers into streams, whose acknowledgements are awaited
  consume,        // a stream that was filled before is read, again and again
  lookup,         // the last value of one key after the other
  assets,         // streams and consumers that nobody uses
  disk,           // no server: a write and an fdatasync, again and again
};

// How publishers and subscribers meet.
enum class Spread : std::uint8_t {
  none,   // nobody listens
  pairs,  // publisher i to subscriber i, on a subject of their own
  all,    // one subject; every subscriber gets every message
  queue,  // one subject; the subscribers are one queue group
};

// The subscription that comes and goes with every tenth message to a fleet.
enum class Passing : std::uint8_t {
  none,
  inbox,   // as a request's: under a first token of its own
  device,  // a wildcard for a device of the fleet
};

enum class Method : std::uint8_t { get, post };

// How a stream is read.
enum class Consumer : std::uint8_t {
  none,
  pull,     // batches of `window`, each message acknowledged
  push,     // nothing acknowledged
  ordered,  // as push, with flow control and heartbeats
  watch,    // as ordered, the last value of each key
};

// The bytes that a bare write to the disk is measured with.
enum class Disk : std::uint8_t {
  growing,  // behind the end of a file
  written,  // into a file whose blocks were written before
};

// What the server's cost is divided by.
enum class Unit : std::uint8_t { message, delivery, request, connection, subscription, stream };

// Many subscriptions are spread over so many connections.
inline constexpr std::uint64_t holders = 10;

struct Shape {
  std::string_view name;
  std::string_view title;
  Kind kind = Kind::stream;
  Protocol protocol = Protocol::nats;
  Unit unit = Unit::message;
  Spread spread = Spread::pairs;
  std::uint32_t size = 128;       // bytes of payload
  std::uint32_t publishers = 1;   // or requesters, or connections of HTTP
  std::uint32_t subscribers = 1;  // or responders
  bool single = false;            // a write for each message, instead of 64 KiB of them
  bool headers = false;           // four headers with each message
  std::uint32_t subjects = 1;     // a publisher's, visited at random
  std::uint32_t wildcards = 0;    // devices of a fleet, with a wildcard each; some are published to
  Passing passing = Passing::none;
  std::uint32_t bystanders = 0;  // further connections, each with a subscription nobody feeds
  std::uint32_t sleepers = 0;    // further subscribers, who stop reading when measuring begins
  std::uint64_t count = 0;       // how many connections or subscriptions are held
  std::uint64_t rate = 0;        // messages a second of a paced load
  Method method = Method::get;
  std::uint32_t depth = 1;  // HTTP requests in one write

  // Of streams: publisher i has stream i. count is how many messages or keys are there before.
  bool memory = false;         // the stream's storage; otherwise a file
  bool keys = false;           // the stream is a key-value bucket
  std::uint32_t window = 256;  // messages of a publisher, or requests, under way at most
  std::uint32_t links = 1;     // connections that the publishers share
  Consumer consumer = Consumer::none;
  std::uint32_t consumers = 0;  // of each stream; with several each has a filter of its own
  Disk disk = Disk::growing;
};

std::span<const Shape> shapes();
// Null if no shape has this name.
const Shape* find_shape(std::string_view name);

// How many connections a run of the shape has open at once.
std::uint64_t connections_of(const Shape& shape);

std::string_view name_of(Protocol protocol);
std::string_view name_of(Kind kind);
std::string_view name_of(Unit unit);
std::string_view name_of(Method method);

}  // namespace spanwire::loadgen
