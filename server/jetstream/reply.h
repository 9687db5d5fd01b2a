// Brings the answer of a stream's home, or of a directory, to the loop of whoever asked.
#pragma once

#include <utility>

#include "base/done.h"
#include "base/ids.h"
#include "wire/services.h"

namespace spanwire::jetstream {

// Moves between loops; what `done` refers to is looked at on its own loop only.
template <class T>
class Reply {
 public:
  Reply(base::LoopId loop, base::Done<T> done) : loop_(loop), done_(std::move(done)) {}

  // Once; on the loop of these services.
  void send(wire::Services& here, T value) {
    here.post(loop_, [done = std::move(done_), value = std::move(value)]() mutable {
      done(std::move(value));
    });
  }

 private:
  base::LoopId loop_;
  base::Done<T> done_;
};

}  // namespace spanwire::jetstream
