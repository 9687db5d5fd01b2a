// A request as its handler sees it.
#pragma once

#include <absl/functional/function_ref.h>

#include <string_view>
#include <tl/expected.hpp>

#include "account/account.h"
#include "bus/port.h"
#include "http/message.h"
#include "http/uri.h"
#include "session/peer.h"

namespace spanwire::web {

// The connection that a request came on. Valid during the handler's call.
class Client {
 public:
  // Who it is: none on a route that asks for no login.
  virtual const account::Principal* principal() const = 0;
  // Its address, and the loop's clock.
  virtual session::Peer& peer() = 0;
  // Admits the message and routes it as this client's; the answer that is sent afterwards leaves
  // after the message was handed over to every loop. If the bus is full, the next request waits.
  // Only on routes that ask for a login.
  virtual tl::expected<bus::Routed, bus::Refusal> publish(bus::MessageView message) = 0;
  // The same, as bus::Port::publish(), with what `stored` makes if a durable target matches. It is
  // called even when the client has gone.
  virtual tl::expected<bus::Routed, bus::Refusal> publish(
      bus::MessageView message, absl::FunctionRef<bus::Receipts::Answered()> stored) = 0;
  // The seat that publish() has used.
  virtual const bus::Port& port() const = 0;

 protected:
  ~Client() = default;
};

// All views are valid during the handler's call.
struct Request {
  http::Method method;    // HEAD for a GET whose body nobody wants: answer both alike
  std::string_view path;  // decoded
  std::string_view rest;  // of the path, behind a route's prefix
  const http::Query& query;
  const http::HeaderList& headers;
  std::string_view body;  // whole, at most as large as the route allows
  Client& client;
};

}  // namespace spanwire::web
