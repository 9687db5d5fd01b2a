// Work of a page on one loop that may take long, cut into steps.
#pragma once

#include <cstddef>

#include "bus/router.h"
#include "session/peer.h"

namespace spanwire::monitor {

// Between two steps the loop does everything else. Lives on the loop whose connections it reads.
class Job {
 public:
  // So much to look at in one step: about half a microsecond each.
  static constexpr std::size_t step_units = 1000;

  virtual ~Job() = default;
  // One step. True: it was the last, the result is handed over.
  virtual bool step() = 0;
  // The session of this connection ends: it may not be read any more.
  virtual void forget(const session::Peer& peer) = 0;
};

// Goes through the subscriptions of a port, from the latest to the first, over several steps.
class SubscriptionWalk {
 public:
  SubscriptionWalk(const bus::Router& router, const bus::Port& port)
      : router_(&router), next_(port.first_subscription()) {
    remember();
  }

  // Call it once a step, before next(). False: the subscription to go on with has ended meanwhile,
  // and the rest is lost.
  bool resume() {
    if (next_ == nullptr) return true;
    next_ = router_->find_subscription(id_);
    return next_ != nullptr;
  }
  // Null when there are no more.
  const bus::Subscription* next() {
    const bus::Subscription* const here = next_;
    if (here != nullptr) next_ = here->next;
    remember();
    return here;
  }

 private:
  void remember() { id_ = next_ == nullptr ? base::SubId::none : next_->id; }

  const bus::Router* router_;
  const bus::Subscription* next_;  // valid within a step
  base::SubId id_ = base::SubId::none;
};

}  // namespace spanwire::monitor
