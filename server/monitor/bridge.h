// What the monitoring pages of one loop share, and the wire that serves them.
//
// A page asks each loop by message and puts the answers together on the loop of its connection.
// Nothing that the message path writes is locked for it.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/lifeline.h"
#include "monitor/page.h"
#include "monitor/source.h"
#include "web/site.h"
#include "wire/web_access.h"
#include "wire/wire.h"

namespace spanwire::monitor {

class Bridge final : public wire::Bridge, private session::EndWatch {
 public:
  // All loops' bridges, by loop; complete before the first request.
  struct Shared {
    Source& source;
    std::vector<Bridge*> bridges;
  };

  Bridge(wire::Services& services, std::shared_ptr<Shared> shared);
  ~Bridge() override;

  wire::Services& services() { return services_; }
  Source& source() { return shared_->source; }
  session::Turn& turn() { return turn_; }
  web::Site& site() { return site_; }

  // A connection of the monitoring itself: no page shows it.
  std::unique_ptr<session::Session> open(session::Peer& peer);
  std::uint64_t own_opened() const { return own_opened_; }
  std::size_t own_connections() const { return own_.size(); }
  const std::array<std::uint64_t, paths.size()>& requests() const { return requests_; }

  // Calls `ask` on every loop with that loop's bridge; it answers once, there. `done` gets the
  // parts here, in the order of the loops.
  template <class Part>
  void ask_loops(std::function<void(Bridge&, base::Done<Part>)> ask,
                 base::Done<std::vector<Part>> done);

 private:
  void on_ending(const session::Peer& peer, std::string_view reason) override;
  web::Routes make_routes();
  // A page that `make` makes, unless this loop makes too many already.
  web::Handler page(Path path, void (*make)(Bridge&, const web::Request&, Page));

  wire::Services& services_;
  std::shared_ptr<Shared> shared_;
  session::Turn& turn_;
  wire::WebAccess access_;
  absl::flat_hash_set<const session::Peer*> own_;
  std::uint64_t own_opened_ = 0;
  std::array<std::uint64_t, paths.size()> requests_{};
  std::shared_ptr<PageCount> pages_ = std::make_shared<PageCount>();
  web::Site site_;
};

// The wire, for app/wires.cc. `source` outlives every loop.
wire::Wire make_wire(Source& source);

template <class Part>
void Bridge::ask_loops(std::function<void(Bridge&, base::Done<Part>)> ask,
                       base::Done<std::vector<Part>> done) {
  struct State {
    std::size_t left;
    std::vector<Part> parts;
    base::Done<std::vector<Part>> done;
  };
  const std::size_t loops = services_.loops();
  auto state = std::make_shared<State>(State{loops, std::vector<Part>(loops), std::move(done)});
  const base::LoopId home = services_.loop().id();
  for (std::size_t i = 0; i < loops; ++i) {
    Bridge* there = shared_->bridges[i];
    // The state moves along, so that it is given up where `done` belongs.
    services_.post(static_cast<base::LoopId>(i), [there, home, i, ask, state]() mutable {
      ask(*there, [there, home, i, state = std::move(state)](Part part) mutable {
        there->services_.post(home,
                              [i, state = std::move(state), part = std::move(part)]() mutable {
                                state->parts[i] = std::move(part);
                                if (--state->left == 0) state->done(std::move(state->parts));
                              });
      });
    });
  }
}

}  // namespace spanwire::monitor
