#include "tests/support/world.h"

#include <algorithm>

#include "base/assert.h"

namespace spanwire::test {
namespace {

constexpr int settle_limit = 200'000;  // a loop that never rests is a bug

}  // namespace

World::World(WorldSettings settings) : hub_(settings.loops), ledger_(settings.buffered_bytes) {
  for (std::size_t i = 0; i < settings.loops; ++i) {
    const auto id = static_cast<base::LoopId>(i);
    sites_.push_back(std::make_unique<Site>(hub_, ledger_, id, settings));
    Site* site = sites_.back().get();
    hub_.exchange.set_wake(id, [site] { site->woken = true; });
  }
}

World::~World() {
  for (auto& site : sites_) {
    for (auto& peer : site->peers) peer->hang_up();
  }
  settle();
  for (auto& site : sites_) site->peers.clear();
}

TestPeer& World::connect(std::size_t loop, std::string remote) {
  Site& site = *sites_[loop];
  const std::uint64_t id = ++last_connection_;
  if (remote.empty()) remote = "127.0.0.1:" + std::to_string(40000 + id);
  site.peers.push_back(std::make_unique<TestPeer>(site.turn, id, std::move(remote)));
  return *site.peers.back();
}

bool World::busy(Site& site) const {
  if (site.woken || !site.router.idle()) return true;
  // Asleep loops are woken by the exchange, as threads are.
  return !hub_.exchange.sleeping(site.loop.id());
}

// A loop reads the clock when it wakes up and after each read of a socket. No two reads see the
// same.
void World::read_clock(Site& site) {
  now_ += std::chrono::nanoseconds(1);
  site.loop.set_now(now_);
}

bool World::step(std::size_t index) {
  Site& site = *sites_[index];
  bool active = site.woken || !site.router.idle();
  site.woken = false;
  hub_.exchange.wake_up(site.loop.id());
  read_clock(site);
  active |= site.loop.run_posted();
  active |= site.loop.run_timers();
  site.turn.drain();
  for (std::size_t i = 0; i < site.peers.size() && site.turn.may_read(); ++i) {
    if (!site.peers[i]->readable()) continue;
    read_clock(site);
    active |= site.peers[i]->read();
  }
  active |= !site.turn.finish([] { return false; });
  if (!hub_.exchange.fall_asleep(site.loop.id())) active = true;
  return active;
}

void World::settle() {
  for (int i = 0; i < settle_limit; ++i) {
    bool active = false;
    for (std::size_t loop = 0; loop < sites_.size(); ++loop) active |= step(loop);
    // A step's end may leave work to loops that have had their turn: a session that closes posts.
    for (const auto& site : sites_) active |= busy(*site);
    if (!active) return;
  }
  BASE_ASSERT(!"the world does not come to rest");
}

void World::settle_at_random(std::mt19937& rng) {
  for (int i = 0; i < settle_limit; ++i) {
    for (int k = 0; k < 8; ++k) step(rng() % sites_.size());
    const bool rests = std::none_of(sites_.begin(), sites_.end(), [this](const auto& site) {
      return busy(*site) || std::any_of(site->peers.begin(), site->peers.end(),
                                        [](const auto& peer) { return peer->readable(); });
    });
    if (rests) return settle();
  }
  BASE_ASSERT(!"the world does not come to rest");
}

void World::advance(base::Duration by) {
  const base::Time end = now_ + by;
  while (true) {
    settle();
    base::Time next = end;
    for (const auto& site : sites_) {
      if (site->loop.has_timers()) next = std::min(next, site->loop.next_timer());
    }
    now_ = std::max(next, now_);
    settle();
    if (next >= end) return;
  }
}

}  // namespace spanwire::test
