// How the loops tell each other that somebody listens (watches.h).
#include <bit>

#include "base/assert.h"
#include "bus/router.h"

namespace spanwire::bus {

Watched Router::watch(Port& port, std::string_view subject, base::Task on_arrival,
                      std::optional<std::string_view> group) {
  BASE_ASSERT(!routing_);
  const auto has_listener = [&] {
    return group ? port.listens(subject, *group) : port.interested(subject);
  };
  if (stats_.watches.get() >= settings_.watch_limit) {
    const bool interested = has_listener();
    if (!interested) stats_.watches_refused.add();
    return {.interested = interested};
  }
  auto& watches = watches_[&port.interest_];
  if (watches == nullptr) {
    watches = std::make_unique<Watches>(port.interest_, id_, stats_.watches);
  }
  const auto id = static_cast<WatchId>(++last_watch_);
  watches->add(id, port, subject, std::move(on_arrival));
  // Only now: what comes from here on finds the watch (watches.h).
  if (!has_listener()) return {.id = id};
  watches->remove(id);
  return {.interested = true};
}

void Router::unwatch(const Port& port, WatchId id) {
  const auto found = watches_.find(&port.interest_);
  if (found != watches_.end()) found->second->remove(id);
}

// `loops`: those that watch, a bit each.
void Router::note_arrival(Interest& interest, const subject::Filter& filter, std::uint64_t loops) {
  Told& told = arrivals_[&interest];
  if (!told.arrivals) told.arrivals = base::make_ref<Arrivals>();
  told.arrivals->add(filter);
  told.loops |= loops;
}

void Router::tell_watchers() {
  for (auto& [interest, told] : arrivals_) {
    for (std::uint64_t loops = told.loops; loops != 0; loops &= loops - 1) {
      const auto loop = static_cast<base::LoopId>(std::countr_zero(loops));
      post(loop, [hub = &hub_, loop, interest = interest,
                  arrivals = base::Ref<const Arrivals>(told.arrivals)] {
        hub->router(loop).take_arrivals(*interest, *arrivals);
      });
      stats_.arrivals_told.add();
    }
  }
  arrivals_.clear();
}

void Router::take_arrivals(Interest& interest, const Arrivals& arrivals) {
  const auto found = watches_.find(&interest);
  if (found == watches_.end()) return;
  Watches& watches = *found->second;
  if (watches.arrived(arrivals)) walk_watches(watches);
}

void Router::walk_watches(Watches& watches) {
  if (watches.walk()) post(id_, [this, &watches] { walk_watches(watches); });
}

}  // namespace spanwire::bus
