// Watches over three loops: whoever waits for a listener when all have come to rest has none, in
// every interleaving of watching, subscribing, handing over and draining that seeded walks find.
#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/support/seeds.h"
#include "tests/unit/bus/seats.h"

using namespace spanwire;
using test::anybody;
using test::filter_of;

namespace {

constexpr std::size_t loops = 3;
constexpr base::AccountId importing = 1;

// Waits until somebody listens to its subject, then rests until it is sent to wait again.
class Waiter {
 public:
  Waiter(bus::Router& router, std::string subject)
      : subject_(std::move(subject)), port_(router.open(anybody(), recorder_, nullptr)) {}

  // As its owner would: it looks, and later, if nobody was there, it watches.
  void go_on() {
    if (watch_ != bus::WatchId::none) return;
    if (!looked_) {
      looked_ = !port_->interested(subject_);
      return;
    }
    looked_ = false;
    watch_ = port_->watch(subject_, [this] { watch_ = bus::WatchId::none; }).id;
  }
  void take_back() {
    port_->unwatch(watch_);
    watch_ = bus::WatchId::none;
  }
  bool waits() const { return watch_ != bus::WatchId::none; }
  bool waits_in_vain() { return waits() && port_->interested(subject_); }

 private:
  test::Recorder recorder_;
  std::string subject_;
  bus::OwnedPort port_;
  bus::WatchId watch_ = bus::WatchId::none;
  bool looked_ = false;
};

// Comes and goes with filters of all kinds, in a queue group or not, of the account or of one that
// imports from it.
class Listener {
 public:
  Listener(bus::Router& router, base::AccountId account)
      : account_(account), port_(router.open(anybody(account), recorder_, nullptr)) {}

  void change(std::mt19937& rng, std::size_t subjects) {
    if (!subs_.empty() && rng() % 2 == 0) {
      port_->unsubscribe(subs_.back());
      return subs_.pop_back();
    }
    const std::string number = std::to_string(rng() % subjects);
    std::string filter = account_ == importing ? "their." : "w.";
    const unsigned kind = rng() % 12;
    if (kind == 0) {
      filter += "*";
    } else if (kind == 1) {
      filter += number.substr(0, 1) + ".>";
    } else if (kind == 2) {
      filter = "*." + number;
    } else {
      filter += number;
    }
    const std::string_view queue = rng() % 3 == 0 ? "q" : "";
    subs_.push_back(*port_->subscribe(filter_of(filter), {.queue = queue}));
  }
  void leave() {
    for (const base::SubId sub : subs_) port_->unsubscribe(sub);
    subs_.clear();
  }

 private:
  test::Recorder recorder_;
  base::AccountId account_;
  bus::OwnedPort port_;
  std::vector<base::SubId> subs_;
};

class Stage {
 public:
  Stage(std::uint64_t seed, std::size_t subjects)
      : rng_(static_cast<unsigned>(seed)), subjects_(subjects), sites_(loops) {
    REQUIRE(sites_.hub.import_stream(anybody(importing)->account, anybody()->account, "w.>",
                                     "their.>"));
    for (std::size_t i = 0; i < loops * subjects; ++i) {
      waiters_.push_back(
          std::make_unique<Waiter>(sites_[i % loops], "w." + std::to_string(i / loops)));
    }
    for (std::size_t i = 0; i < 2 * loops; ++i) {
      listeners_.push_back(
          std::make_unique<Listener>(sites_[i % loops], i < loops ? 0 : importing));
    }
  }

  void step() {
    switch (rng_() % 8) {
      case 0:
        return listeners_[rng_() % listeners_.size()]->change(rng_, subjects_);
      case 1:
        return sites_[rng_() % loops].hand_over();
      case 2:
        return sites_[rng_() % loops].drain();
      case 3:
        if (rng_() % 100 == 0) listeners_[rng_() % listeners_.size()]->leave();
        return waiters_[rng_() % waiters_.size()]->take_back();
      default:
        for (int i = 0; i < 10; ++i) waiters_[rng_() % waiters_.size()]->go_on();
    }
  }
  void come_to_rest() {
    for (int i = 0; i < 10; ++i) sites_.settle();
    std::size_t in_vain = 0;
    for (const auto& waiter : waiters_) {
      if (waiter->waits()) ++waited_;
      if (waiter->waits_in_vain()) ++in_vain;
    }
    REQUIRE(in_vain == 0);
  }
  void everybody_waits() {
    for (auto& listener : listeners_) listener->leave();
    for (int i = 0; i < 2; ++i) {
      for (auto& waiter : waiters_) waiter->go_on();
    }
  }
  std::uint64_t waited() const { return waited_; }

 private:
  std::mt19937 rng_;
  std::size_t subjects_;
  test::Sites sites_;
  std::vector<std::unique_ptr<Waiter>> waiters_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::uint64_t waited_ = 0;
};

}  // namespace

TEST_CASE("watch: nobody waits for a listener who is there, of few subjects and of many") {
  std::uint64_t waited = 0;
  for (std::uint64_t seed = 1; seed <= test::seeds(60); ++seed) {
    CAPTURE(seed);
    Stage stage(seed, seed % 3 == 0 ? 400 : 5);
    for (int i = 0; i < 1500; ++i) {
      stage.step();
      if (i % 100 == 99) stage.come_to_rest();
      if (i % 300 == 299) stage.everybody_waits();
    }
    waited += stage.waited();
  }
  CHECK(waited > 0);
}
