// The loads that servers are compared under, as a table: who publishes how much to whom.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace spanwire::loadgen {

enum class Protocol : std::uint8_t { nats, mqtt, http };

enum class Kind : std::uint8_t {
  stream,         // publishers send as fast as the window lets them
  request,        // pairs of a requester and a responder, one request at a time
  paced,          // publishers send on a clock, whatever comes back: latency
  connections,    // connections that do nothing but hold one subscription
  subscriptions,  // very many subscriptions on a few connections
  http,           // requests on connections that are kept open
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

// What the server's cost is divided by.
enum class Unit : std::uint8_t { message, delivery, request, connection, subscription };

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
