// What the monitoring pages of one loop share, and the wire that serves them.
//
// A page asks each loop by message and puts the answers together on the loop of its connection.
// Nothing that the message path writes is locked for it.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/lifeline.h"
#include "monitor/connection.h"
#include "monitor/job.h"
#include "monitor/page.h"
#include "monitor/source.h"
#include "monitor/trace_book.h"
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
  bool asks_for_login() const { return !services_.anonymous(); }

  // A connection of the monitoring itself: no page shows it.
  std::unique_ptr<session::Session> open(session::Peer& peer);
  std::uint64_t own_opened() const { return own_opened_; }
  std::size_t own_connections() const { return own_.size(); }
  const std::array<std::uint64_t, paths.size()>& requests() const { return requests_; }

  // The connections of this loop that pages show.
  std::vector<const session::Peer*> shown_peers() const;
  // Those that ended lately, the latest last.
  std::vector<std::shared_ptr<const ConnectionRow>> closed_connections() const {
    return {closed_.begin(), closed_.end()};
  }

  // What is traced; only the first loop's is kept.
  TraceBook& traces() { return traces_; }

  // Does the job, step by step.
  void run(std::unique_ptr<Job> job);
  // Sends what `make` returns; a page of many lines is made on a helper thread.
  void render(Page page, std::size_t lines, std::function<std::string()> make);

  // Calls `ask` on a loop with that loop's bridge; it answers once, there. `done` gets it here.
  template <class Part>
  void ask_loop(base::LoopId loop, base::Done<Bridge&, base::Done<Part>> ask,
                base::Done<Part> done);
  // The same on every loop; the parts are in the order of the loops.
  template <class Part>
  void ask_loops(std::function<void(Bridge&, base::Done<Part>)> ask,
                 base::Done<std::vector<Part>> done);

 private:
  void on_ending(const session::Peer& peer, std::string_view reason) override;
  void run_step(std::uint64_t id);
  web::Routes make_routes();
  // A page that `make` makes, unless this loop makes too many already.
  web::Handler page(Path path, void (*make)(Bridge&, const web::Request&, Page));

  wire::Services& services_;
  std::shared_ptr<Shared> shared_;
  session::Turn& turn_;
  wire::WebAccess access_;
  absl::flat_hash_set<const session::Peer*> own_;
  std::uint64_t own_opened_ = 0;
  TraceBook traces_;
  std::deque<std::shared_ptr<const ConnectionRow>> closed_;
  absl::flat_hash_map<std::uint64_t, std::unique_ptr<Job>> jobs_;
  std::uint64_t last_job_ = 0;
  std::array<std::uint64_t, paths.size()> requests_{};
  std::shared_ptr<PageCount> pages_ = std::make_shared<PageCount>();
  web::Site site_;
  base::Lifeline lifeline_;
};

// The wire, for app/wires.cc. `source` outlives every loop.
wire::Wire make_wire(Source& source);

template <class Part>
void Bridge::ask_loop(base::LoopId loop, base::Done<Bridge&, base::Done<Part>> ask,
                      base::Done<Part> done) {
  Bridge* there = shared_->bridges[loop];
  const base::LoopId home = services_.loop().id();
  services_.post(loop, [there, home, ask = std::move(ask), done = std::move(done)]() mutable {
    ask(*there, [there, home, done = std::move(done)](Part part) mutable {
      there->services_.post(home, [done = std::move(done), part = std::move(part)]() mutable {
        done(std::move(part));
      });
    });
  });
}

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
  for (std::size_t i = 0; i < loops; ++i) {
    // The state moves along, so that it is given up where `done` belongs.
    ask_loop<Part>(static_cast<base::LoopId>(i), ask, [i, state](Part part) {
      state->parts[i] = std::move(part);
      if (--state->left == 0) state->done(std::move(state->parts));
    });
  }
}

}  // namespace spanwire::monitor
