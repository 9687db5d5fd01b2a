// What a client of the JetStream API needs of a bus: requests, and messages for its inboxes. This
// server's own (bus_link.h), and in tests a connection to another server.
#pragma once

#include <cstdint>
#include <string_view>

#include "bus/message.h"

namespace spanwire::streams {

class Link {
 public:
  // What inboxes get. Called on the loop, not inside publish().
  class Listener {
   public:
    // `token` is what follows the inbox and its dot. No responders: headers are `NATS/1.0 503…`.
    virtual void on_inbox(std::string_view token, const bus::MessageView& message) = 0;

   protected:
    ~Listener() = default;
  };

  virtual ~Link() = default;

  // Begins to listen on everything under inbox(). Once, before the first publish().
  virtual void open(Listener& listener) = 0;
  // Without a dot at its end; nobody else has it.
  virtual std::string_view inbox() const = 0;
  // False: nobody is there; then nothing comes to the reply.
  virtual bool publish(std::string_view subject, std::string_view reply, std::string_view headers,
                       std::string_view payload) = 0;
};

}  // namespace spanwire::streams
