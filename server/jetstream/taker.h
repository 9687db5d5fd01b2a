// Who gets a consumer's messages as an object, in place of a subject that they are published on.
#pragma once

#include "jetstream/ack_subject.h"
#include "store/log.h"

namespace spanwire::jetstream {

// On the consumer's loop; attached to it until detached or told that it is gone.
class Taker {
 public:
  // One of those that were granted. Inside the consumer's work: may not call it.
  virtual void on_taken(const Delivery& delivery, const store::Message& message) = 0;
  // A slice of the consumer's work is done.
  virtual void on_served() = 0;
  // The consumer is deleted, or else the server stops. Nothing comes any more.
  virtual void on_gone(bool deleted) = 0;

 protected:
  ~Taker() = default;
};

}  // namespace spanwire::jetstream
