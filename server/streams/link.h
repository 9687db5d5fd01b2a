// What a client of the JetStream API needs of a bus: requests, and messages for its inboxes. This
// server's own (bus_link.h), and in tests a connection to another server.
#pragma once

#include <cstdint>
#include <string_view>

#include "bus/message.h"

namespace spanwire::streams {

// Used and destroyed on its loop. Calls take effect in their order, also where some of them are
// made while the bus is delivering.
class Link {
 public:
  // What inboxes get. Called on the loop, not inside calls of the link.
  class Listener {
   public:
    // `token` is what follows the inbox and its dot; of a message that shows another subject it may
    // be only what listen() was given. No responders: headers are `NATS/1.0 503…`.
    virtual void on_inbox(std::string_view token, const bus::MessageView& message) = 0;

   protected:
    ~Listener() = default;
  };

  virtual ~Link() = default;

  // Begins to listen on `<inbox>.<one token>`. Once, before everything else.
  virtual void open(Listener& listener) = 0;
  // Without a dot at its end; nobody else has it.
  virtual std::string_view inbox() const = 0;
  // Also on `<inbox>.<token>.<one token>`, until unlisten().
  virtual void listen(std::string_view token) = 0;
  virtual void unlisten(std::string_view token) = 0;
  // False: too much waits already, and this is not published. Where nobody gets it, a 503 comes to
  // the reply.
  virtual bool publish(std::string_view subject, std::string_view reply, std::string_view headers,
                       std::string_view payload) = 0;
};

}  // namespace spanwire::streams
