// A protocol without sockets: what a wire implements for each connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/loop.h"
#include "bus/port.h"

namespace spanwire::session {

// A session may leave this much unconsumed (a partial frame); a larger frame is read through
// body_space(). A connection that leaves more, without having paused, is closed.
inline constexpr std::size_t max_partial_bytes = 128 * 1024;

// What monitoring shows of a session.
struct Description {
  std::string kind;  // the wire's name
  std::string name;
  std::string user;  // who it says it is; a secret is not shown
  std::string lang;
  std::string version;
  std::optional<base::Duration> round_trip;  // none: not measured
  const bus::Port* port = nullptr;
};

// Every call comes on the session's loop and never after its destructor. Destroying it is the only
// cancellation.
class Session : public bus::Receiver {
 public:
  virtual ~Session() = default;

  // The connection stands; called once, before anything else. A server that speaks first does so.
  virtual void on_open() {}
  // Takes frames off the front and returns how many bytes it took. What is left (a partial frame,
  // or everything after Peer::pause()) stays with the connection and comes again, with more behind
  // it or after Peer::resume().
  virtual std::size_t on_bytes(std::string_view input) = 0;
  // While not empty, the connection receives straight into this space instead of on_bytes.
  virtual std::span<char> body_space() { return {}; }
  virtual void on_body(std::size_t /*bytes*/) {}
  virtual void on_timer(base::TimerId /*timer*/) {}
  // The connection is gone: the last call. `reason` says why, for logs and wills.
  virtual void on_closed(std::string_view /*reason*/) {}
  // The server is about to stop: say goodbye (a will, a notice). Nothing is read any more; what is
  // sent here still goes out.
  virtual void on_shutdown() {}
  // Called for monitoring pages only.
  virtual Description describe() const = 0;
  // What its peer calls the subscription of this tag: a NATS sid, an MQTT filter. The same.
  virtual std::string subscription_name(std::uint64_t /*tag*/) const { return {}; }
};

}  // namespace spanwire::session
